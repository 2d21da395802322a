// The long-range part of a DPLR model beyond its file: another Wannier net, other charges, neutrality.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/model.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nanoday {

/// Bounds of what files and users may say; far beyond any trained model.
inline constexpr double k_max_charge = 1000;                        ///< [e], either sign
inline constexpr double k_min_beta = 1e-3, k_max_beta = 100;        ///< [1/Å]
inline constexpr double k_min_spacing = 1e-2, k_max_spacing = 100;  ///< [Å]

/// Cut of the direct sum where nobody states one [Å]; DeePMD-kit's default of ewald_h.
inline constexpr double k_default_spacing = 1;

/// Largest charge of a whole structure that counts as zero [e].
inline constexpr double k_neutral = 1e-6;

/// What a user says about the long-range part. Elements are those of the energy model.
struct DipoleChargeSettings {
  std::map<std::string, double> ion_charge;      ///< by element [e]
  std::map<std::string, double> wannier_charge;  ///< by element that carries a centroid [e]
  std::optional<double> beta;                    ///< Ewald parameter [1/Å]
  std::optional<double> spacing;                 ///< cut of the direct sum [Å]
};

/// The energy model with `wannier` as its Wannier net, in place of the one inside if there is one. Types are
/// matched by element name; the net comes out in the energy model's type order. Settings go before what the
/// energy model says; what neither says is an error, but for spacing (k_default_spacing).
/// Throws InputError when a model is of the wrong kind, their elements differ, or charges or beta are
/// missing, not finite, out of bounds, or of an element that cannot have them.
Model with_wannier(Model energy, const Model& wannier, const DipoleChargeSettings& settings = {});

/// Sum of the charges of ions and Wannier centroids [e]. \param types (natoms) model type of each atom
/// \pre model.dipole_charge
double net_charge(const Model& model, const std::vector<std::int32_t>& types);

/// Throws InputError naming `source` when the charges do not sum to zero within k_neutral, or when no atom
/// carries a Wannier centroid. Does nothing for a model without long-range part.
void check_neutral(const Model& model, const std::vector<std::int32_t>& types, const std::string& source);

}  // namespace nanoday
