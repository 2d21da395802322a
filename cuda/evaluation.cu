// Around an evaluation: what is cleared before it and what its results become, one kernel each.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/evaluation.hpp"

#include "cuda/motion.hpp"

#include <algorithm>

namespace nanoday::NANODAY_GPU {
namespace {

struct BeginEvaluation {
  static constexpr const char* k_name = "begin_evaluation";
  Vec4* position;
  const Vec4* received;
  const std::int32_t* ghost_owner;
  const Vec4* ghost_shift;
  Results results;
  std::array<ExactRows, k_most_nets> rows;
  Signals* signals;
  std::int64_t nlocal, nghost, nforces, virials;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t first = block.global(), step = block.stride();
    for (std::int64_t g = first; g < nghost; g += step) {
      const std::int64_t owner = ghost_owner[g];
      const Vec4 x = owner < nlocal ? position[owner] : received[owner - nlocal], s = ghost_shift[g];
      position[nlocal + g] = {x.x + s.x, x.y + s.y, x.z + s.z, 0};
    }
    for (std::int64_t i = first; i < nforces; i += step) results.force[i] = {};
    for (std::int64_t i = first; results.atom_energy != nullptr && i < nlocal; i += step)
      results.atom_energy[i] = 0;
    for (std::int64_t i = first; i < virials; i += step) results.virial.sum[i] = {};
    for (const ExactRows& of_net : rows) of_net.clear(first, step);
    if (first == 0 && (signals->rebuild != 0 || signals->trouble != 0)) signals->halt = 1;
  }
};

struct FinishEvaluation {
  static constexpr const char* k_name = "finish_forces";
  const std::array<std::int64_t, 4>* fixed;
  Vec4 *force, *velocity;
  const double* mass;
  std::array<PassCounts*, k_most_nets> counts;
  EvaluationEnd end;
  Signals* signals;
  std::int64_t n;
  int n_replicas;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    const bool valid = signals->halt == 0;  // nobody changes it here
    bool absurd = false;
    if (i < n && valid) {
      const std::array<std::int64_t, 4> f = fixed[i];
      const Vec4 mine{static_cast<double>(f[0]) / k_fixed_point_scale,
                      static_cast<double>(f[1]) / k_fixed_point_scale,
                      static_cast<double>(f[2]) / k_fixed_point_scale, 0};
      force[i] = mine;
      if (end.kick > 0) velocity[i] = kicked(velocity[i], mine, mass[i], end.kick);
      absurd = large(f[0]) || large(f[1]) || large(f[2]);
    }
    if (block.ballot(absurd) != 0 && block.lane() == 0) signals->trouble = 1;
    if (i < n_replicas && valid && end.step != nullptr) ++end.step[i].step;
    if (i < k_most_nets && counts[i] != nullptr) settle(counts[i], valid);
  }
  static NANODAY_DEVICE bool large(std::int64_t f) {
    constexpr std::int64_t limit = std::int64_t{1} << 61;
    return f > limit || f < -limit;
  }
  /// From this evaluation's counts to the total. One that will be repeated leaves only what room it wanted.
  static NANODAY_DEVICE void settle(PassCounts* counts, bool valid) {
    PassCounts& total = counts[k_counts_total];
    PassCounts& now = counts[k_counts_now];
    if (valid)
      total.add(now);
    else
      total.ask_for(now.exact_rows);
    now = {};
  }
};

}  // namespace

// ------------------------------------------------------------------------------------------------------

void begin_evaluation(Stream& stream, const DeviceAtoms& atoms, const Results& results,
                      const std::array<ExactRows, k_most_nets>& rows, Signals* signals) {
  const std::int64_t slots = results.virial.sum == nullptr ? 0 : results.virial.slots;
  launch(stream,
         BeginEvaluation{atoms.position.data(), atoms.received.data(), atoms.ghost_owner.data(),
                         atoms.ghost_shift.data(), results, rows, signals, atoms.nlocal, atoms.nghost,
                         atoms.nforces(), 9 * slots * atoms.n_replicas},
         grid_for(std::max<std::int64_t>({atoms.nforces(), atoms.nghost, 1})));
}

void finish_evaluation(Stream& stream, const DeviceAtoms& atoms, const Results& results,
                       const std::array<PassCounts*, k_most_nets>& counts, const EvaluationEnd& end,
                       Signals* signals) {
  launch(stream,
         FinishEvaluation{results.force, atoms.force.data(), atoms.velocity.data(), atoms.mass.data(), counts,
                          end, signals, atoms.nlocal, atoms.n_replicas},
         grid_for(std::max<std::int64_t>({atoms.nlocal, atoms.n_replicas, k_most_nets})));
}

}  // namespace nanoday::NANODAY_GPU
