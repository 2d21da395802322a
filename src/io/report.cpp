// The report of a run: one HTML file with its figures inside, readable without a network.
// SPDX-License-Identifier: Apache-2.0
#include "io/report.hpp"

#include "io/output_file.hpp"
#include "io/report_page.hpp"
#include "io/svg_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace nanoday {
namespace {

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

/// Mean over `window` entries centred on each one (fewer at the ends).
std::vector<double> running_mean(const std::vector<double>& values, std::size_t window) {
  std::vector<double> sums(values.size() + 1, 0.0), means(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) sums[i + 1] = sums[i] + values[i];
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t first = i - std::min(i, window / 2), last = std::min(i + window / 2 + 1, values.size());
    means[i] = (sums[last] - sums[first]) / static_cast<double>(last - first);
  }
  return means;
}

/// Slope of the least-squares line through (x, y).
double slope_of(const std::vector<double>& x, const std::vector<double>& y) {
  const double x_mean = mean_of(x), y_mean = mean_of(y);
  double xy = 0, xx = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - x_mean) * (y[i] - y_mean);
    xx += (x[i] - x_mean) * (x[i] - x_mean);
  }
  return xx > 0 ? xy / xx : 0.0;
}

/// (value − origin) · 1000 / atoms: eV of the system to meV per atom.
std::vector<double> per_atom_mev(const std::vector<double>& values, double origin, std::int64_t n_atoms) {
  std::vector<double> out;
  out.reserve(values.size());
  for (double value : values) {
    out.push_back(1e3 * (value - origin) / static_cast<double>(std::max<std::int64_t>(n_atoms, 1)));
  }
  return out;
}

/// An empty figure whose x axis begins at 0. \param smallest_y_span  see Plot
Plot figure_of(const std::string& x_label, const std::string& y_label, const std::vector<double>& y_include,
               double smallest_y_span) {
  Plot plot;
  plot.x_label = x_label;
  plot.y_label = y_label;
  plot.x_include = {0.0};
  plot.y_include = y_include;
  plot.smallest_y_span = smallest_y_span;
  return plot;
}

/// A tenth of the series, but enough rows to smooth.
std::size_t smoothing_window(std::size_t rows) { return std::max<std::size_t>(rows / 10, 5); }

std::string temperature_figure(const ReportData& data) {
  const ThermoSeries& thermo = data.thermo;
  if (thermo.temperature.empty()) return "";
  const auto smooth = running_mean(thermo.temperature, smoothing_window(thermo.temperature.size()));
  Plot plot = figure_of("time (ps)", "temperature (K)", {}, 20.0);
  plot.lines.push_back({"every output", thermo.time, thermo.temperature, 0, LineLook::faint});
  plot.lines.push_back({"running mean", thermo.time, smooth, 0, LineLook::solid});
  std::string caption = fmt::format("mean {:.1f} K", mean_of(thermo.temperature));
  if (data.target_temperature > 0) {
    const double target = data.target_temperature;
    plot.lines.push_back({fmt::format("target {:g} K", target),
                          {thermo.time.front(), thermo.time.back()},
                          {target, target},
                          1,
                          LineLook::dashed});
    caption += fmt::format(", target {:g} K", target);
  }
  return html_figure("Temperature", caption, draw_plot(plot));
}

std::string conserved_figure(const ReportData& data) {
  const ThermoSeries& thermo = data.thermo;
  if (thermo.conserved.empty()) return "";
  const auto drift = per_atom_mev(thermo.conserved, thermo.conserved.front(), data.n_atoms);
  Plot plot = figure_of("time (ps)", "change (meV/atom)", {0.0}, 0.02);
  const auto smooth = running_mean(drift, smoothing_window(drift.size()));
  plot.lines.push_back({"every output", thermo.time, drift, 2, LineLook::faint});
  plot.lines.push_back({"running mean", thermo.time, smooth, 2, LineLook::solid});
  const std::string caption =
      std::ssize(drift) < k_rows_for_a_slope
          ? fmt::format("too few rows for a slope ({} of {})", drift.size(), k_rows_for_a_slope)
          : fmt::format("slope {:+.2g} meV/atom/ps", slope_of(thermo.time, drift));
  return html_figure("Conserved energy", caption, draw_plot(plot));
}

std::string potential_figure(const ReportData& data) {
  const ThermoSeries& thermo = data.thermo;
  if (thermo.potential.empty()) return "";
  const double mean = mean_of(thermo.potential);
  const auto shifted = per_atom_mev(thermo.potential, mean, data.n_atoms);
  Plot plot = figure_of("time (ps)", "difference from the mean (meV/atom)", {}, 1.0);
  plot.lines.push_back({"every output", thermo.time, shifted, 3, LineLook::faint});
  plot.lines.push_back({"running mean", thermo.time, running_mean(shifted, smoothing_window(shifted.size())),
                        3, LineLook::solid});
  const std::string caption =
      fmt::format("mean {:.5f} eV/atom", mean / static_cast<double>(std::max<std::int64_t>(data.n_atoms, 1)));
  return html_figure("Potential energy", caption, draw_plot(plot));
}

std::string pressure_figure(const ReportData& data) {
  const ThermoSeries& thermo = data.thermo;
  if (thermo.pressure.empty()) return "";
  std::vector<double> kilobar;
  kilobar.reserve(thermo.pressure.size());
  for (double bar : thermo.pressure) kilobar.push_back(1e-3 * bar);
  Plot plot = figure_of("time (ps)", "pressure (kbar)", {0.0}, 0.1);
  plot.lines.push_back({"every output", thermo.time, kilobar, 4, LineLook::faint});
  plot.lines.push_back({"running mean", thermo.time, running_mean(kilobar, smoothing_window(kilobar.size())),
                        4, LineLook::solid});
  return html_figure("Pressure", fmt::format("mean {:.2f} kbar", mean_of(kilobar)), draw_plot(plot));
}

