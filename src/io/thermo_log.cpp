// thermo.csv: one line of thermodynamic quantities per sample.
// SPDX-License-Identifier: Apache-2.0
#include "io/thermo_log.hpp"

#include "core/timer.hpp"

namespace nanoday {

ThermoLog::ThermoLog(OutputFile file, NumberFormat numbers) : file_(std::move(file)), numbers_(numbers) {
  if (file_.length() > 0) return;
  file_.write(
      "step,time[ps],temperature[K],potential[eV],kinetic[eV],total[eV],conserved[eV],pressure[bar],"
      "volume[A3]\n");
  file_.flush();
}

void ThermoLog::write(const ThermoRow& row) {
  fmt::memory_buffer line;
  fmt::format_to(std::back_inserter(line), "{}", row.step);
  for (const double value :
       {row.time, row.temperature, row.potential, row.kinetic, row.total, row.conserved}) {
    line.push_back(',');
    append_number(line, value, numbers_);
  }
  for (const std::optional<double>& value : {row.pressure, row.volume}) {
    line.push_back(',');
    if (value) append_number(line, *value, numbers_);
  }
  line.push_back('\n');
  file_.write({line.data(), line.size()});

  constexpr double k_flush_interval = 0.5;  // [s] a watcher of the file waits at most this long
  const double now = seconds_now();
  if (now - last_flush_ < k_flush_interval) return;
  file_.flush();
  last_flush_ = now;
}

}  // namespace nanoday
