// Private force arrays of the threads, of which only the blocks a thread touches are cleared and summed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/forces.hpp"
#include "atoms/neighbor_list.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace nanoday::cpu {

/// Atoms per block of the touched-blocks map.
inline constexpr std::int64_t k_force_block = 256;

/// Which atoms a thread may write, and room to write them. Row = Vec4 or std::array<int64, 4>, both 32 bytes.
class ForceBuffers {
 public:
  /// Makes room and finds the touched blocks of thread `me`, which owns centres begin…end; call inside the
  /// parallel region by every thread. Cheap when list and ranges are unchanged.
  void prepare(int me, std::int64_t begin, std::int64_t end, const NeighborList& list, std::int64_t nall);
  void resize(int threads) { part_.resize(threads); }

  template <class Row>
  Row* rows(int thread) {
    return reinterpret_cast<Row*>(part_[thread].memory.get());
  }
  /// Clears the touched blocks of a thread.
  void clear(int me);
  bool touched(int thread, std::int64_t block) const { return part_[thread].touched[block] != 0; }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  struct Part {
    std::unique_ptr<void, Free> memory;  ///< not initialised: untouched pages are never mapped
    std::int64_t capacity = 0, nall = 0, version = -1, begin = -1, end = -1;
    std::vector<char> touched;  ///< (blocks)
  };
  std::vector<Part> part_;
};

}  // namespace nanoday::cpu
