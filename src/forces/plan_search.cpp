// Chooses a plan for a model on the user's structure and measures its force error there.
// SPDX-License-Identifier: Apache-2.0
#include "forces/plan_search.hpp"

#include "core/error.hpp"
#include "forces/evaluator.hpp"
#include "forces/lowrank_choice.hpp"
#include "forces/sample_system.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

using PlanPointer = std::shared_ptr<const InferencePlan>;

constexpr int k_copies = 3;
/// Share of the bound left to the ranks; pruning gets what remains of the square.
constexpr double k_rank_share = 0.3;
/// Products carrying less than this many times the bound may be rounded to single precision: 3e4 · 1.2e-7
/// of the bound each, 3 % of it for a hundred of them (measured: 1e-8 eV/Å at a bound of 1e-6).
constexpr double k_strong = 3e4;

/// Products carrying together less than this many times the bound may be rounded to bfloat16 in mixed plans,
/// fewer where the forces then change by more than a share of the bound (measured for water: 0.48 of it).
constexpr double k_faint = 1e3, k_least_faint = 60, k_faint_share = 0.6;
/// Share of the bound that single precision in the layers after the first may cost; measured (water: 2.6 %).
constexpr double k_single_share = 0.05;

/// Copies of the user's structure, and what the untabulated net gives on them.
struct Reference {
  std::vector<SampleSystem> samples;
  std::vector<SampleResult> exact;
};

/// Copies [first, last) of displaced_copy().
struct CopyRange {
  int first, last;
};
constexpr CopyRange k_displaced{0, k_copies}, k_as_they_stand{k_undisplaced, 0},
    k_both{k_undisplaced, k_copies};

Reference make_reference(Backend& backend, const std::shared_ptr<const Model>& model, const Box& box,
                         const Atoms& atoms, CopyRange copies) {
  const auto prepared = backend.prepare(make_exact_plan(model));
  Reference r;
  for (int copy = copies.first; copy < copies.last; ++copy) {
    r.samples.push_back(make_sample(backend, *model, box, atoms, copy));
    r.exact.push_back(evaluate_sample(backend, *prepared, *model, r.samples.back()));
  }
  return r;
}

MeasuredError measure(Backend& backend, const Model& model, const Reference& reference,
                      std::shared_ptr<const InferencePlan> plan) {
  const auto prepared = backend.prepare(std::move(plan));
  MeasuredError e;
  e.copies = static_cast<int>(reference.samples.size());
  e.atoms = reference.samples[0].n_centres;
  double square = 0;
  for (std::size_t copy = 0; copy < reference.samples.size(); ++copy) {
    const SampleSystem& sample = reference.samples[copy];
    const SampleResult r = evaluate_sample(backend, *prepared, model, sample);
    for (std::size_t i = 0; i < r.force.size(); ++i) {
      const double d = std::fabs(r.force[i] - reference.exact[copy].force[i]);
      square += d * d;
      if (!(d <= e.force_max)) e.force_max = d;
    }
    const double n = static_cast<double>(sample.n_centres);
    e.energy_per_atom = std::max(e.energy_per_atom, std::fabs(r.energy - reference.exact[copy].energy) / n);
  }
  e.force_rms = std::sqrt(square / (3.0 * e.copies * static_cast<double>(e.atoms)));
  return e;
}

/// What products must carry to be kept, and to be kept in double [eV/Å].
struct Limits {
  double threshold, strong;
};

/// Rms difference of two plans' forces.
double difference(Backend& backend, const Model& model, const Reference& reference, const PlanPointer& a,
                  const PlanPointer& b) {
  const auto first = backend.prepare(a), second = backend.prepare(b);
  double square = 0, count = 0;
  for (const SampleSystem& sample : reference.samples) {
    const SampleResult x = evaluate_sample(backend, *first, model, sample),
                       y = evaluate_sample(backend, *second, model, sample);
    for (std::size_t i = 0; i < x.force.size(); ++i)
      square += (x.force[i] - y.force[i]) * (x.force[i] - y.force[i]);
    count += static_cast<double>(x.force.size());
  }
  return std::sqrt(square / count);
}

/// Lets the layers after the first multiply deviations from typical inputs in single precision where the
/// forces hardly notice.
LowRankChoice allow_single(Backend& backend, const std::shared_ptr<const Model>& model,
                           const Reference& reference, const LowRankProposal& proposal, LowRankChoice choice,
                           double bound) {
  LowRankChoice single = choice;
  const auto typical = proposal.typical_z();
  for (std::size_t t = 0; t < typical.size(); ++t) single.centres[t].typical_z = typical[t];
  const PlanPointer plan = make_lowrank_plan(model, {}, single);
  const double cost = difference(backend, *model, reference, make_lowrank_plan(model, {}, choice), plan);
  const bool harmless =
      cost <= k_single_share * bound && measure(backend, *model, reference, plan).force_rms <= bound;
  return harmless ? single : choice;
}

