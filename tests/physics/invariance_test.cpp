// What symmetry fixes: translation, rotation, permutation, and the sum of forces.
// SPDX-License-Identifier: Apache-2.0
#include "reference/compare.hpp"
#include "reference/evaluate.hpp"
#include "reference/subjects.hpp"
#include "reference/systems.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace nanoday {
namespace {

using namespace reference;

const std::vector<std::string> k_energy_models{"toy_two_sided", "water_sea.pb", "water_sea_two.pb",
                                               "water_sea_dt.pb"};
const std::vector<std::string> k_dipole_models{"toy_dipole", "water_dw.pb"};

System test_system() { return random_system(small_triclinic(), 12, 1.1, 6); }

/// A rotation about a skew axis, as rows.
Vec3 rotated(Vec3 x) {
  const double c = std::cos(0.7), s = std::sin(0.7);
  const Vec3 n = (1 / std::sqrt(14.0)) * Vec3{1, -2, 3};
  return c * x + s * cross(n, x) + ((1 - c) * dot(n, x)) * n;
}

System rotated(System system) {
  for (Vec3& x : system.position) x = rotated(x);
  for (Vec3& x : system.box.cell) x = rotated(x);
  return system;
}

std::vector<Vec3> rotated(std::vector<Vec3> rows) {
  for (Vec3& v : rows) v = rotated(v);
  return rows;
}

/// atom k of the new system is atom order[k] of the old one.
System reordered(const System& system, const std::vector<std::size_t>& order) {
  System out{system.box, {}, {}};
  for (const std::size_t i : order) {
    out.type.push_back(system.type[i]);
    out.position.push_back(system.position[i]);
  }
  return out;
}

class EnergyInvariance : public SubjectTest {};
class DipoleInvariance : public SubjectTest {};
INSTANTIATE_TEST_SUITE_P(all, EnergyInvariance, testing::ValuesIn(subjects(k_energy_models)), subject_name);
INSTANTIATE_TEST_SUITE_P(all, DipoleInvariance, testing::ValuesIn(subjects(k_dipole_models)), subject_name);

TEST_P(EnergyInvariance, moving_everything_changes_nothing) {
  System system = test_system();
  const Result before = evaluate(*backend, plan, system);
  for (Vec3& x : system.position) x = x + Vec3{11.3, -7.7, 2.9};
  const Result after = evaluate(*backend, plan, system);
  EXPECT_LT(relative_error({after.energy}, {before.energy}), tolerance::k_symmetry);
  EXPECT_LT(relative_error(flat(after.force), flat(before.force)), tolerance::k_symmetry);
  EXPECT_LT(relative_error(flat(after.virial), flat(before.virial)), tolerance::k_symmetry);
}

TEST_P(EnergyInvariance, turning_everything_turns_the_forces) {
  const System system = test_system();
  const Result before = evaluate(*backend, plan, system);
  const Result after = evaluate(*backend, plan, rotated(system));
  EXPECT_LT(relative_error({after.energy}, {before.energy}), tolerance::k_symmetry);
  EXPECT_LT(relative_error(after.atom_energy, before.atom_energy), tolerance::k_symmetry);
  EXPECT_LT(relative_error(flat(after.force), flat(rotated(before.force))), tolerance::k_symmetry);
}

TEST_P(EnergyInvariance, exchanging_atoms_of_one_type_exchanges_their_forces) {
  const System system = test_system();
  const Result before = evaluate(*backend, plan, system);
  std::vector<std::size_t> order(system.position.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937_64(9));
  const Result after = evaluate(*backend, plan, reordered(system, order));
  EXPECT_LT(relative_error({after.energy}, {before.energy}), tolerance::k_symmetry);
  std::vector<Vec3> expected;
  for (const std::size_t i : order) expected.push_back(before.force[i]);
  EXPECT_LT(relative_error(flat(after.force), flat(expected)), tolerance::k_symmetry);
}

TEST_P(EnergyInvariance, forces_sum_to_zero) {
  const Result result = evaluate(*backend, plan, test_system());
  Vec3 sum;
  for (const Vec3 f : result.force) sum = sum + f;
  EXPECT_LT(norm(sum), tolerance::k_symmetry * largest(flat(result.force)));
}

TEST_P(EnergyInvariance, the_virial_is_symmetric) {
  const Numbers w = flat(evaluate(*backend, plan, test_system()).virial);
  const Numbers transposed{w[0], w[3], w[6], w[1], w[4], w[7], w[2], w[5], w[8]};
  EXPECT_LT(relative_error(w, transposed), tolerance::k_symmetry);
}

TEST_P(DipoleInvariance, dipoles_turn_with_the_system_and_do_not_notice_a_shift) {
  const System system = test_system();
  const Result before = evaluate(*backend, plan, system);
  System after = rotated(system);
  for (Vec3& x : after.position) x = x + Vec3{-4.1, 13.2, 0.6};
  const Result turned = evaluate(*backend, plan, after);
  EXPECT_LT(relative_error(flat(turned.dipole), flat(rotated(before.dipole))), tolerance::k_symmetry);
}

TEST_P(DipoleInvariance, dipole_forces_sum_to_zero) {
  const System system = test_system();
  const Result result = evaluate_dipole_forces(*backend, plan, system,
                                               std::vector<Vec3>(system.position.size(), Vec3{1, -2, 0.5}));
  Vec3 sum;
  for (const Vec3 f : result.force) sum = sum + f;
  EXPECT_LT(norm(sum), tolerance::k_symmetry * largest(flat(result.force)));
}

}  // namespace
}  // namespace nanoday
