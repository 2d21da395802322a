// Exact sums in fixed point: one number, a share of it in a thread, and sums of virials spread over slots.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/forces.hpp"
#include "core/host_device.hpp"
#include "cuda/device.hpp"

#include <cstdint>
#include <limits>

namespace nanoday::NANODAY_GPU {

/// An exact sum of terms rounded to 2^-44 eV, the same in any order: half a unit, 2.8e-14 eV, is lost per
/// term and nothing by adding. Terms are added as halves of 32 bits in 64-bit numbers of their own, because
/// one such number would overflow: 1e8 atoms of 155 eV are 2^78 units. Any 2^31 terms of up to 2^18 eV fit;
/// after carry(), sums of 2^32 ranks whose total is below 2^51 eV can be added.
struct FixedSum {
  std::int64_t high = 0;      ///< multiples of 2^32 units
  std::uint64_t low = 0;      ///< units
  std::uint32_t misfits = 0;  ///< terms that were larger or not a number
  std::uint32_t unused = 0;

  NANODAY_HD void add(const FixedSum& more) {
    high += more.high;
    low += more.low;
    misfits += more.misfits;
  }
  /// The same number, with `low` below 2^32.
  NANODAY_HD void carry() {
    high += static_cast<std::int64_t>(low >> 32);
    low &= 0xffffffff;
  }
};

/// [eV], rounded once; not a number when a term did not fit. The same as the sums of reproducible CPU runs.
NANODAY_HD inline double value_of(const FixedSum& sum) {
  if (sum.misfits != 0) return std::numeric_limits<double>::quiet_NaN();
  const __int128 units = (static_cast<__int128>(sum.high) << 32) + sum.low;
  return static_cast<double>(units) / k_fixed_point_scale;
}

/// Stands for a term that is too large for a sum or not a number; others are smaller than the next one.
inline constexpr std::int64_t k_misfit = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t k_largest_term = std::int64_t{1} << 62;

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
  /// As FixedSum::carry().
  NANODAY_DEVICE void carry() {
    high += low >> 32;
    low &= 0xffffffff;
  }
  NANODAY_DEVICE void add_to(FixedSum& sum) const {
    atomic_add(&sum.high, high);
    atomic_add(&sum.low, static_cast<std::uint64_t>(low));
    if (misfits != 0) atomic_add(&sum.misfits, static_cast<std::uint32_t>(misfits));
  }
  NANODAY_DEVICE FixedSum value() const {
    return {high, static_cast<std::uint64_t>(low), static_cast<std::uint32_t>(misfits), 0};
  }
};

/// −∂E/∂strain of replicas while their atoms add to it. Each replica has some slots, among which its atoms
/// are spread: few atoms want the same address, and no atom needs memory of its own.
struct VirialSlots {
  FixedSum* sum = nullptr;                ///< (replicas, slots, 9); null: not wanted
  const std::int32_t* replica = nullptr;  ///< (nlocal); null: one replica
  int slots = 0;                          ///< per replica

  /// \param term fixed point, 2^-44 eV  \param c 3·row + column
  NANODAY_DEVICE void add(std::int64_t atom, int c, std::int64_t term) const {
    const std::int64_t r = replica == nullptr ? 0 : replica[atom];
    Halves share;
    share.add(term < k_largest_term && term > -k_largest_term ? term : k_misfit);
    share.add_to(sum[(r * slots + atom % slots) * 9 + c]);
  }
};

/// Slots per replica: one for 64 atoms, up to what keeps 132 multiprocessors out of each other's way.
inline int virial_slots(std::int64_t atoms_per_replica) {
  const std::int64_t wanted = atoms_per_replica / 64;
  return static_cast<int>(wanted < 1 ? 1 : wanted > 1024 ? 1024 : wanted);
}

}  // namespace nanoday::NANODAY_GPU
