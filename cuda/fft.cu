// Three-dimensional Fourier transforms of real meshes on a GPU, by cuFFT.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/fft.hpp"

#include "core/error.hpp"
#include "cuda/cuda_check.hpp"

#include <cufft.h>

#include <algorithm>
#include <stdexcept>

namespace nanoday::cuda {
namespace {

void check_fft(cufftResult result, const char* what) {
  require_run(result == CUFFT_SUCCESS,
              "the GPU's Fourier transform failed at {} (cuFFT error {}); choose another mesh", what,
              static_cast<int>(result));
}

/// A plan that owns its handle and not its work area.
class Plan {
 public:
  Plan() = default;
  ~Plan() {
    if (made_) static_cast<void>(cufftDestroy(handle_));
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  /// Returns the bytes of work area it wants.
  std::size_t make(std::array<int, 3> n, cufftType type, int batch) {
    check_fft(cufftCreate(&handle_), "making a plan");
    made_ = true;
    check_fft(cufftSetAutoAllocation(handle_, 0), "making a plan");
    std::size_t bytes = 0;
    check_fft(cufftMakePlanMany(handle_, 3, n.data(), nullptr, 1, 0, nullptr, 1, 0, type, batch, &bytes),
              "making a plan");
    return bytes;
  }
  void set_work_area(void* memory) { check_fft(cufftSetWorkArea(handle_, memory), "making a plan"); }
  cufftHandle on(Stream& stream) const {
    check_fft(cufftSetStream(handle_, stream.handle().stream), "choosing a stream");
    return handle_;
  }

 private:
  cufftHandle handle_ = 0;
  bool made_ = false;
};

}  // namespace

static_assert(sizeof(Complex) == sizeof(cufftDoubleComplex));

/// All plans are made at the start: making one later would allocate, and graphs could not hold it.
struct MeshFft::State {
  std::array<int, 3> n;
  int channels = 1;
  std::size_t real_size = 0, spectrum_size = 0;
  Plan forward, inverse, inverse_all;  ///< one group; one; all channels' at once
  DeviceArray<std::byte> work;         ///< shared: transforms of one mesh run one after another

  void transform_back(Stream& stream, Complex* spectrum, double* real, bool all) {
    check_fft(cufftExecZ2D((all ? inverse_all : inverse).on(stream),
                           reinterpret_cast<cufftDoubleComplex*>(spectrum), real),
              "an inverse transform");
  }
};

MeshFft::MeshFft(std::array<int, 3> n, int channels, int systems) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.n = n;
  s.channels = channels;
  s.real_size = static_cast<std::size_t>(n[0]) * n[1] * n[2];
  s.spectrum_size = static_cast<std::size_t>(n[0]) * n[1] * (n[2] / 2 + 1);
  const std::size_t bytes =
      std::max({s.forward.make(n, CUFFT_D2Z, systems), s.inverse.make(n, CUFFT_Z2D, systems),
                s.inverse_all.make(n, CUFFT_Z2D, channels * systems)});
  s.work.resize(std::max<std::size_t>(bytes, 1));
  for (Plan* plan : {&s.forward, &s.inverse, &s.inverse_all}) plan->set_work_area(s.work.data());
}

MeshFft::~MeshFft() = default;

void MeshFft::forward(Stream& stream, double* real, Complex* spectrum) {
  check_fft(cufftExecD2Z(state_->forward.on(stream), real, reinterpret_cast<cufftDoubleComplex*>(spectrum)),
            "a forward transform");
}

void MeshFft::inverse(Stream& stream, Complex* spectrum, double* real, int groups) {
  State& s = *state_;
  // Others would have to begin at addresses that cuFFT does not take when the mesh has an odd number of
  // points.
  if (groups != 1 && groups != s.channels) throw std::logic_error("only one or all transforms at once");
  s.transform_back(stream, spectrum, real, groups == s.channels);
}

std::size_t MeshFft::real_size() const { return state_->real_size; }
std::size_t MeshFft::spectrum_size() const { return state_->spectrum_size; }

}  // namespace nanoday::cuda
