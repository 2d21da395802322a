// Histogram with mean and spread.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/histogram.hpp"

#include "exact_reduce.hpp"
#include "io/output_file.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {

void Histogram::add(View<const double> values) {
  for (const double value : values) {
    const double bin = std::floor(value / bin_width_);
    if (bin < static_cast<double>(counts_.size())) ++counts_[static_cast<std::size_t>(bin)];
    sum_.add(value);
    sum_of_squares_.add(value * value);
    smallest_ = std::min(smallest_, value);
    largest_ = std::max(largest_, value);
  }
  count_ += static_cast<std::int64_t>(values.size());
}

void Histogram::gather(Transport& ranks) {
  ranks.all_reduce_sum(View<std::int64_t>(counts_));
  ranks.all_reduce_sum(View<std::int64_t>(&count_, 1));
  std::array<ExactSum, 2> sums{sum_, sum_of_squares_};
  all_reduce_sum(ranks, View<ExactSum>(sums.data(), sums.size()));
  std::array<double, 2> most{-smallest_, largest_};
  ranks.all_reduce_max(View<double>(most.data(), most.size()));
  if (ranks.rank() > 0) {
    *this = Histogram(bin_width_, counts_.size());
    return;
  }
  sum_ = sums[0];
  sum_of_squares_ = sums[1];
  smallest_ = -most[0];
  largest_ = most[1];
}

// Σ (x − mean)² = Σ x² − (Σ x)²/n. The sums are exact to 2^-44 per value, far below what a width of a
// thousandth of the mean would need.
double Histogram::width() const {
  if (count_ < 2) return 0;
  const double spread = sum_of_squares_.value() - sum_.value() * mean();
  return std::sqrt(std::max(0.0, spread) / static_cast<double>(count_ - 1));
}

Distribution Histogram::distribution() const {
  Distribution out;
  const auto filled = [](std::int64_t n) { return n > 0; };
  const auto first = std::find_if(counts_.begin(), counts_.end(), filled) - counts_.begin();
  const auto last = counts_.rend() - std::find_if(counts_.rbegin(), counts_.rend(), filled);  // one behind
  const auto n_bins = static_cast<std::ptrdiff_t>(counts_.size());
  if (first == n_bins) return out;
  for (auto k = std::max<std::ptrdiff_t>(first - 1, 0); k < std::min(last + 1, n_bins); ++k) {
    out.middle.push_back((static_cast<double>(k) + 0.5) * bin_width_);
    out.density.push_back(static_cast<double>(counts_[static_cast<std::size_t>(k)]) /
                          (static_cast<double>(count_) * bin_width_));
  }
  return out;
}

void Histogram::save(ByteWriter& out) const {
  out.put(bin_width_);
  out.put(count_);
  out.put(sum_.limbs());
  out.put(sum_of_squares_.limbs());
  out.put(smallest_);
  out.put(largest_);
  out.put_array(counts_);
}

void Histogram::restore(ByteReader& in, std::string_view of_what) {
  Histogram read(in.get<double>(), 0);
  read.count_ = in.get<std::int64_t>();
  read.sum_ = ExactSum::from_limbs(in.get<ExactSum::Limbs>());
  read.sum_of_squares_ = ExactSum::from_limbs(in.get<ExactSum::Limbs>());
  read.smallest_ = in.get<double>();
  read.largest_ = in.get<double>();
  read.counts_ = in.get_array<std::vector<std::int64_t>>();
  require(read.bin_width_ == bin_width_ && read.counts_.size() == counts_.size() && read.count_ >= 0,
          "the checkpoint's histogram of {} has {} bins of {} instead of {} of {}; use the folder's own "
          "checkpoint",
          of_what, read.counts_.size(), read.bin_width_, counts_.size(), bin_width_);
  *this = std::move(read);
}

void write_columns(const std::string& path, std::string_view header, const std::vector<double>& x,
                   const std::vector<double>& y, NumberFormat numbers) {
  fmt::memory_buffer out;
  append_text(out, header);
  out.push_back('\n');
  for (std::size_t k = 0; k < x.size(); ++k) {
    append_number(out, x[k], numbers);
    out.push_back(',');
    append_number(out, y[k], numbers);
    out.push_back('\n');
  }
  atomic_write(path, {out.data(), out.size()});
}

}  // namespace nanoday
