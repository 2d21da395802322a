// For tests of the device's long-range solvers: one evaluation with everything brought back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.hpp"
#include "cuda/long_range.hpp"
#include "reference/charges.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

namespace nanoday::reference {

namespace gpu = nanoday::NANODAY_GPU;

/// A solver, its stream and charges in device memory: those of one system, or of several in turn.
class DeviceRun {
 public:
  explicit DeviceRun(const LongRangePlan& plan, int systems = 1)
      : solver_(gpu::make_solver(plan, systems)), systems_(systems) {}

  void load(View<const Vec4> charge, const Needs& needs = k_all_long_range) {
    needs_ = needs;
    gpu::upload(stream, charge_, charge);
    stream.synchronize();
    solver_->prepare(size(), needs);
  }
  void solve() { solver_->solve(stream, charge_.data(), size(), needs_); }
  /// Results of one system. Throws what check() throws.
  LongRangeResult fetch(int system = 0) {
    solver_->check(stream, system);
    LongRangeResult result;
    const gpu::LongRangeFields fields = solver_->fields();
    std::array<double, 7> sums{};
    bring(result.force, fields.force, system);
    if (needs_.atom_energy) bring(result.atom_energy, fields.atom_energy, system);
    if (needs_.atom_virial) bring(result.atom_virial, fields.atom_virial, system);
    gpu::copy_to_host(stream, sums.data(), fields.sums + 7 * system, sizeof sums);
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
  void bring(Array<T>& to, const T* from, int system) {
    to.resize(charge_.size() / systems_);
    if (!to.empty()) gpu::copy_to_host(stream, to.data(), from + to.size() * system, to.size() * sizeof(T));
  }

  std::unique_ptr<gpu::DeviceSolver> solver_;
  int systems_;
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

/// Several systems in the same kernels, in both orders of threads, have the bits each has alone; a charge
/// that is lost in one of them is reported for that one.
inline void expect_systems_as_alone(const LongRangePlan& plan, int n_charges) {
  constexpr int k_systems = 3;
  std::vector<Array<Vec4>> charge;
  Array<Vec4> all;
  for (int s = 0; s < k_systems; ++s) {
    charge.push_back(random_charges(plan.box, n_charges, 31 + static_cast<unsigned>(s)));
    all.insert(all.end(), charge.back().begin(), charge.back().end());
  }
  in_both_orders([&] {
    DeviceRun together(plan, k_systems);
    for (const Needs& needs : {k_all_long_range, Needs{.energy = true}}) {
      together.load(all, needs);
      together.solve();
      for (int s = 0; s < k_systems; ++s) {
        SCOPED_TRACE(s);
        expect_same_bits(together.fetch(s), DeviceRun(plan)(charge[s], needs));
      }
    }
    Array<Vec4> broken = all;
    broken[static_cast<std::size_t>(n_charges) + 2].y = std::numeric_limits<double>::quiet_NaN();
    together.load(broken, Needs{});
    together.solve();
    EXPECT_NO_THROW(together.fetch(0));
    EXPECT_NO_THROW(together.fetch(2));
    try {
      together.fetch(1);
      ADD_FAILURE() << "nobody missed the charge";
    } catch (const RunError& error) {
      EXPECT_EQ(std::string(error.what()).find("charge 2 "), 0u) << error.what();
    }
  });
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

}  // namespace nanoday::reference
