// Watches for runs that went wrong: atoms that are lost, not a number, or moving absurdly fast.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.hpp"
#include "forces/evaluator.hpp"
#include "md/observables.hpp"

#include <cstdint>
#include <string>

namespace nanoday {

/// Farthest an atom may move in one step [Å]. Thermal motion at 2000 K and 0.5 fs moves hydrogen by
/// 0.04 Å; half an O-H bond in one step is no integration any more.
inline constexpr double k_max_move = 0.5;
/// Atoms farther than this from the origin of open space are lost [Å].
inline constexpr double k_lost_distance = 1e6;
/// No chemistry survives this temperature [K].
inline constexpr double k_absurd_temperature = 1e6;

/// A run that cannot go on because of one atom of this rank.
class AtomError : public RunError {
 public:
  AtomError(const std::string& text, std::int64_t atom) : RunError(text), atom_(atom) {}
  /// Index in memory of the atom.
  std::int64_t atom() const { return atom_; }

 private:
  std::int64_t atom_;
};

/// Throws AtomError when a velocity is not finite or would move an atom by more than k_max_move in dt, or
/// when an atom is lost.
void check_motion(const Evaluator& evaluator, double dt, std::int64_t step);

/// Throws AtomError when a compressed model met neighbors outside its table since `seen_before`.
void check_table_range(const Evaluator& evaluator, std::int64_t seen_before, std::int64_t step);

/// Throws AtomError when a Wannier centroid is farther from its atom than forces/long_range.hpp allows.
void check_centroids(const Evaluator& evaluator, std::int64_t step);

/// Throws on all ranks alike: RunError when an energy is not finite; when the temperature is beyond
/// k_absurd_temperature an error that names the hottest atom, an AtomError on its rank. Collective: what is
/// observed is of all ranks.
void check_sound(const Observables& observed, const Evaluator& evaluator);

/// Index in memory of the first local atom whose position or force is not finite, or −1.
std::int64_t first_unsound_atom(const Evaluator& evaluator);

}  // namespace nanoday
