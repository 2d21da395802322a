// Fourier transform of a mesh in bricks by partial transforms that rings of ranks sum as integers.
// SPDX-License-Identifier: Apache-2.0
#include "reduction_fft.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nanoday {
namespace {

/// Calls f(point of the line, line, index in the brick) for all points of a brick, lines along direction d.
template <class F>
void for_line_points(std::array<int, 3> shape, std::size_t d, F f) {
  const std::size_t n = static_cast<std::size_t>(shape[d]);
  std::size_t inner = 1, outer = 1;
  for (std::size_t e = d + 1; e < 3; ++e) inner *= static_cast<std::size_t>(shape[e]);
  for (std::size_t e = 0; e < d; ++e) outer *= static_cast<std::size_t>(shape[e]);
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t i = 0; i < inner; ++i) f(j, o * inner + i, (o * n + j) * inner + i);
}

}  // namespace

ReductionFft::ReductionFft(const BrickGrid& grid, int rank, std::array<std::unique_ptr<RingSum>, 3> rings,
                           ReductionOptions options)
    : shape_(grid.brick(rank).shape()), options_(options), rings_(std::move(rings)) {
  require(options.scale > 0 && std::isfinite(options.scale),
          "the scale {} of the reduction FFT is not a positive number; use 1e7", options.scale);
  const MeshBrick brick = grid.brick(rank);
  for (std::size_t d = 0; d < 3; ++d)
    stages_.emplace_back(grid.mesh[d], brick.begin[d], brick.end[d], options.block);
}

void ReductionFft::forward(View<std::complex<double>> brick) {
  transform(brick, TransformSign::forward, options_.scale);
}

// What is transformed back has been multiplied by anything: no scale is known, the largest is always right.
void ReductionFft::backward(View<std::complex<double>> brick) {
  transform(brick, TransformSign::backward, std::numeric_limits<double>::infinity());
}

void ReductionFft::transform(View<std::complex<double>> brick, TransformSign sign, double largest_scale) {
  for (std::size_t d = 0; d < 3; ++d) {
    load(d, brick);
    transform_along(d, sign, largest_scale);
    store(d, brick);
  }
}

void ReductionFft::transform_along(std::size_t d, TransformSign sign, double largest_scale) {
  const ReductionStage& stage = stages_[d];
  bound_.resize(lines_.lines);
  scale_.resize(lines_.lines);
  words_.resize(stage.frequencies() * lines_.lines);
  stage.bound_share(lines_, bound_);
  rings_[d]->sum(bound_);
  stage.choose_scales(bound_, largest_scale, scale_);
  stage.partial_transform(lines_, scale_, sign, words_);
  rings_[d]->sum(words_);
  stage.take_own(words_, scale_, lines_);
}

void ReductionFft::load(std::size_t d, View<const std::complex<double>> brick) {
  const auto n = static_cast<std::size_t>(shape_[d]);
  std::size_t lines = 1;
  for (std::size_t e = 0; e < 3; ++e)
    if (e != d) lines *= static_cast<std::size_t>(shape_[e]);
  lines_.resize(n, lines);
  for_line_points(shape_, d, [&](std::size_t j, std::size_t line, std::size_t at) {
    lines_.re[j * lines + line] = brick[at].real();
    lines_.im[j * lines + line] = brick[at].imag();
  });
}

void ReductionFft::store(std::size_t d, View<std::complex<double>> brick) {
  const std::size_t lines = lines_.lines;
  for_line_points(shape_, d, [&](std::size_t j, std::size_t line, std::size_t at) {
    brick[at] = {lines_.re[j * lines + line], lines_.im[j * lines + line]};
  });
}

}  // namespace nanoday
