// A few threads that do one job together.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <barrier>
#include <cstdint>
#include <utility>

namespace nanoday::cpu {

/// One thread's place in a team whose members all call the same function.
struct Team {
  int me = 0;
  int size = 1;
  std::barrier<>* meeting = nullptr;  ///< of `size` threads; may be null for a team of one

  /// Waits for the others.
  void wait() const {
    if (size > 1) meeting->arrive_and_wait();
  }
  /// This member's contiguous part [first, second) of n items.
  std::pair<std::int64_t, std::int64_t> share(std::int64_t n) const {
    return {n * me / size, n * (me + 1) / size};
  }
};

}  // namespace nanoday::cpu