/// Palette index of the column called `name`, so that a reference shares its color; `fallback` when none is.
int color_of(const std::vector<NamedSeries>& columns, const std::string& name, int fallback) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int>(i);
  }
  return fallback;
}

/// Highest value beyond bond lengths: the peaks of bonded pairs are many times higher than what a reader
/// compares, so the figure is cut off a little above this.
double intermolecular_peak(const SeriesSet& rdf) {
  constexpr double k_longest_bond = 2.0;  // [Å], H-H within a water molecule is 1.5
  double highest = 0;
  for (const NamedSeries& column : rdf.columns) {
    for (std::size_t i = 0; i < std::min(rdf.x.size(), column.value.size()); ++i) {
      if (rdf.x[i] > k_longest_bond) highest = std::max(highest, column.value[i]);
    }
  }
  return highest;
}

double highest_value(const SeriesSet& set) {
  double highest = 0;
  for (const NamedSeries& column : set.columns) {
    for (double value : column.value) highest = std::max(highest, value);
  }
  return highest;
}

std::string rdf_figure(const ReportData& data) {
  Plot plot = figure_of("r (Å)", "g(r)", {0.0}, 2.0);
  plot.y_limit = std::max(2.0, 1.15 * intermolecular_peak(data.rdf));
  for (std::size_t i = 0; i < data.rdf.columns.size(); ++i) {
    const NamedSeries& column = data.rdf.columns[i];
    plot.lines.push_back({column.name, data.rdf.x, column.value, static_cast<int>(i), LineLook::solid});
  }
  for (const NamedSeries& column : data.reference_rdf.columns) {
    const int color = color_of(data.rdf.columns, column.name, static_cast<int>(plot.lines.size()));
    plot.lines.push_back({column.name + " " + data.reference_name, data.reference_rdf.x, column.value, color,
                          LineLook::dashed});
  }
  std::string caption = "average over the run";
  if (!data.reference_name.empty()) caption += ", dashed: " + data.reference_name;
  if (highest_value(data.rdf) > plot.y_limit) caption += "; bonded peaks cut off";
  return html_figure("Radial distribution", caption, draw_plot(plot));
}

std::string msd_figure(const ReportData& data) {
  Plot plot = figure_of("time (ps)", "⟨|Δr|²⟩ (Å²)", {0.0}, 0.01);
  for (std::size_t i = 0; i < data.msd.columns.size(); ++i) {
    const NamedSeries& column = data.msd.columns[i];
    plot.lines.push_back({column.name, data.msd.x, column.value, static_cast<int>(i), LineLook::solid});
  }
  return html_figure("Mean-square displacement", "from the first frame", draw_plot(plot));
}

std::string distribution_figure(const std::string& heading, const std::string& x_label,
                                const std::string& y_label, const ReportCurve& curve, int color) {
  Plot plot;
  plot.x_label = x_label;
  plot.y_label = y_label;
  plot.y_include = {0.0};
  plot.lines.push_back({"", curve.x, curve.y, color, LineLook::filled});
  return html_figure(heading, curve.caption, draw_plot(plot));
}

std::string infrared_figure(const ReportData& data) {
  Plot plot = figure_of("wavenumber (cm⁻¹)", "n α (10³ cm⁻¹)", {0.0}, 0.0);
  std::vector<double> thousands;
  thousands.reserve(data.infrared.y.size());
  for (double value : data.infrared.y) thousands.push_back(1e-3 * value);
  plot.lines.push_back({"", data.infrared.x, thousands, 1, LineLook::filled});
  return html_figure("Infrared spectrum", data.infrared.caption, draw_plot(plot));
}

/// What only models with Wannier centroids have.
std::string dplr_figures(const ReportData& data) {
  return infrared_figure(data) +
         distribution_figure("Wannier centroid distances", "distance from the atom (Å)", "density (1/Å)",
                             data.wannier_distance, 3) +
         distribution_figure("Molecular dipoles", "dipole moment (D)", "density (1/D)", data.molecular_dipole,
                             2);
}

std::string stages_figure(const ReportData& data) {
  double total = 0;
  for (const auto& stage : data.stages) total += stage.second;
  const std::string caption = fmt::format("{:.3g} ms per step in all stages", total);
  return html_figure("Time per stage", caption, draw_bars({"ms", data.stages}));
}

}  // namespace

std::string report_html(const ReportData& data) {
  std::string body = fmt::format("<h1>{}</h1>\n", escape_xml(data.title));
  if (!data.subtitle.empty())
    body += fmt::format("<p class=\"subtitle\">{}</p>\n", escape_xml(data.subtitle));
  body += html_list("warnings", data.warnings);
  body += html_headline(data.headline);
  body += "<div class=\"figures\">\n";
  body += temperature_figure(data) + conserved_figure(data) + rdf_figure(data) + msd_figure(data) +
          dplr_figures(data) + potential_figure(data) + pressure_figure(data) + stages_figure(data);
  if (!data.summary.empty()) {
    body += "<section class=\"details\">\n<h2>Details</h2>\n" + html_table(data.summary) + "</section>\n";
  }
  body += "</div>\n" + html_list("notes", data.notes);
  return html_page(data.title + " · nanoday", body);
}

void write_report(const std::string& path, const ReportData& data) { atomic_write(path, report_html(data)); }

}  // namespace nanoday
