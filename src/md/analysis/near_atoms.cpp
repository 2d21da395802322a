// Atoms near a rank's domain, by the same halo that evaluations use.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/near_atoms.hpp"

#include "halo.hpp"
#include "migration.hpp"

#include <algorithm>
#include <numeric>

namespace nanoday {
namespace {

/// Local atoms as ghosts are made from: inside the box.
Atoms wrapped_copy(const Box& box, const Atoms& atoms) {
  const std::ptrdiff_t n = atoms.nlocal;
  Atoms copy;
  copy.nlocal = n;
  copy.type.assign(atoms.type.begin(), atoms.type.begin() + n);
  copy.id.assign(atoms.id.begin(), atoms.id.begin() + n);
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    Vec3 x = xyz(atoms.position[i]);
    wrap(box, x);
    copy.position.push_back(padded(x));
  }
  return copy;
}

void append(NearAtoms& near, const Atoms& atoms, std::size_t atom, const Vec4& position) {
  near.position.push_back(xyz(position));
  near.type.push_back(atoms.type[atom]);
  near.id.push_back(atoms.id[atom]);
}

/// One ghost of every atom that is not this rank's, as indices (0 … nghost − 1).
std::vector<std::size_t> one_of_each(const Atoms& atoms) {
  const auto own_end = atoms.id.begin() + atoms.nlocal;  // sorted: migrate() orders by id
  const std::int64_t* const id = atoms.id.data() + atoms.nlocal;
  std::vector<std::size_t> ghost(static_cast<std::size_t>(atoms.nghost));
  std::iota(ghost.begin(), ghost.end(), std::size_t{0});
  std::erase_if(ghost, [&](std::size_t g) { return std::binary_search(atoms.id.begin(), own_end, id[g]); });
  std::sort(ghost.begin(), ghost.end(), [&](std::size_t g, std::size_t h) { return id[g] < id[h]; });
  const auto same = [&](std::size_t g, std::size_t h) { return id[g] == id[h]; };
  ghost.erase(std::unique(ghost.begin(), ghost.end(), same), ghost.end());
  return ghost;
}

}  // namespace

NearAtoms near_atoms(Transport& ranks, const Box& box, const Atoms& atoms, double reach, Array<Vec4>* rows) {
  NearAtoms near;
  near.n_own = static_cast<std::size_t>(atoms.nlocal);
  if (ranks.size() == 1) {
    for (std::size_t i = 0; i < near.n_own; ++i) append(near, atoms, i, atoms.position[i]);
    return near;
  }
  Atoms copy = wrapped_copy(box, atoms);
  Array<Vec4> original(atoms.position.begin(), atoms.position.begin() + atoms.nlocal);
  const DomainGrid grid(domain_frame(box, copy.position, ranks), ranks.node_of());
  std::vector<Array<Vec4>*> columns{&original};
  if (rows != nullptr) columns.push_back(rows);
  migrate(grid, ranks, copy, columns);
  Halo halo(ranks, Halo::Route::direct);
  halo.build(grid, box, reach * (1 + 1e-9), copy);  // whatever rounding makes of an atom just within reach
  Array<Vec4> of_ghost(static_cast<std::size_t>(copy.nghost));
  halo.forward_rows(original, of_ghost);

  near.n_own = static_cast<std::size_t>(copy.nlocal);
  for (std::size_t i = 0; i < near.n_own; ++i) append(near, copy, i, original[i]);
  for (const std::size_t g : one_of_each(copy)) append(near, copy, near.n_own + g, of_ghost[g]);
  return near;
}

}  // namespace nanoday
