// Lists and ghosts are kept current: results never depend on when they were built.
// SPDX-License-Identifier: Apache-2.0
#include "forces/evaluator.hpp"

#include "core/error.hpp"
#include "machines.hpp"
#include "reference/compare.hpp"
#include "reference/evaluate.hpp"
#include "reference/systems.hpp"
#include "reference/toy_model.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace nanoday {
namespace {

using namespace reference;

/// The oracle reads the model only, so that no table needs building here.
Plan toy_plan(const ToyOptions& options = {}) {
  auto plan = std::make_shared<InferencePlan>();
  plan->model = std::make_shared<const Model>(toy_model(options));
  plan->table = TableKind::net;
  return plan;
}

struct EvaluatorTest : testing::Test {
  std::unique_ptr<Backend> backend = make_backend({.device = "oracle"});
  Plan plan = toy_plan();
  System system = random_system(small_triclinic(), 12, 1.1, 3);

  Evaluator evaluator(EvaluatorOptions options) {
    return {*backend, plan, system.box, atoms_of(system), options};
  }
};

/// Moves every atom a little, differently, by `step` at most in each direction.
void shake(Evaluator& evaluator, double step, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-step, step);
  Array<Vec4>& x = evaluator.atoms().position;
  for (std::int64_t i = 0; i < evaluator.atoms().nlocal; ++i)
    x[i] = {x[i].x + uniform(random), x[i].y + uniform(random), x[i].z + uniform(random), 0};
}

/// The evaluator's atoms as a system in input order, without images.
System system_of(const Evaluator& evaluator) {
  System system;
  system.box = evaluator.box();
  const std::size_t n = static_cast<std::size_t>(evaluator.atoms().nlocal);
  system.type.resize(n);
  system.position.resize(n);
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t i = static_cast<std::size_t>(evaluator.atoms().id[k]);
    system.type[i] = evaluator.atoms().type[k];
    system.position[i] = xyz(evaluator.atoms().position[k]);
  }
  return system;
}

TEST_F(EvaluatorTest, gives_the_same_forces_with_an_old_list_as_with_a_new_one) {
  Evaluator old_list = evaluator({1.0, 0});
  old_list.compute({});
  shake(old_list, 0.25, 11);
  old_list.compute(k_everything);
  ASSERT_EQ(old_list.rebuilds(), 1);
  const Result fresh = evaluate(*backend, plan, system_of(old_list));
  const Result kept = result_of(old_list);
  EXPECT_LT(relative_error(flat(kept.force), flat(fresh.force)), tolerance::k_symmetry);
  EXPECT_LT(relative_error(flat(kept.virial), flat(fresh.virial)), tolerance::k_symmetry);
  EXPECT_LT(relative_error(flat(kept.atom_virial), flat(fresh.atom_virial)), tolerance::k_symmetry);
}

TEST_F(EvaluatorTest, rebuilds_only_when_an_atom_has_moved_half_the_skin) {
  Evaluator e = evaluator({1.0, 0});
  e.compute({});
  e.atoms().position[3].x += 0.499;
  e.compute({});
  EXPECT_EQ(e.rebuilds(), 1);
  e.atoms().position[3].x += 0.002;
  e.compute({});
  EXPECT_EQ(e.rebuilds(), 2);
}

TEST_F(EvaluatorTest, rebuilds_every_n_steps_when_told_to) {
  Evaluator e = evaluator({1.0, 3});
  std::vector<std::int64_t> rebuilds;
  for (int step = 0; step < 7; ++step) {
    e.compute({});
    rebuilds.push_back(e.rebuilds());
  }
  EXPECT_EQ(rebuilds, (std::vector<std::int64_t>{1, 1, 1, 2, 2, 2, 3}));
}

TEST_F(EvaluatorTest, rebuilds_when_the_caller_says_so) {
  Evaluator e = evaluator({1.0, 0});
  e.compute({});
  e.invalidate();
  e.compute({});
  EXPECT_EQ(e.rebuilds(), 2);
}

TEST_F(EvaluatorTest, keeps_unwrapped_positions_identities_and_velocities_through_rebuilds) {
  for (Vec3& x : system.position) x = x + Vec3{-23, 31, 9};
  Atoms atoms = atoms_of(system);
  for (std::size_t i = 0; i < atoms.velocity.size(); ++i) atoms.velocity[i].x = double(i);
  Evaluator e(*backend, plan, system.box, atoms, {1.0, 0});
  e.compute({});
  for (std::int64_t k = 0; k < e.atoms().nlocal; ++k) {
    const std::size_t i = static_cast<std::size_t>(e.atoms().id[k]);
    const auto n = e.atoms().image[k];
    const Vec3 unwrapped = xyz(e.atoms().position[k]) + system.box.translation(n[0], n[1], n[2]);
    EXPECT_LT(norm(unwrapped - system.position[i]), 1e-12);
    EXPECT_EQ(e.atoms().velocity[k].x, double(i));
    EXPECT_EQ(e.atoms().type[k], system.type[i]);
    const Vec3 f = system.box.fractional(xyz(e.atoms().position[k]));
    for (const double c : {f.x, f.y, f.z}) EXPECT_TRUE(c > -1e-12 && c < 1 + 1e-12);
  }
}

