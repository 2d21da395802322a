// Three-dimensional Fourier transforms of real meshes: cuFFT on a GPU, FFTW's interface on the CPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/runtime.hpp"

#include <array>
#include <memory>

namespace nanoday::NANODAY_GPU {

/// A complex number as both libraries lay it out.
struct Complex {
  double re, im;
};

/// Unnormalised transforms of (n0, n1, n2) real meshes, row-major (last index fastest), to and from
/// (n0, n1, n2/2 + 1) half spectra. Several at once, one after another in memory: a mesh for each of
/// `systems`, and on the way back up to `channels` such groups.
class MeshFft {
 public:
  MeshFft(std::array<int, 3> n, int channels, int systems = 1);
  ~MeshFft();
  MeshFft(const MeshFft&) = delete;
  MeshFft& operator=(const MeshFft&) = delete;
  /// e^{−ikx}, one group; `real` and `spectrum` are different arrays; `real` may be destroyed.
  void forward(Stream& stream, double* real, Complex* spectrum);
  /// e^{+ikx}, one group or `channels` of them; `spectrum` is destroyed.
  void inverse(Stream& stream, Complex* spectrum, double* real, int groups);
  std::size_t real_size() const;      ///< of one mesh, n0·n1·n2
  std::size_t spectrum_size() const;  ///< of one mesh, n0·n1·(n2/2 + 1)

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nanoday::NANODAY_GPU
