// The shipped systems give the energies another processor gave: two steps, the machines of this processor.
// SPDX-License-Identifier: Apache-2.0
//
// tests/golden/shipped_steps.json was written on x86-64 (AVX-512) by
//   NANODAY_WRITE_STEPS=tests/golden/shipped_steps.json build/tests/shipped_steps_test
#include "forces/system_setup.hpp"
#include "io/structure_file.hpp"
#include "io/virtual_atoms.hpp"
#include "machines.hpp"
#include "md/simulation.hpp"
#include "md/velocities.hpp"
#include "model/model_file.hpp"
#include "reference/dplr.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdlib>
#include <fstream>

namespace nanoday {
namespace {

using Json = nlohmann::ordered_json;

constexpr double k_dt = 5e-4;
constexpr Needs k_row{true, true, false, false};

struct Shipped {
  const char* name;
  const char* model;
  const char* structure;
  TableKind table;
};

constexpr std::array<Shipped, 3> k_shipped{{
    {"water, 12 columns", "water.pb", "water192.data", TableKind::lowrank},
    {"water, quintic", "water.pb", "water192.data", TableKind::quintic},
    {"water with long range, quintic, mesh", "water-dplr.pb", "water188.data", TableKind::quintic},
}};

std::string example(const std::string& name) { return std::string(NANODAY_SOURCE_DIR) + "/examples/" + name; }

/// Plans that leave nothing to choose: a search by measured errors takes minutes on an emulated processor.
/// The low-rank one keeps some columns as they are, so that its energies are those of no good plan.
std::shared_ptr<const InferencePlan> plan_for(const std::shared_ptr<const Model>& model, TableKind table) {
  if (model->dipole_charge) return reference::dplr_plan(model, reference::pppm_plan(*model, 32), {}, table);
  if (table != TableKind::lowrank) return reference::plan_of(model, table);
  PlanOptions options;
  options.table = table;
  return make_lowrank_plan(model, options, reference::first_columns(*model, 12));
}

/// Potential energy and pressure at the start and after each of two steps.
std::vector<double> steps_of(const Shipped& shipped, const std::string& machine) {
  const auto backend = make_backend({.device = machine, .threads = 2});
  const auto model = std::make_shared<const Model>(read_model(example("models/") + shipped.model));
  const Structure structure =
      prepare_for(*model, read_structures(example("structures/") + shipped.structure).at(0));
  Atoms atoms = make_atoms(structure, bind_types(structure, model->type_map));
  draw_velocities(atoms, 330, 1);
  const double freedom = degrees_of_freedom(atoms.nlocal, true);
  Evaluator evaluator(*backend, plan_for(model, shipped.table), structure.box, std::move(atoms), {2.0, 0});
  Simulation simulation(evaluator, make_no_thermostat(), k_dt, freedom);
  std::vector<double> numbers;
  simulation.start(k_row);
  for (int step = 0;; ++step) {
    const Observables now = simulation.observe();
    numbers.insert(numbers.end(), {now.potential, now.pressure});
    if (step == 2) return numbers;
    simulation.step(k_row);
  }
}

void write(const char* path) {
  Json all;
  for (const Shipped& shipped : k_shipped) all[shipped.name] = steps_of(shipped, "cpu");
  std::ofstream(path) << all.dump(1) << '\n';
}

/// The machines made for speed on processors; a GPU's own tests are elsewhere.
std::vector<std::string> machines_here() {
  std::vector<std::string> names;
  for (const auto& [name, title] : available_devices())
    if (name == "cpu" || (name == "sve" && !title.starts_with("not usable"))) names.push_back(name);
  return names;
}

class ShippedSteps : public testing::TestWithParam<std::string> {};

TEST_P(ShippedSteps, have_the_stored_energies) {
  if (const char* path = std::getenv("NANODAY_WRITE_STEPS")) write(path);
  std::ifstream file(NANODAY_SOURCE_DIR "/tests/golden/shipped_steps.json");
  const Json golden = Json::parse(file);
  for (const Shipped& shipped : k_shipped) {
    const auto expected = golden.at(shipped.name).get<std::vector<double>>();
    const std::vector<double> got = steps_of(shipped, GetParam());
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t k = 0; k < got.size(); k += 2) {
      EXPECT_NEAR(got[k] / expected[k], 1, 1e-12) << shipped.name << ", energy, step " << k / 2;
      EXPECT_NEAR(got[k + 1] / expected[k + 1], 1, 1e-9) << shipped.name << ", pressure, step " << k / 2;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(all, ShippedSteps, testing::ValuesIn(machines_here()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace nanoday
