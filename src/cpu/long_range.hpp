// Runs a long-range solver on some threads of the machine while the others evaluate nets.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/timer.hpp"
#include "cpu/long_range_team.hpp"

#include <exception>
#include <memory>
#include <mutex>
#include <optional>

namespace nanoday::cpu {

class Companion;

/// What the machine and its solvers share: the job handed over by start() and not yet taken.
struct CompanionSlot {
  Companion* waiting = nullptr;
};

/// One solver of a CPU machine. start() leaves it in the machine's slot, where the next evaluation of the
/// energy net takes it: some threads of the team run it before their own, smaller share of atoms. finish()
/// runs it with all threads when nobody did. Where ranks of a node share a mesh, all threads put charges on
/// it in start() and gather from it in finish(); what lies between is the job, on the leader, and no other
/// rank has one.
class Companion final : public LongRangeSolver {
 public:
  /// \param plan threads: how many run it beside nets, 0: none beside; relative_cost: how work is divided
  /// \param all_threads threads of the machine
  Companion(std::unique_ptr<LongRangeTeam> solver, const LongRangePlan& plan, int all_threads,
            CompanionSlot& slot, StageTimes& times);
  ~Companion() override;
  void start(const LongRangeArgs& args) override;
  const LongRangeResult& finish() override;

  int threads() const { return threads_; }
  /// Share of the nets' work that each of `team` threads gets: [0] those of the solver, [1] the others.
  std::array<double, 2> net_shares(int team) const;
  /// This thread's part; each of threads() threads calls it once. Errors are kept for finish().
  void run_member(int me);
  /// After the job: the seconds it took and how many of them other threads spent on nets.
  void book(double seconds, double hidden);

 private:
  std::unique_ptr<LongRangeTeam> solver_;
  int threads_, all_threads_;
  double relative_cost_;
  CompanionSlot& slot_;
  StageTimes& times_;
  template <class Part>
  void run_part(Part part);
  template <class Work>
  void guarded(Work work);
  bool has_job() const { return solver_->staged() == nullptr || solver_->staged()->leads(); }

  std::optional<std::barrier<>> meeting_, all_meeting_;  ///< of the job's threads; of all
  LongRangeArgs args_;
  LongRangeResult result_;
  bool done_ = false;
  std::mutex error_lock_;
  std::exception_ptr error_;
};

}  // namespace nanoday::cpu
