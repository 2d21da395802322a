// Chooses how the long-range part of a DPLR model is evaluated on the user's structure, and measures it.
// SPDX-License-Identifier: Apache-2.0
#include "forces/dplr_plan.hpp"

#include "core/error.hpp"
#include "forces/evaluator.hpp"
#include "forces/mesh_choice.hpp"
#include "forces/mesh_error.hpp"
#include "model/dipole_charge.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nanoday {
namespace {

constexpr double k_4pi = 4 * std::numbers::pi, k_4pi_lammps = 12.5663706;
constexpr int k_timed_evaluations = 3;
constexpr std::int64_t k_timed_atoms = 20000;  // above, timing at start would take too long

/// The training program keeps β and h in single precision (spec dplr.md 1.4).
double as_trained(double x) { return static_cast<double>(static_cast<float>(x)); }

LongRangePlan constants_of(const DipoleCharge& charges, const LongRangeOptions& options) {
  LongRangePlan plan;
  const bool lammps = options.lammps_constants;
  plan.beta = lammps ? charges.beta : as_trained(charges.beta);
  plan.spacing = lammps ? charges.spacing : as_trained(charges.spacing);
  plan.coulomb = lammps ? k_coulomb_lammps : k_coulomb;
  plan.influence_4pi = lammps ? k_4pi_lammps : k_4pi;
  plan.order = options.order;
  plan.differentiation = options.differentiation.value_or(Differentiation::ik);
  return plan;
}

/// Seconds one core takes, from measurements on an AVX-512 core (752 to 6015 charges, meshes 24³ to 64³):
/// only their ratio matters.
double direct_seconds(const LongRangePlan& plan, double n_charges) {
  double vectors = 0.5;
  for (const Vec3& side : plan.box.cell) vectors *= norm(side) / plan.spacing + 1;
  return 1.8e-10 * n_charges * vectors;
}
double mesh_seconds(const std::array<int, 3>& mesh, double n_charges) {
  return 6e-9 * mesh[0] * mesh[1] * mesh[2] + 1.2e-7 * n_charges;
}

/// Mesh or direct sum as asked; else a mesh where any of its settings is given, else the faster one.
void choose_method(const LongRangeOptions& options, const MeshProblem& problem, LongRangePlan& plan) {
  const double n = static_cast<double>(problem.n_charges);
  const bool mesh_wanted =
      options.mesh[0] > 0 || options.differentiation || options.mesh_error_given || options.fft;
  plan.method = options.method.value_or(LongRangeMethod::pppm);
  if (plan.method == LongRangeMethod::direct) return;
  plan.mesh = options.mesh[0] > 0 ? options.mesh : choose_mesh(problem, options.mesh_error).mesh;
  if (!options.method && !mesh_wanted && direct_seconds(plan, n) < mesh_seconds(plan.mesh, n))
    plan.method = LongRangeMethod::direct;
}

MeshProblem problem_of(const LongRangePlan& plan, const Model& model, const Atoms& atoms) {
  MeshProblem problem{plan.box, plan.beta, plan.coulomb, 0, atoms.nlocal, plan.order, plan.differentiation};
  const DipoleCharge& charges = *model.dipole_charge;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    const double ion = charges.ion_charge[atoms.type[i]], wannier = charges.wannier_charge[atoms.type[i]];
    problem.sum_q2 += ion * ion + wannier * wannier;
    problem.n_charges += charges.wannier->selected[atoms.type[i]] != 0;
  }
  return problem;
}

/// Seconds of the solver alone on `threads` threads, the best of a few.
double solver_seconds(Backend& backend, LongRangePlan plan, int threads, View<const Vec4> charges) {
  plan.threads = threads;
  const auto solver = backend.make_long_range(plan);
  double best = 1e30;
  for (int k = 0; k <= k_timed_evaluations; ++k) {
    const double start = seconds_now();
    solver->start({charges, {}});
    solver->finish();
    if (k > 0) best = std::min(best, seconds_now() - start);
  }
  return best;
}

/// Seconds of the energy net with all threads, the best of a few.
double net_seconds(Backend& backend, const InferencePlan& plan, const Box& box, const Atoms& atoms) {
  Evaluator evaluator(backend, with_dplr(plan, nullptr), box, atoms, {});
  evaluator.compute({});
  double best = 1e30;
  for (int k = 0; k < k_timed_evaluations; ++k) {
    const double start = seconds_now();
    evaluator.compute({});
    best = std::min(best, seconds_now() - start);
  }
  return best;
}

