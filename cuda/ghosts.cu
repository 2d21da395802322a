// Wrapping into the box, and ghosts: counted, summed, filled, shift by shift.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/rebuild.hpp"

#include <bit>
#include <cmath>

namespace nanoday::NANODAY_GPU {
namespace {

/// What Box::fractional needs, with everything that does not depend on the atom worked out.
struct Frame {
  Vec3 origin, face[3];
  double determinant = 1;
  std::array<Vec3, 3> cell;
  bool periodic[3] = {};
};

Frame frame_of(const Box& box) {
  const auto& [a, b, c] = box.cell;
  return {box.origin,
          {cross(b, c), cross(c, a), cross(a, b)},
          dot(a, cross(b, c)),
          box.cell,
          {box.periodic[0], box.periodic[1], box.periodic[2]}};
}

NANODAY_DEVICE Vec3 fractional(const Frame& frame, Vec3 x) {
  const Vec3 d = x - frame.origin;
  return {dot(d, frame.face[0]) / frame.determinant, dot(d, frame.face[1]) / frame.determinant,
          dot(d, frame.face[2]) / frame.determinant};
}

struct Wrap {
  static constexpr const char* k_name = "wrap";
  Frame frame;
  Vec4* position;
  std::array<std::int32_t, 3>* image;
  std::int64_t n;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    if (i >= n) return;
    const Vec3 x = xyz(position[i]);
    const Vec3 f = fractional(frame, x);
    const std::array<int, 3> from{layer(f.x, 0), layer(f.y, 1), layer(f.z, 2)};
    if (from[0] == 0 && from[1] == 0 && from[2] == 0) return;
    position[i] = padded(x - (double(from[0]) * frame.cell[0] + double(from[1]) * frame.cell[1] +
                              double(from[2]) * frame.cell[2]));
    for (int d = 0; d < 3; ++d) image[i][d] += from[d];
  }
  /// Lattice image along direction d. Atoms that are lost stay where they are: the watch of motions finds
  /// them.
  NANODAY_DEVICE int layer(double f, int d) const {
    return frame.periodic[d] && std::fabs(f) < 1e9 ? static_cast<int>(std::floor(f)) : 0;
  }
};

struct Fractions {
  static constexpr const char* k_name = "fractional_coordinates";
  Frame frame;
  const Vec4* position;
  Vec3* fraction;
  std::int64_t n;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    if (i < n) fraction[i] = fractional(frame, xyz(position[i]));
  }
};

constexpr int k_rounds = 4;             ///< atoms per lane
constexpr int k_shifts_per_warp = 32;   ///< so that tiny boxes with many shifts use many warps
constexpr int k_chunk = 32 * k_rounds;  ///< atoms per warp

/// Where ghosts are written.
struct GhostRows {
  Vec4* position;         ///< (nall)
  std::int32_t* type;     ///< (nall)
  std::int64_t* id;       ///< (nall)
  std::int32_t* replica;  ///< (nall), or null
  std::int32_t* owner;    ///< (nghost)
  Vec4* shift;            ///< (nghost)
  std::int64_t nlocal;
};

/// A warp looks at one chunk of atoms and some shifts, twice: to count, and to fill. Fractional coordinates
/// come from memory, so that both times agree to the last bit.
struct FindGhosts {
  static constexpr const char* k_name = "find_ghosts";
  const Vec3* fraction;  ///< (n)
  const Shift* shift;    ///< (n_shifts)
  std::array<double, 3> reach;
  std::int64_t n, n_chunks, n_shifts;
  std::int64_t* count;  ///< (n_shifts · n_chunks) ghosts, or where they begin
  GhostRows out;
  bool fill;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t task = block.global() / k_warp;
    const std::int64_t chunk = task % n_chunks, group = task / n_chunks;
    Vec3 mine[k_rounds];
    for (int k = 0; k < k_rounds; ++k) {
      const std::int64_t i = chunk * k_chunk + k * k_warp + block.lane();
      if (i < n) mine[k] = fraction[i];
    }
    for (std::int64_t s = group * k_shifts_per_warp; s < (group + 1) * k_shifts_per_warp && s < n_shifts; ++s)
      visit(block, mine, chunk, s);
  }

  NANODAY_DEVICE void visit(Block& block, const Vec3* mine, std::int64_t chunk, std::int64_t s) const {
    const std::int64_t place = s * n_chunks + chunk;
    std::int64_t found = fill ? count[place] : 0;
    for (int k = 0; k < k_rounds; ++k) {
      const std::int64_t i = chunk * k_chunk + k * k_warp + block.lane();
      const bool inside = i < n && within(mine[k].x + shift[s].n[0], reach[0]) &&
                          within(mine[k].y + shift[s].n[1], reach[1]) &&
                          within(mine[k].z + shift[s].n[2], reach[2]);
      const unsigned lanes = block.ballot(inside);
      if (fill && inside) write(i, shift[s], found + std::popcount(lanes & ((1u << block.lane()) - 1)));
      found += std::popcount(lanes);
    }
    if (!fill && block.lane() == 0) count[place] = found;
  }

  static NANODAY_DEVICE bool within(double f, double r) { return f >= -r && f <= 1 + r; }

  NANODAY_DEVICE void write(std::int64_t i, const Shift& by, std::int64_t ghost) const {
    const std::int64_t row = out.nlocal + ghost;
    const Vec4 x = out.position[i];
    out.position[row] = {x.x + by.vector[0], x.y + by.vector[1], x.z + by.vector[2], 0};
    out.type[row] = out.type[i];
    out.id[row] = out.id[i];
    if (out.replica != nullptr) out.replica[row] = out.replica[i];
    out.owner[ghost] = static_cast<std::int32_t>(i);
    out.shift[ghost] = {by.vector[0], by.vector[1], by.vector[2], 0};
  }
};

