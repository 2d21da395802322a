// Forces are slopes of the energy, virials slopes under strain, for every machine and table.
// SPDX-License-Identifier: Apache-2.0
#include "reference/differences.hpp"
#include "reference/subjects.hpp"
#include "reference/systems.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using namespace reference;

System test_system() { return random_system(small_triclinic(), 12, 1.1, 5); }

class EnergyDerivatives : public SubjectTest {
 protected:
  double energy(const System& system) { return evaluate(*backend, plan, system).energy; }
};

INSTANTIATE_TEST_SUITE_P(all, EnergyDerivatives,
                         testing::ValuesIn(subjects({"toy", "toy_two_sided", "toy_gelu", "water_sea.pb",
                                                     "water_sea_two.pb", "water_sea_dt.pb"})),
                         subject_name);

TEST_P(EnergyDerivatives, forces_are_slopes_of_the_energy) {
  const System system = test_system();
  const Result result = evaluate(*backend, plan, system);
  ASSERT_EQ(result.counts.sel_overflow, 0);  // the energy jumps where a neighbor enters or leaves the nearest
  const Numbers slopes = forces_by_differences([&](const System& s) { return energy(s); }, system);
  EXPECT_LT(relative_error(flat(result.force), slopes), tolerance::k_finite_difference);
}

TEST_P(EnergyDerivatives, the_virial_is_the_slope_under_strain) {
  const System system = test_system();
  const Result result = evaluate(*backend, plan, system);
  const Numbers slopes = virial_by_differences([&](const System& s) { return energy(s); }, system);
  EXPECT_LT(relative_error(flat(result.virial), slopes), tolerance::k_finite_difference);
}

TEST_P(EnergyDerivatives, per_atom_parts_sum_to_the_whole) {
  const Result result = evaluate(*backend, plan, test_system());
  double energy = 0;
  std::array<double, 9> virial{};
  for (const double e : result.atom_energy) energy += e;
  for (const auto& row : result.atom_virial)
    for (int k = 0; k < 9; ++k) virial[k] += row[k];
  EXPECT_LT(relative_error({energy}, {result.energy}), tolerance::k_symmetry);
  EXPECT_LT(relative_error(flat(virial), flat(result.virial)), tolerance::k_symmetry);
}

class DipoleDerivatives : public SubjectTest {
 protected:
  /// Σ_i c_i·μ_i with fixed cotangents.
  static std::vector<Vec3> cotangents(std::size_t n) {
    std::vector<Vec3> c;
    for (std::size_t i = 0; i < n; ++i) c.push_back({0.3 + 0.1 * double(i), -0.2, 0.05 * double(i * i % 7)});
    return c;
  }
  double projection(const System& system) {
    const Result result = evaluate(*backend, plan, system);
    const auto c = cotangents(system.position.size());
    double sum = 0;
    for (std::size_t i = 0; i < c.size(); ++i) sum += dot(c[i], result.dipole[i]);
    return sum;
  }
};

INSTANTIATE_TEST_SUITE_P(all, DipoleDerivatives, testing::ValuesIn(subjects({"toy_dipole", "water_dw.pb"})),
                         subject_name);

TEST_P(DipoleDerivatives, dipole_forces_are_slopes_of_the_projected_dipoles) {
  const System system = test_system();
  const Result result = evaluate_dipole_forces(*backend, plan, system, cotangents(system.position.size()));
  const Numbers slopes = forces_by_differences([&](const System& s) { return projection(s); }, system);
  EXPECT_LT(relative_error(flat(result.force), slopes), tolerance::k_finite_difference);
}

TEST_P(DipoleDerivatives, the_dipole_virial_is_the_slope_under_strain) {
  const System system = test_system();
  const Result result = evaluate_dipole_forces(*backend, plan, system, cotangents(system.position.size()));
  const Numbers slopes = virial_by_differences([&](const System& s) { return projection(s); }, system);
  EXPECT_LT(relative_error(flat(result.virial), slopes), tolerance::k_finite_difference);
}

}  // namespace
}  // namespace nanoday
