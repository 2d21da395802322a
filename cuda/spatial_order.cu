// Atoms sorted along a Z curve, so that neighbors in space are neighbors in memory.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/rebuild.hpp"
#include "math/morton_code.hpp"

#include <algorithm>
#include <bit>
#include <vector>

namespace nanoday::NANODAY_GPU {
namespace {

constexpr int k_bound_threads = 256;
constexpr std::int64_t k_bound_blocks = 264;  ///< two per multiprocessor of an H200; the host takes over then

/// Lowest and highest coordinates of each block's share: rows (low x, y, z, high x, y, z).
struct FindBounds {
  static constexpr const char* k_name = "bounds";
  static constexpr std::size_t k_shared_bytes = 6 * (k_bound_threads / k_warp) * sizeof(double);
  const Vec4* position;
  double* out;  ///< (blocks, 6)
  std::int64_t n;

  NANODAY_DEVICE void operator()(Block& block) const {
    // Signs turned where the largest is wanted: all six are minima then.
    double lowest[6] = {1e300, 1e300, 1e300, 1e300, 1e300, 1e300};
    for (std::int64_t i = block.global(); i < n; i += block.stride()) {
      const Vec4 x = position[i];
      const double values[6] = {x.x, x.y, x.z, -x.x, -x.y, -x.z};
      for (int k = 0; k < 6; ++k) lowest[k] = smaller(values[k], lowest[k]);
    }
    for (double& value : lowest)
      for (int mask = k_warp / 2; mask > 0; mask /= 2) value = smaller(block.shuffle_xor(value, mask), value);
    double* const of_warp = block.shared<double>(0);
    if (block.lane() == 0)
      for (int k = 0; k < 6; ++k) of_warp[6 * block.warp() + k] = lowest[k];
    block.sync();
    const int k = block.thread();
    if (k >= 6) return;
    double value = of_warp[k];
    for (int w = 1; w < block.warps(); ++w) value = smaller(of_warp[6 * w + k], value);
    out[6 * block.block() + k] = k < 3 ? value : -value;
  }
  static NANODAY_DEVICE double smaller(double a, double b) { return a < b ? a : b; }
};

NANODAY_HD inline std::uint64_t bin(double distance, double cell, double last) {
  const double v = distance / cell;
  if (!(v > 0)) return 0;
  return static_cast<std::uint64_t>(v < last ? v : last);
}

struct MortonKeys {
  static constexpr const char* k_name = "morton_keys";
  const Vec4* position;
  const std::int32_t* replica;  ///< null: one
  std::uint64_t* key;
  std::int32_t* order;
  std::int64_t n;
  Vec3 low;
  double cell, last;
  int bits;  ///< of one direction

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    if (i >= n) return;
    const Vec4 p = position[i];
    std::uint64_t k =
        morton_code(bin(p.x - low.x, cell, last), bin(p.y - low.y, cell, last), bin(p.z - low.z, cell, last));
    if (replica != nullptr) k |= static_cast<std::uint64_t>(replica[i]) << (3 * bits);
    key[i] = k;
    order[i] = static_cast<std::int32_t>(i);
  }
};

template <class T>
struct Gather {
  static constexpr const char* k_name = "permute";
  const T* from;
  T* to;
  const std::int32_t* order;
  std::int64_t n;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t k = block.global();
    if (k < n) to[k] = from[order[k]];
  }
};

/// values[k] = values[order[k]] for an array of local atoms; arrays the caller left empty stay empty.
template <class T>
void permute(Stream& stream, RebuildWork& work, std::int64_t n, DeviceArray<T>& values) {
  if (values.size() < static_cast<std::size_t>(n)) return;
  work.spare.resize(n * sizeof(T));
  T* const sorted = reinterpret_cast<T*>(work.spare.data());
  launch(stream, Gather<T>{values.data(), sorted, work.order_sorted.data(), n}, grid_for(n));
  copy_on_device(stream, values.data(), sorted, n * sizeof(T));
}

}  // namespace

// ------------------------------------------------------------------------------------------------------

Bounds bounds_of(Stream& stream, RebuildWork& work, const Vec4* position, std::int64_t n) {
  Bounds bounds;
  const std::int64_t blocks = std::min(k_bound_blocks, grid_for(n, k_bound_threads).blocks);
  work.bounds.resize(6 * blocks);
  launch(stream, FindBounds{position, work.bounds.data(), n},
         {blocks, k_bound_threads, FindBounds::k_shared_bytes});
  std::vector<double> rows(6 * blocks);
  download(stream, rows.data(), work.bounds, rows.size());
  stream.synchronize();
  for (auto row = rows.begin(); row != rows.end(); row += 6) {
    bounds.low = {std::min(bounds.low.x, row[0]), std::min(bounds.low.y, row[1]),
                  std::min(bounds.low.z, row[2])};
    bounds.high = {std::max(bounds.high.x, row[3]), std::max(bounds.high.y, row[4]),
                   std::max(bounds.high.z, row[5])};
  }
  return bounds;
}

void sort_atoms(Stream& stream, RebuildWork& work, double cell, DeviceAtoms& atoms) {
  const std::int64_t n = atoms.nlocal;
  atoms.nghost = 0;
  if (n == 0) return;
  const Bounds bounds = bounds_of(stream, work, atoms.position.data(), n);
  const Vec3 size = bounds.high - bounds.low;
  const std::uint64_t last_bin = std::max(
      {bin(size.x, cell, k_last_cell), bin(size.y, cell, k_last_cell), bin(size.z, cell, k_last_cell)});
  // As few bits as there are bins: radix sorts pay by the bit.
  const int replica_bits = static_cast<int>(std::bit_width(static_cast<unsigned>(atoms.n_replicas - 1)));
  const int bits = std::min(static_cast<int>(std::bit_width(last_bin)), (64 - replica_bits) / 3);
  const double last = static_cast<double>((std::uint64_t{1} << bits) - 1);
  size_orders(work, n);
  launch(stream,
         MortonKeys{atoms.position.data(), replicas(atoms), work.key.data(), work.order.data(), n, bounds.low,
                    cell, last, bits},
         grid_for(n));
  sort_pairs(stream, work.scratch, work.key.data(), work.key_sorted.data(), work.order.data(),
             work.order_sorted.data(), n, std::max(3 * bits + replica_bits, 1));
  permute(stream, work, n, atoms.position);
  permute(stream, work, n, atoms.type);
  permute(stream, work, n, atoms.id);
  permute(stream, work, n, atoms.velocity);
  permute(stream, work, n, atoms.mass);
  permute(stream, work, n, atoms.image);
  permute(stream, work, n, atoms.replica);
  permute(stream, work, n, atoms.force);
  permute(stream, work, n, atoms.reference);
}

}  // namespace nanoday::NANODAY_GPU
