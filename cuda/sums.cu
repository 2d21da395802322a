// Sums over the atoms of each replica: kinetic energy, energy, virial; exact, hence in any order.
// SPDX-License-Identifier: Apache-2.0
#include "core/units.hpp"
#include "cuda/integrate.hpp"

#include <cmath>

namespace nanoday::NANODAY_GPU {
namespace {

/// Stands for a term that is too large for a sum or not a number.
constexpr std::int64_t k_misfit = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t k_largest = std::int64_t{1} << 62;

NANODAY_DEVICE std::int64_t fixed_of(double energy) {
  const double scaled = energy * k_fixed_point_scale;
  return std::fabs(scaled) < static_cast<double>(k_largest) ? std::llrint(scaled) : k_misfit;
}

struct KineticTerms {
  static constexpr const char* k_name = "sum_kinetic";
  static constexpr int k_sums = 1;
  const Vec4* velocity;
  const double* mass;

  NANODAY_DEVICE std::int64_t term(std::int64_t i, int) const {
    const Vec3 v = xyz(velocity[i]);
    return fixed_of(0.5 * mass[i] * dot(v, v) * units::k_mass_velocity2);
  }
  static NANODAY_DEVICE FixedSum& sum(SystemState& state, int) { return state.kinetic; }
};

struct EnergyTerms {
  static constexpr const char* k_name = "sum_energy";
  static constexpr int k_sums = 1;
  const double* energy;

  NANODAY_DEVICE std::int64_t term(std::int64_t i, int) const { return fixed_of(energy[i]); }
  static NANODAY_DEVICE FixedSum& sum(SystemState& state, int) { return state.energy; }
};

struct VirialTerms {
  static constexpr const char* k_name = "sum_virial";
  static constexpr int k_sums = 9;
  const std::array<std::int64_t, 9>* virial;

  NANODAY_DEVICE std::int64_t term(std::int64_t i, int c) const {
    const std::int64_t v = virial[i][c];
    return v < k_largest && v > -k_largest ? v : k_misfit;
  }
  static NANODAY_DEVICE FixedSum& sum(SystemState& state, int c) { return state.virial[c]; }
};

/// A sum as it grows in one thread.
struct Halves {
  std::int64_t high = 0, low = 0;
  std::int32_t misfits = 0;

  NANODAY_DEVICE void add(std::int64_t term) {
    if (term == k_misfit) {
      ++misfits;
    } else {
      high += term >> 32;
      low += term & 0xffffffff;
    }
  }
  NANODAY_DEVICE void add_to(FixedSum& sum) const {
    atomic_add(&sum.high, high);
    atomic_add(&sum.low, static_cast<std::uint64_t>(low));
    if (misfits != 0) atomic_add(&sum.misfits, static_cast<std::uint32_t>(misfits));
  }
};

constexpr int k_threads = 256;
constexpr int k_warps = k_threads / k_warp;

/// Each warp sums the atoms of its first atom's replica in registers; other atoms (at a border between
/// replicas) go to memory one by one. Then one atomic per block, sum and replica.
template <class Terms>
struct SumByReplica {
  static constexpr const char* k_name = Terms::k_name;
  static constexpr std::size_t k_shared_bytes =
      Terms::k_sums * k_warps * sizeof(Halves) + k_warps * sizeof(std::int32_t);
  Terms terms;
  const std::int32_t* replica;  ///< null: one replica
  SystemState* state;
  const std::uint32_t* halt;
  std::int64_t n;
  int rounds;  ///< atoms per thread
  bool alone;  ///< one block, one replica: the sum is stored, not added

  NANODAY_DEVICE void operator()(Block& block) const {
    if (halt != nullptr && *halt != 0) return;  // all threads see the same word
    Halves sum[Terms::k_sums];
    const std::int64_t first = block.block() * k_threads * rounds + block.warp() * k_warp;
    const int home = replica == nullptr || first >= n ? 0 : replica[first];
    for (int round = 0; round < rounds; ++round) {
      const std::int64_t i = first + round * k_threads + block.lane();
      if (i < n) take(i, home, sum);
    }
    for (int k = 0; k < Terms::k_sums; ++k)
      sum[k] = {warp_sum(block, sum[k].high), warp_sum(block, sum[k].low), warp_sum(block, sum[k].misfits)};
    Halves* const of_warp = block.shared<Halves>(0);
    std::int32_t* const home_of = block.shared<std::int32_t>(Terms::k_sums * k_warps * sizeof(Halves));
    if (block.lane() == 0) {
      for (int k = 0; k < Terms::k_sums; ++k) of_warp[block.warp() * Terms::k_sums + k] = sum[k];
      home_of[block.warp()] = home;
    }
    block.sync();
    if (block.thread() < Terms::k_sums) deliver(of_warp, home_of, block.thread());
  }

