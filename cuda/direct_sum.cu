// The sum over reciprocal vectors on the device: structure factors, then forces.
// SPDX-License-Identifier: Apache-2.0
//
// Two kernels. In the first a block owns eight vectors and its threads share the charges; in the second a
// block owns a charge and its threads share the vectors. Both walk eight neighboring vectors of a line with
// two sines and cosines and seven rotations, whose rounding stays near 1e-15.
#include "cuda/direct_sum.hpp"

#include "cuda/block_sums.hpp"
#include "math/reciprocal_grid.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace nanoday::NANODAY_GPU {
namespace {

constexpr int k_threads = 128;
constexpr double k_round = 0x1.8p52;  // numbers near it are spaced by one: adding it rounds to an integer
constexpr double k_total_scale = 0x1p20;

/// Where a charge lies, in fractions of the cell nearest to zero.
struct CellPlace {
  Vec3 f;
  bool placed;  ///< false: not finite, or so far away that the fraction has no digits left
};
NANODAY_DEVICE CellPlace cell_place(const ReciprocalUnits& modes, const Vec4& q) {
  constexpr double k_far = 0x1p40;
  const Vec3 x = xyz(q) - modes.origin;
  const Vec3 f{dot(modes.reciprocal[0], x), dot(modes.reciprocal[1], x), dot(modes.reciprocal[2], x)};
  const bool placed = std::fabs(f.x) < k_far && std::fabs(f.y) < k_far && std::fabs(f.z) < k_far;
  return {{f.x - std::nearbyint(f.x), f.y - std::nearbyint(f.y), f.z - std::nearbyint(f.z)},
          placed && q.w - q.w == 0};
}

/// e^{2πit}.
NANODAY_DEVICE Complex wave(double t) {
  const double angle = 2 * M_PI * (t - std::nearbyint(t));
  return {std::cos(angle), std::sin(angle)};
}
NANODAY_DEVICE Complex first_wave(const ReciprocalUnit& u, const Vec3& f) {
  return wave(u.nx * f.x + u.ny * f.y + u.nz * f.z);
}
NANODAY_DEVICE Complex times(Complex a, Complex b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
NANODAY_DEVICE std::int64_t rounded(double value) {
  return std::bit_cast<std::int64_t>(value + k_round) - std::bit_cast<std::int64_t>(k_round);
}
NANODAY_DEVICE Vec3 wave_vector(const ReciprocalUnits& modes, const ReciprocalUnit& u, int j) {
  return 2 * M_PI *
         (double(u.nx) * modes.reciprocal[0] + double(u.ny) * modes.reciprocal[1] +
          double(u.nz + j) * modes.reciprocal[2]);
}
/// Component c of the virial in the order xx xy xz yy yz zz.
NANODAY_DEVICE double strain(const ReciprocalUnits& modes, Vec3 k, int c) {
  constexpr int component[6] = {0, 3, 4, 1, 5, 2};
  return strain_factor(k, modes.beta, component[c]);
}

/// A block per system and unit of vectors.
struct StructureFactors {
  static constexpr const char* k_name = "structure_factors";
  static constexpr int k_sums = 2 * k_unit_vectors + 1;
  ReciprocalUnits modes;
  View<const Vec4> charge;
  Complex* coefficient;
  double* partial;
  ChargeFlags* flags;
  std::int64_t* shares = nullptr;  ///< (units, k_sums) not null: the sums go there and are finished later

  NANODAY_DEVICE std::int64_t unit_of(const Block& block) const { return block.block() % modes.units; }
  NANODAY_DEVICE std::int64_t system_of(const Block& block) const { return block.block() / modes.units; }

  NANODAY_DEVICE void operator()(Block& block) const {
    const ReciprocalUnit u = modes.unit[unit_of(block)];
    std::int64_t sum[k_sums] = {};  // cos and sin of each vector; total |q| in 2^-20 e
    const auto n = static_cast<std::int64_t>(charge.size()) / modes.systems;
    const Vec4* const mine = charge.data() + n * system_of(block);
    for (std::int64_t i = block.thread(); i < n; i += block.size()) add_charge(block, u, mine, i, sum);

    std::int64_t* of_warp = block.shared<std::int64_t>(0);
    for (int j = 0; j < k_sums; ++j) {
      const std::int64_t total = warp_sum(block, sum[j]);
      if (block.lane() == 0) of_warp[block.warp() * k_sums + j] = total;
    }
    block.sync();
    if (block.warp() != 0) return;
    if (shares == nullptr) return finish(block, u, of_warp);
    if (block.lane() < k_sums)
      shares[block.block() * k_sums + block.lane()] = units_of(block, of_warp, block.lane());
  }

  NANODAY_DEVICE void add_charge(const Block& block, const ReciprocalUnit& u, const Vec4* mine,
                                 std::int64_t i, std::int64_t (&sum)[k_sums]) const {
    const Vec4 q = mine[i];
    const CellPlace at = cell_place(modes, q);
    const bool fits = std::fabs(q.w) < k_max_charge;
    if (!at.placed || !fits) {
      if (unit_of(block) != 0) return;
      ChargeFlags* const flag = flags + system_of(block);
      if (!at.placed) atomic_max(&flag->lost, static_cast<std::uint32_t>(i + 1));
      if (at.placed) atomic_or(&flag->overflow, 1u);
      return;
    }
    const double scaled = k_charge_scale * q.w;
    const Complex step = wave(at.f.z);
    Complex w = first_wave(u, at.f);
    for (int j = 0; j < k_unit_vectors; ++j) {
      sum[2 * j] += rounded(scaled * w.re);
      sum[2 * j + 1] += rounded(scaled * w.im);
      w = times(w, step);
    }
    sum[k_sums - 1] += rounded(k_total_scale * std::fabs(q.w));
  }

  /// By the first warp: lane j finishes vector j.
  NANODAY_DEVICE void finish(Block& block, const ReciprocalUnit& u, const std::int64_t* of_warp) const {
    const int j = block.lane();
    const std::int64_t at = (j < k_unit_vectors ? j : 0) * modes.units + unit_of(block);
    const double weight = j < k_unit_vectors ? modes.weight[at] : 0.0;
    Complex* const mine = coefficient + system_of(block) * k_unit_vectors * modes.units;
    const Complex s{total(block, of_warp, 2 * (j % k_unit_vectors)),
                    total(block, of_warp, 2 * (j % k_unit_vectors) + 1)};
    if (j < k_unit_vectors) mine[at] = {weight * s.re, weight * s.im};
    if (j == 0 && total(block, of_warp, k_sums - 1) * k_charge_scale >= k_max_point_charge * k_total_scale)
      atomic_or(&flags[system_of(block)].overflow, 1u);  // 2^18 e cannot wrap around 2^63
    if (!partial) return;
    const double energy = 0.5 * weight * (s.re * s.re + s.im * s.im);
    const Vec3 k = wave_vector(modes, u, j % k_unit_vectors);
    for (int c = -1; c < 6; ++c) {
      const double share = energy == 0 ? 0.0 : c < 0 ? energy : energy * strain(modes, k, c);
      const double all = warp_sum(block, share);
      if (j == 0) partial[7 * block.block() + 1 + c] = all;
    }
  }

  /// Sum j of all warps, in fixed point and in e.
  static NANODAY_DEVICE std::int64_t units_of(const Block& block, const std::int64_t* of_warp, int j) {
    std::int64_t sum = 0;
    for (int w = 0; w < block.warps(); ++w) sum += of_warp[w * k_sums + j];
    return sum;
  }
  static NANODAY_DEVICE double total(const Block& block, const std::int64_t* of_warp, int j) {
    return static_cast<double>(units_of(block, of_warp, j)) / k_charge_scale;
  }
};

/// What is left to do with summed shares: a block of one warp per unit of vectors.
struct FinishFactors {
  static constexpr const char* k_name = "finish_factors";
  StructureFactors factors;
  const std::int64_t* shares;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t u = block.block();
    factors.finish(block, factors.modes.unit[u], shares + u * StructureFactors::k_sums);
  }
};

/// One block per charge. Values: φ, its slopes by 2πf_d, and with Virial the six "potentials" of the virial.
template <bool Virial>
struct EvaluateCharges {
  static constexpr const char* k_name = "evaluate_charges";
  static constexpr int k_values = Virial ? 10 : 4;
  ReciprocalUnits modes;
  View<const Vec4> charge;
  const Complex* coefficient;
  Vec4* force;
  double* energy;
  std::array<double, 9>* virial;

