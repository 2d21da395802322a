// Infrared absorption.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/infrared.hpp"

#include "core/units.hpp"
#include "md/analysis/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

constexpr double k_interval = 2e-3;  // [ps]; 4000 cm⁻¹ has a period of 8.3 fs
constexpr double k_longest_lag = 2;  // [ps]: 19 cm⁻¹; bands of liquids are wider
constexpr std::int64_t k_run_per_lag = 10;
constexpr double k_shortest_lag = 0.2;  // [ps]: 190 cm⁻¹; below, nothing can be read off the spectrum
constexpr double k_lag_per_sigma = 3;   // the window ends at exp(−9/2) = 0.011
constexpr double k_spacing = 5, k_highest = 4500;  // [1/cm]
// Of the highest frequency the samples can hold; above, dividing by the attenuation amplifies noise.
constexpr double k_usable_share = 0.75;
constexpr double k_slack = 1e-9;

/// Attenuation of a central difference over ±h at angular frequency ω.
double attenuation(double omega_h) { return omega_h > 0 ? std::sin(omega_h) / omega_h : 1; }

/// Highest wavenumber worth showing [1/cm].
double highest_wavenumber(double interval) {
  const double limit = units::k_pi / interval / units::k_angular_frequency_per_wavenumber;
  return std::min(k_highest, k_usable_share * limit);
}

}  // namespace

std::int64_t Infrared::stride(double dt) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(k_interval / dt * (1 + k_slack))));
}

Infrared::Infrared(double interval) : interval_(interval) {
  const auto n_lags = static_cast<std::size_t>(k_longest_lag / interval * (1 + k_slack)) + 1;
  recent_.resize(n_lags);
  sum_.assign(n_lags, 0);
}

bool Infrared::coarse() const { return interval_ > k_interval * (1 + k_slack); }

void Infrared::sample(Vec3 dipole) {
  if (samples_ >= 2) correlate((0.5 / interval_) * (dipole - last_[1]));
  last_[1] = last_[0];
  last_[0] = dipole;
  ++samples_;
}

void Infrared::correlate(Vec3 derivative) {
  const std::size_t n_lags = sum_.size();
  const auto index = static_cast<std::size_t>(n_derivatives());
  const std::size_t at = index % n_lags;
  recent_[at] = derivative;
  const std::size_t reach = std::min(index + 1, n_lags);
  for (std::size_t lag = 0; lag < reach; ++lag) {
    const std::size_t earlier = lag <= at ? at - lag : at + n_lags - lag;
    sum_[lag] += dot(derivative, recent_[earlier]);
  }
}

InfraredSpectrum Infrared::spectrum(double volume, double temperature) const {
  const std::int64_t n = n_derivatives();
  const std::int64_t last =
      std::min<std::int64_t>(static_cast<std::int64_t>(sum_.size()) - 1, n / k_run_per_lag);
  const double longest = static_cast<double>(last) * interval_, sigma = longest / k_lag_per_sigma;
  InfraredSpectrum out;
  if (longest < k_shortest_lag * (1 - k_slack)) return out;

  // ⟨Ṁ(0)·Ṁ(t)⟩ times window times trapezoidal weight [e²Å²/ps].
  std::vector<double> weighted;
  for (std::int64_t lag = 0; lag <= last; ++lag) {
    const double t = static_cast<double>(lag) * interval_;
    const double window = std::exp(-0.5 * t * t / (sigma * sigma)), end = lag == 0 || lag == last ? 0.5 : 1;
    weighted.push_back(sum_[static_cast<std::size_t>(lag)] / static_cast<double>(n - lag) * window * end *
                       interval_);
  }
  constexpr double k_per_cm = 1e8;  // 1/Å in 1/cm
  const double prefactor = k_per_cm * units::k_charge2_per_permittivity /
                           (3 * units::k_light_speed * volume * units::k_boltzmann * temperature);
  const auto n_values = static_cast<int>(highest_wavenumber(interval_) / k_spacing) + 1;
  for (int k = 0; k < n_values; ++k) {
    const double omega_h = k * k_spacing * units::k_angular_frequency_per_wavenumber * interval_;
    double integral = 0;
    for (std::size_t lag = 0; lag < weighted.size(); ++lag)
      integral += weighted[lag] * std::cos(omega_h * static_cast<double>(lag));
    const double a = attenuation(omega_h);
    out.wavenumber.push_back(k * k_spacing);
    out.n_alpha.push_back(prefactor * integral / (a * a));
  }
  // A Gaussian of width σ in time is one of width 1/σ in ω. Variance of a windowed spectrum: ∫ window² dt
  // over the length of the run (Blackman and Tukey); three components average.
  out.resolution = 2 * std::sqrt(2 * std::log(2.0)) / sigma / units::k_angular_frequency_per_wavenumber;
  out.relative_error = std::sqrt(sigma * std::sqrt(units::k_pi) / (3 * static_cast<double>(n) * interval_));
  return out;
}

std::string Infrared::save() const {
  ByteWriter out;
  out.put(interval_);
  out.put(samples_);
  out.put(last_);
  out.put_array(recent_);
  out.put_array(sum_);
  return out.bytes();
}

void Infrared::restore(std::string_view state) {
  ByteReader in(state, "the checkpoint's infrared spectrum");
  const auto interval = in.get<double>();
  require(interval == interval_,
          "the checkpoint's infrared spectrum is sampled every {} ps instead of {} ps; use the folder's own "
          "checkpoint",
          interval, interval_);
  Infrared read(interval);
  read.samples_ = in.get<std::int64_t>();
  read.last_ = in.get<std::array<Vec3, 2>>();
  read.recent_ = in.get_array<std::vector<Vec3>>();
  read.sum_ = in.get_array<std::vector<double>>();
  require(in.at_end() && read.samples_ >= 0 && read.recent_.size() == recent_.size() &&
              read.sum_.size() == sum_.size(),
          "the checkpoint's infrared spectrum is damaged; use another copy");
  *this = std::move(read);
}

void write_infrared(const std::string& path, const InfraredSpectrum& spectrum, NumberFormat numbers) {
  write_columns(path, "wavenumber[1/cm],n_alpha[1/cm]", spectrum.wavenumber, spectrum.n_alpha, numbers);
}

}  // namespace nanoday
