// Histogram of values that are not negative, with their mean and spread, collected while a run goes on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/exact_sum.hpp"
#include "io/number_format.hpp"
#include "md/bytes.hpp"
#include "transport.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// A probability density as columns: Σ density · bin width is the share of values below the last bin, 1 when
/// none was beyond.
struct Distribution {
  std::vector<double> middle;   ///< (n_bins) of each bin, in the values' unit
  std::vector<double> density;  ///< (n_bins) [1/unit]
};

/// Bins of equal width from 0 on. Sums are exact, so neither they nor counts depend on the order of values or
/// on which rank adds them.
class Histogram {
 public:
  /// Values of n_bins · width and beyond count in mean() and width(), but in no bin.
  Histogram(double bin_width, std::size_t n_bins) : bin_width_(bin_width), counts_(n_bins, 0) {}

  /// \pre no value is negative or NaN
  void add(View<const double> values);

  /// Collective: the first rank has the values of all from now on, the others none.
  void gather(Transport& ranks);

  std::int64_t count() const { return count_; }
  double mean() const { return count_ > 0 ? sum_.value() / static_cast<double>(count_) : 0; }
  /// Standard deviation of all values; 0 with fewer than two.
  double width() const;
  double smallest() const { return count_ > 0 ? smallest_ : 0; }
  double largest() const { return largest_; }
  /// From the first bin with a count to the last, and an empty one at either side; empty before any value.
  Distribution distribution() const;

  void save(ByteWriter& out) const;
  /// Inverse of save(), on an object built in the same way; throws InputError when the state is another's.
  void restore(ByteReader& in, std::string_view of_what);

 private:
  double bin_width_;
  std::vector<std::int64_t> counts_;
  std::int64_t count_ = 0;
  ExactSum sum_, sum_of_squares_;
  double smallest_ = std::numeric_limits<double>::infinity(), largest_ = 0;
};

/// Two columns of equal length under one header line, as a file. Throws RunError when the disk refuses.
void write_columns(const std::string& path, std::string_view header, const std::vector<double>& x,
                   const std::vector<double>& y, NumberFormat numbers);

}  // namespace nanoday
