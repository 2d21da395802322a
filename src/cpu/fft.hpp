// Batched one-dimensional complex transforms, planned once and run by many threads on their own arrays.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <memory>

namespace nanoday::cpu {

using Complex = std::complex<double>;

/// Where `count` sequences lie: element j of sequence c at c·next + j·stride [complex numbers].
struct Sequences {
  int stride, next;
};

enum class Direction { forward, backward };

/// Unnormalised transforms of `count` sequences of length n from one array into another; forward is e^{−i…}.
class BatchedFft {
 public:
  BatchedFft() = default;
  /// Planners take turns. Throws RunError when the library refuses. count 0: run() does nothing.
  BatchedFft(int n, int count, Sequences in, Sequences out, Direction direction);
  /// Thread safe. `in` is left unchanged. \pre both aligned to 64 bytes and different arrays
  void run(const Complex* in, Complex* out) const;

 private:
  struct Destroy {
    void operator()(void* plan) const;
  };
  std::unique_ptr<void, Destroy> plan_;
};

}  // namespace nanoday::cpu
