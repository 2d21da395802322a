// Radial distribution functions g(r) of every pair of elements, collected while a run goes on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "core/box.hpp"
#include "io/number_format.hpp"
#include "transport.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// g(r) as columns.
struct RdfTable {
  std::vector<std::string> pair;       ///< (n_pairs) "O-O", "O-H", …
  std::vector<double> r;               ///< (n_bins) middle of each bin [Å]
  std::vector<std::vector<double>> g;  ///< (n_pairs, n_bins) [–]; 1 is the mean density
};

/// Histograms of distances between atoms of all ranks. Counts are integers, so they depend neither on the
/// atoms' order nor on who counts what.
class Rdf {
 public:
  /// Collective. \param element_names names of the model types (n_types); types without atoms get no column
  /// \param r_max largest distance [Å]; 0: half the smallest height of the box, at most 8 Å
  /// \pre rdf_possible(box). Throws InputError otherwise, or when r_max is beyond half a height.
  Rdf(Transport& ranks, const Box& box, const std::vector<std::string>& element_names, const Atoms& atoms,
      double r_max = 0);

  /// Adds all distances, nearest images; every rank counts some. Collective. Throws RunError when the box has
  /// shrunk below 2 r_max.
  void sample(const Box& box, const Atoms& atoms);

  /// Collective: the first rank has the counts of all from now on; table() and save() are its to call.
  void gather();

  std::int64_t samples() const { return samples_; }
  double r_max() const { return r_max_; }
  /// g(r) over all samples; all zero before the first. Ideal-gas counts use N_a (N_a − 1)/2 equal pairs.
  RdfTable table() const;

  /// What a checkpoint must hold.
  std::string save() const;
  /// Inverse of save(), on objects of all ranks built in the same way; throws InputError when the state is
  /// another's.
  void restore(std::string_view state);

 private:
  struct Pair {
    int a, b;
    double n_pairs;
  };

  Transport& ranks_;
  double r_max_ = 0;
  std::size_t n_bins_ = 0;
  std::vector<std::string> names_;   ///< (n_types)
  std::vector<Pair> pairs_;          ///< columns
  std::vector<std::size_t> column_;  ///< (n_types · n_types) column of a pair of types
  /// (n_pairs + 1, n_bins) counted by this rank since gather(); the last row takes pairs without column.
  std::vector<std::int64_t> counts_;
  std::int64_t samples_ = 0;
  double inverse_volume_ = 0;  ///< Σ 1/V over samples [1/Å³]
};

/// True when density means something: the box repeats in all directions.
bool rdf_possible(const Box& box);

/// Replaces the file by the table: "r[A],O-O,…" and a line per bin. Throws RunError.
void write_rdf(const std::string& path, const RdfTable& table, NumberFormat numbers);

}  // namespace nanoday
