// Private force arrays of the threads.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/force_buffers.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace nanoday::cpu {

void ForceBuffers::prepare(int me, std::int64_t begin, std::int64_t end, const NeighborList& list,
                           std::int64_t nall) {
  Part& p = part_[me];
  if (p.version == list.version && p.begin == begin && p.end == end && p.nall == nall) return;
  if (nall > p.capacity) {
    p.capacity = nall + nall / 4 + k_force_block;
    p.memory.reset(std::aligned_alloc(64, static_cast<std::size_t>((p.capacity * 32 + 63) / 64 * 64)));
    if (!p.memory) throw std::bad_alloc();
  }
  p.touched.assign(static_cast<std::size_t>((nall + k_force_block - 1) / k_force_block), 0);
  for (std::int64_t i = begin; i < end; ++i) p.touched[i / k_force_block] = 1;
  const std::int64_t first = list.offset[begin * list.n_types], last = list.offset[end * list.n_types];
  for (std::int64_t k = first; k < last; ++k) p.touched[list.index[k] / k_force_block] = 1;
  p.version = list.version;
  p.begin = begin;
  p.end = end;
  p.nall = nall;
}

void ForceBuffers::clear(int me) {
  Part& p = part_[me];
  for (std::size_t b = 0; b < p.touched.size(); ++b) {
    if (!p.touched[b]) continue;
    const std::int64_t first = static_cast<std::int64_t>(b) * k_force_block;
    const std::int64_t count = std::min(k_force_block, p.nall - first);
    std::memset(static_cast<char*>(p.memory.get()) + first * 32, 0, static_cast<std::size_t>(count * 32));
  }
}

}  // namespace nanoday::cpu
