// Runs the batch kernels over all atoms.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/model_engine.hpp"

#include "atoms/exact_sum.hpp"
#include "backend/atom_work.hpp"
#include "core/error.hpp"
#include "cpu/first_touch.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <exception>

namespace nanoday::cpu {
namespace {

/// Atoms of a range for which `wanted`, grouped by centre type in ascending order of index.
template <class Wanted>
void group_by_type(View<const std::int32_t> type, std::int64_t begin, std::int64_t end, int n_types,
                   Wanted wanted, std::vector<std::int32_t>& out) {
  out.clear();
  for (int t = 0; t < n_types; ++t)
    for (std::int64_t i = begin; i < end; ++i)
      if (type[i] == t && wanted(i)) out.push_back(static_cast<std::int32_t>(i));
}

/// What went wrong, or null: exceptions cannot leave a parallel region.
std::exception_ptr wait_for(GhostArrival& ghosts) {
  try {
    ghosts.wait();
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

template <class Row>
void add_row(Row& to, const Row& from) {
  if constexpr (requires { to.x; }) {
    to.x += from.x;
    to.y += from.y;
    to.z += from.z;
  } else {
    for (int c = 0; c < 3; ++c) to[c] += from[c];
  }
}

/// First of the blocks of `nall` rows that a thread sums.
std::int64_t first_block(std::int64_t nall, int thread, int threads) {
  return (nall + k_force_block - 1) / k_force_block * thread / threads;
}

/// Sums the threads' rows of some blocks in thread order.
template <class Row>
void sum_blocks(ForceBuffers& buffers, int threads, std::int64_t first_block, std::int64_t last_block,
                std::int64_t nall, Row* out) {
  for (std::int64_t b = first_block; b < last_block; ++b) {
    const std::int64_t begin = b * k_force_block, end = std::min(nall, begin + k_force_block);
    std::fill(out + begin, out + end, Row{});
    for (int t = 0; t < threads; ++t) {
      if (!buffers.touched(t, b)) continue;
      const Row* from = buffers.rows<Row>(t);
      for (std::int64_t i = begin; i < end; ++i) add_row(out[i], from[i]);
    }
  }
}

}  // namespace

EvaluationCounts ModelEngine::evaluate(CpuModel& model, const EvaluationArgs& args, const EngineTask& task,
                                       Forces& forces, StageTimes& times) {
  if (model.fp64)
    return run(*model.fp64, model.fp64_exact.get(), kernels_.batch_fp64, fp64_, args, task, forces, times);
  return run(*model.mixed, model.mixed_exact.get(), kernels_.batch_mixed, mixed_, args, task, forces, times);
}

/// Contiguous ranges of about equal work, or less for those threads that run a solver first.
void ModelEngine::split(const EvaluationArgs& args, int threads, const Companion* companion) {
  const NeighborList& list = *args.neighbors;
  const std::int64_t n = args.nlocal;
  const auto total = static_cast<double>(work_before(list, n));
  const auto shares =
      companion != nullptr ? companion->net_shares(threads) : std::array<double, 2>{0.0, 1.0 / threads};
  const int slower = companion != nullptr ? companion->threads() : 0;
  const auto until = [&](int t) {  // work of the threads before t
    return total * (std::min(t, slower) * shares[0] + std::max(0, t - slower) * shares[1]);
  };
  range_.assign(threads + 1, n);
  range_[0] = 0;
  int next = 1;
  for (std::int64_t i = 0; i < n && next < threads; ++i) {
    const auto done = static_cast<double>(work_before(list, i));
    while (next < threads && done >= until(next)) range_[next++] = i;
  }
}

template <class Real>
void ModelEngine::run_range(const PackedModel<Real>& model, BatchKernel<Real> kernel,
                            const std::vector<std::int32_t>& atoms, View<const std::int32_t> type,
                            BatchArgs args, Workspace<Real>& work, BatchCounts& counts) {
  const std::size_t n = atoms.size();
  for (std::size_t first = 0; first < n;) {
    const std::int32_t t = type[atoms[first]];
    std::size_t last = first;
    while (last < n && last - first < static_cast<std::size_t>(k_batch<Real>) && type[atoms[last]] == t)
      ++last;
    if (model.centres[t].active) {
      work.atoms.assign(atoms.begin() + static_cast<std::ptrdiff_t>(first),
                        atoms.begin() + static_cast<std::ptrdiff_t>(last));
      args.centre_type = t;
      kernel(model, args, work, counts);
    }
    first = last;
  }
}

void ModelEngine::sum_forces(std::int64_t nall, int me, int threads, Forces& forces) {
  const std::int64_t first = first_block(nall, me, threads), last = first_block(nall, me + 1, threads);
  if (forces.fixed_point)
    sum_blocks(buffers_, threads, first, last, nall, forces.fixed.data());
  else
    sum_blocks(buffers_, threads, first, last, nall, forces.force.data());
}

void ModelEngine::sum_atoms(const Needs& needs, std::int64_t nlocal, Forces& forces) {
  const auto sum = [&](double& total, ExactSum& exact, auto&& value) {
    AtomSum all{reproducible_, 0, {}};
    for (std::int64_t i = 0; i < nlocal; ++i) all.add(value(i));
    exact = all.fixed;
    total = all.value();
  };
  if (needs.energy) sum(forces.energy, forces.exact_energy, [&](std::int64_t i) { return energy_[i]; });
  if (needs.atom_energy) forces.atom_energy.assign(energy_.begin(), energy_.begin() + nlocal);
  if (needs.virial)
    for (int c = 0; c < 9; ++c)
      sum(forces.virial[c], forces.exact_virial[c], [&](std::int64_t i) { return centre_virial_[i][c]; });
}

/// Books the solver's time and how much of it the other threads covered; returns the mean over all threads.
template <class Real>
double ModelEngine::book_companion(Companion& companion, const std::vector<Thread<Real>>& team,
                                   double start) {
  const int n = companion.threads();
  double end = start, covered = start;
  for (int t = 0; t < static_cast<int>(team.size()); ++t)
    (t < n ? end : covered) = std::max(t < n ? end : covered, t < n ? team[t].solver_end : team[t].end);
  companion.book(end - start, std::max(0.0, std::min(end, covered) - start));
  return n * (end - start) / static_cast<double>(team.size());
}

template <class Real>
EvaluationCounts ModelEngine::run(const PackedModel<Real>& model, const PackedModel<Real>* exact,
                                  BatchKernel<Real> kernel, std::vector<Thread<Real>>& team,
                                  const EvaluationArgs& args, const EngineTask& task, Forces& forces,
                                  StageTimes& times) {
  const double start = seconds_now();
  const std::int64_t nall = static_cast<std::int64_t>(args.position.size()), nlocal = args.nlocal;
  const bool want_energy = args.needs.energy || args.needs.atom_energy;
  const bool want_virial = args.needs.virial || args.needs.atom_virial;
  // Per-atom virials are booked on neighbors of other ranges: one thread, since only analyses ask for them.
  const int threads = args.needs.atom_virial ? 1 : threads_;
  forces.fixed_point = reproducible_;
  const auto summed_by = [&](int t) { return std::min(nall, first_block(nall, t, threads) * k_force_block); };
  resize_shared(forces.force, nall, threads, summed_by);
  if (reproducible_) resize_shared(forces.fixed, nall, threads, summed_by);
  if (args.needs.atom_virial) forces.atom_virial.assign(nall, {});
  team.resize(threads_);
  buffers_.resize(threads_);
  Companion* const companion = threads > 1 ? task.companion : nullptr;
  split(args, threads, companion);
  const auto owned_by = [&](int t) { return range_[t]; };
  if (want_energy) resize_shared(energy_, nlocal, threads, owned_by);
  if (want_virial) resize_shared(centre_virial_, nlocal, threads, owned_by);
  BatchArgs batch;
  batch.position = args.position.data();
  batch.offset = args.neighbors->offset.data();
  batch.index = args.neighbors->index.data();
  batch.needs = args.needs;
  batch.atom_energy = want_energy ? energy_.data() : nullptr;
  batch.centre_virial = want_virial ? centre_virial_.data() : nullptr;
  batch.atom_virial = args.needs.atom_virial ? forces.atom_virial.data() : nullptr;
  batch.dipole = task.dipole.empty() ? nullptr : task.dipole.data();
  batch.cotangent = task.cotangent.empty() ? nullptr : task.cotangent.data();
  batch.want_forces = task.want_forces;
  std::exception_ptr arrival;  // why ghosts did not come
#pragma omp parallel num_threads(threads)
  {
    const int me = omp_get_thread_num();
    Thread<Real>& thread = team[me];
    if (companion != nullptr && me < companion->threads()) companion->run_member(me);
    thread.solver_end = seconds_now();
    thread.work.resize(model);
    thread.counts = {};
    thread.work.times = {};
    const std::int64_t mine_first = range_[me], mine_last = range_[me + 1];
    if (want_energy) std::fill(energy_.data() + mine_first, energy_.data() + mine_last, 0.0);
    if (want_virial)
      std::fill(centre_virial_.data() + mine_first, centre_virial_.data() + mine_last,
                std::array<double, 9>{});
    buffers_.prepare(me, range_[me], range_[me + 1], *args.neighbors, nall);
    if (task.want_forces) buffers_.clear(me);
    BatchArgs mine = batch;
    if (reproducible_)
      mine.fixed = buffers_.rows<std::array<std::int64_t, 4>>(me);
    else
      mine.force = buffers_.rows<Vec4>(me);
    thread.work.outside.clear();
    const auto evaluate = [&](auto wanted) {
      group_by_type(args.type, range_[me], range_[me + 1], model.n_types, wanted, thread.by_type);
      run_range(model, kernel, thread.by_type, args.type, mine, thread.work, thread.counts);
    };
    if (args.ghosts == nullptr) {
      evaluate([](std::int64_t) { return true; });
    } else {
      evaluate([&](std::int64_t i) { return args.interior[i] != 0; });
#pragma omp single
      arrival = wait_for(*args.ghosts);
      if (!arrival) evaluate([&](std::int64_t i) { return args.interior[i] == 0; });
    }
    if (!thread.work.outside.empty() && exact != nullptr) {
      thread.exact.resize(*exact);
      BatchCounts ignored;  // the exact plan counts nothing new
      run_range(*exact, kernel, thread.work.outside, args.type, mine, thread.exact, ignored);
      thread.counts.fixed_overflow |= ignored.fixed_overflow;
    }
    thread.end = seconds_now();
#pragma omp barrier
    if (task.want_forces) sum_forces(nall, me, threads, forces);
  }
  if (arrival) std::rethrow_exception(arrival);
  sum_atoms(args.needs, nlocal, forces);
  EvaluationCounts counts;
  double charged = companion != nullptr ? book_companion(*companion, team, start) : 0;
  for (int t = 0; t < threads; ++t) {
    const BatchCounts& c = team[t].counts;
    require_run(
        !c.fixed_overflow,
        "a pair force exceeds 4096 eV/Å or is not a number (fixed-point sums of "
        "--reproducible cannot hold it); the structure has overlapping atoms or the run has exploded");
    counts.outside_table += c.outside_table;
    counts.sel_overflow += c.sel_overflow;
    if (c.first_outside_atom >= 0 && counts.first_outside_atom < 0)
      counts.first_outside_atom = c.first_outside_atom;
    if (c.smallest_distance > 0 &&
        (counts.smallest_distance == 0 || c.smallest_distance < counts.smallest_distance))
      counts.smallest_distance = c.smallest_distance;
    const BatchTimes& b = team[t].work.times;
    times.add(Stage::environment, b.environment / threads);
    times.add(Stage::descriptor, b.descriptor / threads);
    times.add(Stage::fitting, b.fitting / threads);
    times.add(Stage::gradient, b.gradient / threads);
    charged += (b.environment + b.descriptor + b.fitting + b.gradient) / threads;
  }
  times.add(Stage::force_sum, seconds_now() - start - charged);
  return counts;
}

}  // namespace nanoday::cpu
