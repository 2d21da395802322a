// `nanoday check` finds faults: each kind of check is given a machine with one.
// SPDX-License-Identifier: Apache-2.0
#include "app/checks.hpp"

#include "forces/system_setup.hpp"
#include "io/structure_file.hpp"
#include "model/model_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace nanoday {
namespace {

/// A machine whose results are spoilt after the real one made them.
class SpoiltMachine : public Backend {
 public:
  using Fault = std::function<void(const EvaluationArgs&, Forces&)>;
  explicit SpoiltMachine(Fault fault)
      : real_(make_backend({"cpu", 1, false, "auto"})), fault_(std::move(fault)) {}

  std::string name() const override { return "spoilt " + real_->name(); }
  bool reproducible() const override { return real_->reproducible(); }
  std::unique_ptr<PreparedModel> prepare(PlanPointer plan) override { return real_->prepare(plan); }
  std::vector<std::int32_t> spatial_order(View<const Vec4> x, double cell) override {
    return real_->spatial_order(x, cell);
  }
  void build_neighbor_list(const NeighborArgs& args, NeighborList& list) override {
    real_->build_neighbor_list(args, list);
  }
  double max_displacement2(View<const Vec4> x, View<const Vec4> reference) override {
    return real_->max_displacement2(x, reference);
  }
  EvaluationCounts deep_potential(PreparedModel& model, const EvaluationArgs& args, Forces& forces) override {
    const EvaluationCounts counts = real_->deep_potential(model, args, forces);
    fault_(args, forces);
    return counts;
  }
  EvaluationCounts dipoles(PreparedModel& model, const EvaluationArgs& args, View<Vec4> dipole) override {
    return real_->dipoles(model, args, dipole);
  }
  EvaluationCounts dipole_forces(PreparedModel& model, const EvaluationArgs& args, View<const Vec4> cotangent,
                                 Forces& forces) override {
    return real_->dipole_forces(model, args, cotangent, forces);
  }
  std::unique_ptr<LongRangeSolver> make_long_range(const LongRangePlan& plan, MeshRanks* ranks) override {
    return real_->make_long_range(plan, ranks);
  }
  void kick(View<Vec4>, View<const Vec4>, View<const double>, double) override {}
  void drift(View<Vec4>, View<const Vec4>, double) override {}
  void scale_velocities(View<Vec4>, double) override {}
  void ornstein_uhlenbeck(View<Vec4>, View<const double>, View<const std::int64_t>, double, double,
                          std::uint64_t, std::uint64_t) override {}
  AtomSum kinetic_energy(View<const Vec4>, View<const double>) override { return {}; }

 private:
  std::unique_ptr<Backend> real_;
  Fault fault_;
};

/// Water, nets untabulated, 24 atoms in open space.
struct Fixture {
  std::shared_ptr<const Model> model =
      std::make_shared<const Model>(read_model(NANODAY_SOURCE_DIR "/examples/models/water.pb"));
  PlanPointer plan = make_exact_plan(model);
  BoundSystem system;

  Fixture() {
    const Structure frame = read_structures(NANODAY_SOURCE_DIR "/examples/structures/water192.data").front();
    system = cut_out({frame.box, make_atoms(frame, bind_types(frame, model->type_map))}, 24);
  }

  CheckRows derivatives(SpoiltMachine::Fault fault) const {
    SpoiltMachine machine(std::move(fault));
    return check_derivatives({&machine, plan, {}}, system);
  }
  CheckRows symmetries(SpoiltMachine::Fault fault) const {
    SpoiltMachine machine(std::move(fault));
    return check_symmetries({&machine, plan, {}}, system);
  }
};

bool ok(const CheckRows& rows, const std::string& part) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const CheckRow& r) { return r.name.starts_with(part); });
  EXPECT_NE(row, rows.end()) << part;
  return row != rows.end() && row->ok();
}

void no_fault(const EvaluationArgs&, Forces&) {}

TEST(Checks, pass_without_a_fault) {
  const Fixture fixture;
  for (const CheckRow& row : fixture.derivatives(no_fault)) EXPECT_TRUE(row.ok()) << row.name << row.measured;
  for (const CheckRow& row : fixture.symmetries(no_fault)) EXPECT_TRUE(row.ok()) << row.name << row.measured;
}

TEST(Checks, forces_that_are_no_derivative_are_found) {
  const CheckRows rows = Fixture().derivatives([](const EvaluationArgs& args, Forces& forces) {
    for (std::int64_t i = 0; i < args.nlocal; ++i) forces.force[i].x *= 1.00001;
  });
  EXPECT_FALSE(ok(rows, "forces against finite differences"));
  EXPECT_TRUE(ok(rows, "virial against strain"));
}

TEST(Checks, a_virial_of_the_wrong_sign_is_found) {
  const CheckRows rows = Fixture().derivatives([](const EvaluationArgs&, Forces& forces) {
    for (double& w : forces.virial) w = -w;
  });
  EXPECT_FALSE(ok(rows, "virial against strain"));
  EXPECT_TRUE(ok(rows, "forces against finite differences"));
}

TEST(Checks, an_energy_that_depends_on_the_place_is_found) {
  const CheckRows rows = Fixture().symmetries([](const EvaluationArgs& args, Forces& forces) {
    for (std::int64_t i = 0; i < args.nlocal; ++i) forces.atom_energy[i] += 1e-8 * args.position[i].x;
  });
  EXPECT_FALSE(ok(rows, "translation: energy"));
  EXPECT_FALSE(ok(rows, "rotation: energy"));
  EXPECT_TRUE(ok(rows, "sum of forces"));
}

TEST(Checks, a_force_in_a_fixed_direction_is_found) {
  const CheckRows rows = Fixture().symmetries([](const EvaluationArgs& args, Forces& forces) {
    for (std::int64_t i = 0; i < args.nlocal; ++i) forces.force[i].z += 1e-7;
  });
  EXPECT_TRUE(ok(rows, "translation: forces"));
  EXPECT_FALSE(ok(rows, "rotation: forces"));
  EXPECT_FALSE(ok(rows, "sum of forces"));
}

TEST(Checks, forces_that_change_between_evaluations_are_found) {
  const CheckRows rows = Fixture().symmetries([first = true](const EvaluationArgs&, Forces& forces) mutable {
    if (!first) forces.force[0].y += 1e-7;  // the first evaluation is the reference
    first = false;
  });
  EXPECT_FALSE(ok(rows, "permutation: forces"));
}

TEST(Checks, values_that_are_not_numbers_fail) {
  const CheckRow row{"anything", "", std::nan(""), 1.0, ""};
  EXPECT_FALSE(row.ok());
}

TEST(Checks, a_cut_out_keeps_the_atoms_nearest_to_the_first) {
  const Fixture fixture;
  EXPECT_EQ(fixture.system.atoms.nlocal, 24);
  EXPECT_TRUE(fixture.system.box.is_open());
  double last = 0;
  for (const Vec4& x : fixture.system.atoms.position) {
    EXPECT_GE(norm(xyz(x)), last);
    last = norm(xyz(x));
  }
  EXPECT_LT(last, 7.0);  // 24 atoms of liquid water fill a sphere of about 4 Å
}

}  // namespace
}  // namespace nanoday
