// Periodic images of the box's own atoms, in as many layers as the cutoff needs.
// SPDX-License-Identifier: Apache-2.0
#include "periodic_images.hpp"

#include "core/image_reach.hpp"

#include <algorithm>
#include <array>

namespace nanoday {
namespace {

bool within(double fraction, double reach) { return fraction >= -reach && fraction <= 1 + reach; }

}  // namespace

// Shift by shift rather than atom by atom: each slab of ghosts then lies in memory in the spatial order
// of its owners.
void PeriodicImages::build(const Box& box, double cutoff, Atoms& atoms) {
  owner_.clear();
  shift_.clear();
  if (!box.is_open()) {
    const ImageReach reach = image_reach(box, cutoff, atoms.nlocal);
    std::vector<Vec3> fraction(atoms.nlocal);
    for (std::int64_t i = 0; i < atoms.nlocal; ++i) fraction[i] = box.fractional(xyz(atoms.position[i]));
    for (const auto& n : reach.shifts) {
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

void PeriodicImages::update(Atoms& atoms) const {
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

void PeriodicImages::reverse(Forces& forces, std::int64_t nlocal) const {
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