  NANODAY_DEVICE void operator()(Block& block) const {
    const Vec4 q = charge[block.block()];
    const CellPlace at = cell_place(modes, q);
    const std::int64_t system = block.block() / (static_cast<std::int64_t>(charge.size()) / modes.systems);
    const Complex* const mine = coefficient + system * k_unit_vectors * modes.units;
    double value[k_values] = {};
    if (at.placed) {
      const Complex step = wave(at.f.z);
      for (std::int64_t u = block.thread(); u < modes.units; u += block.size())
        add_unit(mine, u, first_wave(modes.unit[u], at.f), step, value);
    }
    double* shared = block.shared<double>(0);
    const double total = block_sums(block, value, shared);
    block.sync();
    if (block.thread() < k_values) shared[block.thread()] = total;
    block.sync();
    if (block.thread() == 0) write(block.block(), q, at.placed, shared);
  }

  NANODAY_DEVICE void add_unit(const Complex* mine, std::int64_t index, Complex w, Complex step,
                               double (&value)[k_values]) const {
    const ReciprocalUnit u = modes.unit[index];
    double slope = 0;
    for (int j = 0; j < k_unit_vectors; ++j) {
      const Complex c = mine[j * modes.units + index];
      const double phi = c.re * w.re + c.im * w.im, turned = c.im * w.re - c.re * w.im;
      value[0] += phi;
      slope += turned;
      value[3] += (u.nz + j) * turned;
      if constexpr (Virial) {
        const Vec3 k = wave_vector(modes, u, j);
        for (int v = 0; v < 6 && dot(k, k) > 0; ++v) value[4 + v] += phi * strain(modes, k, v);
      }
      w = times(w, step);
    }
    value[1] += u.nx * slope;
    value[2] += u.ny * slope;
  }

