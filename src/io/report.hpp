// The report of a run: one HTML file with its figures inside, readable without a network.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nanoday {

/// Least rows of a thermo log whose slope is worth stating; of fewer it is noise of the first and last ones.
inline constexpr std::int64_t k_rows_for_a_slope = 20;

/// A named row of values, for instance one g(r) or one mean-square displacement.
struct NamedSeries {
  std::string name;           ///< as shown in the legend: "O-O"
  std::vector<double> value;  ///< one per abscissa of the set it belongs to
};

/// Thermo output as the log has it; every vector has one entry per row (or is empty: not drawn).
struct ThermoSeries {
  std::vector<double> time;         ///< [ps]
  std::vector<double> temperature;  ///< [K]
  std::vector<double> potential;    ///< [eV], whole system
  std::vector<double> conserved;    ///< [eV], whole system
  std::vector<double> pressure;     ///< [bar]
};

/// Curves over a common abscissa.
struct SeriesSet {
  std::vector<double> x;             ///< r [Å] for g(r), time [ps] for displacements
  std::vector<NamedSeries> columns;  ///< g(r) [–] or ⟨|Δx|²⟩ [Å²]
};

/// One curve with a sentence about it, worded by who measured it.
struct ReportCurve {
  std::vector<double> x, y;  ///< same length; empty: not drawn
  std::string caption;
};

/// Everything a report shows. Empty parts are left out of the page.
struct ReportData {
  std::string title;                                          ///< "water.pb · water192.data"
  std::string subtitle;                                       ///< one line below it: "NVT 330 K, 2 ps …"
  std::vector<std::pair<std::string, std::string>> headline;  ///< label, value: three to six large figures
  std::vector<std::pair<std::string, std::string>> summary;   ///< label, value: the table
  std::int64_t n_atoms = 0;                                   ///< for energies per atom
  double target_temperature = 0;                              ///< thermostat set point [K], 0: none
  ThermoSeries thermo;
  SeriesSet rdf;
  SeriesSet reference_rdf;     ///< drawn dashed in the color of the column of the same name
  std::string reference_name;  ///< where it came from: "LAMMPS + DeePMD-kit"
  SeriesSet msd;
  ReportCurve wannier_distance;                        ///< |W − R| [Å], density [1/Å]
  ReportCurve molecular_dipole;                        ///< [D], density [1/D]
  ReportCurve infrared;                                ///< wavenumber [1/cm], n α [1/cm]
  std::vector<std::pair<std::string, double>> stages;  ///< stage name, mean time [ms/step], in order
  std::vector<std::string> warnings;                   ///< shown above everything
  std::vector<std::string> notes;                      ///< shown at the end
};

/// The page as text. Any text in `data` is escaped; values that are not finite are left out of figures.
std::string report_html(const ReportData& data);

/// Writes report_html(data) to `path`, whole or not at all. Throws RunError when it cannot be written.
void write_report(const std::string& path, const ReportData& data);

}  // namespace nanoday
