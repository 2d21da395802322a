// Fourier transform of a mesh in bricks by partial transforms that rings of ranks sum as integers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "brick_fft.hpp"
#include "brick_grid.hpp"
#include "reduction_stage.hpp"
#include "ring_sum.hpp"

#include <array>
#include <memory>
#include <vector>

namespace nanoday {

struct ReductionOptions {
  /// Forward transforms: largest S of q = round(S·X); mesh values in e give errors of about 10/S in the field
  /// per unit charge (eV/Å/e, benchmarks/fft_error.json). Backward transforms take the largest S that serves.
  double scale = 1e7;
  /// Points that are rounded together: 0, all of a rank; 1, every point, for the same bits on any number of
  /// ranks.
  int block = 0;
};

/// For few points per rank and short rings, where a sum over a ring that the network does by itself is
/// cheaper than redistributing the mesh (the FFT of Li et al., "Scaling Neural-Network-Based Molecular
/// Dynamics with Long-Range Electrostatic Interactions to 51 Nanoseconds per Day"). Cost per dimension: N·b²
/// words for b³ points per rank.
class ReductionFft final : public BrickFft {
 public:
  /// \param rings along a, b, c: the ranks whose places in the grid agree in the two other directions
  /// Throws InputError when blocks do not fit the bricks or the scale is not a positive number.
  ReductionFft(const BrickGrid& grid, int rank, std::array<std::unique_ptr<RingSum>, 3> rings,
               ReductionOptions options);
  void forward(View<std::complex<double>> brick) override;
  void backward(View<std::complex<double>> brick) override;

 private:
  void transform(View<std::complex<double>> brick, TransformSign sign, double largest_scale);
  void transform_along(std::size_t d, TransformSign sign, double largest_scale);
  void load(std::size_t d, View<const std::complex<double>> brick);
  void store(std::size_t d, View<std::complex<double>> brick);

  std::array<int, 3> shape_;
  ReductionOptions options_;
  std::array<std::unique_ptr<RingSum>, 3> rings_;
  std::vector<ReductionStage> stages_;  ///< along a, b, c
  LineValues lines_;
  Array<std::uint64_t> bound_, words_;
  Array<double> scale_;
};

}  // namespace nanoday
