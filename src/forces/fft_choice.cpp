// How ranks share the transforms of a charge mesh: the fastest way by a cost model, or the one asked for.
// SPDX-License-Identifier: Apache-2.0
#include "forces/fft_choice.hpp"

#include "core/error.hpp"
#include "transport_speed.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nanoday {
namespace {

/// Points of a mesh that every node can hold: with some 100 bytes per point 13 GB.
constexpr double k_most_replicated = 1 << 27;
/// Points per axis of the mesh that is timed.
constexpr int k_timed_points = 48;
constexpr int k_timed_solves = 3;
constexpr double k_never = std::numeric_limits<double>::infinity();

double points_of(const std::array<int, 3>& mesh) { return 1.0 * mesh[0] * mesh[1] * mesh[2]; }

/// Work of a solve grows as N log N.
double work_of(const std::array<int, 3>& mesh) { return points_of(mesh) * std::log2(points_of(mesh)); }

/// Complex transforms of bricks in one solve: the charges', and the fields' in pairs.
int transforms_of(Differentiation differentiation) { return differentiation == Differentiation::ik ? 3 : 2; }
int fields_of(Differentiation differentiation) { return differentiation == Differentiation::ik ? 3 : 1; }

/// Charges' shares to their owners, fields to the margins: messages to all neighbors of a brick.
double margin_seconds(const FftProblem& p) {
  const int neighbors = std::min(26, p.n_ranks() - 1);
  return (1 + fields_of(p.differentiation)) * neighbors * p.message;
}

/// A machine that solves on whole meshes only must replicate whatever it takes.
bool cannot_replicate(const FftProblem& p) { return p.bricks && points_of(p.mesh) > k_most_replicated; }

double replicated_seconds(const FftProblem& p) {
  if (cannot_replicate(p)) return k_never;
  return p.solve_seconds + p.latency + 8 * points_of(p.mesh) * p.byte_seconds;
}

/// Along each direction every rank multiplies its points by the waves of all N frequencies, and a ring sums
/// one 8-byte word for each (real and imaginary part as integers). A ring's sum takes the share of the
/// latency that its steps of recursive doubling have.
double reduction_seconds(const FftProblem& p) {
  const double own = points_of(p.mesh) / p.n_ranks(), all_steps = std::log2(p.n_ranks());
  double transform = 0;
  for (int d = 0; d < 3; ++d) {
    const int ring = p.ranks[d];
    transform += own * p.mesh[d] * p.product_seconds;
    if (ring > 1) transform += p.latency * std::log2(ring) / all_steps + 8 * own * ring * p.byte_seconds;
  }
  return margin_seconds(p) + transforms_of(p.differentiation) * transform;
}

/// Four redistributions per transform, of 16 bytes per point, each within rows of ranks; between two ranks a
/// byte takes half of what it takes in an all-reduce, where it goes there and back.
double pencil_seconds(const FftProblem& p) {
  const double own = points_of(p.mesh) / p.n_ranks();
  const int longest = std::max({p.ranks[0], p.ranks[1], p.ranks[2]});
  const double move = (longest - 1) * p.message + 16 * own * p.byte_seconds / 2;
  return margin_seconds(p) + p.solve_seconds / p.n_ranks() + transforms_of(p.differentiation) * 4 * move;
}

}  // namespace

std::array<double, k_fft_methods> fft_seconds(const FftProblem& problem) {
  const double local = problem.n_ranks() == 1 ? problem.solve_seconds : k_never;
  const double replicated = replicated_seconds(problem);
  if (!problem.bricks) return {local, replicated, k_never, k_never};
  return {local, replicated, reduction_seconds(problem), pencil_seconds(problem)};
}

FftChoice choose_fft(const FftProblem& problem, std::optional<FftMethod> asked) {
  require(asked != FftMethod::local || problem.n_ranks() == 1,
          "--fft local is given with {} ranks (their charges lie on one mesh); use replicated, reduction, "
          "pencil or "
          "auto",
          problem.n_ranks());
  FftChoice choice;
  choice.seconds = fft_seconds(problem);
  choice.asked = asked.has_value();
  if (asked) {
    choice.method = *asked;
  } else if (problem.n_ranks() == 1) {
    choice.method = FftMethod::local;
  } else if (problem.reproducible) {
    choice.method = cannot_replicate(problem) ? FftMethod::pencil : FftMethod::replicated;
  } else {
    const auto best = std::min_element(choice.seconds.begin(), choice.seconds.end());
    choice.method = static_cast<FftMethod>(best - choice.seconds.begin());
  }
  return choice;
}

FftProblem measure_fft(Backend& backend, Transport& transport, const LongRangePlan& plan,
                       const std::array<int, 3>& domains) {
  FftProblem problem{
      plan.mesh, domains, plan.differentiation, backend.reproducible(), backend.solves_bricks(), 0, 0, 0,
      0,         0};
  if (transport.size() == 1) return problem;
  LongRangePlan timed = plan;
  for (int& n : timed.mesh) n = std::min(n, k_timed_points);
  const auto solver = backend.make_long_range(timed);
  const double solve =
      solver->time_solves({{}, {}}, k_timed_solves) * work_of(plan.mesh) / work_of(timed.mesh);
  const double products = backend.peak_multiply_adds(Precision::fp64);
  // Four multiply-adds each; a machine that does not know its peak does them as fast as those of its
  // transforms, about 2.5 log2 N of which stand behind every point and transform.
  const double real_transforms = 1 + fields_of(plan.differentiation);
  const double product =
      products > 0 ? 4 / products : 4 * solve / (2.5 * real_transforms * work_of(plan.mesh));
  std::array<double, 2> slowest{solve, product};
  transport.all_reduce_max({slowest.data(), slowest.size()});
  const TransportSpeed speed = measure_speed(transport);
  problem.solve_seconds = slowest[0];
  problem.product_seconds = slowest[1];
  problem.latency = speed.latency;
  problem.message = speed.message;
  problem.byte_seconds = speed.byte_seconds;
  return problem;
}

std::string fft_text(const FftChoice& choice) {
  const auto ms = [&](int m) {
    return fmt::format("{:.3g}", 1e3 * choice.seconds[static_cast<std::size_t>(m)]);
  };
  const int chosen = static_cast<int>(choice.method);
  std::string others;
  for (int m = 0; m < k_fft_methods; ++m)
    if (m != chosen && std::isfinite(choice.seconds[static_cast<std::size_t>(m)]))
      others +=
          fmt::format("{} {} {}", others.empty() ? ";" : ",", fft_name(static_cast<FftMethod>(m)), ms(m));
  return fmt::format("{}{} ({} ms per solve expected{})", fft_name(choice.method),
                     choice.asked ? ", as asked" : "", ms(chosen), others);
}

}  // namespace nanoday
