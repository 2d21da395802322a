// One plan for all ranks: chosen by the first, told to the others.
// SPDX-License-Identifier: Apache-2.0
#include "md/shared_plan.hpp"

#include "agreement.hpp"
#include "forces/fft_choice.hpp"
#include "forces/mesh_sharing.hpp"
#include "md/dplr_bytes.hpp"

#include <algorithm>
#include <map>

namespace nanoday {
namespace {

/// The same work by `most` threads at most.
void limit_threads(LongRangePlan& solver, int most) {
  if (solver.threads <= most) return;
  solver.relative_cost *= solver.threads / std::max(1.0, static_cast<double>(most));
  solver.threads = most;
}

}  // namespace

std::shared_ptr<const InferencePlan> same_plan(std::shared_ptr<const Model> model, const RunConfig& config,
                                               const Checkpoint& checkpoint, int threads) {
  PlanOptions options;
  options.table = checkpoint.table;
  options.precision = checkpoint.precision;
  options.force_error = config.force_error;
  const auto plan_of = [&](std::shared_ptr<const Model> of, const LowRankChoice& choice) {
    return checkpoint.table == TableKind::lowrank ? make_lowrank_plan(std::move(of), options, choice)
                                                  : make_direct_plan(std::move(of), options);
  };
  auto plan = plan_of(model, checkpoint.choice);
  if (!model->dipole_charge) return plan;
  DplrState dplr = checkpoint.dplr;
  limit_threads(dplr.solver, std::max(threads - 1, 0));  // there may be fewer than when it began
  return with_dplr(*plan, same_dplr(dplr, plan_of(model->dipole_charge->wannier, dplr.choice)));
}

void describe_plan(const InferencePlan& plan, const MeasuredError& error, const MeshReport& mesh,
                   Checkpoint& checkpoint) {
  checkpoint.model_hash = plan.model->hash;
  checkpoint.table = plan.table;
  checkpoint.precision = plan.precision;
  checkpoint.choice = plan.choice;
  checkpoint.error = error;
  if (plan.dplr) checkpoint.dplr = dplr_state(*plan.dplr, mesh);
}

ChosenPlan share_plan(Transport& ranks, std::shared_ptr<const Model> model, const RunConfig& config,
                      int threads, const std::function<ChosenPlan()>& choose) {
  ChosenPlan chosen;
  together(ranks, [&] {
    if (ranks.rank() == 0) chosen = choose();
  });
  if (ranks.size() == 1) return chosen;
  std::string bytes;
  Checkpoint description;
  if (ranks.rank() == 0) {
    describe_plan(*chosen.plan, chosen.error, chosen.mesh, description);
    bytes = encode_plan(description);
  }
  std::int64_t length = static_cast<std::int64_t>(bytes.size());
  ranks.broadcast(0, writable_bytes_of(View<std::int64_t>(&length, 1)));
  bytes.resize(static_cast<std::size_t>(length));
  ranks.broadcast(0, writable_bytes_of(View<char>(bytes.data(), bytes.size())));
  if (ranks.rank() == 0) return chosen;
  decode_plan(bytes, description);
  return {same_plan(std::move(model), config, description, threads), description.error,
          description.dplr.mesh};
}

std::shared_ptr<const InferencePlan> enlarged(std::shared_ptr<const InferencePlan> plan,
                                              const std::array<int, 3>& times, const Box& box) {
  if (!plan->dplr) return plan;
  auto dplr = std::make_shared<DplrPlan>(*plan->dplr);
  dplr->solver.box = box;
  for (std::size_t d = 0; d < 3; ++d) dplr->solver.mesh[d] *= times[d];
  return with_dplr(*plan, dplr);
}

namespace {

int most_ranks_on_a_node(const Transport& ranks) {
  std::map<int, int> count;
  int most = 0;
  for (const int node : ranks.node_of()) most = std::max(most, ++count[node]);
  return most;
}

}  // namespace

std::shared_ptr<const InferencePlan> with_shared_mesh(std::shared_ptr<const InferencePlan> plan,
                                                      Backend& backend, const Box& box,
                                                      const RunConfig& config, Transport& ranks,
                                                      std::string* note) {
  if (!plan->dplr || plan->dplr->solver.method != LongRangeMethod::pppm) return plan;
  auto dplr = std::make_shared<DplrPlan>(*plan->dplr);
  LongRangePlan& solver = dplr->solver;
  solver.box = box;
  solver.fft = FftMethod::local;  // a checkpoint's is that of its ranks
  const DomainGrid domains(domain_frame(box, {}, ranks), ranks.node_of());
  FftProblem problem;
  if (ranks.size() > 1) problem = measure_fft(backend, ranks, solver, domains.shape());
  const FftChoice choice = choose_fft(problem, config.long_range.fft);
  solver.fft = choice.method;
  std::string cores;
  // Machines that solve bricks share a mesh between the ranks of a node, too; GPUs have one each.
  if (choice.method == FftMethod::replicated && backend.solves_bricks() && most_ranks_on_a_node(ranks) > 1) {
    auto asked = config.long_range.cores ? config.long_range.cores : config.long_range.threads;
    const int nodes = *std::max_element(ranks.node_of().begin(), ranks.node_of().end()) + 1;
    const int most = std::max(backend.threads() - 1, 1);
    // Who asked for another way of sharing, or began with more threads, cannot have meant so many of one
    // rank.
    const bool meant = note != nullptr && config.long_range.fft == FftMethod::replicated;
    if (asked && *asked > most && !meant) {
      cores = fmt::format("; {} core(s) of a node instead of {}: one rank transforms, and has no more", most,
                          *asked);
      asked = most;
    }
    solver = led_by_one(solver, asked, {nodes, most_ranks_on_a_node(ranks), backend.threads()});
  }
  if (ranks.size() > 1 && note != nullptr) *note = "mesh over ranks: " + fft_text(choice) + cores;
  return with_dplr(*plan, dplr);
}

ChosenPlan plan_for(Backend& backend, const std::shared_ptr<const Model>& model, const RunConfig& config,
                    const PlanOptions& options, const RunStructure& structure, Transport& ranks,
                    std::string* note) {
  const auto choose = [&] {
    const RunStructure::Sample sample = structure.sample();
    PlanOptions here = options;
    here.long_range.node_ranks = most_ranks_on_a_node(ranks);
    here.long_range.ranks = ranks.size();
    ChosenPlan chosen = choose_plan(backend, model, sample.box, sample.atoms, here);
    chosen.plan = enlarged(std::move(chosen.plan), sample.times, structure.box());
    return chosen;
  };
  ChosenPlan chosen = share_plan(ranks, model, config, backend.threads(), choose);
  chosen.plan = with_shared_mesh(std::move(chosen.plan), backend, structure.box(), config, ranks, note);
  return chosen;
}

}  // namespace nanoday
