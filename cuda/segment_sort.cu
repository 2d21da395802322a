// A warp per segment sorts by comparing and exchanging: in shared memory, or in place where that is too
// small. SPDX-License-Identifier: Apache-2.0
#include "cuda/segment_sort.hpp"

namespace nanoday::NANODAY_GPU {
namespace {

constexpr int k_staged = 384;  ///< longest segment that is sorted in shared memory
constexpr int k_warps = 8;

/// Candidates with their ids beside them.
struct StagedSegment {
  std::int64_t* ids;
  std::int32_t* index;
  NANODAY_DEVICE std::int64_t id(std::int64_t k) const { return ids[k]; }
  NANODAY_DEVICE void exchange(std::int64_t a, std::int64_t b) const {
    const std::int64_t id = ids[a];
    ids[a] = ids[b];
    ids[b] = id;
    const std::int32_t i = index[a];
    index[a] = index[b];
    index[b] = i;
  }
};

/// Candidates whose ids are looked up.
struct PlainSegment {
  const std::int64_t* id_of;
  std::int32_t* index;
  NANODAY_DEVICE std::int64_t id(std::int64_t k) const { return id_of[index[k]]; }
  NANODAY_DEVICE void exchange(std::int64_t a, std::int64_t b) const {
    const std::int32_t i = index[a];
    index[a] = index[b];
    index[b] = i;
  }
};

struct SortSegments {
  static constexpr const char* k_name = "sort_by_id";
  static constexpr std::size_t k_shared_bytes =
      k_warps * k_staged * (sizeof(std::int64_t) + sizeof(std::int32_t));
  const Vec4* position;
  const std::int64_t* id;
  const std::int64_t* offset;
  std::int32_t* index;
  std::int64_t segments;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t s = block.global() / k_warp;
    if (s >= segments) return;  // whole warps
    const std::int64_t n = offset[s + 1] - offset[s];
    std::int32_t* const mine = index + offset[s];
    if (n > k_staged) return sort(block, PlainSegment{id, mine}, n);
    const StagedSegment staged{
        block.shared<std::int64_t>(0) + block.warp() * k_staged,
        block.shared<std::int32_t>(k_warps * k_staged * sizeof(std::int64_t)) + block.warp() * k_staged};
    for (std::int64_t k = block.lane(); k < n; k += k_warp) {
      staged.index[k] = mine[k];
      staged.ids[k] = id[mine[k]];
    }
    block.sync_warp();
    sort(block, staged, n);
    for (std::int64_t k = block.lane(); k < n; k += k_warp) mine[k] = staged.index[k];
  }

  /// Batcher's bitonic sort with all exchanges in one direction (Knuth, TAOCP 3, 5.3.4): places behind the
  /// end then hold infinity and never move, so that any length will do.
  template <class Segment>
  NANODAY_DEVICE void sort(Block& block, const Segment& segment, std::int64_t n) const {
    for (std::int64_t size = 2; size / 2 < n; size *= 2) {
      step(block, segment, n, size / 2, true);
      for (std::int64_t distance = size / 4; distance > 0; distance /= 2)
        step(block, segment, n, distance, false);
    }
  }

  /// Blocks of 2·half places, half a power of two: k is compared with k + half, or, mirrored, with the one as
  /// far from the other end.
  template <class Segment>
  NANODAY_DEVICE void step(Block& block, const Segment& segment, std::int64_t n, std::int64_t half,
                           bool mirrored) const {
    for (std::int64_t pair = block.lane(); 2 * (pair & -half) < n; pair += k_warp) {
      const std::int64_t first = 2 * (pair & -half), k = pair & (half - 1);
      const std::int64_t a = first + k, b = mirrored ? first + 2 * half - 1 - k : a + half;
      if (b < n && before(segment, b, a)) segment.exchange(a, b);
    }
    block.sync_warp();
  }

  template <class Segment>
  NANODAY_DEVICE bool before(const Segment& segment, std::int64_t a, std::int64_t b) const {
    const std::int64_t id_a = segment.id(a), id_b = segment.id(b);
    if (id_a != id_b) return id_a < id_b;
    const Vec4 p = position[segment.index[a]], q = position[segment.index[b]];
    if (p.x != q.x) return p.x < q.x;
    if (p.y != q.y) return p.y < q.y;
    return p.z < q.z;
  }
};

}  // namespace

// ------------------------------------------------------------------------------------------------------

void sort_segments(Stream& stream, const DeviceAtoms& atoms, std::int64_t segments,
                   const std::int64_t* offset, std::int32_t* index) {
  Grid grid = grid_for(segments * k_warp, k_warps * k_warp);
  grid.shared_bytes = SortSegments::k_shared_bytes;
  launch(stream, SortSegments{atoms.position.data(), atoms.id.data(), offset, index, segments}, grid);
}

}  // namespace nanoday::NANODAY_GPU
