// Mean squared displacement per element since the first sample, collected while a run goes on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "core/box.hpp"
#include "io/number_format.hpp"
#include "io/output_file.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// One sample.
struct MsdRow {
  double time = 0;          ///< [ps]
  std::vector<double> msd;  ///< (elements) [Å²]
};

/// Follows unwrapped positions; the motion of the center of mass is taken out. Sums run in input order, so
/// they do not depend on the order in memory.
class Msd {
 public:
  /// \param element_names names of the model types (n_types); types without atoms get no column
  Msd(const std::vector<std::string>& element_names, const Atoms& atoms);

  /// Displacements of the local atoms since the first call, which gives zeros.
  /// \pre ids are a permutation of 0 … nlocal − 1, masses are above 0
  MsdRow sample(double time, const Box& box, const Atoms& atoms);

  /// Names of the columns.
  const std::vector<std::string>& elements() const { return elements_; }

  /// What a checkpoint must hold.
  std::string save() const;
  /// Inverse of save(), on an object built in the same way; throws InputError when the state is another's.
  void restore(std::string_view state);

 private:
  std::size_t natoms_;
  std::vector<std::string> elements_;  ///< columns
  std::vector<std::size_t> column_;    ///< (n_types)
  std::vector<double> n_atoms_;        ///< (columns)
  std::vector<Vec3>
      reference_;  ///< (natoms) input order, relative to the center of mass; empty: no sample yet
};

/// msd.csv being written: "time[ps],O[A2],…" and a line per sample. Throws RunError when the disk refuses.
class MsdLog {
 public:
  /// Writes the header line when the file is still empty.
  MsdLog(OutputFile file, const std::vector<std::string>& elements, NumberFormat numbers);
  void write(const MsdRow& row);
  /// The file: sync() it before a checkpoint notes its length(), close() it at the end of the run.
  OutputFile& file() { return file_; }

 private:
  OutputFile file_;
  NumberFormat numbers_;
};

}  // namespace nanoday