  NANODAY_DEVICE void take(std::int64_t i, int home, Halves* sum) const {
    const int mine = replica == nullptr ? 0 : replica[i];
    for (int k = 0; k < Terms::k_sums; ++k) {
      if (mine == home) {
        sum[k].add(terms.term(i, k));
      } else {
        Halves single;
        single.add(terms.term(i, k));
        single.add_to(Terms::sum(state[mine], k));
      }
    }
  }

  /// Sum k of all warps; runs of warps with the same replica share an atomic.
  NANODAY_DEVICE void deliver(const Halves* of_warp, const std::int32_t* home_of, int k) const {
    Halves sum = of_warp[k];
    for (int w = 1; w < k_warps; ++w) {
      if (home_of[w] != home_of[w - 1]) {
        sum.add_to(Terms::sum(state[home_of[w - 1]], k));
        sum = {};
      }
      const Halves& more = of_warp[w * Terms::k_sums + k];
      sum = {sum.high + more.high, sum.low + more.low, sum.misfits + more.misfits};
    }
    FixedSum& target = Terms::sum(state[home_of[k_warps - 1]], k);
    if (alone)
      target = {sum.high, static_cast<std::uint64_t>(sum.low), static_cast<std::uint32_t>(sum.misfits), 0};
    else
      sum.add_to(target);
  }
};

template <class Terms>
struct ClearSums {
  static constexpr const char* k_name = "clear_sums";
  SystemState* state;
  const std::uint32_t* halt;
  int n_replicas;

  NANODAY_DEVICE void operator()(Block& block) const {
    const long i = block.global();
    if (i >= n_replicas || (halt != nullptr && *halt != 0)) return;
    for (int k = 0; k < Terms::k_sums; ++k) Terms::sum(state[i], k) = {};
  }
};

// Up to this many atoms one block sums alone, which saves a launch: small systems count those.
constexpr std::int64_t k_small = 4096;

template <class Terms>
void clear_sums(Stream& stream, const DeviceAtoms& atoms, SystemState* state, const std::uint32_t* halt) {
  launch(stream, ClearSums<Terms>{state, halt, atoms.n_replicas}, grid_for(atoms.n_replicas));
}

template <class Terms>
void sum_terms(Stream& stream, const DeviceAtoms& atoms, const Terms& terms, SystemState* state,
               const std::uint32_t* halt) {
  using Kernel = SumByReplica<Terms>;
  const std::int64_t n = atoms.nlocal;
  const bool alone = atoms.n_replicas == 1 && n > 0 && n <= k_small;
  // Several atoms per thread make fewer sums of warps; where replicas end they would make borders.
  const std::int64_t rounds = alone ? (n + k_threads - 1) / k_threads : atoms.n_replicas > 1 ? 1 : 4;
  if (!alone) clear_sums<Terms>(stream, atoms, state, halt);
  Grid grid = grid_for(n, static_cast<int>(k_threads * rounds));
  grid.threads = k_threads;
  grid.shared_bytes = Kernel::k_shared_bytes;
  launch(stream,
         Kernel{terms, atoms.n_replicas > 1 ? atoms.replica.data() : nullptr, state, halt, n,
                static_cast<int>(rounds), alone},
         grid);
}

}  // namespace

// ------------------------------------------------------------------------------------------------------

void sum_kinetic(Stream& stream, const DeviceAtoms& atoms, SystemState* state, const std::uint32_t* halt) {
  sum_terms(stream, atoms, KineticTerms{atoms.velocity.data(), atoms.mass.data()}, state, halt);
}

void sum_results(Stream& stream, const DeviceAtoms& atoms, const double* atom_energy,
                 const std::array<std::int64_t, 9>* centre_virial, SystemState* state) {
  if (atom_energy != nullptr)
    sum_terms(stream, atoms, EnergyTerms{atom_energy}, state, nullptr);
  else
    clear_sums<EnergyTerms>(stream, atoms, state, nullptr);
  if (centre_virial != nullptr)
    sum_terms(stream, atoms, VirialTerms{centre_virial}, state, nullptr);
  else
    clear_sums<VirialTerms>(stream, atoms, state, nullptr);
}

}  // namespace nanoday::NANODAY_GPU
