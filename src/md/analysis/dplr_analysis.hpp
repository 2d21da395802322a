// What a run with Wannier centroids measures: their distances, molecular dipoles, the infrared spectrum.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/report.hpp"
#include "md/analysis/dipole_distribution.hpp"
#include "md/analysis/infrared.hpp"
#include "md/analysis/total_dipole.hpp"
#include "md/analysis/wannier_distance.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nanoday {

/// What turns the dipole's autocorrelation into an absorption; means over the run.
struct SampleConditions {
  double volume = 0;       ///< [Å³]
  double temperature = 0;  ///< [K]
};

/// The three analyses together, so that a run feeds, saves and shows them with one call each. Samples are of
/// the atoms of all ranks, and collective.
class DplrAnalysis {
 public:
  /// \param dt  length of a step [ps]
  DplrAnalysis(Transport& ranks, TypeCharges charges, double dt);

  /// sample_dipole() wants every step that is a multiple of this, the first of the run included.
  std::int64_t dipole_stride() const { return dipole_stride_; }
  /// Adds M; the cheap part. \param displacement (nlocal) W − R [Å] in the atoms' order; see total_dipole()
  void sample_dipole(const Box& box, const Atoms& atoms, View<const Vec4> displacement);
  /// Adds all centroids and molecules; as dear as g(r), so as seldom. \param displacement as above
  void sample_molecules(const Box& box, const Atoms& atoms, View<const Vec4> displacement);

  /// Collective: the first rank knows the molecules of all from now on; what follows is its to call.
  void gather();

  /// Brings wannier.csv, dipole.csv and infrared.csv in `folder` up to date. Throws RunError.
  void write_files(const std::string& folder, const SampleConditions& conditions, NumberFormat numbers) const;
  /// Labels with values for the end of the run.
  std::vector<std::pair<std::string, std::string>> facts(const SampleConditions& conditions) const;
  /// Fills in the figures, and warnings or notes about them.
  void add_to(ReportData& report, const SampleConditions& conditions) const;

  /// What a checkpoint must hold.
  std::string save() const;
  /// Inverse of save(), on objects of all ranks built in the same way; throws InputError when the state is
  /// another's.
  void restore(std::string_view state);

 private:
  InfraredSpectrum spectrum(const SampleConditions& conditions) const;

  Transport& ranks_;
  TypeCharges charges_;
  std::int64_t dipole_stride_;
  WannierDistance distance_;
  DipoleDistribution molecules_;
  DipoleStatistics total_;
  Infrared infrared_;
};

}  // namespace nanoday
