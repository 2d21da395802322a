// Stored DeePMD-kit numbers of every accepted model, for every machine.
// SPDX-License-Identifier: Apache-2.0
#include "reference/vectors.hpp"
#include "reference/subjects.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using namespace reference;

struct Golden {
  std::string machine;
  std::string vectors;
};

void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.machine << ' ' << golden.vectors; }

std::vector<Golden> golden(const std::vector<std::string>& names) {
  std::vector<Golden> all;
  for (const char* machine : {"oracle", "cpu"})
    for (const std::string& name : names) all.push_back({machine, name});
  return all;
}

std::string golden_name(const testing::TestParamInfo<Golden>& info) {
  return test_name(info.param.machine + "_" + info.param.vectors);
}

class GoldenTest : public testing::TestWithParam<Golden> {
 protected:
  void SetUp() override {
    const std::string path = spec_path("vectors/" + GetParam().vectors + ".json");
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference numbers at " << path;
    file = read_vectors(path);
    model = std::make_shared<const Model>(read_model(spec_path(file.model)));
    plan = exact_plan(model);
    backend = make_backend({.device = GetParam().machine, .threads = 2});
    limit = model->float32 ? tolerance::k_golden_float32 : tolerance::k_golden_double;
  }

  VectorFile file;
  std::shared_ptr<const Model> model;
  Plan plan;
  std::unique_ptr<Backend> backend;
  double limit = 0;
};

class GoldenEnergies : public GoldenTest {};
class GoldenDipoles : public GoldenTest {};
class GoldenDipoleDerivatives : public GoldenTest {};

INSTANTIATE_TEST_SUITE_P(all, GoldenEnergies,
                         testing::ValuesIn(golden({"deeppot", "water_sea", "water_sea_compressed",
                                                   "water_sea_two", "water_sea_dt", "water_sea_f32",
                                                   "water_sea_f32_compressed"})),
                         golden_name);
INSTANTIATE_TEST_SUITE_P(all, GoldenDipoles,
                         testing::ValuesIn(golden({"deepdipole", "deepdipole_new", "lrdipole", "water_dw",
                                                   "water_dw_compressed"})),
                         golden_name);
// The oldest dipole graph has no derivatives to store.
INSTANTIATE_TEST_SUITE_P(all, GoldenDipoleDerivatives,
                         testing::ValuesIn(golden({"deepdipole_new", "lrdipole", "water_dw",
                                                   "water_dw_compressed"})),
                         golden_name);

double sum_abs(const Numbers& numbers) {
  double sum = 0;
  for (const double x : numbers) sum += std::fabs(x);
  return sum;
}

TEST_P(GoldenEnergies, equal_the_stored_energies_forces_and_virials) {
  for (const VectorCase& c : file.cases) {
    SCOPED_TRACE(c.name);
    const Result result = evaluate(*backend, plan, c.system);
    EXPECT_LT(relative_error({result.energy}, {c.energy}), limit);
    EXPECT_LT(relative_error(flat(result.force), c.forces), limit);
    EXPECT_LT(relative_error(flat(result.virial), c.virial), limit);
    EXPECT_LT(relative_error(result.atom_energy, c.atom_energies), limit);
  }
}

TEST_P(GoldenEnergies, equal_the_stored_per_atom_virials) {
  for (const VectorCase& c : file.cases) {
    SCOPED_TRACE(c.name);
    const Result result = evaluate(*backend, plan, c.system);
    if (!c.atom_virials.empty())
      EXPECT_LT(relative_error(flat(result.atom_virial), c.atom_virials), limit);
    else
      EXPECT_LT(relative_error({sum_abs(flat(result.atom_virial))}, {c.atom_virials_sum_abs}), limit);
  }
}

TEST_P(GoldenDipoles, equal_the_stored_vectors) {
  for (const VectorCase& c : file.cases) {
    SCOPED_TRACE(c.name);
    const Result result = evaluate(*backend, plan, c.system);
    std::vector<Vec3> selected;
    for (const int i : c.selected) selected.push_back(result.dipole[std::size_t(i)]);
    EXPECT_LT(relative_error(flat(selected), c.atom_tensors), limit);
    Vec3 sum;
    for (const Vec3& v : result.dipole) sum = sum + v;
    if (c.global_tensor.empty()) continue;
    EXPECT_LT(relative_error(flat(std::vector<Vec3>{sum}), c.global_tensor), limit);
  }
}

// The stored o_force is −∂μ_k/∂r for each component k: what unit cotangents along k give.
TEST_P(GoldenDipoleDerivatives, equal_the_stored_ones) {
  int compared = 0;
  for (const VectorCase& c : file.cases) {
    if (c.global_forces.empty()) continue;
    ++compared;
    SCOPED_TRACE(c.name);
    const std::size_t n = c.system.position.size();
    Numbers forces, virials;
    for (const Vec3 axis : {Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}}) {
      const Result result = evaluate_dipole_forces(*backend, plan, c.system, std::vector<Vec3>(n, axis));
      const Numbers f = flat(result.force), w = flat(result.virial);
      forces.insert(forces.end(), f.begin(), f.end());
      virials.insert(virials.end(), w.begin(), w.end());
      std::array<double, 9> sum{};
      for (const auto& row : result.atom_virial)
        for (int k = 0; k < 9; ++k) sum[k] += row[k];
      EXPECT_LT(relative_error(flat(sum), w), tolerance::k_symmetry);
    }
    EXPECT_LT(relative_error(forces, c.global_forces), limit);
    EXPECT_LT(relative_error(virials, c.global_virials), limit);
  }
  EXPECT_GE(compared, 4);
}

/// Neighbors nearer than the table reaches are counted where they occur, and nowhere else.
class GoldenContacts : public GoldenTest {};
INSTANTIATE_TEST_SUITE_P(all, GoldenContacts, testing::ValuesIn(golden({"water_sea_compressed"})),
                         golden_name);

TEST_P(GoldenContacts, beyond_the_table_are_counted_with_their_distance) {
  for (const VectorCase& c : file.cases) {
    SCOPED_TRACE(c.name);
    const EvaluationCounts counts = evaluate(*backend, plan, c.system).counts;
    if (c.name == "beyond_table") {
      EXPECT_GE(counts.outside_table, 2);
      const double contact = norm(c.system.position[1] - c.system.position[0]);
      EXPECT_NEAR(counts.smallest_distance, contact, 1e-9);
      EXPECT_TRUE(counts.first_outside_atom == 0 || counts.first_outside_atom == 1);
    } else if (c.name != "short_contact") {
      EXPECT_EQ(counts.outside_table, 0);
      EXPECT_EQ(counts.first_outside_atom, -1);
    }
  }
}

}  // namespace
}  // namespace nanoday
