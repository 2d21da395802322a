// What `nanoday estimate` feeds its model with.
// SPDX-License-Identifier: Apache-2.0
#include "app/estimate_inputs.hpp"

#include "app/work_count.hpp"
#include "core/error.hpp"
#include "forces/mesh_choice.hpp"
#include "io/element_table.hpp"
#include "io/structure_file.hpp"
#include "md/observables.hpp"
#include "md/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nanoday {
namespace {

constexpr double k_sphere = 4.1887902047863905;  // 4π/3

std::vector<int> hidden_widths(const FittingNet& net) {
  std::vector<int> widths;
  for (const DenseLayer& layer : net.layers) widths.push_back(layer.n_out);
  return widths;
}

/// Multiply-adds per atom of the papers' algorithm, types in the given proportion (of all atoms).
double paper_work(const Model& model, double neighbors, const std::vector<double>& share) {
  double work = 0;
  for (int t = 0; t < model.n_types(); ++t)
    if (!model.fitting[t].empty())
      work += share[t] * paper_multiply_adds(neighbors, model.m1, model.m2, hidden_widths(model.fitting[t]));
  return work;
}

double table_bytes(const InferencePlan& plan) {
  double numbers = 0;
  for (const PieceTable& table : plan.tables) numbers += static_cast<double>(table.coefficients.size());
  for (const CentrePlan& centre : plan.centres)
    numbers += static_cast<double>(centre.weight.size() + centre.rotation.size() + centre.output.size());
  for (const FittingNet& net : plan.model->fitting)
    for (const DenseLayer& layer : net.layers) numbers += 2 * static_cast<double>(layer.weight.size());
  const double bytes = numbers * (plan.precision == Precision::fp64 ? 8 : 4);
  return bytes + (plan.exact ? table_bytes(*plan.exact) : 0) +
         (plan.dplr ? table_bytes(*plan.dplr->wannier) : 0);
}

/// Copies along each direction that bring a cell of `natoms` nearest to `wanted` atoms.
std::array<std::int64_t, 3> copies_for(double natoms, double wanted) {
  const auto near = [](double x) { return std::max<std::int64_t>(1, std::llround(x)); };
  const double copies = wanted / natoms;
  const std::int64_t a = near(std::cbrt(copies));
  const std::int64_t b = near(std::sqrt(copies / static_cast<double>(a)));
  return {a, b, near(copies / static_cast<double>(a * b))};
}

std::vector<double> shares_of(const Atoms& atoms, int n_types) {
  std::vector<double> share(static_cast<std::size_t>(n_types), 0);
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    share[static_cast<std::size_t>(atoms.type[i])] += 1 / static_cast<double>(atoms.nlocal);
  return share;
}

WorkCount counted(Backend& backend, const std::shared_ptr<const InferencePlan>& plan,
                  const BoundSystem& system) {
  Evaluator evaluator(backend, plan, system.box, system.atoms, {0, 1});
  evaluator.compute({});
  return count_work(evaluator);
}

double sum_of(const WorkCount& work, std::int64_t atoms) {
  return (work.descriptor + work.fitting + work.gradient) / static_cast<double>(atoms);
}

/// Charges and mesh of one copy; the mesh grows with the copies.
MeshWork mesh_work(const Engine& engine, const InferencePlan& plan, const BoundSystem& system) {
  const DipoleCharge& charges = *engine.model->dipole_charge;
  MeshWork mesh;
  MeshProblem problem;
  for (std::int64_t i = 0; i < system.atoms.nlocal; ++i) {
    const auto type = static_cast<std::size_t>(system.atoms.type[i]);
    for (const double q : {charges.ion_charge[type], charges.wannier_charge[type]}) {
      problem.n_charges += q != 0;
      problem.sum_q2 += q * q;
    }
  }
  const LongRangePlan& solver = plan.dplr->solver;
  mesh.charges_per_atom = static_cast<double>(problem.n_charges) / static_cast<double>(system.atoms.nlocal);
  mesh.order = solver.order;
  mesh.transforms = solver.differentiation == Differentiation::ik ? 4 : 2;
  mesh.points = solver.mesh;
  if (solver.method == LongRangeMethod::pppm) return mesh;
  // A small cell is summed directly; its copies need a mesh.
  problem.box = system.box;
  problem.beta = solver.beta;
  problem.coulomb = solver.coulomb;
  problem.order = engine.config.long_range.order;
  mesh.order = problem.order;
  mesh.transforms = 4;
  mesh.points = choose_mesh(problem, engine.config.long_range.mesh_error).mesh;
  return mesh;
}

void fill_masses(Atoms& atoms, const Model& model) {
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    if (!(atoms.mass[i] > 0)) atoms.mass[i] = element_mass(model.type_map[atoms.type[i]]);
}

/// Seconds per atom of this machine, from steps of enough copies of the structure to fill it.
AtomTimes measure_here(Engine& engine, const std::shared_ptr<const InferencePlan>& plan,
                       const Structure& base, const Workload& work) {
  constexpr double k_dt = 0.0005;                             // [ps]
  constexpr int k_warm_up = 3, k_rebuilds = 2, k_every = 25;  // steps
  constexpr double k_enough = 1500, k_enough_on_gpu = 1e5;    // atoms
  const auto sample = [&](double atoms) {
    const auto [a, b, c] =
        copies_for(static_cast<double>(base.natoms()), std::max(atoms, double(base.natoms())));
    const Structure copies = base.box.is_open() ? base : replicate(base, int(a), int(b), int(c));
    BoundSystem system = bind(engine, copies);
    fill_masses(system.atoms, *engine.model);
    return system;
  };
  const bool gpu = engine.backend->name().rfind("cpu", 0) != 0;
  const BoundSystem system = sample(gpu ? k_enough_on_gpu : k_enough);
  const auto atoms = static_cast<double>(system.atoms.nlocal);
  Evaluator evaluator(*engine.backend, plan, system.box, system.atoms, {engine.config.skin, k_every});
  Simulation simulation(evaluator, make_no_thermostat(), k_dt, degrees_of_freedom(system.atoms.nlocal, true));
  simulation.start({});
  for (int k = 0; k < k_warm_up; ++k) simulation.step({});
  if (simulation.resident() != nullptr) simulation.resident()->time_stages(true);
  StageTimes& times = engine.backend->times();
  times.reset();
  const std::int64_t before = evaluator.rebuilds();
  for (int k = 0; k < k_rebuilds * k_every; ++k) simulation.step({});
  constexpr double k_steps = k_rebuilds * k_every;
  AtomTimes measured;
  for (const Stage stage : {Stage::environment, Stage::descriptor, Stage::fitting, Stage::gradient,
                            Stage::force_sum, Stage::halo})
    measured.nets += times.seconds(stage) / k_steps / atoms;
  measured.integrate = times.seconds(Stage::integrate) / k_steps / atoms;
  const auto builds = static_cast<double>(std::max<std::int64_t>(1, evaluator.rebuilds() - before));
  measured.neighbor = times.seconds(Stage::neighbor) / builds / atoms;
  if (work.mesh.charges_per_atom > 0)
    measured.mesh = times.seconds(Stage::pppm) / k_steps / (atoms * work.mesh.charges_per_atom);
  return measured;
}

/// Only the model is known.
EstimateInputs inputs_of_model(const Engine& engine, const EstimateQuestion& question) {
  const Model& model = *engine.model;
  require(question.atoms > 0,
          "neither a structure nor a number of atoms is given (there is nothing to estimate); "
          "add STRUCTURE or --atoms N");
  require(!question.measure, "machine 'this' is measured on a structure (none is given); add STRUCTURE");
  require(!model.dipole_charge,
          "{} needs a structure (the mesh of its long-range part depends on charges and box); "
          "add STRUCTURE",
          model.source);
  EstimateInputs inputs;
  Workload& work = inputs.work;
  const double edge = std::cbrt(question.atoms / question.density);
  work.cell.box = Box::orthorhombic(edge, edge, edge);
  work.atoms = std::llround(question.atoms);
  work.neighbors = question.density * k_sphere * std::pow(model.rcut, 3);
  const double all = std::accumulate(model.sel.begin(), model.sel.end(), 0.0);
  std::vector<double> share;
  for (const int sel : model.sel) share.push_back(sel / all);
  work.multiply_adds = paper_work(model, work.neighbors, share);
  PlanOptions options = engine.plan_options;
  options.table = TableKind::quintic;
  work.model_bytes = table_bytes(*make_direct_plan(engine.model, options));
  inputs.plan = fmt::format("quintic, {} (no structure: no low-rank plan could be chosen)",
                            precision_name(engine.config.precision));
  return inputs;
}

RepeatedCell repeated(const Structure& structure, std::array<std::int64_t, 3> copies) {
  RepeatedCell cell{structure.box, {}, copies};
  for (const Vec3& x : structure.position) {
    const Vec3 f = structure.box.fractional(x);
    cell.fraction.push_back({f.x - std::floor(f.x), f.y - std::floor(f.y), f.z - std::floor(f.z)});
  }
  return cell;
}

EstimateInputs inputs_of_structure(Engine& engine, const EstimateQuestion& question) {
  const auto [a, b, c] = std::exchange(engine.config.replicate, {1, 1, 1});
  const Structure base = read_frames(engine, question.structure).back();
  require(base.box.volume() > 0, "{} has no periodic box (domains need one); give a structure with a box",
          question.structure);
  const BoundSystem system = bind(engine, base);
  const ChosenPlan chosen =
      choose_plan(*engine.backend, engine.model, system.box, system.atoms, engine.plan_options);
  const std::int64_t n = system.atoms.nlocal;
  EstimateInputs inputs;
  Workload& work = inputs.work;
  const std::array<std::int64_t, 3> copies = question.atoms > 0
                                                 ? copies_for(static_cast<double>(n), question.atoms)
                                                 : std::array<std::int64_t, 3>{a, b, c};
  work.cell = repeated(base, copies);
  work.atoms = n * copies[0] * copies[1] * copies[2];
  const WorkCount nets = counted(*engine.backend, chosen.plan, system);
  work.neighbors = nets.neighbors;
  const bool paper = question.algorithm == Algorithm::paper;
  const std::vector<double> share = shares_of(system.atoms, engine.model->n_types());
  work.multiply_adds = paper ? paper_work(*engine.model, nets.neighbors, share) : sum_of(nets, n);
  work.model_bytes = table_bytes(*chosen.plan);
  if (chosen.plan->dplr) {
    const auto& wannier = chosen.plan->dplr->wannier;
    const WorkCount count = counted(*engine.backend, wannier, system);
    const double more = paper ? paper_work(*wannier->model, count.neighbors, share) : sum_of(count, n);
    work.wannier_share = more / (work.multiply_adds + more);
    work.multiply_adds += more;
    work.mesh = mesh_work(engine, *chosen.plan, system);
    for (int d = 0; d < 3; ++d) work.mesh.points[d] *= static_cast<int>(copies[d]);
  }
  if (question.measure) inputs.measured = measure_here(engine, chosen.plan, base, work);
  inputs.plan = paper ? "the papers' tables, double"
                      : fmt::format("{}, {}, force error {:.1e} eV/Å rms", table_name(chosen.plan->table),
                                    precision_name(chosen.plan->precision), chosen.error.force_rms);
  return inputs;
}

}  // namespace

EstimateInputs make_estimate_inputs(Engine& engine, const EstimateQuestion& question) {
  EstimateInputs inputs =
      question.structure.empty() ? inputs_of_model(engine, question) : inputs_of_structure(engine, question);
  Workload& work = inputs.work;
  work.cutoff = engine.model->rcut;
  work.skin = engine.config.skin;
  if (engine.config.rebuild_every > 0) work.rebuild_every = engine.config.rebuild_every;
  work.centre_types = engine.model->n_types();
  work.single_precision =
      question.algorithm == Algorithm::nanoday && engine.config.precision != Precision::fp64;
  return inputs;
}

}  // namespace nanoday
