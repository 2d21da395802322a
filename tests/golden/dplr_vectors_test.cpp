// Stored numbers of DPLR models: the training program's direct sum, LAMMPS's mesh, field and trajectories.
// SPDX-License-Identifier: Apache-2.0
#include "reference/dplr_vectors.hpp"
#include "machines.hpp"
#include "md/simulation.hpp"
#include "reference/dplr.hpp"
#include "reference/subjects.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace nanoday {
namespace {

using namespace reference;

/// The whole long-range plan as the program makes it, for both nets as they are.
Plan chosen_plan(Backend& backend, const std::shared_ptr<const Model>& model, const System& system,
                 const LongRangeOptions& options) {
  const Plan energy = exact_plan(model);
  const Plan wannier = exact_plan(model->dipole_charge->wannier);
  return with_dplr(*energy,
                   choose_dplr(backend, energy, wannier, system.box, atoms_of(system), options).plan);
}

/// Absolute, in each quantity's unit [eV, eV/Å, Å]; the stored numbers are rounded to 1e-14 of their size.
void expect_near(const Numbers& a, const Numbers& b, double limit, const char* what) {
  EXPECT_LT(max_error(a, b), limit) << what;
}

struct File {
  std::string machine, name;
};

void PrintTo(const File& file, std::ostream* out) { *out << file.machine << ' ' << file.name; }

std::string file_name(const testing::TestParamInfo<File>& info) {
  return test_name(info.param.machine + "_" + info.param.name);
}

class DplrDirect : public testing::TestWithParam<File> {};
INSTANTIATE_TEST_SUITE_P(files, DplrDirect,
                         testing::Values(File{"cpu", "dplr_direct_water"}, File{"cpu", "dplr_direct_lrmodel"},
                                         File{"oracle", "dplr_direct_water"},
                                         File{"oracle", "dplr_direct_lrmodel"}),
                         file_name);

std::vector<Vec3> selected_of(const std::vector<Vec3>& rows, const std::vector<int>& selected) {
  std::vector<Vec3> picked;
  for (const int i : selected) picked.push_back(rows.at(static_cast<std::size_t>(i)));
  return picked;
}

void expect_direct(Backend& backend, const DirectFile& file, const DirectCase& c) {
  LongRangeOptions options;
  options.method = LongRangeMethod::direct;
  options.threads = 0;
  const Plan plan = chosen_plan(backend, file.joined, c.system, options);
  const DplrResult result = evaluate_dplr(backend, plan, c.system);
  const double limit = tolerance::k_golden_double;
  EXPECT_LT(relative_error({result.energy}, {c.energy}), limit);
  EXPECT_LT(relative_error({result.energy_short()}, {c.energy_short}), limit);
  EXPECT_LT(relative_error({result.energy_long}, {c.energy_long}), limit);
  EXPECT_LT(relative_error(flat(result.force), c.forces), limit);
  EXPECT_LT(relative_error(flat(result.virial), c.virial), limit);
  EXPECT_LT(relative_error(flat(selected_of(result.dipole, c.selected)), c.displacements), limit);
}

TEST_P(DplrDirect, equals_the_stored_energies_forces_virials_and_centroids) {
  const std::string path = spec_path("vectors/" + GetParam().name + ".json");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference numbers at " << path;
  const auto backend = make_backend({.device = GetParam().machine, .threads = 2});
  const DirectFile file = read_direct_file(path);
  for (const DirectCase& c : file.cases) {
    SCOPED_TRACE(c.name);
    expect_direct(*backend, file, c);
  }
}

/// One stored LAMMPS run: every step evaluated by itself, then the whole trajectory.
class DplrLammps : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string path = spec_path("vectors/" + GetParam() + ".json");
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference numbers at " << path;
    cases = read_lammps_cases(path);
  }

  /// Without k-space the constant C is nothing, so that charges feel the field alone.
  static Plan plan_for(Backend& backend, const LammpsCase& c) {
    LongRangeOptions options = c.options;
    options.lammps_constants = true;
    options.threads = 0;
    const Plan plan = chosen_plan(backend, c.model, c.system_at(c.steps.at(0)), options);
    auto dplr = std::make_shared<DplrPlan>(*plan->dplr);
    if (!c.has_kspace) dplr->solver.coulomb = 0;
    return with_dplr(*plan, dplr);
  }

  std::unique_ptr<Backend> backend = make_backend({.device = "cpu", .threads = 2});
  std::vector<LammpsCase> cases;
};

INSTANTIATE_TEST_SUITE_P(files, DplrLammps,
                         testing::Values("dplr_lammps", "dplr_water_lammps", "dplr_water_compressed_lammps"),
                         [](const auto& info) { return info.param; });

