// Guards: cheap passes over the atoms, and what is said about the one that failed.
// SPDX-License-Identifier: Apache-2.0
#include "md/guards.hpp"

#include "agreement.hpp"
#include "md/neighborhood.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

std::string failure_text(const Evaluator& evaluator, std::int64_t atom, std::int64_t step,
                         const std::string& problem, const char* advice) {
  return fmt::format("step {}: {} {}; {}", step, atom_label(evaluator, atom), problem, advice);
}

[[noreturn]] void fail(const Evaluator& evaluator, std::int64_t atom, std::int64_t step,
                       const std::string& problem, const char* advice) {
  throw AtomError(failure_text(evaluator, atom, step, problem, advice), atom);
}

constexpr const char* k_advice =
    "shorten --dt, start from a relaxed structure, or use a model trained for such configurations";

bool lost(const Evaluator& evaluator, const Vec4& x) {
  const auto& periodic = evaluator.box().periodic;
  return (!periodic[0] || !periodic[1] || !periodic[2]) &&
         !(std::abs(x.x) < k_lost_distance && std::abs(x.y) < k_lost_distance &&
           std::abs(x.z) < k_lost_distance);
}

}  // namespace

void check_motion(const Evaluator& evaluator, double dt, std::int64_t step) {
  const Atoms& atoms = evaluator.atoms();
  const double limit = k_max_move / dt;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    const double speed2 = dot(xyz(atoms.velocity[i]), xyz(atoms.velocity[i]));
    if (!(speed2 <= limit * limit))  // a NaN fails too
      fail(evaluator, i, step,
           std::isfinite(speed2)
               ? fmt::format("moves {:.3g} Å in one step of {:g} ps (more than {} Å: the step has exploded)",
                             std::sqrt(speed2) * dt, dt, k_max_move)
               : "has a velocity that is not a finite number (the run has exploded)",
           k_advice);
    if (lost(evaluator, atoms.position[i]))
      fail(evaluator, i, step,
           fmt::format("is more than {:g} Å from the origin (it is lost in open space)", k_lost_distance),
           "use a periodic box or a shorter run");
  }
}

void check_table_range(const Evaluator& evaluator, std::int64_t seen_before, std::int64_t step) {
  const EvaluationCounts& counts = evaluator.counts();
  if (!evaluator.model().compressed || counts.outside_table == seen_before) return;
  const Atoms& atoms = evaluator.atoms();
  const auto end = atoms.id.begin() + atoms.nlocal;
  const auto found = std::find(atoms.id.begin(), end, counts.first_outside_atom);
  fail(evaluator, found == end ? 0 : found - atoms.id.begin(), step,
       fmt::format(
           "has a neighbor at {:.4f} Å, outside the range of the compressed model's table (there is no "
           "net to ask there)",
           counts.smallest_distance),
       "use the uncompressed model, or one compressed with a smaller minimal distance");
}

void check_centroids(const Evaluator& evaluator, std::int64_t step) {
  const auto& dipoles = evaluator.dipoles();
  for (std::size_t i = 0; i < dipoles.size(); ++i) {
    const double distance = norm(xyz(dipoles[i]));
    if (distance <= k_farthest_centroid) continue;
    fail(evaluator, static_cast<std::int64_t>(i), step,
         fmt::format("has its Wannier centroid {:.3f} Å away (more than {:g} Å: the atoms around it are far "
                     "from what the model knows)",
                     distance, k_farthest_centroid),
         k_advice);
  }
}

void check_sound(const Observables& observed, const Evaluator& evaluator) {
  require_run(std::isfinite(observed.potential) && std::isfinite(observed.kinetic),
              "step {}: the energy is not a finite number (the run has exploded); {}", observed.step,
              k_advice);
  if (observed.temperature <= k_absurd_temperature) return;
  const Atoms& atoms = evaluator.atoms();
  std::int64_t fastest = -1;
  double own = -1;  // twice the energy of this rank's hottest atom
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    const double energy = atoms.mass[i] * dot(xyz(atoms.velocity[i]), xyz(atoms.velocity[i]));
    if (energy <= own) continue;
    own = energy;
    fastest = i;
  }
  double most = own;
  evaluator.ranks().all_reduce_max(View<double>(&most, 1));
  const bool here = fastest >= 0 && own == most;
  const std::string problem =
      fmt::format("is the hottest at a temperature of {:.3g} K (beyond {:g} K nothing is matter any more)",
                  observed.temperature, k_absurd_temperature);
  const std::string text = here ? failure_text(evaluator, fastest, observed.step, problem, k_advice) : "";
  const std::string first = first_text(evaluator.ranks(), text);
  if (here) throw AtomError(text, fastest);
  throw RunError(first);
}

std::int64_t first_unsound_atom(const Evaluator& evaluator) {
  const auto sound = [](const Vec4& a) {
    return std::isfinite(a.x) && std::isfinite(a.y) && std::isfinite(a.z);
  };
  const Atoms& atoms = evaluator.atoms();
  const auto& force = evaluator.forces().force;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    if (!sound(atoms.position[i]) || (i < static_cast<std::int64_t>(force.size()) && !sound(force[i])))
      return i;
  return -1;
}

}  // namespace nanoday
