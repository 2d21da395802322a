// Histogram with mean and spread.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/histogram.hpp"

#include "io/output_file.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {

void Histogram::add(std::vector<double> values) {
  if (values.empty()) return;
  std::sort(values.begin(), values.end());
  smallest_ = count_ == 0 ? values.front() : std::min(smallest_, values.front());
  largest_ = std::max(largest_, values.back());
  for (const double value : values) {
    const double bin = std::floor(value / bin_width_);
    if (bin < static_cast<double>(counts_.size())) ++counts_[static_cast<std::size_t>(bin)];
    ++count_;
    const double delta = value - mean_;
    mean_ += delta / static_cast<double>(count_);
    spread_ += delta * (value - mean_);
  }
}

double Histogram::width() const {
  return count_ > 1 ? std::sqrt(spread_ / static_cast<double>(count_ - 1)) : 0;
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
  out.put(mean_);
  out.put(spread_);
  out.put(smallest_);
  out.put(largest_);
  out.put_array(counts_);
}

void Histogram::restore(ByteReader& in, std::string_view of_what) {
  Histogram read(in.get<double>(), 0);
  read.count_ = in.get<std::int64_t>();
  read.mean_ = in.get<double>();
  read.spread_ = in.get<double>();
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
