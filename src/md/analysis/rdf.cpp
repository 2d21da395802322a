// Radial distribution functions g(r).
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/rdf.hpp"

#include "core/error.hpp"
#include "io/output_file.hpp"
#include "md/analysis/count_types.hpp"
#include "md/analysis/near_atoms.hpp"
#include "md/analysis/near_pairs.hpp"
#include "md/bytes.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nanoday {
namespace {

constexpr double k_bin_width = 0.02;   // [Å]
constexpr double k_default_r_max = 8;  // [Å]

double half_smallest_height(const Box& box) {
  const Vec3 h = box.heights();
  return 0.5 * std::min({h.x, h.y, h.z});
}

}  // namespace

bool rdf_possible(const Box& box) { return box.periodic[0] && box.periodic[1] && box.periodic[2]; }

Rdf::Rdf(Transport& ranks, const Box& box, const std::vector<std::string>& element_names, const Atoms& atoms,
         double r_max)
    : ranks_(ranks), names_(element_names) {
  require(rdf_possible(box),
          "g(r) is not defined here (the box does not repeat in all directions, so there is no "
          "density); leave it out");
  const double half = half_smallest_height(box);
  require(r_max <= half,
          "g(r) up to {} A is impossible (half the box is {:.4g} A, beyond that images count twice); "
          "use a smaller distance or a larger box",
          r_max, half);
  const double wanted = r_max > 0 ? r_max : std::min(half, k_default_r_max);
  n_bins_ = static_cast<std::size_t>(std::max(1.0, std::floor(wanted / k_bin_width + 1e-9)));
  r_max_ = std::min(wanted, double(n_bins_) * k_bin_width);

  const int n_types = static_cast<int>(names_.size());
  const auto count = count_types(ranks, atoms, names_.size());
  const std::vector<double> n_atoms(count.begin(), count.end());
  column_.resize(names_.size() * names_.size());
  for (int a = 0; a < n_types; ++a)
    for (int b = a; b < n_types; ++b) {
      const double n_pairs = a == b ? n_atoms[a] * (n_atoms[a] - 1) / 2 : n_atoms[a] * n_atoms[b];
      if (n_pairs > 0) pairs_.push_back({a, b, n_pairs});
    }
  std::fill(column_.begin(), column_.end(), pairs_.size());
  for (std::size_t p = 0; p < pairs_.size(); ++p) {
    column_[static_cast<std::size_t>(pairs_[p].a * n_types + pairs_[p].b)] = p;
    column_[static_cast<std::size_t>(pairs_[p].b * n_types + pairs_[p].a)] = p;
  }
  counts_.assign((pairs_.size() + 1) * n_bins_, 0);
}

void Rdf::sample(const Box& box, const Atoms& atoms) {
  require_run(
      r_max_ <= half_smallest_height(box) * (1 + 1e-12),
      "the box has become too small for g(r) up to {} A (half its height is {:.4g} A); start with a smaller "
      "distance",
      r_max_, half_smallest_height(box));
  const double bins_per_length = double(n_bins_) / r_max_;
  const std::size_t n_types = names_.size();
  const NearAtoms near = near_atoms(ranks_, box, atoms, r_max_);
  for_each_near_pair(box, near.position, r_max_, [&](std::size_t i, std::size_t j, double distance2) {
    if (!near.counts(i, j)) return;
    const auto a = static_cast<std::size_t>(near.type[i]), b = static_cast<std::size_t>(near.type[j]);
    const auto bin = std::min(static_cast<std::size_t>(std::sqrt(distance2) * bins_per_length), n_bins_ - 1);
    ++counts_[column_[a * n_types + b] * n_bins_ + bin];
  });
  inverse_volume_ += 1 / box.volume();
  ++samples_;
}

void Rdf::gather() {
  ranks_.all_reduce_sum(View<std::int64_t>(counts_));
  if (ranks_.rank() > 0) std::fill(counts_.begin(), counts_.end(), 0);
}

RdfTable Rdf::table() const {
  RdfTable table;
  const double width = r_max_ / double(n_bins_);
  for (std::size_t k = 0; k < n_bins_; ++k) table.r.push_back((double(k) + 0.5) * width);
  for (std::size_t p = 0; p < pairs_.size(); ++p) {
    table.pair.push_back(names_[static_cast<std::size_t>(pairs_[p].a)] + "-" +
                         names_[static_cast<std::size_t>(pairs_[p].b)]);
    std::vector<double> g(n_bins_, 0);
    for (std::size_t k = 0; k < n_bins_ && samples_ > 0; ++k) {
      const double inner = double(k) * width, outer = inner + width;
      const double shell = 4.0 / 3.0 * std::numbers::pi * (outer * outer * outer - inner * inner * inner);
      g[k] = double(counts_[p * n_bins_ + k]) / (pairs_[p].n_pairs * inverse_volume_ * shell);
    }
    table.g.push_back(std::move(g));
  }
  return table;
}

std::string Rdf::save() const {
  ByteWriter out;
  out.put(r_max_);
  out.put(samples_);
  out.put(inverse_volume_);
  out.put_array(counts_);
  return out.bytes();
}

void Rdf::restore(std::string_view state) {
  ByteReader in(state, "the checkpoint's g(r)");
  const auto r_max = in.get<double>();
  const auto samples = in.get<std::int64_t>();
  const auto inverse_volume = in.get<double>();
  auto counts = in.get_array<std::vector<std::int64_t>>();
  require(in.at_end() && r_max == r_max_ && counts.size() == counts_.size() && samples >= 0,
          "the checkpoint's g(r) is of another run ({} counts up to {} A instead of {} up to {} A); use the "
          "folder's "
          "own checkpoint",
          counts.size(), r_max, counts_.size(), r_max_);
  samples_ = samples;
  inverse_volume_ = inverse_volume;
  if (ranks_.rank() == 0) counts_ = std::move(counts);
}

void write_rdf(const std::string& path, const RdfTable& table, NumberFormat numbers) {
  fmt::memory_buffer out;
  append_text(out, "r[A]");
  for (const std::string& pair : table.pair) {
    out.push_back(',');
    append_text(out, pair);
  }
  out.push_back('\n');
  for (std::size_t k = 0; k < table.r.size(); ++k) {
    append_number(out, table.r[k], numbers);
    for (const auto& g : table.g) {
      out.push_back(',');
      append_number(out, g[k], numbers);
    }
    out.push_back('\n');
  }
  atomic_write(path, {out.data(), out.size()});
}

}  // namespace nanoday
