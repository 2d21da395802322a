// Periodic images of the box's own atoms, in as many layers as the cutoff needs.
// SPDX-License-Identifier: Apache-2.0
#include "halo.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace nanoday {
namespace {

/// A layer that no fractional coordinate leaves: stands for "as far as you like".
constexpr double k_everywhere = std::numeric_limits<double>::infinity();

/// How far ghosts reach beyond the unit cell, in fractional coordinates, and how many images that takes.
struct Reach {
  std::array<double, 3> fraction{};
  std::array<int, 3> images{};
};

Reach reach_of(const Box& box, double cutoff, std::int64_t nlocal) {
  require(box.volume() > 0,
          "the periodic box has zero volume (its three cell vectors lie in a plane); give a box "
          "with three independent cell vectors");
  const Vec3 h = box.heights();
  const std::array<double, 3> heights{h.x, h.y, h.z};
  Reach reach;
  double copies = 1;
  for (int d = 0; d < 3; ++d) {
    reach.fraction[d] = box.periodic[d] ? cutoff / heights[d] : k_everywhere;
    if (box.periodic[d]) copies *= 1 + 2 * reach.fraction[d];
  }
  // Atom indices are 32-bit: refuse before counting, a box of 1e-3 Å would ask for billions of images.
  require(
      copies * double(nlocal) < 2e9,
      "the box is too small for the cutoff ({} atoms would need {:.3g} images within {} Å); check the cell "
      "vectors and their unit",
      nlocal, copies * double(nlocal), cutoff);
  for (int d = 0; d < 3; ++d)
    if (box.periodic[d]) reach.images[d] = static_cast<int>(std::floor(reach.fraction[d])) + 1;
  return reach;
}

bool within(double fraction, double reach) { return fraction >= -reach && fraction <= 1 + reach; }

/// Lattice shifts in a fixed order, the atoms' own place left out.
std::vector<std::array<int, 3>> shifts_of(const Reach& reach) {
  std::vector<std::array<int, 3>> shifts;
  for (int a = -reach.images[0]; a <= reach.images[0]; ++a)
    for (int b = -reach.images[1]; b <= reach.images[1]; ++b)
      for (int c = -reach.images[2]; c <= reach.images[2]; ++c)
        if (a != 0 || b != 0 || c != 0) shifts.push_back({a, b, c});
  return shifts;
}

}  // namespace

// Shift by shift rather than atom by atom: each slab of ghosts then lies in memory in the spatial order
// of its owners.
void Halo::build(const Box& box, double cutoff, Atoms& atoms) {
  owner_.clear();
  shift_.clear();
  if (!box.is_open()) {
    const Reach reach = reach_of(box, cutoff, atoms.nlocal);
    std::vector<Vec3> fraction(atoms.nlocal);
    for (std::int64_t i = 0; i < atoms.nlocal; ++i) fraction[i] = box.fractional(xyz(atoms.position[i]));
    for (const auto& n : shifts_of(reach)) {
      const Vec4 shift = padded(box.translation(n[0], n[1], n[2]));
      for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
        const Vec3 f = fraction[i];
        if (!within(f.x + n[0], reach.fraction[0]) || !within(f.y + n[1], reach.fraction[1]) ||
            !within(f.z + n[2], reach.fraction[2]))
          continue;
        owner_.push_back(static_cast<std::int32_t>(i));
        shift_.push_back(shift);
      }
    }
  }
  atoms.nghost = static_cast<std::int64_t>(owner_.size());
  atoms.position.resize(atoms.nall());
  atoms.type.resize(atoms.nall());
  atoms.id.resize(atoms.nall());
  for (std::int64_t g = 0; g < atoms.nghost; ++g) {
    atoms.type[atoms.nlocal + g] = atoms.type[owner_[g]];
    atoms.id[atoms.nlocal + g] = atoms.id[owner_[g]];
  }
  update(atoms);
}

void Halo::update(Atoms& atoms) const {
  Vec4* const ghost = atoms.position.data() + atoms.nlocal;
  for (std::size_t g = 0; g < owner_.size(); ++g) {
    const Vec4 x = atoms.position[owner_[g]];
    ghost[g] = {x.x + shift_[g].x, x.y + shift_[g].y, x.z + shift_[g].z, 0};
  }
}

namespace {

template <class T>
void send_home(Array<T>& rows, std::int64_t nlocal, const std::vector<std::int32_t>& owner, auto&& add) {
  for (std::size_t g = 0; g < owner.size(); ++g) {
    add(rows[owner[g]], rows[nlocal + g]);
    rows[nlocal + g] = T{};
  }
}

template <class T, std::size_t n>
void add_row(std::array<T, n>& home, const std::array<T, n>& share) {
  for (std::size_t k = 0; k < n; ++k) home[k] += share[k];
}

}  // namespace

void Halo::reverse(Forces& forces, std::int64_t nlocal) const {
  if (forces.fixed_point) {
    send_home(forces.fixed, nlocal, owner_, [](auto& home, const auto& share) { add_row(home, share); });
  } else {
    send_home(forces.force, nlocal, owner_, [](Vec4& home, const Vec4& share) {
      home = {home.x + share.x, home.y + share.y, home.z + share.z, 0};
    });
  }
  if (!forces.atom_virial.empty())
    send_home(forces.atom_virial, nlocal, owner_,
              [](auto& home, const auto& share) { add_row(home, share); });
}

}  // namespace nanoday