/// Threads of this rank beside the nets that were asked for, by rank or by node.
std::optional<int> threads_asked(const LongRangeOptions& options) {
  if (!options.cores) return options.threads;
  return (*options.cores + options.node_ranks - 1) / options.node_ranks;
}

/// Divides the threads so that solver and energy net end together, from measured times: the cost is kept in
/// sixteenths of what one thread of all ranks spends on nets, so that small differences of timing do not make
/// different runs. Ranks of one thread take turns: one of a node may own the mesh while others evaluate nets.
void divide_threads(Backend& backend, const InferencePlan& energy_plan, const Box& box, const Atoms& atoms,
                    const LongRangeOptions& options, View<const Vec4> charges, LongRangePlan& plan) {
  const int all = backend.threads();
  const std::optional<int> asked = threads_asked(options);
  require(!asked || *asked < std::max(all, 2),
          "--pppm-{} {} leaves no thread for the nets (there are {}); give fewer, or --pppm-threads off",
          options.cores ? "cores" : "threads", options.cores.value_or(asked.value_or(0)), all);
  if ((all < 2 && options.node_ranks < 2) || asked == 0) return;
  const bool timed = atoms.nlocal <= k_timed_atoms;
  const double nets = timed ? all * net_seconds(backend, energy_plan, box, atoms) : 1;
  double cost = timed ? solver_seconds(backend, plan, 1, charges) / nets : 0.25;
  if (all > 1)
    plan.threads =
        asked.value_or(std::clamp(static_cast<int>(std::ceil(cost * all / (1 + cost))), 1, all - 1));
  if (plan.threads > 1 && timed) cost = solver_seconds(backend, plan, plan.threads, charges) / nets;
  const double units = 16.0 * all * options.ranks;
  plan.relative_cost = std::max(1.0, std::round(units * cost)) / units;
}

}  // namespace

std::shared_ptr<const InferencePlan> with_dplr(const InferencePlan& plan,
                                               std::shared_ptr<const DplrPlan> dplr) {
  auto copy = std::make_shared<InferencePlan>(plan);
  copy->dplr = std::move(dplr);
  return copy;
}

std::shared_ptr<const InferencePlan> without_mesh(std::shared_ptr<const InferencePlan> plan, const Box& box) {
  if (!plan->dplr || plan->dplr->solver.method == LongRangeMethod::direct) return plan;
  auto dplr = std::make_shared<DplrPlan>(*plan->dplr);
  dplr->solver.box = box;
  dplr->solver = reference_plan(dplr->solver, 1);
  dplr->solver.threads = 0;
  return with_dplr(*plan, dplr);
}

ChosenDplr choose_dplr(Backend& backend, const std::shared_ptr<const InferencePlan>& energy_plan,
                       std::shared_ptr<const InferencePlan> wannier, const Box& box, const Atoms& atoms,
                       const LongRangeOptions& options) {
  const Model& model = *energy_plan->model;
  check_neutral(model, {atoms.type.begin(), atoms.type.begin() + atoms.nlocal}, "the structure");
  require(box.periodic[0] && box.periodic[1] && box.periodic[2],
          "the structure does not repeat in all directions (the long-range energy of {} is a sum over "
          "reciprocal vectors); give a periodic box",
          model.source);
  LongRangePlan plan = constants_of(*model.dipole_charge, options);
  plan.box = box;
  ChosenDplr chosen;
  const MeshProblem problem = problem_of(plan, model, atoms);
  choose_method(options, problem, plan);
  const bool on_mesh = plan.method == LongRangeMethod::pppm;
  if (on_mesh) chosen.mesh.estimate = estimate_mesh_error(problem, plan.mesh);
  auto dplr = std::make_shared<DplrPlan>();
  dplr->wannier = std::move(wannier);
  dplr->field = options.field;
  dplr->solver = plan;
  Evaluator evaluator(backend, with_dplr(*energy_plan, dplr), box, atoms, {});
  evaluator.compute({});
  const View<const Vec4> charges = evaluator.long_range()->charges();
  if (on_mesh) {
    const MeshError error = measure_mesh_error(backend, plan, charges);
    chosen.mesh.rms = error.rms;
    chosen.mesh.max = error.max;
  }
  divide_threads(backend, *energy_plan, box, atoms, options, charges, dplr->solver);
  chosen.plan = dplr;
  return chosen;
}

}  // namespace nanoday
