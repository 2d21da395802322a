// Runs a long-range solver on some threads of the machine while the others evaluate nets.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/long_range.hpp"

#include <omp.h>

#include <algorithm>

namespace nanoday::cpu {

Companion::Companion(std::unique_ptr<LongRangeTeam> solver, const LongRangePlan& plan, int all_threads,
                     CompanionSlot& slot, StageTimes& times)
    : solver_(std::move(solver)),
      threads_(all_threads > 1 ? plan.threads : 0),
      all_threads_(all_threads),
      relative_cost_(plan.relative_cost),
      slot_(slot),
      times_(times) {
  meeting_.emplace(threads_ > 0 ? threads_ : all_threads_);
  all_meeting_.emplace(all_threads_);
}

Companion::~Companion() {
  if (slot_.waiting == this) slot_.waiting = nullptr;
}

void Companion::start(const LongRangeArgs& args) {
  args_ = args;
  done_ = !has_job();
  if (StagedSolve* const staged = solver_->staged())
    run_part([&](const Team& team) { staged->begin(args_, result_, team); });
  if (threads_ > 0 && !done_) slot_.waiting = this;
}

const LongRangeResult& Companion::finish() {
  if (slot_.waiting == this) slot_.waiting = nullptr;
  if (!done_) {
    const double begin = seconds_now();
    const int team = threads_ > 0 ? threads_ : all_threads_;
#pragma omp parallel num_threads(team)
    run_member(omp_get_thread_num());
    book(seconds_now() - begin, 0);
  }
  if (StagedSolve* const staged = solver_->staged())
    run_part([&](const Team& team) { staged->end(args_, result_, team); });
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return result_;
}

// All threads end together when each of T takes time (1 + N·c)/T, of which N spend c on the solver; the unit
// is the time one thread needs for all nets.
std::array<double, 2> Companion::net_shares(int team) const {
  const double n = threads_, t = team;
  const double own = std::max(0.0, (1 + n * relative_cost_) / t - relative_cost_);
  return {own, (1 - n * own) / (t - n)};
}

void Companion::run_member(int me) {
  const Team team{me, threads_ > 0 ? threads_ : all_threads_, &*meeting_};
  StagedSolve* const staged = solver_->staged();
  guarded([&] { staged ? staged->transform(args_.needs, team) : solver_->solve(args_, result_, team); });
}

/// A part of a staged solve, by all threads.
template <class Part>
void Companion::run_part(Part part) {
  const double begin = seconds_now();
#pragma omp parallel num_threads(all_threads_)
  guarded([&] { part(Team{omp_get_thread_num(), all_threads_, &*all_meeting_}); });
  times_.add(Stage::pppm, seconds_now() - begin);
}

/// Every member of a team throws at the same place; one of the errors is kept for finish().
template <class Work>
void Companion::guarded(Work work) {
  try {
    work();
  } catch (...) {
    const std::lock_guard lock(error_lock_);
    error_ = std::current_exception();
  }
}

void Companion::book(double seconds, double hidden) {
  times_.add(Stage::pppm, seconds);
  times_.add(Stage::pppm_hidden, std::min(hidden, seconds));
  done_ = true;
}

}  // namespace nanoday::cpu
