// The fused descriptor kernels against the oracle's environment and the plan's own columns.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/support.hpp"
#include "machines.hpp"
#include "reference/compare.hpp"
#include "reference/models.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

namespace nanoday {
namespace {

using namespace reference;

/// Relative to the largest value. Measured: double 1.4e-15 (a), 3.8e-14 (forces), 4.4e-14 (virials), where a
/// unit of fixed point is 1e-15 of the largest; float 3e-7, 1e-7, 1.4e-7.
template <class Real>
constexpr double k_limit = sizeof(Real) == 8 ? 1e-12 : 1e-5;

double cotangent(std::int32_t atom, int k) { return 30 * std::sin(1 + 3.7 * atom + 1.3 * k); }

std::shared_ptr<const Model> shared(Model model) { return std::make_shared<const Model>(std::move(model)); }

/// The plan that evaluates an atom.
const InferencePlan& plan_for(const InferencePlan& plan, bool taken) { return taken ? *plan.exact : plan; }

/// What all rows of a pass hold, and what they ought to, in double.
template <class Real>
void collect_rows(Pass<Real>& pass, const InferencePlan& plan, const Neighborhood& n, Numbers& got,
                  Numbers& wanted) {
  const std::vector<Real> a = pass.a();
  const std::vector<std::uint8_t> taken = pass.taken();
  std::size_t row = 0;
  pass.for_each_row([&](std::int64_t at, int size, std::int32_t atom, bool exact) {
    const bool elsewhere = !exact && taken[row] != 0;
    if (!exact) ++row;
    if (exact && atom < 0) return;  // whole tiles without atoms are not written
    std::vector<double> expected(size, 0.0);
    if (atom >= 0 && !elsewhere) expected = reference_a(plan_for(plan, exact), n.args(), atom);
    ASSERT_EQ(expected.size(), static_cast<std::size_t>(size));
    got.insert(got.end(), a.begin() + at, a.begin() + at + size);
    wanted.insert(wanted.end(), expected.begin(), expected.end());
  });
}

/// Atoms the exact plan has taken over.
template <class Real>
std::vector<bool> taken_atoms(Pass<Real>& pass, std::int64_t nlocal) {
  std::vector<bool> taken(nlocal, false);
  pass.for_each_row([&](std::int64_t, int, std::int32_t atom, bool exact) {
    if (exact && atom >= 0) taken[atom] = true;
  });
  return taken;
}

Gradients reference_gradients(const InferencePlan& plan, const Neighborhood& n,
                              const std::vector<bool>& taken) {
  const std::size_t nall = n.atoms.position.size(), nlocal = n.atoms.nlocal;
  Gradients g{Numbers(3 * nall, 0.0), Numbers(9, 0.0), Numbers(9 * nall, 0.0)};
  for (std::size_t i = 0; i < nlocal; ++i) {
    if (plan.model->fitting[n.atoms.type[i]].empty()) continue;
    const InferencePlan& mine = plan_for(plan, taken[i]);
    std::vector<double> da(4 * mine.centres[n.atoms.type[i]].n_columns);
    for (std::size_t k = 0; k < da.size(); ++k)
      da[k] = cotangent(static_cast<std::int32_t>(i), static_cast<int>(k));
    add_reference_gradient(mine, n.args(), static_cast<std::int64_t>(i), da, g);
  }
  return g;
}

/// Forward and backward pass against the reference. Returns what was counted.
template <class Real>
gpu::PassCounts expect_equal(const std::shared_ptr<const InferencePlan>& plan, const Neighborhood& n,
                             double limit = k_limit<Real>, Deal deal = {}) {
  Pass<Real> pass(plan, n, deal);
  pass.forward();
  Numbers got, wanted;
  collect_rows(pass, *plan, n, got, wanted);
  EXPECT_LT(relative_error(got, wanted), limit);
  pass.backward(cotangent);
  const Gradients g = pass.gradients();
  const Gradients reference = reference_gradients(*plan, n, taken_atoms(pass, n.atoms.nlocal));
  EXPECT_LT(relative_error(g.force, reference.force), limit);
  EXPECT_LT(relative_error(g.virial, reference.virial), limit);
  EXPECT_LT(relative_error(g.atom_virial, reference.atom_virial), limit);
  EXPECT_EQ(pass.counts().force_overflow, 0u);
  return pass.counts();
}

struct Case {
  std::string name;
  std::shared_ptr<const InferencePlan> plan;
};

std::vector<Case> plans_of(const std::shared_ptr<const Model>& model, Precision precision) {
  return {{"lowrank", random_lowrank_plan(model, precision)},
          {"quintic", plan_of(model, TableKind::quintic, precision)},
          {"net", exact_plan(model, precision)}};
}

class DescriptorKernels : public testing::Test {
 protected:
  ~DescriptorKernels() override { gpu::set_thread_order(false); }
  /// Some 20 neighbors of one type and 40 of the other: more than one chunk of 32.
  System system = random_system(Box::orthorhombic(4.2, 4.4, 4.6), 18, 0.9, 12);

