// One plan for all ranks: chosen by the first, told to the others.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "forces/plan_search.hpp"
#include "md/checkpoint.hpp"
#include "md/run_structure.hpp"
#include "transport.hpp"

#include <functional>

namespace nanoday {

/// The plan a checkpoint describes, made again. \param threads  of this machine, which may have fewer now
std::shared_ptr<const InferencePlan> same_plan(std::shared_ptr<const Model> model, const RunConfig& config,
                                               const Checkpoint& checkpoint, int threads);

/// Writes down what same_plan() needs.
void describe_plan(const InferencePlan& plan, const MeasuredError& error, const MeshReport& mesh,
                   Checkpoint& checkpoint);

/// Collective: rank 0 calls `choose`; all return what it chose, in the same bits.
ChosenPlan share_plan(Transport& ranks, std::shared_ptr<const Model> model, const RunConfig& config,
                      int threads, const std::function<ChosenPlan()>& choose);

/// Collective: the plan with the way its ranks share the mesh: what `config` asks for, or the fastest here.
/// Plans without a mesh come back as they are. \param note  gets what was chosen and why, when several ranks
/// share
std::shared_ptr<const InferencePlan> with_shared_mesh(std::shared_ptr<const InferencePlan> plan,
                                                      Backend& backend, const Box& box,
                                                      const RunConfig& config, Transport& ranks,
                                                      std::string* note = nullptr);

/// Collective: the plan for a run's structure, chosen on its sample.
ChosenPlan plan_for(Backend& backend, const std::shared_ptr<const Model>& model, const RunConfig& config,
                    const PlanOptions& options, const RunStructure& structure, Transport& ranks,
                    std::string* note = nullptr);

/// The same plan for a box `times` as long along a, b, c: the mesh of its long-range part grows with it.
std::shared_ptr<const InferencePlan> enlarged(std::shared_ptr<const InferencePlan> plan,
                                              const std::array<int, 3>& times, const Box& box);

}  // namespace nanoday