  NANODAY_DEVICE void write(std::int64_t i, const Vec4& q, bool placed, const double* value) const {
    const auto& b = modes.reciprocal;
    Vec3 f = -2 * M_PI * q.w * (value[1] * b[0] + value[2] * b[1] + value[3] * b[2]);
    if (!placed) f = {std::numeric_limits<double>::quiet_NaN(), 0, 0};
    force[i] = padded(f);
    if (energy) energy[i] = 0.5 * q.w * value[0];
    if constexpr (Virial) {
      constexpr int entry[9] = {0, 1, 2, 1, 3, 4, 2, 4, 5};
      for (int c = 0; c < 9; ++c) virial[i][c] = 0.5 * q.w * value[4 + entry[c]];
    }
  }
};

// ------------------------------------------------------------------------------------------------------

Grid factor_grid(const ReciprocalUnits& modes) {
  constexpr std::size_t bytes = sizeof(std::int64_t) * StructureFactors::k_sums * (k_threads / k_warp);
  return {modes.units * modes.systems, k_threads, (bytes + 15) / 16 * 16};
}

template <bool Virial>
void evaluate(Stream& stream, const EvaluateCharges<Virial>& kernel) {
  constexpr std::size_t bytes = block_sums_bytes<EvaluateCharges<Virial>::k_values>(k_threads);
  launch(stream, kernel, {static_cast<std::int64_t>(kernel.charge.size()), k_threads, bytes});
}

}  // namespace

void structure_factors(Stream& stream, const ReciprocalUnits& modes, View<const Vec4> charge,
                       Complex* coefficient, double* partial, ChargeFlags* flags) {
  launch(stream, StructureFactors{modes, charge, coefficient, partial, flags}, factor_grid(modes));
}

std::int64_t factor_words(std::int64_t units) { return units * StructureFactors::k_sums; }

void structure_shares(Stream& stream, const ReciprocalUnits& modes, View<const Vec4> charge,
                      std::int64_t* shares, ChargeFlags* flags) {
  launch(stream, StructureFactors{modes, charge, nullptr, nullptr, flags, shares}, factor_grid(modes));
}

void finish_factors(Stream& stream, const ReciprocalUnits& modes, const std::int64_t* shares,
                    Complex* coefficient, double* partial, ChargeFlags* flags) {
  launch(stream, FinishFactors{{modes, {}, coefficient, partial, flags}, shares}, {modes.units, k_warp, 0});
}

void evaluate_charges(Stream& stream, const ReciprocalUnits& modes, View<const Vec4> charge,
                      const Complex* coefficient, Vec4* force, double* energy,
                      std::array<double, 9>* virial) {
  if (virial)
    evaluate<true>(stream, {modes, charge, coefficient, force, energy, virial});
  else
    evaluate<false>(stream, {modes, charge, coefficient, force, energy, nullptr});
}

}  // namespace nanoday::NANODAY_GPU
