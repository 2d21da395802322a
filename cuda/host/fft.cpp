// Three-dimensional Fourier transforms of real meshes on the CPU, through FFTW's interface.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/fft.hpp"

#include "core/error.hpp"
#include "cuda/host/host_launch.hpp"

#include <fftw3.h>

#include <mutex>
#include <stdexcept>

namespace nanoday::cuda_host {
namespace {

// FFTW's planner is not thread-safe.
std::mutex planner;

/// Measuring would overwrite the arrays; any place in device memory may be transformed later.
constexpr unsigned k_flags = FFTW_ESTIMATE | FFTW_DESTROY_INPUT | FFTW_UNALIGNED;

}  // namespace

struct MeshFft::State {
  std::array<int, 3> n;
  int channels = 1, systems = 1;
  std::size_t real_size = 0, spectrum_size = 0;
  fftw_plan forward = nullptr, inverse = nullptr;
};

MeshFft::MeshFft(std::array<int, 3> n, int channels, int systems) : state_(std::make_unique<State>()) {
  state_->n = n;
  state_->channels = channels;
  state_->systems = systems;
  state_->real_size = static_cast<std::size_t>(n[0]) * n[1] * n[2];
  state_->spectrum_size = static_cast<std::size_t>(n[0]) * n[1] * (n[2] / 2 + 1);
  DeviceArray<double> real(state_->real_size);
  DeviceArray<Complex> spectrum(state_->spectrum_size);
  auto* half = reinterpret_cast<fftw_complex*>(spectrum.data());
  const std::lock_guard lock(planner);
  state_->forward = fftw_plan_dft_r2c_3d(n[0], n[1], n[2], real.data(), half, k_flags);
  state_->inverse = fftw_plan_dft_c2r_3d(n[0], n[1], n[2], half, real.data(), k_flags);
  require_run(state_->forward != nullptr && state_->inverse != nullptr,
              "the Fourier transform of a {} x {} x {} mesh cannot be planned; choose another mesh", n[0],
              n[1], n[2]);
}

MeshFft::~MeshFft() {
  const std::lock_guard lock(planner);
  fftw_destroy_plan(state_->forward);
  fftw_destroy_plan(state_->inverse);
}

void MeshFft::forward(Stream& stream, double* real, Complex* spectrum) {
  submit_call(stream, [=, this] {
    for (int s = 0; s < state_->systems; ++s)
      fftw_execute_dft_r2c(state_->forward, real + s * state_->real_size,
                           reinterpret_cast<fftw_complex*>(spectrum + s * state_->spectrum_size));
  });
}

void MeshFft::inverse(Stream& stream, Complex* spectrum, double* real, int groups) {
  if (groups != 1 && groups != state_->channels) throw std::logic_error("only one or all transforms at once");
  submit_call(stream, [=, this] {
    for (int b = 0; b < groups * state_->systems; ++b) {
      fftw_execute_dft_c2r(state_->inverse,
                           reinterpret_cast<fftw_complex*>(spectrum + b * state_->spectrum_size),
                           real + b * state_->real_size);
    }
  });
}

std::size_t MeshFft::real_size() const { return state_->real_size; }
std::size_t MeshFft::spectrum_size() const { return state_->spectrum_size; }

}  // namespace nanoday::cuda_host
