// Sums over the atoms of each replica, exact, hence in any order; and what one thread does with them at once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/ranks.hpp"

#include <cmath>

namespace nanoday::NANODAY_GPU {

NANODAY_DEVICE std::int64_t fixed_term(double energy) {
  const double scaled = energy * k_fixed_point_scale;
  return std::fabs(scaled) < static_cast<double>(k_largest_term) ? std::llrint(scaled) : k_misfit;
}

struct KineticTerms {
  static constexpr const char* k_name = "sum_kinetic";
  const Vec4* velocity;
  const double* mass;

  NANODAY_DEVICE std::int64_t term(std::int64_t i) const {
    const Vec3 v = xyz(velocity[i]);
    return fixed_term(0.5 * mass[i] * dot(v, v) * units::k_mass_velocity2);
  }
  static NANODAY_HD FixedSum& sum(SystemState& state) { return state.kinetic; }
};

struct EnergyTerms {
  static constexpr const char* k_name = "sum_energy";
  const double* energy;

  NANODAY_DEVICE std::int64_t term(std::int64_t i) const { return fixed_term(energy[i]); }
  static NANODAY_HD FixedSum& sum(SystemState& state) { return state.energy; }
};

/// What follows a sum: nothing.
struct NoMore {
  NANODAY_DEVICE void operator()(SystemState*, std::int64_t) const {}
};

inline constexpr int k_sum_threads = 256;
inline constexpr int k_sum_warps = k_sum_threads / k_warp;

/// Each warp sums the atoms of its first atom's replica in registers; other atoms (at a border between
/// replicas) go to memory one by one. Then one atomic per block and replica.
template <class Terms, class Then>
struct SumByReplica {
  static constexpr const char* k_name = Terms::k_name;
  static constexpr std::size_t k_shared_bytes = k_sum_warps * (sizeof(Halves) + sizeof(std::int32_t));
  Terms terms;
  Then then;                    ///< done at once where one block sums alone
  const std::int32_t* replica;  ///< null: one replica
  SystemState* state;
  const std::uint32_t* halt;
  std::int64_t n;
  int rounds;  ///< atoms per thread
  bool alone;  ///< one block, one replica: the sum is stored, not added

  NANODAY_DEVICE void operator()(Block& block) const {
    if (halt != nullptr && *halt != 0) return;  // all threads see the same word
    Halves sum;
    const std::int64_t first = block.block() * k_sum_threads * rounds + block.warp() * k_warp;
    const int home = replica == nullptr || first >= n ? 0 : replica[first];
    for (int round = 0; round < rounds; ++round) {
      const std::int64_t i = first + round * k_sum_threads + block.lane();
      if (i < n) take(i, home, sum);
    }
    sum = {warp_sum(block, sum.high), warp_sum(block, sum.low), warp_sum(block, sum.misfits)};
    Halves* const of_warp = block.shared<Halves>(0);
    std::int32_t* const home_of = block.shared<std::int32_t>(k_sum_warps * sizeof(Halves));
    if (block.lane() == 0) {
      of_warp[block.warp()] = sum;
      home_of[block.warp()] = home;
    }
    block.sync();
    if (block.thread() == 0) deliver(of_warp, home_of);
  }

  NANODAY_DEVICE void take(std::int64_t i, int home, Halves& sum) const {
    const int mine = replica == nullptr ? 0 : replica[i];
    if (mine == home) return sum.add(terms.term(i));
    Halves single;
    single.add(terms.term(i));
    single.add_to(Terms::sum(state[mine]));
  }

  /// The sum of all warps; runs of warps with the same replica share an atomic. Carried, so that the sums of
  /// 2^32 blocks can be added, of however many ranks.
  NANODAY_DEVICE void deliver(const Halves* of_warp, const std::int32_t* home_of) const {
    Halves sum = of_warp[0];
    for (int w = 1; w < k_sum_warps; ++w) {
      if (home_of[w] != home_of[w - 1]) {
        sum.carry();
        sum.add_to(Terms::sum(state[home_of[w - 1]]));
        sum = {};
      }
      const Halves& more = of_warp[w];
      sum = {sum.high + more.high, sum.low + more.low, sum.misfits + more.misfits};
    }
    sum.carry();
    FixedSum& target = Terms::sum(state[home_of[k_sum_warps - 1]]);
    if (!alone) return sum.add_to(target);
    target = sum.value();
    then(state, 0);
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
    if (i < n_replicas && (halt == nullptr || *halt == 0)) Terms::sum(state[i]) = {};
  }
};

/// What follows where many blocks have summed: a thread per replica.
template <class Then>
struct FollowSums {
  static constexpr const char* k_name = Then::k_name;
  Then then;
  SystemState* state;
  const std::uint32_t* halt;
  int n_replicas;

