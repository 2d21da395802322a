// Fourier transform of a mesh in bricks by redistribution: lines along c, then b, then a, transformed whole.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "brick_fft.hpp"
#include "brick_grid.hpp"
#include "cpu/fft.hpp"
#include "redistribution.hpp"
#include "transport.hpp"

#include <array>
#include <memory>
#include <vector>

namespace nanoday {

/// For large meshes: four redistributions, one-dimensional transforms by the library with FFTW's interface.
/// Lines are transformed in bundles of eight that are the same for any number of ranks, hence so are the
/// results, bit for bit.
class PencilFft final : public BrickFft {
 public:
  /// Collective when `transport` has several ranks. \param transport used for these messages only
  PencilFft(const BrickGrid& grid, std::unique_ptr<Transport> transport);
  void forward(View<std::complex<double>> brick) override { transform(brick, forward_); }
  void backward(View<std::complex<double>> brick) override { transform(brick, backward_); }

 private:
  using Plans = std::array<cpu::BatchedFft, 3>;  ///< of one bundle along c, b, a
  void transform(View<std::complex<double>> brick, const Plans& plans);

  std::unique_ptr<Transport> transport_;
  std::array<std::int64_t, 3> bundles_{};
  std::array<std::size_t, 3> bundle_size_{};
  std::vector<Redistribution> moves_;              ///< brick → c → b → a → brick
  std::array<Array<std::complex<double>>, 3> in_;  ///< pencils along c, b, a; padding stays zero
  Array<std::complex<double>> out_;
  Plans forward_, backward_;
};

}  // namespace nanoday
