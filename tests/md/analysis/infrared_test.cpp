// The infrared spectrum of known dipoles: where lines are, how high, how wide, how noisy, in which units.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/infrared.hpp"
#include "core/error.hpp"
#include "io/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

namespace nanoday {
namespace {

// SI, so that no conversion of the program is used to check itself.
constexpr double k_pi = std::numbers::pi;
constexpr double k_e = 1.602176634e-19, k_c = 299792458, k_epsilon0 = 8.8541878128e-12;
constexpr double k_boltzmann = 1.380649e-23, k_u = 1.66053906660e-27;

constexpr double k_volume = 1000, k_temperature = 330;  // [Å³], [K]

/// Angular frequency [1/ps] of a wavenumber [1/cm].
double omega_of(double wavenumber) { return 2 * k_pi * k_c * 100 * wavenumber * 1e-12; }

/// M = amplitude · cos ωt along x [e·Å], for `time` ps.
Infrared cosine(double wavenumber, double amplitude, double interval, double time) {
  Infrared infrared(interval);
  const auto n = static_cast<int>(std::lround(time / interval));
  for (int k = 0; k < n; ++k)
    infrared.sample({7 + amplitude * std::cos(omega_of(wavenumber) * k * interval), -3, 0});
  return infrared;
}

std::size_t highest(const InfraredSpectrum& s) {
  return static_cast<std::size_t>(std::max_element(s.n_alpha.begin(), s.n_alpha.end()) - s.n_alpha.begin());
}

/// Where a line crosses half its height, on both sides of its maximum.
double width_at_half_height(const InfraredSpectrum& s) {
  const std::size_t top = highest(s);
  const double half = s.n_alpha[top] / 2;
  const auto crossing = [&](int direction) {
    std::size_t k = top;
    while (s.n_alpha[k] > half) k += direction;
    const std::size_t inside = k - direction;
    const double share = (s.n_alpha[inside] - half) / (s.n_alpha[inside] - s.n_alpha[k]);
    return s.wavenumber[inside] + share * (s.wavenumber[k] - s.wavenumber[inside]);
  };
  return crossing(1) - crossing(-1);
}

struct Line {
  double wavenumber, interval;
};

class InfraredLine : public testing::TestWithParam<Line> {};

TEST_P(InfraredLine, is_at_its_wavenumber_with_the_height_of_theory_whatever_the_sampling) {
  const auto [wavenumber, interval] = GetParam();
  const double amplitude = 0.3, time = 40;
  const InfraredSpectrum s = cosine(wavenumber, amplitude, interval, time).spectrum(k_volume, k_temperature);
  EXPECT_NEAR(s.wavenumber[highest(s)], wavenumber, 2.5);

  // ⟨Ṁ(0)·Ṁ(t)⟩ = (Aω)²/2 cos ωt; the window's integral to 3σ is σ √(π/2) erf(3/√2); cos² gives another 1/2.
  const double sigma = 2.0e-12 / 3, omega = omega_of(wavenumber) * 1e12;
  const double velocity = amplitude * k_e * 1e-10 * omega;
  const double integral =
      velocity * velocity / 4 * sigma * std::sqrt(k_pi / 2) * std::erf(3 / std::sqrt(2.0));
  const double per_meter = integral / (3 * k_epsilon0 * k_c * k_volume * 1e-30 * k_boltzmann * k_temperature);
  EXPECT_NEAR(s.n_alpha[highest(s)] / (per_meter / 100), 1, 5e-3);
}

INSTANTIATE_TEST_SUITE_P(Lines, InfraredLine,
                         testing::Values(Line{200, 2e-3}, Line{1500, 2e-3}, Line{1500, 1e-3},
                                         Line{3800, 2e-3}, Line{3800, 0.5e-3}));

TEST(Infrared, states_the_width_a_sharp_line_really_has) {
  const InfraredSpectrum long_run = cosine(1500, 1, 2e-3, 40).spectrum(k_volume, k_temperature);
  EXPECT_NEAR(long_run.resolution, 18.7, 0.1);
  EXPECT_NEAR(width_at_half_height(long_run) / long_run.resolution, 1, 0.03);
  const InfraredSpectrum short_run = cosine(1500, 1, 2e-3, 10).spectrum(k_volume, k_temperature);
  EXPECT_NEAR(short_run.resolution, 2 * long_run.resolution, 0.3);
  EXPECT_NEAR(width_at_half_height(short_run) / short_run.resolution, 1, 0.03);
}

TEST(Infrared, fulfils_the_sum_rule_of_a_charge_on_springs) {
  // ∫ n α dω = π q² / (2 ε0 c V m): temperature and frequencies drop out when ½ m v² is ½ k T per direction.
  const double q = 0.7, mass = 2.5, interval = 1e-3;
  const double omega[3] = {omega_of(600), omega_of(1700), omega_of(3400)};
  const double speed = std::sqrt(k_boltzmann * k_temperature / (mass * k_u)) * 1e-2;  // [Å/ps], rms
  Infrared infrared(interval);
  for (int k = 0; k < 40000; ++k) {
    const auto along = [&](int d) {
      return q * std::sqrt(2.0) * speed / omega[d] * std::cos(omega[d] * k * interval + d);
    };
    infrared.sample({along(0), along(1), along(2)});
  }
  const InfraredSpectrum s = infrared.spectrum(k_volume, k_temperature);
  double sum = 0;
  for (const double value : s.n_alpha) sum += value * 100 * omega_of(s.wavenumber[1]) * 1e12;
  const double expected = k_pi * q * q * k_e * k_e / (2 * k_epsilon0 * k_c * k_volume * 1e-30 * mass * k_u);
  EXPECT_NEAR(sum / expected, 1, 5e-3);
}

TEST(Infrared, states_the_noise_that_independent_runs_really_have) {
  std::mt19937 random(17);
  std::normal_distribution<double> normal(0, 1);
  const int n_runs = 60;
  const std::size_t at[] = {60, 160, 260, 360, 460, 560};
  std::vector<double> sum(std::size(at), 0), sum2(std::size(at), 0);
  double stated = 0;
  for (int run = 0; run < n_runs; ++run) {
    Infrared infrared(2e-3);
    Vec3 dipole;
    for (int k = 0; k < 3000; ++k) {
      infrared.sample(dipole);
      dipole = dipole + Vec3{normal(random), normal(random), normal(random)};
    }
    const InfraredSpectrum s = infrared.spectrum(k_volume, k_temperature);
    stated = s.relative_error;
    for (std::size_t k = 0; k < std::size(at); ++k) {
      sum[k] += s.n_alpha[at[k]] / n_runs;
      sum2[k] += s.n_alpha[at[k]] * s.n_alpha[at[k]] / n_runs;
    }
  }
  double found = 0;
  for (std::size_t k = 0; k < std::size(at); ++k)
    found += (sum2[k] / (sum[k] * sum[k]) - 1) / static_cast<double>(std::size(at));
  EXPECT_NEAR(stated, 0.14, 0.005);
  EXPECT_NEAR(std::sqrt(found) / stated, 1, 0.15);  // 360 values: 4 %
}

TEST(Infrared, samples_every_two_femtoseconds_or_says_that_it_cannot) {
  EXPECT_EQ(Infrared::stride(0.5e-3), 4);
  EXPECT_EQ(Infrared::stride(0.1e-3), 20);
  EXPECT_EQ(Infrared::stride(0.3e-3), 6);
  EXPECT_EQ(Infrared::stride(2e-3), 1);
  EXPECT_EQ(Infrared::stride(3e-3), 1);
  EXPECT_FALSE(Infrared(2e-3).coarse());
  EXPECT_FALSE(Infrared(4 * 0.5e-3).coarse());
  EXPECT_TRUE(Infrared(3e-3).coarse());
  EXPECT_EQ(cosine(1500, 1, 2e-3, 10).spectrum(k_volume, k_temperature).wavenumber.back(), 4500);
  const double coarse = cosine(1500, 1, 4e-3, 10).spectrum(k_volume, k_temperature).wavenumber.back();
  EXPECT_NEAR(coarse, 0.75 / (2 * 4e-15 * k_c * 100), 5);  // three quarters of one over two intervals
}

TEST(Infrared, of_less_than_two_picoseconds_is_empty) {
  EXPECT_TRUE(Infrared(2e-3).spectrum(k_volume, k_temperature).wavenumber.empty());
  EXPECT_TRUE(cosine(1500, 1, 2e-3, 1.9).spectrum(k_volume, k_temperature).wavenumber.empty());
  EXPECT_FALSE(cosine(1500, 1, 2e-3, 2.1).spectrum(k_volume, k_temperature).wavenumber.empty());
}

TEST(Infrared, continues_from_its_state) {
  std::mt19937 random(2);
  std::normal_distribution<double> normal(0, 1);
  Infrared whole(2e-3);
  for (int k = 0; k < 1501; ++k) whole.sample({normal(random), normal(random), normal(random)});
  Infrared second(2e-3);
  second.restore(whole.save());
  for (int k = 0; k < 1200; ++k) {
    const Vec3 dipole{normal(random), normal(random), normal(random)};
    whole.sample(dipole);
    second.sample(dipole);
  }
  EXPECT_EQ(second.samples(), 2701);
  EXPECT_EQ(whole.spectrum(1, 300).n_alpha, second.spectrum(1, 300).n_alpha);
  EXPECT_EQ(whole.save(), second.save());
  EXPECT_THROW(second.restore("nonsense"), InputError);
  EXPECT_THROW(second.restore(whole.save().substr(0, 1000)), InputError);
  EXPECT_THROW(Infrared(1e-3).restore(whole.save()), InputError);
}

TEST(Infrared, is_written_as_a_table) {
  const test::TemporaryFolder folder;
  write_infrared(folder.file("infrared.csv"), {{0, 5}, {0.25, 1e4 / 3}, 20, 0.1}, NumberFormat::eight_digits);
  EXPECT_EQ(folder.read("infrared.csv"), "wavenumber[1/cm],n_alpha[1/cm]\n0,0.25\n5,3333.3333\n");
}

}  // namespace
}  // namespace nanoday
