// Arithmetic of one dimension of the reduction FFT on one rank: partial transforms as integers, and back.
// SPDX-License-Identifier: Apache-2.0
#include "reduction_stage.hpp"

#include "core/error.hpp"
#include "packed_pair.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace nanoday {
namespace {

constexpr double k_bound_units = 0x1p32;  ///< bounds are counted in units of 2^−32
/// |v + k_round − k_round| rounds to an integer, half to even, while |v| < 2^51.
constexpr double k_round = 0x1.8p52;
/// Lines handled at once: four arrays of them stay in the first cache.
constexpr std::size_t k_tile = 256;

/// Largest share of one point, so that a whole line stays below 2^62.
double largest_share(int n) { return 0x1p62 / n; }

struct Tile {
  std::array<double, k_tile> re, im;
  void clear(std::size_t count) {
    std::fill_n(re.begin(), count, 0.0);
    std::fill_n(im.begin(), count, 0.0);
  }
};

/// sum += x·(c + i s) for `count` lines.
void add_product(const double* xr, const double* xi, double c, double s, std::size_t count, Tile& sum) {
  for (std::size_t l = 0; l < count; ++l) {
    sum.re[l] += xr[l] * c - xi[l] * s;
    sum.im[l] += xr[l] * s + xi[l] * c;
  }
}

void add_rounded(const Tile& part, std::size_t count, Tile& sum) {
  for (std::size_t l = 0; l < count; ++l) {
    sum.re[l] += (part.re[l] + k_round) - k_round;
    sum.im[l] += (part.im[l] + k_round) - k_round;
  }
}

}  // namespace

void LineValues::resize(std::size_t n_points, std::size_t n_lines) {
  points = n_points;
  lines = n_lines;
  re.resize(points * lines);
  im.resize(points * lines);
}

ReductionStage::ReductionStage(int n, int begin, int end, int block)
    : n_(n),
      begin_(begin),
      end_(end),
      cosine_(static_cast<std::size_t>(n)),
      sine_(static_cast<std::size_t>(n)) {
  const bool whole = block == 0 || begin == end || (begin % block == 0 && (end % block == 0 || end == n));
  require(
      whole,
      "mesh points {} to {} of {} are no whole blocks of {} (they are what one rank owns); use blocks of 1",
      begin, end, n, block);
  const int step = block == 0 ? std::max(1, end - begin) : block;
  for (int first = begin; first < end; first += step) piece_.push_back(first - begin);
  piece_.push_back(end - begin);
  for (int m = 0; m < n; ++m) {
    const double angle = 2 * std::numbers::pi * m / n;
    cosine_[static_cast<std::size_t>(m)] = std::cos(angle);
    sine_[static_cast<std::size_t>(m)] = std::sin(angle);
  }
}

void ReductionStage::bound_share(const LineValues& x, View<std::uint64_t> bound) const {
  const double most = largest_share(n_);
  // A little more than the modulus, whose square root is rounded.
  constexpr double k_units = k_bound_units * (1 + 0x1p-48);
  std::fill(bound.begin(), bound.end(), std::uint64_t{0});
  for (std::size_t j = 0; j < x.points; ++j) {
    const double *re = x.re.data() + j * x.lines, *im = x.im.data() + j * x.lines;
    for (std::size_t l = 0; l < x.lines; ++l) {
      const double share = std::ceil(std::sqrt(re[l] * re[l] + im[l] * im[l]) * k_units);
      bound[l] +=
          static_cast<std::uint64_t>(static_cast<std::int64_t>(share < most ? share : most));  // NaN: most
    }
  }
}

void ReductionStage::choose_scales(View<const std::uint64_t> bound, double largest,
                                   View<double> scale) const {
  // Rounding may add half a unit per point.
  const double room = 0x1p31 - 1 - n_;
  const auto most = static_cast<std::uint64_t>(largest_share(n_));
  for (std::size_t l = 0; l < bound.size(); ++l) {
    require_run(
        bound[l] < most,
        "mesh values are too large for the reduction FFT, or not numbers (a line of {} points may sum to "
        "{:.3g} or more); look at the step before, or use --fft pencil or replicated",
        n_, static_cast<double>(bound[l]) / k_bound_units);
    const double serves = room / (static_cast<double>(bound[l]) / k_bound_units);  // ∞ for a line of zeros
    if (largest <= serves)
      scale[l] = std::isfinite(largest) ? largest : 1;
    else if (std::isinf(largest))
      scale[l] = std::ldexp(1.0, std::ilogb(serves));
    else
      for (scale[l] = largest; scale[l] > serves;) scale[l] /= 2;
  }
}

void ReductionStage::partial_transform(LineValues& x, View<const double> scale, TransformSign sign,
                                       View<std::uint64_t> words) const {
  for (std::size_t j = 0; j < x.points; ++j)
    for (std::size_t l = 0; l < x.lines; ++l) {
      x.re[j * x.lines + l] *= scale[l];
      x.im[j * x.lines + l] *= scale[l];
    }
  const double turn = sign == TransformSign::forward ? -1 : 1;
  Tile sum, part;
  for (std::size_t first = 0; first < x.lines; first += k_tile) {
    const std::size_t count = std::min(k_tile, x.lines - first);
    for (std::size_t k = 0; k < frequencies(); ++k) {
      sum.clear(count);
      for (std::size_t p = 0; p + 1 < piece_.size(); ++p) {
        part.clear(count);
        for (auto j = static_cast<std::size_t>(piece_[p]); j < static_cast<std::size_t>(piece_[p + 1]); ++j) {
          const std::size_t m = (static_cast<std::size_t>(begin_) + j) * k % frequencies();
          add_product(x.re.data() + j * x.lines + first, x.im.data() + j * x.lines + first, cosine_[m],
                      turn * sine_[m], count, part);
        }
        add_rounded(part, count, sum);
      }
      for (std::size_t l = 0; l < count; ++l)
        words[k * x.lines + first + l] =
            pack_pair({static_cast<std::int64_t>(sum.re[l]), static_cast<std::int64_t>(sum.im[l])});
    }
  }
}

void ReductionStage::take_own(View<const std::uint64_t> words, View<const double> scale,
                              LineValues& x) const {
  const std::size_t lines = scale.size();
  x.resize(points(), lines);
  for (std::size_t k = 0; k < points(); ++k)
    for (std::size_t l = 0; l < lines; ++l) {
      const IntegerPair total = unpack_pair(words[(static_cast<std::size_t>(begin_) + k) * lines + l]);
      x.re[k * lines + l] = static_cast<double>(total.high) / scale[l];
      x.im[k * lines + l] = static_cast<double>(total.low) / scale[l];
    }
}

}  // namespace nanoday