/// As many products in 16 bits as change the forces by no more than their share of the bound.
LowRankChoice choose_faint(Backend& backend, const std::shared_ptr<const Model>& model,
                           const Reference& reference, const LowRankProposal& proposal, const Limits& limits,
                           const PlanOptions& options) {
  const LowRankChoice none = proposal.keep(limits.threshold, limits.strong, 0);
  if (!backend.multiplies_faint()) return none;  // or a machine that does would take it for measured
  const PlanPointer single = make_lowrank_plan(model, options, none);
  for (double faint = k_faint; faint > k_least_faint; faint /= 2) {
    LowRankChoice choice = proposal.keep(limits.threshold, limits.strong, faint * options.force_error);
    const double cost =
        difference(backend, *model, reference, make_lowrank_plan(model, options, choice), single);
    if (cost <= k_faint_share * options.force_error) return choice;
  }
  return none;
}

/// The smallest number of products whose measured error is within the bound, by bisection over their ranking.
Limits prune(Backend& backend, const std::shared_ptr<const Model>& model, const Reference& reference,
             const LowRankProposal& proposal, double bound) {
  const std::vector<double> ranking = proposal.ranking();
  // Dipoles are read at every step, with their full precision.
  const double strong = model->kind == ModelKind::energy ? k_strong * bound : 0.0;
  std::size_t bad = 0, good = ranking.size();
  PlanOptions options;
  while (good - bad > std::max<std::size_t>(1, good / 64)) {
    const std::size_t middle = (good + bad) / 2;
    const auto plan = make_lowrank_plan(model, options, proposal.keep(ranking[middle], strong, 0));
    (measure(backend, *model, reference, plan).force_rms <= bound ? good : bad) = middle;
  }
  return {good < ranking.size() ? ranking[good] : 0.0, strong};
}

/// The smallest rank, the same for all tables, whose error is within the bound; then every table's own rank
/// lowered while it stays there.
std::vector<int> choose_ranks(Backend& backend, const Model& model, const Reference& reference,
                              LowRankProposal& proposal, const PlanOptions& options) {
  const double bound = k_rank_share * options.force_error;
  const int step = options.precision == Precision::fp64 ? 8 : 16;  // whole SIMD vectors of columns
  const auto error_of = [&](const std::vector<int>& ranks) {
    return measure(backend, model, reference, proposal.take_ranks(ranks)).force_rms;
  };
  int rank = std::min(step, model.m1);
  std::vector<int> ranks(model.pair_count(), rank);
  for (double error = error_of(ranks); !(error <= bound); error = error_of(ranks)) {
    require(
        rank < model.m1,
        "no low-rank form of {} meets --force-error {:g} (the full rank {} gives {:.1e} eV/Å, of which ranks "
        "may cost {:.1e}); allow a larger error or use --table quintic or net",
        model.source, options.force_error, rank, error, bound);
    rank = std::min(rank + step, model.m1);
    ranks.assign(ranks.size(), rank);
  }
  for (int k = model.pair_count() - 1; k >= 0; --k) {
    std::vector<int> fewer = ranks;
    for (fewer[k] -= step; fewer[k] > 0 && error_of(fewer) <= bound; fewer[k] -= step) ranks[k] = fewer[k];
  }
  return ranks;
}

LowRankChoice choose_lowrank(Backend& backend, const std::shared_ptr<const Model>& model,
                             const Reference& reference, const PlanOptions& options) {
  DescriptorStatistics statistics;
  for (const SampleSystem& sample : reference.samples) measure_descriptors(*model, sample, statistics);
  LowRankProposal proposal(model, statistics);
  proposal.take_ranks(choose_ranks(backend, *model, reference, proposal, options));
  proposal.rank_products();
  // Pruning leaves room for single precision behind the first layer; such errors add in quadrature.
  const double bound = options.force_error * std::sqrt(1 - k_single_share * k_single_share);
  const Limits limits = prune(backend, model, reference, proposal, bound);
  if (options.precision == Precision::mixed && model->kind == ModelKind::energy)
    return choose_faint(backend, model, reference, proposal, limits, options);
  LowRankChoice choice = proposal.keep(limits.threshold, limits.strong, 0);
  if (model->kind != ModelKind::energy) return choice;
  return allow_single(backend, model, reference, proposal, std::move(choice), options.force_error);
}

constexpr std::int64_t k_whole_atoms = 3000;  // DPLR: up to here all forces are measured together
/// Share of the bound the Wannier net gets: its errors reach the forces multiplied by those on the centroids.
constexpr double k_wannier_share = 0.1;

/// All forces of a DPLR plan on the whole structure, in order of id.
std::vector<double> all_forces(Backend& backend, const PlanPointer& plan, const Box& box, Atoms atoms) {
  const std::int64_t n = atoms.nlocal;
  Evaluator evaluator(backend, plan, box, std::move(atoms), {0.0, 1});
  evaluator.compute({});
  std::vector<double> force(3 * static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    const Vec4& f = evaluator.forces().force[i];
    double* const row = force.data() + 3 * evaluator.atoms().id[i];
    row[0] = f.x, row[1] = f.y, row[2] = f.z;
  }
  return force;
}

