// Infrared absorption from the total dipole of a run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"
#include "io/number_format.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// n(ν̃) α(ν̃), refractive index times absorption coefficient (per length, natural logarithm).
struct InfraredSpectrum {
  std::vector<double> wavenumber;  ///< [1/cm], 0 to 4500 or what the sampling allows, every 5
  std::vector<double> n_alpha;     ///< [1/cm]; may dip slightly below 0 where it is noise
  double resolution = 0;           ///< full width at half maximum of a sharp line [1/cm]
  double relative_error = 0;       ///< standard deviation of a value over the value, from the run's length
};

/// Autocorrelation of Ṁ, summed while a run goes on, and its spectrum.
///
/// In the linear response of classical nuclei (McQuarrie, Statistical Mechanics, ch. 21; equal to the
/// harmonic quantum correction)
///   n α = 1/(3 ε0 c V k T) ∫₀^∞ ⟨Ṁ(0)·Ṁ(t)⟩ cos ωt dt.
/// Ṁ is a central difference over two intervals h; its attenuation sin(ωh)/(ωh) is divided out. The integral
/// is windowed by exp(−t²/2σ²), cut off at 3σ = the longest lag used: a tenth of the run, at most 2 ps.
class Infrared {
 public:
  /// Steps of `dt` [ps] between samples: every 2 fs, or every step when dt is longer.
  static std::int64_t stride(double dt);

  /// \param interval  h, time between samples [ps], above 0
  explicit Infrared(double interval);

  /// Adds the next total dipole [e·Å]; successive ones are h apart and free of jumps (see total_dipole()).
  void sample(Vec3 dipole);

  double interval() const { return interval_; }
  std::int64_t samples() const { return samples_; }
  /// True when h is above 2 fs: fewer than four samples per period of an O-H vibration.
  bool coarse() const;

  /// Spectrum of what was sampled; empty when that is shorter than 2 ps.
  /// \param volume [Å³], \param temperature [K], means over the run, above 0
  InfraredSpectrum spectrum(double volume, double temperature) const;

  /// What a checkpoint must hold.
  std::string save() const;
  /// Inverse of save(), on an object of the same interval; throws InputError when the state is another's.
  void restore(std::string_view state);

 private:
  std::int64_t n_derivatives() const { return samples_ > 2 ? samples_ - 2 : 0; }
  void correlate(Vec3 derivative);

  double interval_;
  std::int64_t samples_ = 0;
  std::array<Vec3, 2> last_{};  ///< M one and two samples ago [e·Å]
  std::vector<Vec3> recent_;    ///< (n_lags) ring of the last Ṁ [e·Å/ps]; number k lies at k mod n_lags
  std::vector<double> sum_;     ///< (n_lags) Σ_k Ṁ_k · Ṁ_{k − lag}
};

/// Replaces the file by "wavenumber[1/cm],n_alpha[1/cm]" and a line per value. Throws RunError.
void write_infrared(const std::string& path, const InfraredSpectrum& spectrum, NumberFormat numbers);

}  // namespace nanoday
