// The long-range energy of Gaussian charges straight from its definition.
// SPDX-License-Identifier: Apache-2.0
#include "oracle/direct_sum.hpp"

#include "core/error.hpp"

#include <complex>
#include <numbers>
#include <vector>

namespace nanoday {
namespace {

constexpr double k_pi = std::numbers::pi;

/// A reciprocal vector k = 2π Σ n_d b_d [1/Å] and its weight (C/2V)(4π/k²) e^{−k²/4β²} [eV].
struct Wave {
  Vec3 k;
  double weight;
};

/// b_d with a_c · b_d = δ_cd [1/Å].
std::array<Vec3, 3> reciprocal(const Box& box) {
  const auto& [a, b, c] = box.cell;
  const double det = dot(a, cross(b, c));
  return {(1 / det) * cross(b, c), (1 / det) * cross(c, a), (1 / det) * cross(a, b)};
}

/// Largest |n_d|: the training grid (spec dplr.md 1.4), or far enough for |k| ≤ k_far (|n_d| ≤ |k||a_d|/2π).
int largest_index(const LongRangePlan& plan, double length, double k_far) {
  if (plan.method == LongRangeMethod::pppm) return static_cast<int>(k_far * length / (2 * k_pi));
  const int points = static_cast<int>(std::ceil(length / plan.spacing));
  return (points + points % 2) / 2;
}

/// Every k ≠ 0 of the sum, both signs.
std::vector<Wave> waves_of(const LongRangePlan& plan) {
  const bool converge = plan.method == LongRangeMethod::pppm;
  const double k_far = 2 * plan.beta * std::sqrt(std::log(1e18));
  std::array<int, 3> n{};
  for (int d = 0; d < 3; ++d) n[d] = largest_index(plan, norm(plan.box.cell[d]), k_far);
  const auto b = reciprocal(plan.box);
  const double prefactor = plan.coulomb / (2 * plan.box.volume());
  std::vector<Wave> waves;
  for (int i = -n[0]; i <= n[0]; ++i)
    for (int j = -n[1]; j <= n[1]; ++j)
      for (int l = -n[2]; l <= n[2]; ++l) {
        const Vec3 k = 2 * k_pi * (double(i) * b[0] + double(j) * b[1] + double(l) * b[2]);
        const double k2 = dot(k, k);
        if ((i == 0 && j == 0 && l == 0) || (converge && k2 > k_far * k_far)) continue;
        waves.push_back({k, prefactor * 4 * k_pi / k2 * std::exp(-k2 / (4 * plan.beta * plan.beta))});
      }
  return waves;
}

class OracleSum final : public LongRangeSolver {
 public:
  explicit OracleSum(const LongRangePlan& plan) : beta_(plan.beta), waves_(waves_of(plan)) {}

  void start(const LongRangeArgs& args) override {
    const std::size_t n = args.charge.size();
    result_ = LongRangeResult{};
    result_.force.resize(n);
    result_.atom_energy.resize(n);
    result_.atom_virial.resize(n);
    phase_.resize(n);
    for (const Wave& wave : waves_) add(wave, args.charge);
    drop_unasked(args.needs);
  }
  const LongRangeResult& finish() override { return result_; }

 private:
  /// E = Σ_k w |S|², S = Σ_i q_i e^{−ik·x_i}; charge i takes part with w Re(q_i e^{−ik·x_i} S*).
  void add(const Wave& wave, View<const Vec4> charge) {
    std::complex<double> structure = 0;
    for (std::size_t i = 0; i < charge.size(); ++i) {
      phase_[i] = charge[i].w * std::polar(1.0, -dot(wave.k, xyz(charge[i])));
      structure += phase_[i];
    }
    const auto strain = strain_factor(wave.k);
    for (std::size_t i = 0; i < charge.size(); ++i) {
      const std::complex<double> product = wave.weight * phase_[i] * std::conj(structure);
      // ∂|S|²/∂x_i = 2 Re(−ik q e^{−ik·x} S*) = 2k Im(q e^{−ik·x} S*)
      const Vec3 force = -2.0 * product.imag() * wave.k;
      result_.force[i] = padded(xyz(result_.force[i]) + force);
      result_.energy += product.real();
      result_.atom_energy[i] += product.real();
      for (int c = 0; c < 9; ++c) {
        result_.virial[c] += product.real() * strain[c];
        result_.atom_virial[i][c] += product.real() * strain[c];
      }
    }
  }

  /// δ_ab − 2 k_a k_b (1/k² + 1/4β²) (spec dplr.md 1.3 with k = 2πm).
  std::array<double, 9> strain_factor(Vec3 k) const {
    const std::array<double, 3> v{k.x, k.y, k.z};
    std::array<double, 9> factor{};
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b)
        factor[3 * a + b] = (a == b ? 1 : 0) - 2 * v[a] * v[b] * (1 / dot(k, k) + 1 / (4 * beta_ * beta_));
    return factor;
  }

  void drop_unasked(const Needs& needs) {
    if (!needs.energy && !needs.atom_energy) result_.energy = 0;
    if (!needs.virial && !needs.atom_virial) result_.virial = {};
    if (!needs.atom_energy) result_.atom_energy.clear();
    if (!needs.atom_virial) result_.atom_virial.clear();
  }

  double beta_;
  std::vector<Wave> waves_;
  std::vector<std::complex<double>> phase_;  ///< (n) q_i e^{−ik·x_i}
  LongRangeResult result_;
};

}  // namespace

std::unique_ptr<LongRangeSolver> make_oracle_sum(const LongRangePlan& plan) {
  const auto& periodic = plan.box.periodic;
  require(periodic[0] && periodic[1] && periodic[2] && plan.box.volume() > 0,
          "long-range forces need a box that repeats along a, b and c (the sum runs over its reciprocal "
          "vectors); give a periodic box");
  require(plan.beta > 0, "ewald beta is {} 1/Å (must be positive); correct it", plan.beta);
  require(plan.method == LongRangeMethod::pppm || plan.spacing > 0,
          "spacing of the direct sum is {} Å (must be positive); correct it", plan.spacing);
  return std::make_unique<OracleSum>(plan);
}

}  // namespace nanoday
