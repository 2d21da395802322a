// Table of the reduction FFT: error of the field against scale, mesh and nodes, and how often gates are used.
// SPDX-License-Identifier: Apache-2.0
//
// Question: what does rounding partial transforms to integers cost, and which scale is enough?
// Use: nanoday_fft_error [--json FILE]; fails when an error is more than 1.5 times the
// one this method is known to give.
// Water-like charges (O 6, two H 1, a centroid of −8 at 0.07 Å from O) at the density of water, order 4,
// "ik", beta 0.4 /Å; the field on every charge by the mesh solver with the reduction FFT minus that with FFTW
// on the same mesh. P nodes per dimension are one rank here: their partial sums, rounded one by one, are the
// blocks of a single rank, the same arithmetic (ReductionFft,
// on_one_rank_with_blocks_does_the_arithmetic_of_as_many_ranks).
#include "brick_mesh.hpp"
#include "core/error.hpp"
#include "machines.hpp"
#include "reduction_fft.hpp"
#include "water_charges.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cstring>
#include <fstream>
#include <map>
#include <random>

namespace nanoday {
namespace {

constexpr int k_points_per_node = 4;     // along each direction
constexpr double k_edge = 3.1;           // of a molecule's cube at 1 g/cm³ [Å]
constexpr double k_coulomb = 14.399645;  // [eV·Å]
constexpr int k_order = 4;

/// A unit vector of random direction.
Vec3 direction(std::mt19937_64& random) {
  std::uniform_real_distribution<double> side(-1, 1);
  for (;;) {
    const Vec3 v{side(random), side(random), side(random)};
    if (norm(v) < 1 && norm(v) > 0.1) return (1 / norm(v)) * v;
  }
}

/// edge³ molecules of random orientation, each moved by up to 0.4 Å from its place on a cubic lattice.
Array<Vec4> water_like(int edge, std::mt19937_64& random) {
  std::uniform_real_distribution<double> shift(-0.4, 0.4);
  constexpr double k_half_angle = 52.25 / 180 * M_PI, k_bond = 0.97, k_centroid = 0.07;
  Array<Vec4> charges;
  const auto put = [&](Vec3 at, double q) { charges.push_back({at.x, at.y, at.z, q}); };
  for (int m = 0; m < edge * edge * edge; ++m) {
    const Vec3 cell{m / (edge * edge) + 0.5, m / edge % edge + 0.5, m % edge + 0.5};
    const Vec3 oxygen = k_edge * cell + Vec3{shift(random), shift(random), shift(random)};
    const Vec3 axis = direction(random);
    Vec3 side = cross(axis, direction(random));
    side = (1 / norm(side)) * side;
    put(oxygen, 6);
    for (const double sign : {-1.0, 1.0})
      put(oxygen + k_bond * (std::cos(k_half_angle) * axis + sign * std::sin(k_half_angle) * side), 1);
    put(oxygen + k_centroid * axis, -8);
  }
  return charges;
}

/// All of a mesh on one rank, transformed by the reduction FFT, whose largest value can be asked for.
class ReductionOnOneRank final : public MeshRanks {
 public:
  ReductionOnOneRank(std::unique_ptr<MeshRanks> mesh, const BrickGrid& grid, Transport& transport,
                     ReductionOptions options)
      : mesh_(std::move(mesh)), fft_(grid, 0, make_rings(transport, grid), options) {}
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void sum(View<std::int64_t> values) override { mesh_->sum(values); }
  double largest(double value) override { return mesh_->largest(value); }
  bool bricks() const override { return true; }
  MeshBrick brick() const override { return mesh_->brick(); }
  std::array<int, 3> margin() const override { return mesh_->margin(); }
  void fold(View<std::int64_t> mesh) override { mesh_->fold(mesh); }
  void expand(View<double> mesh) override { mesh_->expand(mesh); }
  void forward(View<std::complex<double>> brick) override {
    fft_.forward(brick);
    for (const auto& value : brick)
      largest_value_ = std::max({largest_value_, std::fabs(value.real()), std::fabs(value.imag())});
  }
  void backward(View<std::complex<double>> brick) override { fft_.backward(brick); }
  /// What scales must hold: the largest real or imaginary part of a transform so far.
  double largest_value() const { return largest_value_; }