  template <class Real>
  void expect_all_equal(const std::string& name, const std::shared_ptr<const Model>& model) {
    const Neighborhood n = neighborhood_of(system, *model);
    for (const Case& c : plans_of(model, sizeof(Real) == 8 ? Precision::fp64 : Precision::mixed)) {
      SCOPED_TRACE(name + ", " + c.name);
      expect_equal<Real>(c.plan, n);
    }
  }
};

TEST_F(DescriptorKernels, equal_the_oracle_in_double_for_every_plan_and_shape) {
  expect_all_equal<double>("plain", model_named("toy"));
  expect_all_equal<double>("two sided, one pair excluded", model_named("toy_two_sided"));
  expect_all_equal<double>("one sided, one pair excluded", shared(toy_model({.exclude_00 = true})));
  expect_all_equal<double>("time steps, gelu", model_named("toy_gelu"));
  expect_all_equal<double>("dipole of one type", model_named("toy_dipole"));
  expect_all_equal<double>("padding is inert", shared(toy_model({.shift = 0})));
  expect_all_equal<double>("one column", shared(toy_model({.embedding = {1}, .m2 = 1})));
}

TEST_F(DescriptorKernels, equal_the_oracle_for_every_number_of_columns) {
  for (const int columns : {3, 12, 20, 33, 64, 65, 140}) {
    const auto model = shared(toy_model({.embedding = {columns}}));
    const Neighborhood n = neighborhood_of(system, *model);
    SCOPED_TRACE(columns);
    expect_equal<double>(plan_of(model, TableKind::quintic), n);
    if (columns <= 20) expect_equal<double>(plan_of(model, TableKind::lowrank), n);
  }
}

TEST_F(DescriptorKernels, equal_the_oracle_in_single_precision) {
  expect_all_equal<float>("plain", model_named("toy"));
  expect_all_equal<float>("two sided, one pair excluded", model_named("toy_two_sided"));
  expect_all_equal<float>("odd widths", shared(toy_model({.embedding = {3, 5, 7}, .m2 = 7})));
}

TEST_F(DescriptorKernels, evaluate_every_activation_and_the_widest_layer) {
  for (const Activation activation : {Activation::relu, Activation::relu6, Activation::softplus,
                                      Activation::sigmoid, Activation::silu, Activation::linear}) {
    const auto model = shared(toy_model({.activation = activation}));
    SCOPED_TRACE(activation_name(activation));
    expect_equal<double>(exact_plan(model), neighborhood_of(system, *model));
  }
  system = {Box::open(), {0, 1, 1}, {Vec3{0, 0, 0}, Vec3{1.2, 0.3, 0}, Vec3{-0.4, 1.1, 0.5}}};
  const auto wide = shared(toy_model({.embedding = {512, 1024}}));
  expect_equal<double>(exact_plan(wide), neighborhood_of(system, *wide));
}

TEST_F(DescriptorKernels, keep_the_nearest_neighbors_when_there_are_too_many) {
  for (const std::vector<int>& sel :
       {std::vector<int>{40, 5}, {3, 80}, {2, 3}, {1, 1}, {0, 80}, {40, 32}, {40, 31}}) {
    SCOPED_TRACE(testing::PrintToString(sel));
    const auto model = shared(toy_model({.sel = sel}));
    const Neighborhood n = neighborhood_of(system, *model);
    for (const Case& c : plans_of(model, Precision::fp64)) {
      const gpu::PassCounts counts = expect_equal<double>(c.plan, n);
      if (sel[1] < 31 || sel[0] < 10)
        EXPECT_EQ(counts.sel_overflow, 18u);
      else
        EXPECT_GT(counts.sel_overflow, 5u);
    }
  }
}

TEST_F(DescriptorKernels, break_ties_between_equally_near_neighbors_by_their_place_in_the_list) {
  system = {Box::open(), {0}, {Vec3{0, 0, 0}}};
  for (int k = 0; k < 3; ++k)
    for (const double x : {1.5, -1.5})
      for (const double scale : {1.0, 1.25}) {
        system.type.push_back(1);
        system.position.push_back({k == 0 ? scale * x : 0, k == 1 ? scale * x : 0, k == 2 ? scale * x : 0});
      }
  for (int sel = 1; sel < 12; ++sel) {
    const auto model = shared(toy_model({.sel = {20, sel}}));
    expect_equal<double>(plan_of(model, TableKind::quintic), neighborhood_of(system, *model));
  }
}

TEST_F(DescriptorKernels, hand_atoms_with_neighbors_outside_the_table_to_the_exact_plan) {
  system.position[4] = system.position[3] + Vec3{0.3, 0.1, -0.2};
  for (const std::string name : {"toy", "toy_two_sided"}) {
    const auto model = model_named(name);
    const Neighborhood n = neighborhood_of(system, *model);
    for (const auto& plan : {random_lowrank_plan(model), random_lowrank_plan(model, Precision::mixed)}) {
      const bool precise = plan->precision == Precision::fp64;
      const gpu::PassCounts counts = precise ? expect_equal<double>(plan, n) : expect_equal<float>(plan, n);
      EXPECT_GE(counts.outside_table, 2u);
      EXPECT_EQ(~counts.first_atom, 3u);
    }
  }
}

TEST_F(DescriptorKernels, ask_the_net_beyond_the_tables_of_direct_plans) {
  system.position[4] = system.position[3] + Vec3{0.3, 0.1, -0.2};
  const auto model = model_named("toy");
  const Neighborhood n = neighborhood_of(system, *model);
  EXPECT_GE(expect_equal<double>(plan_of(model, TableKind::quintic), n).outside_table, 2u);
  EXPECT_GE(expect_equal<float>(plan_of(model, TableKind::quintic, Precision::mixed), n).outside_table, 2u);
  EXPECT_EQ(expect_equal<double>(exact_plan(model), n).outside_table, 0u);
}

TEST_F(DescriptorKernels, follow_the_own_tables_of_compressed_models_and_continue_them) {
  const auto model = model_named("water_sea_compressed.pb");
  for (const double contact : {0.0, 0.45, 0.02}) {
    SCOPED_TRACE(contact);
    if (contact > 0) system.position[4] = system.position[3] + Vec3{contact, 0, 0};
    const Neighborhood n = neighborhood_of(system, *model);
    // Continued tables give forces beyond any fixed-point sum; then only a is compared.
    for (const auto& plan : {exact_plan(model), random_lowrank_plan(model)}) {
      if (contact < 0.1 && contact > 0) {
        Pass<double> pass(plan, n);
        pass.forward();
        Numbers got, wanted;
        collect_rows(pass, *plan, n, got, wanted);
        EXPECT_LT(relative_error(got, wanted), k_limit<double>);
        EXPECT_GE(pass.counts().outside_table, 2u);
      } else {
        expect_equal<double>(plan, n);
      }
    }
  }
}

TEST_F(DescriptorKernels, count_what_the_processor_counts) {
  system.position[4] = system.position[3] + Vec3{0.3, 0.1, -0.2};
  const auto model = shared(toy_model({.sel = {20, 25}}));
  const Neighborhood n = neighborhood_of(system, *model);
  const auto cpu = make_backend({.device = "cpu", .threads = 1});
  for (const Case& c : plans_of(model, Precision::fp64)) {
    SCOPED_TRACE(c.name);
    const auto prepared = cpu->prepare(c.plan);
    Forces forces;
    const EvaluationCounts expected = cpu->deep_potential(*prepared, n.args(), forces);
    const gpu::PassCounts counts = expect_equal<double>(c.plan, n);
    EXPECT_EQ(counts.outside_table, static_cast<std::uint64_t>(expected.outside_table));
    EXPECT_EQ(counts.sel_overflow, static_cast<std::uint64_t>(expected.sel_overflow));
    const double r2 = counts.smallest_r2 == 0 ? 0 : std::bit_cast<double>(~counts.smallest_r2);
    EXPECT_NEAR(std::sqrt(r2), expected.smallest_distance, 1e-12);
  }
}

TEST_F(DescriptorKernels, count_on_when_the_exact_plan_has_no_room_left) {
  // Pairs of hydrogen in contact: more atoms than the 64 rows of one tile.
  System pairs{Box::open(), {}, {}};
  for (int k = 0; k < 40; ++k)
    for (const double x : {0.0, 0.3}) {
      pairs.type.push_back(1);
      pairs.position.push_back({10.0 * k + x, 0, 0});
    }
  const auto model = model_named("toy");
  const Neighborhood n = neighborhood_of(pairs, *model);
  const auto plan = random_lowrank_plan(model);
  for (const bool reversed : {false, true}) {
    gpu::set_thread_order(reversed);
    Pass<double> pass(plan, n, {.exact_tiles_per_type = 1});
    pass.forward();
    EXPECT_EQ(pass.exact_count(), (std::vector<std::int32_t>{0, 80}));
    EXPECT_EQ(pass.counts().exact_rows, 80u);
    EXPECT_EQ(pass.signals().halt, 1u);
    EXPECT_EQ(pass.signals().trouble, 0u);
    Pass<double> none(plan, n, {.exact_tiles_per_type = 0});
    none.forward();
    none.backward(cotangent);
    EXPECT_EQ(none.exact_count(), (std::vector<std::int32_t>{0, 80}));
    EXPECT_EQ(largest(none.gradients().force), 0);
    expect_equal<double>(plan, n, k_limit<double>, {.exact_tiles_per_type = 2});
  }
}

TEST_F(DescriptorKernels, give_the_same_bits_for_any_order_of_threads_and_rows) {
  system.position[4] = system.position[3] + Vec3{0.3, 0.1, -0.2};
  const auto model = shared(toy_model({.sel = {20, 25}}));
  const Neighborhood n = neighborhood_of(system, *model);
  for (const Case& c : plans_of(model, Precision::mixed)) {
    SCOPED_TRACE(c.name);
    std::vector<std::array<std::int64_t, 4>> first;
    for (const bool reversed : {false, true})
      for (const Deal& deal : {Deal{}, Deal{.gap = 0, .backwards = true}}) {
        gpu::set_thread_order(reversed);
        Pass<float> pass(c.plan, n, deal);
        pass.forward();
        pass.backward(cotangent);
        if (first.empty()) first = pass.force();
        EXPECT_EQ(pass.force(), first);
      }
  }
}

TEST_F(DescriptorKernels, give_the_same_forces_whether_virials_are_wanted_or_not) {
  const auto model = model_named("toy");
  const Neighborhood n = neighborhood_of(system, *model);
  for (const Case& c : plans_of(model, Precision::fp64)) {
    Pass<double> with(c.plan, n), without(c.plan, n);
    for (Pass<double>* pass : {&with, &without}) {
      pass->forward();
      pass->backward(cotangent, pass == &with);
    }
    EXPECT_EQ(with.force(), without.force());
  }
}

TEST_F(DescriptorKernels, send_forces_on_ghosts_to_their_owners) {
  const auto model = model_named("toy");
  const Neighborhood n = neighborhood_of(system, *model);
  const auto nlocal = static_cast<std::size_t>(n.atoms.nlocal), nall = n.atoms.position.size();
  ASSERT_GT(nall, nlocal);
  std::vector<std::int32_t> owner;
  for (std::size_t g = nlocal; g < nall; ++g)
    owner.push_back(static_cast<std::int32_t>(
        std::find(n.atoms.id.begin(), n.atoms.id.begin() + n.atoms.nlocal, n.atoms.id[g]) -
        n.atoms.id.begin()));
  for (const Case& c : plans_of(model, Precision::fp64)) {
    Pass<double> apart(c.plan, n), home(c.plan, n);
    home.send_home(owner);
    for (Pass<double>* pass : {&apart, &home}) {
      pass->forward();
      pass->backward(cotangent);
    }
    auto folded = apart.force();
    for (std::size_t g = nlocal; g < nall; ++g)
      for (int d = 0; d < 3; ++d) folded[owner[g - nlocal]][d] += std::exchange(folded[g][d], 0);
    EXPECT_EQ(home.force(), folded);
  }
}

TEST_F(DescriptorKernels, know_atoms_without_neighbors) {
  const System lonely{Box::open(), {0, 1}, {Vec3{0, 0, 0}, Vec3{50, 0, 0}}};
  const auto model = model_named("toy");
  const Neighborhood n = neighborhood_of(lonely, *model);
  for (const Case& c : plans_of(model, Precision::fp64)) {
    Pass<double> pass(c.plan, n);
    pass.forward();
    Numbers got, wanted;
    collect_rows(pass, *c.plan, n, got, wanted);
    EXPECT_LT(relative_error(got, wanted), k_limit<double>);
    pass.backward(cotangent);
    EXPECT_EQ(largest(pass.gradients().force), 0);
  }
}

TEST_F(DescriptorKernels, tell_when_atoms_coincide_or_are_nowhere) {
  const auto model = model_named("toy");
  const auto compressed = model_named("water_sea_compressed.pb");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<Case> cases = plans_of(model, Precision::fp64);
  cases.push_back({"compressed", exact_plan(compressed)});
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Neighborhood n = neighborhood_of(system, *c.plan->model);
    n.atoms.position[4] = n.atoms.position[3];
    Pass<double> same(c.plan, n);
    same.forward();
    same.backward(cotangent);
    EXPECT_EQ(same.counts().force_overflow, 1u);
    EXPECT_EQ(same.signals().trouble, 1u);
    n.atoms.position[4] = {nan, nan, nan, 0};
    n.atoms.position[5] = {1e300, 0, 0, 0};
    Pass<double> nowhere(c.plan, n);
    nowhere.forward();
    nowhere.backward(cotangent);  // neither is anybody's neighbor
    EXPECT_EQ(nowhere.counts().force_overflow, 0u);
    EXPECT_EQ(nowhere.signals().trouble, 0u);
  }
}

}  // namespace
}  // namespace nanoday
