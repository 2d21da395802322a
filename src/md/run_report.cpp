// Gathers what the report shows.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_report.hpp"

#include "agreement.hpp"
#include "io/report.hpp"
#include "io/text.hpp"
#include "md/progress.hpp"

#include <cmath>
#include <filesystem>
#include <limits>

namespace nanoday {
namespace {

/// A comma-separated table with one header line; empty fields become NaN.
SeriesSet read_table(const std::string& path) {
  const std::string text = read_bytes(path);
  const auto split = [](std::string_view line) {
    std::vector<std::string> fields;
    for (std::size_t begin = 0; begin <= line.size();) {
      const std::size_t end = std::min(line.find(',', begin), line.size());
      fields.emplace_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    return fields;
  };
  SeriesSet table;
  LineReader lines(path, text);
  std::string_view line;
  if (!lines.next(line)) return table;
  for (auto& name : split(line)) table.columns.push_back({name, {}});
  while (lines.next(line)) {
    const auto fields = split(line);
    for (std::size_t c = 0; c < table.columns.size() && c < fields.size(); ++c) {
      double value = std::numeric_limits<double>::quiet_NaN();
      parse_number(fields[c], value);
      table.columns[c].value.push_back(value);
    }
  }
  return table;
}

ThermoSeries thermo_series(const std::string& path) {
  ThermoSeries series;
  for (NamedSeries& column : read_table(path).columns) {
    if (column.name == "time[ps]")
      series.time = std::move(column.value);
    else if (column.name == "temperature[K]")
      series.temperature = std::move(column.value);
    else if (column.name == "potential[eV]")
      series.potential = std::move(column.value);
    else if (column.name == "conserved[eV]")
      series.conserved = std::move(column.value);
    else if (column.name == "pressure[bar]" && !column.value.empty() && std::isfinite(column.value.front()))
      series.pressure = std::move(column.value);
  }
  return series;
}

SeriesSet msd_series(const std::string& path) {
  SeriesSet table = read_table(path);
  if (table.columns.empty()) return table;
  table.x = std::move(table.columns.front().value);
  table.columns.erase(table.columns.begin());
  for (NamedSeries& column : table.columns) column.name = column.name.substr(0, column.name.find('['));
  return table;
}

SeriesSet rdf_series(const RunOutput& output) {
  SeriesSet series;
  const auto table = output.rdf();
  if (!table) return series;
  series.x = table->r;
  for (std::size_t p = 0; p < table->pair.size(); ++p)
    series.columns.push_back({table->pair[p], table->g[p]});
  return series;
}

Facts headline(const RunConfig& config, const RunSystem& system, const RunOutput& output, const Pace& pace) {
  const auto natoms = static_cast<double>(system.evaluator->natoms());
  Facts facts{
      {"speed", fmt::format("{:.3g} ns/day", ns_per_day(pace.steps, config.dt, pace.seconds))},
      {"per step", fmt::format("{:.3g} ms", pace.steps > 0 ? 1e3 * pace.seconds / double(pace.steps) : 0.0)},
      {"temperature", fmt::format("{:.1f} K", output.statistics().mean_temperature)}};
  if (output.statistics().count >= k_rows_for_a_slope)
    facts.emplace_back("energy drift",
                       fmt::format("{:.2g} meV/atom/ps", output.statistics().drift() * 1e3 / natoms));
  return facts;
}

}  // namespace

void write_run_report(const RunConfig& config, const RunSystem& system, const RunOutput& output,
                      const Pace& pace) {
  const auto file_name = [](const std::string& path) {
    return std::filesystem::path(path).filename().string();
  };
  ReportData data;
  data.title = file_name(config.model) + " · " + file_name(config.structure);
  data.subtitle = fmt::format("{}, {:g} ps in steps of {:g} fs, {} atoms", ensemble_text(config),
                              system.simulation->time(), config.dt * 1e3, system.evaluator->natoms());
  data.headline = headline(config, system, output, pace);
  data.summary = start_facts(config, system, 0);
  std::erase_if(data.summary, [](const auto& fact) { return fact.first == "ETA" || fact.first == "memory"; });
  for (auto& fact : end_facts(config, system, output, pace)) data.summary.push_back(std::move(fact));
  data.n_atoms = system.evaluator->natoms();
  data.target_temperature = config.ensemble == Ensemble::nvt ? config.target : 0;
  data.rdf = rdf_series(output);
  data.stages = stage_times(system, pace.steps);
  const EvaluationCounts counts = counts_of(system);
  if (counts.sel_overflow > 0)
    data.warnings.push_back(
        fmt::format("{} times an atom had more neighbors of a type than the model's sel; the "
                    "nearest were kept",
                    counts.sel_overflow));
  if (output.dplr() != nullptr) output.dplr()->add_to(data, output.conditions(system));
  together(*system.ranks, [&] {
    if (system.ranks->rank() > 0) return;
    data.thermo = thermo_series(run_path(config, "thermo.csv"));
    data.msd = msd_series(run_path(config, "msd.csv"));
    write_report(run_path(config, "report.html"), data);
  });
}

}  // namespace nanoday
