// The long-range part of a checkpoint: to bytes and back, from a plan and back.
// SPDX-License-Identifier: Apache-2.0
#include "md/dplr_bytes.hpp"

#include "md/choice_bytes.hpp"

#include <utility>

namespace nanoday {
namespace {

/// Calls visit(member) for every number of the state, in the order of the file.
template <class State, class Visit>
void each_number(State& state, const Visit& visit) {
  auto& s = state.solver;
  visit(s.method);
  visit(s.beta);
  visit(s.coulomb);
  visit(s.influence_4pi);
  visit(s.spacing);
  visit(s.mesh);
  visit(s.order);
  visit(s.differentiation);
  visit(s.fft);
  visit(s.fft_scale);
  visit(s.threads);
  visit(s.relative_cost);
  visit(state.field.amplitude);
  visit(state.field.period);
  visit(state.mesh.estimate);
  visit(state.mesh.rms);
  visit(state.mesh.max);
}

}  // namespace

void put_dplr(ByteWriter& out, const DplrState& state) {
  put_choice(out, state.choice);
  each_number(state, [&](const auto& value) { out.put(value); });
}

DplrState get_dplr(ByteReader& in) {
  DplrState state;
  state.choice = get_choice(in);
  each_number(state, [&](auto& value) { value = in.get<std::remove_reference_t<decltype(value)>>(); });
  return state;
}

DplrState dplr_state(const DplrPlan& plan, const MeshReport& mesh) {
  return {plan.wannier->choice, plan.solver, plan.field, mesh};
}

std::shared_ptr<const DplrPlan> same_dplr(const DplrState& state,
                                          std::shared_ptr<const InferencePlan> wannier) {
  auto plan = std::make_shared<DplrPlan>();
  plan->wannier = std::move(wannier);
  plan->solver = state.solver;
  plan->field = state.field;
  return plan;
}

}  // namespace nanoday
