// Chooses the mesh of the long-range solver for a wanted force error, as LAMMPS does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/long_range.hpp"

#include <cstdint>

namespace nanoday {

/// What the estimates of the mesh error depend on, besides the mesh.
struct MeshProblem {
  Box box;                     ///< periodic along a, b, c
  double beta = 0;             ///< [1/Å]
  double coulomb = 0;          ///< C [eV·Å]
  double sum_q2 = 0;           ///< Σ q² over ions and Wannier centroids [e²]
  std::int64_t n_charges = 0;  ///< ions and Wannier centroids
  int order = 5;               ///< assignment order, 3 … 7
  Differentiation differentiation = Differentiation::ik;
};

struct MeshChoice {
  std::array<int, 3> mesh{};  ///< points along a, b, c; prime factors 2, 3, 5 only
  double target = 0;          ///< wanted rms force error [eV/Å]
  double estimate = 0;        ///< estimate_mesh_error() of `mesh` [eV/Å]
};

/// The mesh LAMMPS takes when it is given gewald and an accuracy (spec dplr.md 3.4).
/// \param mesh_error  force error as a fraction of the force C/Å² = 14.4 eV/Å between two unit charges 1 Å
///   apart: the mesh is refined until the estimated rms error of a force component is below
///   mesh_error · C/Å². 1e-5 means 1.44e-4 eV/Å. Not relative to the forces of the system at hand.
/// Throws InputError for a problem without volume, charges or beta, an order outside 3 … 7, "ad" in a
/// triclinic box, mesh_error ≤ 0, or an error that no mesh that fits into memory reaches.
MeshChoice choose_mesh(const MeshProblem& problem, double mesh_error);

/// Expected rms error of a force component for a given mesh [eV/Å]: the root mean square of the three axes'
/// estimates for "ik", the optimum q_opt for "ad". In a triclinic box an axis counts with the distance
/// between its lattice planes. Charges count as uncorrelated, which those of a molecule are not: what
/// measure_mesh_error() finds is usually a few times smaller. Throws InputError as choose_mesh().
double estimate_mesh_error(const MeshProblem& problem, const std::array<int, 3>& mesh);

}  // namespace nanoday
