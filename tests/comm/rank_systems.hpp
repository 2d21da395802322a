// Random systems in boxes of every kind, dealt to ranks, and brute-force answers about them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "core/box.hpp"
#include "domain_grid.hpp"
#include "migration.hpp"
#include "transport.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace nanoday::rank_systems {

inline constexpr std::int64_t k_first_id = 100;

struct Case {
  std::string name;
  Box box;
  double cutoff;
  int natoms = 40;
};

inline Box left_handed() {
  Box box = Box::triclinic({Vec3{0, 6.1, 0.4}, Vec3{5.3, 0.3, 0}, Vec3{-0.5, 0.2, 4.9}});
  box.origin = {-3, 2, 7};
  return box;
}

inline Box periodic_along(bool a, bool b, bool c) {
  Box box = Box::triclinic({Vec3{5, 0, 0}, Vec3{1.5, 6, 0}, Vec3{0.5, -1, 7}});
  box.periodic = {a, b, c};
  return box;
}

inline std::vector<Case> cases() {
  return {{"orthorhombic", Box::orthorhombic(9, 10, 11), 3.7},
          {"long", Box::orthorhombic(40, 6, 7), 3},
          {"triclinic", Box::triclinic({Vec3{8, 0, 0}, Vec3{3, 7, 0}, Vec3{-2, 2.5, 9}}), 4.5},
          {"left-handed", left_handed(), 4},
          {"much smaller than the cutoff",
           Box::triclinic({Vec3{1.9, 0, 0}, Vec3{0.6, 1.7, 0}, Vec3{0, 0.5, 2.1}}), 4, 6},
          {"cutoff equal to the height", Box::orthorhombic(4, 4, 4), 4, 20},
          {"slab", periodic_along(true, true, false), 6},
          {"wire", periodic_along(false, false, true), 6},
          {"open", Box::open(), 4},
          {"one atom", Box::orthorhombic(5, 6, 7), 4, 1},
          {"no atoms", Box::orthorhombic(5, 6, 7), 4, 0},
          {"no atoms in open space", Box::open(), 4, 0}};
}

/// All atoms of a case, wrapped; every array filled from the id so that a mix-up shows.
inline Atoms all_atoms(const Case& c, unsigned seed = 7) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-0.6, 1.7);
  Atoms atoms;
  atoms.nlocal = c.natoms;
  for (int i = 0; i < c.natoms; ++i) {
    const Vec3 f{uniform(random), uniform(random), uniform(random)};
    Vec3 x = c.box.volume() > 0 ? c.box.cartesian(f) : 9.0 * f;
    const auto image = wrap(c.box, x);
    atoms.position.push_back(padded(x));
    atoms.type.push_back(i % 3);
    atoms.id.push_back(k_first_id + i);
    atoms.velocity.push_back({0.5 * i, 1.0 * i, 2.0 * i, 0});
    atoms.mass.push_back(10.0 + i);
    atoms.image.push_back({image[0], image[1], image[2]});
  }
  return atoms;
}

/// The atoms that rank r holds when they are dealt out one by one, wherever they are.
inline Atoms dealt(const Atoms& all, const Transport& transport) {
  Atoms mine;
  for (std::int64_t i = transport.rank(); i < all.nlocal; i += transport.size()) {
    const auto k = static_cast<std::size_t>(i);
    mine.position.push_back(all.position[k]);
    mine.type.push_back(all.type[k]);
    mine.id.push_back(all.id[k]);
    mine.velocity.push_back(all.velocity[k]);
    mine.mass.push_back(all.mass[k]);
    mine.image.push_back(all.image[k]);
    ++mine.nlocal;
  }
  return mine;
}

inline View<const Vec4> local_positions(const Atoms& atoms) {
  return {atoms.position.data(), static_cast<std::size_t>(atoms.nlocal)};
}

/// Deals the atoms to their owners.
inline DomainGrid settle(const Box& box, Transport& transport, Atoms& atoms) {
  const DomainGrid grid(domain_frame(box, local_positions(atoms), transport), transport.node_of());
  migrate(grid, transport, atoms);
  return grid;
}

/// Lattice translations that bring anything in the box within the cutoff of it, the own place among them.
inline std::vector<Vec3> translations(const Box& box, double cutoff) {
  if (box.is_open()) return {Vec3{}};
  const Vec3 h = box.heights();
  const double height[3] = {h.x, h.y, h.z};
  std::vector<Vec3> found;
  const auto layers = [&](int d) {
    return box.periodic[static_cast<std::size_t>(d)] ? static_cast<int>(cutoff / height[d]) + 1 : 0;
  };
  for (int a = -layers(0); a <= layers(0); ++a)
    for (int b = -layers(1); b <= layers(1); ++b)
      for (int c = -layers(2); c <= layers(2); ++c) found.push_back(box.translation(a, b, c));
  return found;
}

/// Ids and displacements of everything within the cutoff of an atom, ordered.
using Surroundings = std::vector<std::pair<std::int64_t, std::array<double, 3>>>;

inline void note_if_near(Surroundings& found, std::int64_t id, Vec3 d, double cutoff) {
  if (norm(d) < cutoff) found.push_back({id, {d.x, d.y, d.z}});
}

/// By every image of every atom of the whole system. \param i index in `all`
inline Surroundings expected_around(const Case& c, const Atoms& all, std::size_t i) {
  Surroundings found;
  for (const Vec3& t : translations(c.box, c.cutoff))
    for (std::size_t j = 0; j < static_cast<std::size_t>(all.nlocal); ++j)
      if (j != i || norm(t) > 0)
        note_if_near(found, all.id[j], xyz(all.position[j]) + t - xyz(all.position[i]), c.cutoff);
  std::sort(found.begin(), found.end());
  return found;
}

/// By what a rank holds. \param i local index
inline Surroundings found_around(const Case& c, const Atoms& atoms, std::size_t i) {
  Surroundings found;
  for (std::size_t j = 0; j < static_cast<std::size_t>(atoms.nall()); ++j)
    if (j != i) note_if_near(found, atoms.id[j], xyz(atoms.position[j]) - xyz(atoms.position[i]), c.cutoff);
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace nanoday::rank_systems
