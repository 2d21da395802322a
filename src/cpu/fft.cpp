// Batched one-dimensional complex transforms through FFTW's interface.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/fft.hpp"

#include "core/error.hpp"
#include "core/view.hpp"

#include <fftw3.h>

#include <mutex>

namespace nanoday::cpu {

namespace {

std::mutex& planner() {  // the library plans one transform at a time
  static std::mutex mutex;
  return mutex;
}

fftw_complex* raw(Complex* p) { return reinterpret_cast<fftw_complex*>(p); }

}  // namespace

BatchedFft::BatchedFft(int n, int count, Sequences in, Sequences out, Direction direction) {
  if (count == 0) return;
  const auto extent = [&](Sequences s) {
    return static_cast<std::size_t>(n - 1) * s.stride + static_cast<std::size_t>(count - 1) * s.next + 1;
  };
  Array<Complex> a(extent(in)), b(extent(out));
  const std::lock_guard lock(planner());
  // FFTW_ESTIMATE: the same plan, hence the same bits, in every run.
  plan_.reset(fftw_plan_many_dft(
      1, &n, count, raw(a.data()), nullptr, in.stride, in.next, raw(b.data()), nullptr, out.stride, out.next,
      direction == Direction::forward ? FFTW_FORWARD : FFTW_BACKWARD, FFTW_ESTIMATE | FFTW_PRESERVE_INPUT));
  require_run(plan_ != nullptr, "the Fourier transform library cannot plan {} transforms of length {}", count,
              n);
}

void BatchedFft::run(const Complex* in, Complex* out) const {
  if (!plan_) return;
  fftw_execute_dft(static_cast<fftw_plan>(plan_.get()), raw(const_cast<Complex*>(in)), raw(out));
}

void BatchedFft::Destroy::operator()(void* plan) const {
  const std::lock_guard lock(planner());
  fftw_destroy_plan(static_cast<fftw_plan>(plan));
}

}  // namespace nanoday::cpu