  NANODAY_DEVICE void operator()(Block& block) const {
    const long r = block.global();
    if (r < n_replicas && (halt == nullptr || *halt == 0)) then(state, r);
  }
};

/// Up to this many atoms one block sums alone, which saves launches: small systems count those.
inline constexpr std::int64_t k_sum_alone = 4096;

template <class Terms>
void clear_sums(Stream& stream, const DeviceAtoms& atoms, SystemState* state, const std::uint32_t* halt) {
  launch(stream, ClearSums<Terms>{state, halt, atoms.n_replicas}, grid_for(atoms.n_replicas));
}

/// The total of all ranks takes its place, and then(state, 0) follows.
template <class Terms, class Then>
struct AdoptSum {
  static constexpr const char* k_name = "adopt_sum";
  SystemState *total, *state;
  const std::uint32_t* halt;
  Then then;

  NANODAY_DEVICE void operator()(Block& block) const {
    if (block.global() != 0 || (halt != nullptr && *halt != 0)) return;
    Terms::sum(*state) = Terms::sum(*total);
    then(state, 0);
  }
};

/// Sets a sum of every replica of this rank's atoms, then calls then(state, replica).
template <class Terms, class Then>
void sum_own_terms(Stream& stream, const DeviceAtoms& atoms, const Terms& terms, SystemState* state,
                   const std::uint32_t* halt, const Then& then) {
  using Kernel = SumByReplica<Terms, Then>;
  const std::int64_t n = atoms.nlocal;
  const bool alone = atoms.n_replicas == 1 && n > 0 && n <= k_sum_alone;
  // Several atoms per thread make fewer sums of warps; where replicas end they would make borders.
  const std::int64_t rounds = alone ? (n + k_sum_threads - 1) / k_sum_threads : atoms.n_replicas > 1 ? 1 : 4;
  if (!alone) clear_sums<Terms>(stream, atoms, state, halt);
  Grid grid = grid_for(n, static_cast<int>(k_sum_threads * rounds));
  grid.threads = k_sum_threads;
  grid.shared_bytes = Kernel::k_shared_bytes;
  launch(stream, Kernel{terms, then, replicas(atoms), state, halt, n, static_cast<int>(rounds), alone}, grid);
  if constexpr (!std::is_same_v<Then, NoMore>)
    if (!alone)
      launch(stream, FollowSums<Then>{then, state, halt, atoms.n_replicas}, grid_for(atoms.n_replicas, 32));
}

inline constexpr std::size_t k_sum_words = sizeof(FixedSum) / sizeof(std::uint64_t);

/// Sums as words that add up modulo 2^64 as the sums do: counts of misfits never reach their neighbor, and
/// carried sums have room for those of the other ranks.
inline std::uint64_t* words_of(FixedSum* sums) { return reinterpret_cast<std::uint64_t*>(sums); }

/// Sets a sum of every replica, of all ranks' atoms, then calls then(state, replica). Shares of ranks stand
/// elsewhere until they are summed: what a halt keeps must not be summed again.
template <class Terms, class Then = NoMore>
void sum_terms(Stream& stream, const DeviceAtoms& atoms, const Terms& terms, SystemState* state,
               const std::uint32_t* halt, const Then& then = {}, DeviceRanks* ranks = nullptr) {
  if (ranks == nullptr || !ranks->several()) return sum_own_terms(stream, atoms, terms, state, halt, then);
  SystemState* const share = ranks->share();
  sum_own_terms(stream, atoms, terms, share, nullptr, NoMore{});
  ranks->sum(stream, words_of(&Terms::sum(*share)), k_sum_words);
  launch(stream, AdoptSum<Terms, Then>{share, state, halt, then}, {1, k_warp, 0});
}

}  // namespace nanoday::NANODAY_GPU
