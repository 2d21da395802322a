// Distances between Wannier centroids and their atoms.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/wannier_distance.hpp"

namespace nanoday {
namespace {

constexpr double k_bin_width = 0.001;  // [Å]; in water the distribution is some 0.01 Å wide
constexpr std::size_t k_bins = 1000;   // to 1 Å, beyond which a centroid is not its atom's any more

}  // namespace

WannierDistance::WannierDistance() : histogram_(k_bin_width, k_bins) {}

void WannierDistance::sample(View<const Vec4> displacement) {
  std::vector<double> distance;
  distance.reserve(displacement.size());
  for (const Vec4& d : displacement) distance.push_back(norm(xyz(d)));
  histogram_.add(distance);
}

std::string WannierDistance::save() const {
  ByteWriter out;
  histogram_.save(out);
  return out.bytes();
}

void WannierDistance::restore(std::string_view state) {
  ByteReader in(state, "the checkpoint's Wannier centroid distances");
  histogram_.restore(in, "Wannier centroid distances");
  require(in.at_end(), "the checkpoint's Wannier centroid distances are damaged; use another copy");
}

void write_wannier_distance(const std::string& path, const WannierDistance& distance, NumberFormat numbers) {
  const Distribution found = distance.histogram().distribution();
  write_columns(path, "distance[A],density[1/A]", found.middle, found.density, numbers);
}

}  // namespace nanoday