/// LAMMPS's six numbers. Off-diagonals are W_yx, W_zx, W_zy, but those of the field's own part
/// D = Σ qE ⊗ x are D_xy, D_xz, D_yz.
Numbers reported_virial(const LammpsCase& c, const DplrResult& result, const System& system) {
  std::array<double, 9> field{};
  const auto add = [&](double q, Vec3 x) {
    const double e[3] = {c.options.field.amplitude.x, c.options.field.amplitude.y,
                         c.options.field.amplitude.z};
    const double r[3] = {x.x, x.y, x.z};
    for (int k = 0; k < 9; ++k) field[k] += q * e[k / 3] * r[k % 3];
  };
  const DipoleCharge& charges = *c.model->dipole_charge;
  for (std::size_t i = 0; i < system.position.size(); ++i) {
    const auto type = static_cast<std::size_t>(system.type[i]);
    add(charges.ion_charge[type], system.position[i]);
    add(charges.wannier_charge[type], system.position[i] + result.dipole[i]);
  }
  const auto& w = result.virial;
  return {
      w[0], w[4], w[8], w[3] - field[3] + field[1], w[6] - field[6] + field[2], w[7] - field[7] + field[5]};
}

void expect_step(const LammpsCase& c, const LammpsStep& step, const DplrResult& result) {
  const System system = c.system_at(step);
  const double atoms = static_cast<double>(system.position.size());
  const double energy = tolerance::k_lammps_energy * std::max(1.0, atoms / 100);
  expect_near({result.energy_short()}, {step.energy_short}, energy, "short-range energy");
  expect_near({result.energy_long}, {step.energy_long}, energy, "long-range energy");
  if (c.options.field.any()) expect_near({result.energy_field}, {step.energy_field}, energy, "field energy");
  expect_near(flat(result.force), step.forces, tolerance::k_lammps_force, "forces");
  expect_near(reported_virial(c, result, system), step.virial, tolerance::k_lammps_virial, "virial");
  Numbers centroids;
  for (const int i : c.selected) {
    const Vec3 w =
        system.position.at(static_cast<std::size_t>(i)) + result.dipole.at(static_cast<std::size_t>(i));
    centroids.insert(centroids.end(), {w.x, w.y, w.z});
  }
  expect_near(centroids, c.same_image(step.centroids, centroids), tolerance::k_lammps_centroid, "centroids");
}

TEST_P(DplrLammps, every_stored_step_gives_the_stored_numbers) {
  for (const LammpsCase& c : cases) {
    const Plan plan = plan_for(*backend, c);
    for (const LammpsStep& step : c.steps) {
      SCOPED_TRACE(testing::Message() << c.name << ", step " << step.number);
      expect_step(c, step, evaluate_dplr(*backend, plan, c.system_at(step), c.skin));
    }
  }
}

/// Position with images undone, and velocity, in input order.
std::pair<Numbers, Numbers> motion_of(const Evaluator& evaluator) {
  const Atoms& atoms = evaluator.atoms();
  std::vector<Vec3> position(static_cast<std::size_t>(atoms.nlocal)), velocity(position.size());
  for (std::int64_t k = 0; k < atoms.nlocal; ++k) {
    const auto& image = atoms.image[k];
    const auto i = static_cast<std::size_t>(atoms.id[k]);
    position[i] = xyz(atoms.position[k]) + evaluator.box().translation(image[0], image[1], image[2]);
    velocity[i] = xyz(atoms.velocity[k]);
  }
  return {flat(position), flat(velocity)};
}

class DplrTrajectory : public DplrLammps {};
INSTANTIATE_TEST_SUITE_P(files, DplrTrajectory, testing::Values("dplr_lammps", "dplr_water_lammps"),
                         [](const auto& info) { return info.param; });

TEST_P(DplrTrajectory, is_followed_by_a_simulation) {
  int followed = 0;
  for (const LammpsCase& c : cases) {
    if (c.steps.size() < 2) continue;
    ++followed;
    Evaluator evaluator(*backend, plan_for(*backend, c), c.box, c.atoms(), {c.skin, 0});
    Simulation simulation(evaluator, make_no_thermostat(), c.dt, 1);
    simulation.start(k_everything);
    for (const LammpsStep& step : c.steps) {
      SCOPED_TRACE(testing::Message() << c.name << ", step " << step.number);
      while (simulation.step_count() < step.number) simulation.step(k_everything);
      const auto [position, velocity] = motion_of(evaluator);
      expect_near(position, step.positions, tolerance::k_lammps_position, "positions");
      expect_near(velocity, step.velocities, tolerance::k_lammps_velocity, "velocities");
      expect_step(c, step, dplr_result_of(evaluator));
    }
  }
  EXPECT_GT(followed, 0);
}

}  // namespace
}  // namespace nanoday