TEST_F(EvaluatorTest, computes_only_what_is_needed) {
  Evaluator e = evaluator({1.0, 0});
  e.compute(k_everything);
  EXPECT_EQ(e.forces().atom_energy.size(), 12u);
  e.compute({});
  EXPECT_TRUE(e.forces().atom_energy.empty());
  EXPECT_TRUE(e.forces().atom_virial.empty());
}

TEST_F(EvaluatorTest, names_the_atom_whose_position_is_not_a_number) {
  Evaluator e = evaluator({1.0, 0});
  e.compute({});
  e.atoms().position[5].y = std::numeric_limits<double>::quiet_NaN();
  const std::string name = "atom " + std::to_string(e.atoms().id[5] + 1) + " ";
  try {
    e.compute({});
    FAIL() << "nothing was thrown";
  } catch (const RunError& error) {
    EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
  }
}

TEST_F(EvaluatorTest, refuses_a_structure_with_two_atoms_at_the_same_place) {
  system.position[7] = system.position[2] + system.box.translation(1, 0, -1);
  Evaluator e = evaluator({1.0, 0});
  try {
    e.compute({});
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find('3'), std::string::npos) << text;
    EXPECT_NE(text.find('8'), std::string::npos) << text;
  }
}

TEST_F(EvaluatorTest, stops_when_two_atoms_come_to_the_same_place_later) {
  Evaluator e = evaluator({1.0, 0});
  e.compute({});
  e.atoms().position[4] = e.atoms().position[9];
  EXPECT_THROW(e.compute({}), RunError);
}

TEST_F(EvaluatorTest, refuses_a_negative_skin_and_a_type_the_model_lacks) {
  EXPECT_THROW(evaluator({-0.1, 0}), InputError);
  system.type[0] = 2;
  EXPECT_THROW(evaluator({1.0, 0}), InputError);
}

TEST_F(EvaluatorTest, counts_atoms_with_too_many_neighbors) {
  ToyOptions few;
  few.sel = {40, 3};
  plan = toy_plan(few);
  Evaluator e = evaluator({1.0, 0});
  e.compute({});
  EXPECT_EQ(e.counts().sel_overflow, 12);
  e.compute({});
  EXPECT_EQ(e.counts().sel_overflow, 24);
}

/// What a checkpoint holds of an evaluator.
Evaluator resumed_from(Backend& backend, const Plan& plan, const Evaluator& source,
                       EvaluatorOptions options) {
  Atoms atoms = source.atoms();
  atoms.nghost = 0;
  for (Array<Vec4>* rows : {&atoms.position, &atoms.velocity}) rows->resize(atoms.nlocal);
  atoms.type.resize(atoms.nlocal);
  atoms.id.resize(atoms.nlocal);
  Evaluator e(backend, plan, source.box(), atoms, options);
  Evaluator::ListState list = source.list_state();
  list.age -= 1;  // the checkpointed evaluation is done once more
  e.restore(list);
  return e;
}

bool same_bits(const Evaluator& a, const Evaluator& b) {
  for (std::int64_t i = 0; i < a.atoms().nlocal; ++i) {
    if (a.atoms().id[i] != b.atoms().id[i]) return false;
    const Vec4 f = a.forces().force[i], g = b.forces().force[i];
    if (f.x != g.x || f.y != g.y || f.z != g.z) return false;
  }
  return true;
}

TEST_F(EvaluatorTest, continues_bit_for_bit_from_a_checkpoint_taken_at_any_step) {
  for (const EvaluatorOptions options : {EvaluatorOptions{1.0, 0}, EvaluatorOptions{2.0, 4}})
    for (int stop = 0; stop < 9; ++stop) {
      Evaluator whole = evaluator(options);
      for (int step = 0; step <= stop; ++step) {
        whole.compute({});
        if (step < stop) shake(whole, 0.12, 100 + step);
      }
      Evaluator part = resumed_from(*backend, plan, whole, options);
      part.compute({});
      ASSERT_TRUE(same_bits(whole, part)) << "at step " << stop;
      for (int step = stop; step < 12; ++step) {
        shake(whole, 0.12, 100 + step);
        shake(part, 0.12, 100 + step);
        const auto before = std::pair(whole.rebuilds(), part.rebuilds());
        whole.compute({});
        part.compute({});
        ASSERT_TRUE(same_bits(whole, part)) << "stopped at " << stop << ", step " << step;
        ASSERT_EQ(whole.rebuilds() - before.first, part.rebuilds() - before.second);
      }
      EXPECT_GT(whole.rebuilds(), 1);
    }
}

TEST_F(EvaluatorTest, can_be_restored_before_anything_was_computed) {
  Evaluator fresh = evaluator({1.0, 0});
  Evaluator e = resumed_from(*backend, plan, fresh, {1.0, 0});
  e.compute({});
  fresh.compute({});
  EXPECT_TRUE(same_bits(fresh, e));
}

TEST_F(EvaluatorTest, dipole_models_give_dipoles_and_their_forces) {
  plan = toy_plan({.kind = ModelKind::dipole});
  const Result result = evaluate_dipole_forces(*backend, plan, system, std::vector<Vec3>(12, Vec3{1, 0, 0}));
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(norm(result.dipole[i]) > 0, system.type[i] == 0);
  EXPECT_GT(largest(flat(result.force)), 0);
}

}  // namespace
}  // namespace nanoday