 private:
  std::unique_ptr<MeshRanks> mesh_;
  ReductionFft fft_;
  double largest_value_ = 0;
};

struct Problem {
  const char* charges_of;
  int points, nodes;
  LongRangePlan plan;
  Array<Vec4> charges;
};

Problem make_problem(const char* charges_of, int points, const Charges& charges) {
  Problem problem{charges_of, points, points / k_points_per_node, {}, charges.charge};
  problem.plan.box = charges.box;
  problem.plan.beta = 0.4;
  problem.plan.coulomb = k_coulomb;
  problem.plan.influence_4pi = 12.566370614359172;
  problem.plan.order = k_order;
  problem.plan.mesh = {points, points, points};
  return problem;
}

/// Meshes of 0.58 Å.
std::vector<Problem> problems() {
  std::vector<Problem> all{
      make_problem("water188", 32, water_charges(NANODAY_SOURCE_DIR "/examples/structures/water188.data"))};
  for (const int edge : {3, 6, 9}) {
    std::mt19937_64 random(7);
    const double length = k_edge * edge;
    all.push_back(make_problem("random water", 16 * edge / 3,
                               {Box::orthorhombic(length, length, length), water_like(edge, random)}));
  }
  return all;
}

/// The field on every charge, force over charge [eV/Å/e].
std::vector<Vec3> field(Backend& backend, const Problem& problem, MeshRanks& ranks) {
  const auto solver = backend.make_long_range(problem.plan, &ranks);
  solver->start({problem.charges, {}});
  const auto force = solver->finish().force;
  std::vector<Vec3> field(problem.charges.size());
  for (std::size_t i = 0; i < field.size(); ++i) field[i] = (1 / problem.charges[i].w) * xyz(force[i]);
  return field;
}

double rms(const std::vector<Vec3>& a, const std::vector<Vec3>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += dot(a[i] - b[i], a[i] - b[i]);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

/// What rings of a dimension do per transform: bounds of b² lines, then N·b² packed values.
nlohmann::json gate_use(int nodes) {
  const std::size_t lines = k_points_per_node * k_points_per_node, n = k_points_per_node * nodes;
  const GateCount bound = gate_count(lines, BarrierGates::k_words, 6);
  const GateCount words = gate_count(n * lines, BarrierGates::k_words, 6);
  const GateCount doubles = gate_count(2 * n * lines, BarrierGates::k_doubles, 6);
  fmt::print("{} nodes in a ring: {} operations, {} rounds (and {}, {} for bounds); as doubles {} rounds\n",
             nodes, words.operations, words.rounds, bound.operations, bound.rounds, doubles.rounds);
  return {{"nodes", nodes},
          {"operations", words.operations},
          {"rounds", words.rounds},
          {"bound_operations", bound.operations},
          {"bound_rounds", bound.rounds},
          {"rounds_as_doubles", doubles.rounds}};
}

constexpr std::array<double, 4> k_scales{1e4, 1e5, 1e6, 1e7};
/// Errors at these scales that the method is known to give where each node rounds once [eV/Å/e].
const std::map<int, std::array<double, 4>> k_known{
    {4, {5e-4, 5e-5, 5e-6, 5e-7}}, {8, {7e-4, 8e-5, 9e-6, 1.0e-6}}, {12, {1e-3, 1.3e-4, 1.4e-5, 1.6e-6}}};
constexpr double k_allowed = 1.5;  // times those

nlohmann::json table(Backend& backend) {
  const auto transport = make_self_transport();
  nlohmann::json rows = nlohmann::json::array();
  for (const Problem& problem : problems()) {
    const DomainGrid domains({problem.plan.box, {0, 0, 0}, {1, 1, 1}}, transport->node_of());
    const auto margin = mesh_margin(problem.plan.box, problem.plan.mesh, k_order, 0);
    const auto pencils = [&] { return make_pencil_mesh(*transport, domains, problem.plan.mesh, margin); };
    const std::vector<Vec3> exact = field(backend, problem, *pencils());
    const double size = rms(exact, std::vector<Vec3>(exact.size()));
    for (const int block : {k_points_per_node, 1}) {
      fmt::print("| {} | {}³, {} | {} |", problem.charges_of, problem.points, problem.nodes,
                 block == 1 ? "every point" : "every node");
      for (std::size_t k = 0; k < k_scales.size(); ++k) {
        ReductionOnOneRank ranks(pencils(), brick_grid(domains, problem.plan.mesh), *transport,
                                 {k_scales[k], block});
        const double error = rms(field(backend, problem, ranks), exact);
        fmt::print(" {:.1e} |", error);
        const double known = k_known.at(problem.nodes)[k];
        require_run(block == 1 || error < k_allowed * known,
                    "the error {:.2e} at scale {:.0e} is more than {} times {:.1e}", error, k_scales[k],
                    k_allowed, known);
        rows.push_back({{"charges", problem.charges_of},
                        {"points", problem.points},
                        {"nodes", problem.nodes},
                        {"rounded", block == 1 ? "every point" : "every node"},
                        {"scale", k_scales[k]},
                        {"rms_error", error},
                        {"rms_field", size},
                        {"largest_value", ranks.largest_value()}});
      }
      fmt::print(" {:.0f} | {:.2f} |\n", rows.back()["largest_value"].get<double>(), size);
    }
  }
  return rows;
}

int run(const std::string& file) {
  const auto backend = make_backend({.device = "cpu"});
  nlohmann::json result;
  fmt::print(
      "rms error of the field per unit charge [eV/Å/e] by scale; largest forward value; rms field\n\n");
  fmt::print(
      "| mesh, nodes, rounded | S = 1e4 | 1e5 | 1e6 | 1e7 | largest | field "
      "|\n|---|---|---|---|---|---|---|\n");
  result["errors"] = table(*backend);
  result["rings"] = nlohmann::json::array();
  fmt::print("\n");
  for (const int nodes : {4, 8, 12, 20}) result["rings"].push_back(gate_use(nodes));
  if (!file.empty()) std::ofstream(file) << result.dump(1) << '\n';
  return 0;
}

}  // namespace
}  // namespace nanoday

int main(int argc, char** argv) {
  try {
    return nanoday::run(argc == 3 && std::strcmp(argv[1], "--json") == 0 ? argv[2] : "");
  } catch (const std::exception& error) {
    fmt::print(stderr, "nanoday_fft_error: {}\n", error.what());
    return 1;
  }
}