/// Force error of a DPLR plan against both nets in double, long-range term alike. \param copy see
/// displaced_copy()
void measure_all_forces(Backend& backend, const PlanPointer& plan, const Box& box, const Atoms& atoms,
                        int copy, MeasuredError& error) {
  const Atoms there = displaced_copy(box, atoms, copy);
  auto dplr = std::make_shared<DplrPlan>(*plan->dplr);
  dplr->wannier = make_exact_plan(plan->dplr->wannier->model);
  const auto reference = all_forces(backend, with_dplr(*make_exact_plan(plan->model), dplr), box, there);
  const auto found = all_forces(backend, plan, box, there);
  double square = 0;
  error.force_max = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double d = std::fabs(found[i] - reference[i]);
    square += d * d;
    if (!(d <= error.force_max)) error.force_max = d;
  }
  error.force_rms = std::sqrt(square / static_cast<double>(found.size()));
  error.atoms = atoms.nlocal;
  error.copies = 1;
}

ChosenPlan choose_net_plan(Backend& backend, std::shared_ptr<const Model> model, const Box& box,
                           const Atoms& atoms, const PlanOptions& options, CopyRange copies = k_displaced) {
  const Reference reference = make_reference(backend, model, box, atoms, copies);
  ChosenPlan chosen;
  chosen.plan = options.table == TableKind::lowrank
                    ? make_lowrank_plan(model, options, choose_lowrank(backend, model, reference, options))
                    : make_direct_plan(model, options);
  chosen.error = measure(backend, *model, reference, chosen.plan);
  return chosen;
}

ChosenPlan choose_wannier_plan(Backend& backend, const Model& model, const Box& box, const Atoms& atoms,
                               PlanOptions options, CopyRange copies) {
  options.force_error *= k_wannier_share;
  return choose_net_plan(backend, model.dipole_charge->wannier, box, atoms, options, copies);
}

void add_in_quadrature(const MeasuredError& wannier, MeasuredError& error) {
  error.force_rms = std::hypot(error.force_rms, wannier.force_rms);
  error.force_max += wannier.force_max;
}

void add_long_range(Backend& backend, const Box& box, const Atoms& atoms, const PlanOptions& options,
                    ChosenPlan& chosen) {
  const ChosenPlan wannier =
      choose_wannier_plan(backend, *chosen.plan->model, box, atoms, options, k_displaced);
  const ChosenDplr dplr = choose_dplr(backend, chosen.plan, wannier.plan, box, atoms, options.long_range);
  chosen.plan = with_dplr(*chosen.plan, dplr.plan);
  chosen.mesh = dplr.mesh;
  if (atoms.nlocal <= k_whole_atoms)
    measure_all_forces(backend, chosen.plan, box, atoms, 0, chosen.error);
  else
    add_in_quadrature(wannier.error, chosen.error);
}

/// The plan as one rank can evaluate it, none of it beside nets.
PlanPointer on_one_rank(const InferencePlan& plan) {
  auto dplr = std::make_shared<DplrPlan>(*plan.dplr);
  dplr->solver.fft = FftMethod::local;
  dplr->solver.threads = 0;
  return with_dplr(plan, dplr);
}

}  // namespace

ChosenPlan choose_plan(Backend& backend, std::shared_ptr<const Model> model, const Box& box,
                       const Atoms& atoms, const PlanOptions& options) {
  require(options.force_error > 0, "--force-error {:g} is not positive; give a bound in eV/Å, e.g. 1e-6",
          options.force_error);
  ChosenPlan chosen = choose_net_plan(backend, std::move(model), box, atoms, options);
  if (chosen.plan->model->dipole_charge) add_long_range(backend, box, atoms, options, chosen);
  return chosen;
}

MeasuredError measure_plan(Backend& backend, const PlanPointer& plan, const Box& box, const Atoms& atoms) {
  const auto of_net = [&](const PlanPointer& net) {
    return measure(backend, *net->model, make_reference(backend, net->model, box, atoms, k_as_they_stand),
                   net);
  };
  MeasuredError error = of_net(plan);
  if (!plan->dplr) return error;
  if (atoms.nlocal <= k_whole_atoms)
    measure_all_forces(backend, on_one_rank(*plan), box, atoms, k_undisplaced, error);
  else
    add_in_quadrature(of_net(plan->dplr->wannier), error);
  return error;
}

ChosenPlan choose_tables_again(Backend& backend, const PlanPointer& plan, const Box& box, const Atoms& atoms,
                               const PlanOptions& options) {
  ChosenPlan chosen = choose_net_plan(backend, plan->model, box, atoms, options, k_both);
  if (!plan->dplr) return chosen;
  const ChosenPlan wannier = choose_wannier_plan(backend, *plan->model, box, atoms, options, k_both);
  auto dplr = std::make_shared<DplrPlan>(*plan->dplr);
  dplr->wannier = wannier.plan;
  chosen.plan = with_dplr(*chosen.plan, dplr);
  add_in_quadrature(wannier.error, chosen.error);
  return chosen;
}

}  // namespace nanoday
