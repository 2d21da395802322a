// For tests of the device's long-range solvers: one evaluation with everything brought back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/long_range.hpp"
#include "reference/charges.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

namespace nanoday::reference {

namespace gpu = nanoday::NANODAY_GPU;

/// A solver, its stream and charges in device memory.
class DeviceRun {
 public:
  explicit DeviceRun(const LongRangePlan& plan) : solver_(gpu::make_solver(plan)) {}

  void load(View<const Vec4> charge, const Needs& needs = k_all_long_range) {
    needs_ = needs;
    gpu::upload(stream, charge_, charge);
    stream.synchronize();
    solver_->prepare(size(), needs);
  }
  void solve() { solver_->solve(stream, charge_.data(), size(), needs_); }
  /// Throws what check() throws.
  LongRangeResult fetch() {
    solver_->check(stream);
    LongRangeResult result;
    const gpu::LongRangeFields fields = solver_->fields();
    std::array<double, 7> sums{};
    bring(result.force, fields.force);
    if (needs_.atom_energy) bring(result.atom_energy, fields.atom_energy);
    if (needs_.atom_virial) bring(result.atom_virial, fields.atom_virial);
    gpu::copy_to_host(stream, sums.data(), fields.sums, sizeof sums);
    stream.synchronize();
    const auto [e, xx, xy, xz, yy, yz, zz] = sums;
    result.energy = e;
    result.virial = {xx, xy, xz, xy, yy, yz, xz, yz, zz};
    return result;
  }
  LongRangeResult operator()(View<const Vec4> charge, const Needs& needs = k_all_long_range) {
    load(charge, needs);
    solve();
    return fetch();
  }

  gpu::Stream stream;

 private:
  std::int64_t size() const { return static_cast<std::int64_t>(charge_.size()); }
  template <class T>
  void bring(Array<T>& to, const T* from) {
    to.resize(charge_.size());
    if (!to.empty()) gpu::copy_to_host(stream, to.data(), from, to.size() * sizeof(T));
  }

  std::unique_ptr<gpu::DeviceSolver> solver_;
  gpu::DeviceArray<Vec4> charge_;
  Needs needs_;
};

inline LongRangeResult device_on(const LongRangePlan& plan, View<const Vec4> charge) {
  return DeviceRun(plan)(charge);
}

/// A recorded solve reads the charges of its launch and gives the bits of solves that are not recorded.
inline void expect_recording_follows(const LongRangePlan& plan, const Array<Vec4>& charge,
                                     const Array<Vec4>& moved) {
  const LongRangeResult before = device_on(plan, charge), after = device_on(plan, moved);
  DeviceRun run(plan);
  run.load(charge);
  gpu::Graph graph;
  graph.record(run.stream, [&] { run.solve(); });
  for (const bool move : {false, true, false}) {
    run.load(move ? moved : charge);
    EXPECT_TRUE(graph.fresh());
    graph.launch(run.stream);
    expect_same_bits(run.fetch(), move ? after : before);
  }
}

/// A random order of n things; charges and results taken in it.
inline std::vector<std::size_t> random_order(std::size_t n, unsigned seed) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
  return order;
}
template <class T>
Array<T> taken(const Array<T>& from, const std::vector<std::size_t>& order) {
  Array<T> to;
  for (const std::size_t i : order) to.push_back(from[i]);
  return to;
}
inline LongRangeResult taken(LongRangeResult result, const std::vector<std::size_t>& order) {
  result.force = taken(result.force, order);
  result.atom_energy = taken(result.atom_energy, order);
  result.atom_virial = taken(result.atom_virial, order);
  return result;
}

/// Largest of the errors that expect_equal() looks at.
inline double worst_error(const LongRangeResult& a, const LongRangeResult& b) {
  return std::max({std::fabs(a.energy / b.energy - 1), relative_error(flat_forces(a), flat_forces(b)),
                   relative_error(flat(a.virial), flat(b.virial)),
                   relative_error({a.atom_energy.begin(), a.atom_energy.end()},
                                  {b.atom_energy.begin(), b.atom_energy.end()}),
                   relative_error(flat_atom_virial(a), flat_atom_virial(b))});
}

/// Runs `body` with the threads of blocks in ascending, then in descending order.
template <class Body>
void in_both_orders(const Body& body) {
  for (const bool reversed : {false, true}) {
    SCOPED_TRACE(reversed ? "threads in descending order" : "threads in ascending order");
    gpu::set_thread_order(reversed);
    body();
  }
  gpu::set_thread_order(false);
}

}  // namespace nanoday::reference
