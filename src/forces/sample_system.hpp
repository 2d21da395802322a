// A small displaced sample of the user's structure on which errors are measured.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"

namespace nanoday {

/// At most `k_sample_atoms` centres with everything they see. Row r belongs to input atom id[r].
struct SampleSystem {
  std::int64_t n_centres = 0;  ///< first rows; only these have neighbor lists
  std::int64_t n_ids = 0;      ///< atoms of the whole structure
  Array<Vec4> position;        ///< (rows) [Å]
  Array<std::int32_t> type;    ///< (rows)
  Array<std::int64_t> id;      ///< (rows)
  NeighborList list;
};

inline constexpr std::int64_t k_sample_atoms = 500;

/// The copy whose atoms stand where they are.
inline constexpr int k_undisplaced = -1;

/// Local atoms of copy number `copy` (0, 1, …; or k_undisplaced), wrapped, without velocities and masses:
/// every atom displaced by 0.1 Å in a random direction that depends on (copy, id) only; a perfect crystal has
/// no forces and would accept any table (low-rank.md). \param atoms local atoms
Atoms displaced_copy(const Box& box, const Atoms& atoms, int copy);

/// The middle of displaced_copy() with its neighbors.
SampleSystem make_sample(Backend& backend, const Model& model, const Box& box, const Atoms& atoms, int copy);

/// Results of a model on a sample: forces summed onto their owners (3·n_ids) [eV/Å] and the energy of the
/// centres [eV]. Dipole models: the vector-Jacobian product for random cotangents of unit variance.
struct SampleResult {
  std::vector<double> force;
  double energy = 0;
};
SampleResult evaluate_sample(Backend& backend, PreparedModel& prepared, const Model& model,
                             const SampleSystem& sample);

}  // namespace nanoday
