// Exact, hence order-independent, sums of doubles.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace nanoday {

/// Scale of fixed-point sums: 2^44 per eV/Å (or eV), so that one unit is 5.7e-14.
inline constexpr double k_fixed_point_scale = 17592186044416.0;

/// Sum of doubles rounded to 2^-44, or of numbers that are fixed point already.
class ExactSum {
 public:
  /// Numbers of 2^72 and more, infinities and NaNs make the sum a NaN. \pre the sum stays below 2^82
  void add(double x) {
    constexpr double k_fits = 0x1p62, k_most = 0x1p116;  // beyond 2^52 every double is an integer
    const double scaled = x * k_fixed_point_scale;
    if (std::fabs(scaled) < k_fits)
      sum_ += std::llrint(scaled);
    else if (std::fabs(scaled) < k_most)
      sum_ += static_cast<__int128>(scaled);
    else
      lost_ = true;
  }
  void add_fixed(std::int64_t x) { sum_ += x; }
  void add(const ExactSum& other) {
    sum_ += other.sum_;
    lost_ |= other.lost_;
  }
  double value() const {
    return lost_ ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(sum_) / k_fixed_point_scale;
  }

  /// The sum as Σ limb[k] · 2^(32 k), every limb but the last within 0 … 2^32 − 1: limbs of up to 2^22 sums
  /// can be added one by one as 64-bit integers. A lost sum has a last limb that no others make small.
  using Limbs = std::array<std::int64_t, 4>;
  Limbs limbs() const {
    Limbs limb{};
    __int128 rest = sum_;
    for (std::size_t k = 0; k + 1 < limb.size(); ++k, rest >>= 32)
      limb[k] = static_cast<std::int64_t>(rest & 0xffffffff);
    limb.back() = lost_ ? k_lost : static_cast<std::int64_t>(rest);
    return limb;
  }
  /// Inverse of limbs(), also for sums of limbs.
  static ExactSum from_limbs(const Limbs& limb) {
    ExactSum sum;
    sum.lost_ = limb.back() >= k_lost / 2;
    for (std::size_t k = sum.lost_ ? 0 : limb.size(); k-- > 0;)
      sum.sum_ = sum.sum_ * (__int128{1} << 32) + limb[k];
    return sum;
  }

 private:
  static constexpr std::int64_t k_lost = std::int64_t{1}
                                         << 40;  // ordinary last limbs are 0 or −1 below 2^52 eV

  __int128 sum_ = 0;
  bool lost_ = false;
};

/// A sum over the atoms of one rank that others may go on with: exact on machines whose sums are fixed point,
/// plain elsewhere.
struct AtomSum {
  bool exact = false;
  double plain = 0;
  ExactSum fixed;

  void add(double x) {
    if (exact)
      fixed.add(x);
    else
      plain += x;
  }
  double value() const { return exact ? fixed.value() : plain; }
};

}  // namespace nanoday
