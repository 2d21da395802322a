// Table of the mesh error: rms force error against spacing, order and differentiation, estimate beside it.
// SPDX-License-Identifier: Apache-2.0
//
// Question: how fine a mesh do liquid-water charges need, and how good are the a-priori estimates?
// Use: nanoday_mesh_error [--charges FILE] [--json FILE] [--beta 0.4]
// FILE: first line the three box lengths [Å], then a line x y z q per charge. Without it: the 188 molecules
// of examples/structures/water188.data, charges O 6, H 1 and a centroid of −8 at 0.07 Å from O on the
// bisector.
#include "forces/mesh_error.hpp"
#include "core/error.hpp"
#include "forces/mesh_choice.hpp"
#include "machines.hpp"
#include "water_charges.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <map>

namespace nanoday {
namespace {

constexpr double k_coulomb = 14.39964535475696995;  // [eV·Å], of the training programs

Charges read_charges(const std::string& path) {
  std::ifstream stream(path);
  Vec3 l;
  require(static_cast<bool>(stream >> l.x >> l.y >> l.z),
          "{} does not begin with three box lengths; add them", path);
  Charges charges{Box::orthorhombic(l.x, l.y, l.z), {}};
  for (Vec4 c; stream >> c.x >> c.y >> c.z >> c.w;) charges.charge.push_back(c);
  require(stream.eof(), "{} has a line that is not x y z q; correct it", path);
  return charges;
}

LongRangePlan plan_of(const MeshProblem& problem, double spacing) {
  LongRangePlan plan;
  plan.box = problem.box;
  plan.beta = problem.beta;
  plan.coulomb = problem.coulomb;
  plan.influence_4pi = 12.566370614359172;
  plan.order = problem.order;
  plan.differentiation = problem.differentiation;
  const Vec3 heights = problem.box.heights();
  plan.mesh = {static_cast<int>(std::lround(heights.x / spacing)),
               static_cast<int>(std::lround(heights.y / spacing)),
               static_cast<int>(std::lround(heights.z / spacing))};
  return plan;
}

/// One row of the table per order and differentiation, a column per spacing: measured (estimate) [eV/Å].
nlohmann::json table(Backend& backend, const Charges& charges, double beta) {
  const std::vector<double> spacings{0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0};
  MeshProblem problem{charges.box, beta, k_coulomb, 0, static_cast<std::int64_t>(charges.charge.size()),
                      5,           {}};
  for (const Vec4& c : charges.charge) problem.sum_q2 += c.w * c.w;
  fmt::print("rms force error [eV/Å], measured (estimated); {} charges, beta {} 1/Å\n\n| order |",
             charges.charge.size(), beta);
  for (const double h : spacings) fmt::print(" {:.1f} Å |", h);
  fmt::print("\n|---|");
  for (std::size_t k = 0; k < spacings.size(); ++k) fmt::print("---|");
  fmt::print("\n");
  nlohmann::json rows = nlohmann::json::array();
  for (const auto differentiation : {Differentiation::ik, Differentiation::ad})
    for (problem.order = 3; problem.order <= 7; ++problem.order) {
      problem.differentiation = differentiation;
      const char* name = differentiation == Differentiation::ik ? "ik" : "ad";
      if (differentiation == Differentiation::ad && !charges.box.is_orthorhombic()) continue;
      fmt::print("| {} {} |", problem.order, name);
      for (const double spacing : spacings) {
        const LongRangePlan plan = plan_of(problem, spacing);
        const MeshError error = measure_mesh_error(backend, plan, charges.charge);
        const double estimate = estimate_mesh_error(problem, plan.mesh);
        fmt::print(" {:.1e} ({:.1e}) |", error.rms, estimate);
        std::fflush(stdout);
        rows.push_back({{"order", problem.order},
                        {"differentiation", name},
                        {"spacing", spacing},
                        {"mesh", plan.mesh},
                        {"rms", error.rms},
                        {"max", error.max},
                        {"relative", error.relative},
                        {"rms_force", error.rms_force},
                        {"estimate", estimate}});
      }
      fmt::print("\n");
    }
  return rows;
}

int run(const std::map<std::string, std::string>& options) {
  const auto given = [&](const char* name, const std::string& otherwise) {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second;
  };
  const std::string file = given("--charges", "");
  const Charges charges = file.empty()
                              ? water_charges(NANODAY_SOURCE_DIR "/examples/structures/water188.data")
                              : read_charges(file);
  const auto backend = make_backend({.device = "cpu"});
  const nlohmann::json rows = table(*backend, charges, std::stod(given("--beta", "0.4")));
  if (const std::string out = given("--json", ""); !out.empty()) std::ofstream(out) << rows.dump(1) << '\n';
  return 0;
}

}  // namespace
}  // namespace nanoday

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int k = 1; k + 1 < argc; k += 2) options[argv[k]] = argv[k + 1];
  try {
    return nanoday::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "nanoday_mesh_error: {}\n", error.what());
    return 1;
  }
}