/// Resizes and keeps the first `kept` elements.
template <class T>
void grow(Stream& stream, DeviceArray<T>& values, std::int64_t n, std::int64_t kept) {
  if (static_cast<std::size_t>(n) > values.capacity()) {
    // The next rebuilds need about as many; an eighth more would hurt where memory is full of lists.
    DeviceArray<T> larger(static_cast<std::size_t>(n + n / 32 + 256));
    copy_on_device(stream, larger.data(), values.data(), kept * sizeof(T));
    stream.synchronize();
    values = std::move(larger);
  }
  values.resize(n);
}

void grow_all(Stream& stream, DeviceAtoms& atoms) {
  const bool replicas = atoms.replica.size() >= static_cast<std::size_t>(atoms.nlocal);
  grow(stream, atoms.position, atoms.nall(), atoms.nlocal);
  grow(stream, atoms.type, atoms.nall(), atoms.nlocal);
  grow(stream, atoms.id, atoms.nall(), atoms.nlocal);
  if (replicas) grow(stream, atoms.replica, atoms.nall(), atoms.nlocal);
  atoms.ghost_owner.resize(atoms.nghost);
  atoms.ghost_shift.resize(atoms.nghost);
}

}  // namespace

// ------------------------------------------------------------------------------------------------------

void wrap_atoms(Stream& stream, const Box& box, DeviceAtoms& atoms) {
  if (box.is_open()) return;
  launch(stream, Wrap{frame_of(box), atoms.position.data(), atoms.image.data(), atoms.nlocal},
         grid_for(atoms.nlocal));
}

void build_ghosts(Stream& stream, RebuildWork& work, const Box& box, double cutoff, DeviceAtoms& atoms) {
  const std::int64_t n = atoms.nlocal;
  atoms.nghost = 0;
  if (box.is_open() || n == 0) return grow_all(stream, atoms);
  const ImageReach reach = image_reach(box, cutoff, n);
  const std::vector<double> shifts = shift_rows(box, reach);
  upload(stream, work.bounds, shifts);
  work.spare.resize(n * sizeof(Vec3));
  Vec3* const fraction = reinterpret_cast<Vec3*>(work.spare.data());
  launch(stream, Fractions{frame_of(box), atoms.position.data(), fraction, n}, grid_for(n));

  FindGhosts find;
  find.fraction = fraction;
  find.shift = reinterpret_cast<const Shift*>(work.bounds.data());
  find.reach = reach.fraction;
  find.n = n;
  find.n_chunks = (n + k_chunk - 1) / k_chunk;
  find.n_shifts = static_cast<std::int64_t>(reach.shifts.size());
  const std::int64_t counts = find.n_shifts * find.n_chunks;
  work.count.resize(counts + 1);
  find.count = work.count.data();
  find.fill = false;
  find.out = {};
  const std::int64_t warps = find.n_chunks * ((find.n_shifts + k_shifts_per_warp - 1) / k_shifts_per_warp);
  launch(stream, find, grid_for(warps * k_warp, 128));
  exclusive_sum(stream, work.scratch, work.count.data(), work.count.data(), counts);
  copy_to_host(stream, &atoms.nghost, work.count.data() + counts, sizeof(std::int64_t));
  stream.synchronize();
  check_index_range(atoms.nall());
  grow_all(stream, atoms);
  find.out = {atoms.position.data(),
              atoms.type.data(),
              atoms.id.data(),
              atoms.replica.data(),
              atoms.ghost_owner.data(),
              atoms.ghost_shift.data(),
              n};
  if (atoms.replica.size() < static_cast<std::size_t>(n)) find.out.replica = nullptr;
  find.fill = true;
  launch(stream, find, grid_for(warps * k_warp, 128));
}

}  // namespace nanoday::NANODAY_GPU
