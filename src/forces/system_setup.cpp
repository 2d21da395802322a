// From a structure and a model to atoms ready for an Evaluator.
// SPDX-License-Identifier: Apache-2.0
#include "forces/system_setup.hpp"

#include "core/error.hpp"

namespace nanoday {

Atoms make_atoms(const Structure& structure, const std::vector<std::int32_t>& model_type,
                 std::int64_t first_id) {
  const std::size_t n = structure.natoms();
  require(model_type.size() == n, "{}: {} atoms but {} model types (every atom needs one); bind types again",
          structure.source, n, model_type.size());
  Atoms atoms;
  atoms.nlocal = static_cast<std::int64_t>(n);
  atoms.position.resize(n);
  atoms.velocity.resize(n);
  atoms.mass.resize(n);
  atoms.image.resize(n);
  atoms.type.assign(model_type.begin(), model_type.end());
  atoms.id.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    atoms.position[i] = padded(structure.position[i]);
    atoms.id[i] = first_id + static_cast<std::int64_t>(i);
    if (!structure.velocity.empty()) atoms.velocity[i] = padded(structure.velocity[i]);
    if (!structure.image.empty())
      atoms.image[i] = {structure.image[i][0], structure.image[i][1], structure.image[i][2]};
    const std::size_t species = static_cast<std::size_t>(structure.species[i]);
    if (species < structure.species_mass.size()) atoms.mass[i] = structure.species_mass[species];
  }
  return atoms;
}

}  // namespace nanoday
