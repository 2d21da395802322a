// Fourier transform of a mesh in bricks by redistribution: lines along c, then b, then a, transformed whole.
// SPDX-License-Identifier: Apache-2.0
#include "pencil_fft.hpp"

#include <algorithm>

namespace nanoday {

PencilFft::PencilFft(const BrickGrid& grid, std::unique_ptr<Transport> transport)
    : transport_(std::move(transport)) {
  const int rank = transport_->rank(), n_ranks = transport_->size();
  const BrickDistribution bricks(grid);
  std::vector<PencilDistribution> pencils;
  std::size_t largest = 0;
  for (std::size_t s = 0; s < 3; ++s) {
    const std::size_t along = 2 - s;
    const int n = grid.mesh[along], wide = PencilDistribution::k_bundle;
    pencils.emplace_back(grid.mesh, along, n_ranks);
    bundles_[s] = pencils[s].bundles(rank);
    bundle_size_[s] = static_cast<std::size_t>(n) * static_cast<std::size_t>(wide);
    in_[s].resize(pencils[s].size(rank));
    largest = std::max(largest, in_[s].size());
    const cpu::Sequences lines{wide, 1};
    forward_[s] = cpu::BatchedFft(n, wide, lines, lines, cpu::Direction::forward);
    backward_[s] = cpu::BatchedFft(n, wide, lines, lines, cpu::Direction::backward);
  }
  out_.resize(largest);
  moves_.emplace_back(bricks, pencils[0], grid.mesh, rank, n_ranks);
  moves_.emplace_back(pencils[0], pencils[1], grid.mesh, rank, n_ranks);
  moves_.emplace_back(pencils[1], pencils[2], grid.mesh, rank, n_ranks);
  moves_.emplace_back(pencils[2], bricks, grid.mesh, rank, n_ranks);
}

void PencilFft::transform(View<std::complex<double>> brick, const Plans& plans) {
  moves_[0].run(*transport_, brick, in_[0]);
  for (std::size_t s = 0; s < 3; ++s) {
    for (std::int64_t b = 0; b < bundles_[s]; ++b) {
      const std::size_t first = static_cast<std::size_t>(b) * bundle_size_[s];
      plans[s].run(in_[s].data() + first, out_.data() + first);
    }
    moves_[s + 1].run(*transport_, out_, s < 2 ? View<std::complex<double>>(in_[s + 1]) : brick);
  }
}

}  // namespace nanoday
