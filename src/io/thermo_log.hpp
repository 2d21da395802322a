// thermo.csv: one line of thermodynamic quantities per sample.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/number_format.hpp"
#include "io/output_file.hpp"

#include <cstdint>
#include <optional>

namespace nanoday {

/// One sample.
struct ThermoRow {
  std::int64_t step = 0;
  double time = 0;                 ///< [ps]
  double temperature = 0;          ///< [K]
  double potential = 0;            ///< [eV]
  double kinetic = 0;              ///< [eV]
  double total = 0;                ///< [eV]
  double conserved = 0;            ///< what the integrator keeps constant [eV]
  std::optional<double> pressure;  ///< [bar]; none in an open box: the field stays empty
  std::optional<double> volume;    ///< [Å³]; likewise
};

/// The table being written. Every method throws RunError when the disk refuses.
class ThermoLog {
 public:
  /// \param numbers energies are large and their drift small: twelve_digits is the least that shows it
  /// Writes the header line when the file is still empty (new, or a resumed run's before its first sample).
  ThermoLog(OutputFile file, NumberFormat numbers);
  /// Appends a line. It reaches the system at once when half a second has passed since the last did.
  void write(const ThermoRow& row);
  /// The file: sync() it before a checkpoint notes its length(), close() it at the end of the run.
  OutputFile& file() { return file_; }

 private:
  OutputFile file_;
  NumberFormat numbers_;
  double last_flush_ = 0;
};

}  // namespace nanoday
