// Mean squared displacement per element since the first sample, collected while a run goes on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "by_id.hpp"
#include "core/box.hpp"
#include "io/number_format.hpp"
#include "io/output_file.hpp"

#include <string>
#include <vector>

namespace nanoday {

/// One sample.
struct MsdRow {
  double time = 0;          ///< [ps]
  std::vector<double> msd;  ///< (elements) [Å²]
};

/// Follows unwrapped positions; the motion of the center of mass is taken out. Every rank keeps where the
/// atoms whose ids it serves (comm/by_id.hpp) began; sums are exact, so they depend neither on the order in
/// memory nor on ranks.
class Msd {
 public:
  /// Collective. \param element_names names of the model types (n_types); types without atoms get no column
  Msd(Transport& ranks, const std::vector<std::string>& element_names, const Atoms& atoms);

  /// Displacements of all atoms since the first call, which gives zeros; the same on all ranks. Collective.
  /// \pre ids of all ranks are 0 … natoms − 1, masses are above 0
  MsdRow sample(double time, const Box& box, const Atoms& atoms);

  /// Names of the columns.
  const std::vector<std::string>& elements() const { return elements_; }

  /// What a checkpoint must hold: first positions of the atoms this rank serves, in the order of their ids
  /// and relative to the center of mass [Å]; empty before the first sample.
  const std::vector<Vec3>& origin() const { return origin_; }
  /// Inverse of origin(); throws InputError when the length is wrong.
  void restore(std::vector<Vec3> origin);

 private:
  Msd(Transport& ranks, const std::vector<std::string>& element_names,
      const std::vector<std::int64_t>& n_atoms_of_type);

  Transport& ranks_;
  IdShares shares_;
  std::vector<std::string> elements_;  ///< columns
  std::vector<std::size_t> column_;    ///< (n_types)
  std::vector<double> n_atoms_;        ///< (columns)
  std::vector<Vec3> origin_;
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
