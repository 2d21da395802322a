// Positions in, forces out: keeps ghosts and neighbor lists current and calls the machine.
// SPDX-License-Identifier: Apache-2.0
#include "forces/evaluator.hpp"

#include "backend/atom_work.hpp"
#include "core/error.hpp"
#include "exact_reduce.hpp"
#include "forces/mesh_sharing.hpp"
#include "migration.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace nanoday {
namespace {

/// Closer than this two atoms are at the same place: no model was trained there, and 1/r³ overflows [Å].
constexpr double k_coincident = 1e-6;

bool finite(const Vec4& v) { return std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z); }

/// Atom number as users count: place in the input, from one.
std::int64_t number_of(const Atoms& atoms, std::int64_t i) { return atoms.id[i] + 1; }

void check_positions(const Atoms& atoms) {
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    require_run(
        finite(atoms.position[i]),
        "atom {} has the position ({}, {}, {}) (the run has exploded); shorten the time step, start from "
        "a relaxed structure, or use a model trained for such configurations",
        number_of(atoms, i), atoms.position[i].x, atoms.position[i].y, atoms.position[i].z);
}

/// First pair of atoms at the same place, as (local index, index), or (−1, −1).
std::pair<std::int64_t, std::int64_t> coincident_pair(const Atoms& atoms, const NeighborList& list) {
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    for (std::int64_t k = list.offset[i * list.n_types]; k < list.offset[(i + 1) * list.n_types]; ++k) {
      const Vec3 d = xyz(atoms.position[list.index[k]]) - xyz(atoms.position[i]);
      if (dot(d, d) < k_coincident * k_coincident) return {i, list.index[k]};
    }
  return {-1, -1};
}

std::string coincidence_text(const Atoms& atoms, std::int64_t i, std::int64_t j) {
  const Vec3 x = xyz(atoms.position[i]);
  const std::string text = fmt::format("atoms {} and {} are at the same place ({:.6f}, {:.6f}, {:.6f}) Å",
                                       number_of(atoms, i), number_of(atoms, j), x.x, x.y, x.z);
  const char* const why = atoms.id[i] == atoms.id[j] ? " (one is a periodic image of itself)" : "";
  return text + why + "; remove one of them or move them apart";
}

/// Sums zero times every force: anything but zero betrays a NaN or an infinity, at a cost that vanishes
/// beside the forces.
bool all_finite(const Forces& forces, std::int64_t nlocal) {
  double sum = 0;
  for (std::int64_t i = 0; i < nlocal; ++i)
    sum += 0.0 * forces.force[i].x + 0.0 * forces.force[i].y + 0.0 * forces.force[i].z;
  return sum == 0;
}

void check_forces(const Forces& forces, const Atoms& atoms, const NeighborList& list) {
  if (all_finite(forces, atoms.nlocal)) return;
  const auto [i, j] = coincident_pair(atoms, list);
  if (i >= 0) throw RunError(coincidence_text(atoms, i, j));
  for (std::int64_t k = 0; k < atoms.nlocal; ++k)
    require_run(
        finite(forces.force[k]),
        "the force on atom {} at ({:.6f}, {:.6f}, {:.6f}) Å is not a number (the configuration is far "
        "outside what the model knows); look at its neighborhood, shorten the time step",
        number_of(atoms, k), atoms.position[k].x, atoms.position[k].y, atoms.position[k].z);
}

/// new[k] = old[order[k]] for an array of local atoms; arrays the caller left empty stay empty.
template <class T>
void permute(Array<T>& values, const std::vector<std::int32_t>& order) {
  if (values.size() < order.size()) return;
  Array<T> sorted(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) sorted[k] = values[order[k]];
  values = std::move(sorted);
}

void wrap_all(const Box& box, Atoms& atoms) {
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    Vec3 x = xyz(atoms.position[i]);
    const auto image = wrap(box, x);
    atoms.position[i] = padded(x);
    for (int d = 0; d < 3; ++d) atoms.image[i][d] += image[d];
  }
}

View<const Vec4> local_positions(const Atoms& atoms) {
  return {atoms.position.data(), static_cast<std::size_t>(atoms.nlocal)};
}

/// Sizes what the machine will overwrite; grows only, so that ordinary steps allocate nothing. Rows of forces
/// are left to the machine: the threads that will use them should touch new ones first.
void size_results(Forces& forces, const Atoms& atoms, Needs needs, bool fixed_point) {
  forces.fixed_point = fixed_point;
  forces.atom_energy.resize(needs.atom_energy ? atoms.nlocal : 0);
  forces.atom_virial.resize(needs.atom_virial ? atoms.nall() : 0);
}

class TravellingGhosts final : public GhostArrival {
 public:
  TravellingGhosts(Halo& halo, Atoms& atoms) : halo_(halo), atoms_(atoms) {}
  void wait() override { halo_.finish_update(atoms_); }

 private:
  Halo& halo_;
  Atoms& atoms_;
};

}  // namespace

Evaluator::Evaluator(Backend& backend, std::shared_ptr<const InferencePlan> plan, const Box& box, Atoms atoms,
                     EvaluatorOptions options, std::shared_ptr<Transport> ranks)
    : backend_(backend),
      ranks_(ranks ? std::move(ranks) : make_self_transport()),
      plan_(std::move(plan)),
      box_(box),
      atoms_(std::move(atoms)),
      options_(options),
      natoms_(atoms_.nlocal),
      halo_(*ranks_) {
  require(options_.skin >= 0,
          "the skin is {} Å (it is added to the cutoff and cannot be negative); give 0 or more",
          options_.skin);
  for (std::int64_t i = 0; i < atoms_.nlocal; ++i)
    require(atoms_.type[i] >= 0 && atoms_.type[i] < model().n_types(),
            "atom {} has type {} but the model has {} types; check the type map", number_of(atoms_, i),
            atoms_.type[i], model().n_types());
  atoms_.image.resize(atoms_.nlocal);
  ranks_->all_reduce_sum(View<std::int64_t>(&natoms_, 1));
  prepared_ = backend_.prepare(plan_);
  if (ranks_->size() > 1) lender_ = std::make_unique<Lender>(*ranks_);
  if (plan_->dplr) make_long_range();
}

void Evaluator::make_long_range() {
  const LongRangePlan& solver = plan_->dplr->solver;
  const DomainGrid domains(domain_frame(box_, {}, *ranks_),
                           ranks_->node_of());  // of a periodic box: for good
  mesh_ranks_ = make_mesh_ranks(solver, *ranks_, domains, options_.skin / 2 + k_farthest_centroid,
                                backend_.reproducible());
  const bool whole = mesh_ranks_ && !mesh_ranks_->bricks() && solver.method == LongRangeMethod::pppm;
  std::vector<double> shares;
  double nets = 1;
  if (whole && lends()) {
    // The same on all ranks of a node, whatever their own threads are.
    std::array<double, 2> most{static_cast<double>(backend_.threads()),
                               std::max(1, solver.threads) * solver.relative_cost};
    ranks_->all_reduce_max(View<double>(most.data(), most.size()));
    const int members = lender_->members();
    shares = shares_of_nets(most[1], {ranks_->size() / members, members, static_cast<int>(most[0])});
    nets = shares[0] * members / ranks_->size();
  } else if (whole) {
    nets = 1.0 / ranks_->size();
  }
  long_range_ = std::make_unique<LongRange>(backend_, plan_, box_, mesh_ranks_.get(), nets);
  if (whole && mesh_ranks_->shares_nodes()) share_ = shares;
}

double Evaluator::cutoff() const {
  return long_range_ ? std::max(model().rcut, long_range_->wannier().rcut) : model().rcut;
}

void Evaluator::set_time(double time) {
  if (long_range_) long_range_->set_time(time);
}

void Evaluator::compute(Needs needs) {
  TravellingGhosts ghosts(halo_, atoms_);
  EvaluationArgs args;
  if (stale()) {
    rebuild();
  } else {
    const Trace trace(backend_.times(), Stage::halo);
    halo_.start_update(atoms_);
    if (ghosts_travel_beside()) {
      args.ghosts = &ghosts;
      args.interior = interior_;
    } else {
      halo_.finish_update(atoms_);
    }
  }
  ++age_;
  args.position = atoms_.position;
  args.type = atoms_.type;
  args.nlocal = atoms_.nlocal;
  args.neighbors = &list_;
  args.needs = needs;
  if (model().kind == ModelKind::dipole) {
    dipoles_.resize(atoms_.nlocal);
    count(backend_.dipoles(*prepared_, args, dipoles_));
    return;
  }
  size_results(forces_, atoms_, needs, backend_.reproducible());
  if (long_range_) count(long_range_->start(args, atoms_));
  count(backend_.deep_potential(*prepared_, args, forces_));
  if (long_range_) long_range_->finish(args, atoms_, box_, forces_);
  {
    const Trace trace(backend_.times(), Stage::halo);
    halo_.reverse(forces_, atoms_.nlocal);
    finish(forces_, atoms_.nlocal);
    share_totals(*ranks_, needs, forces_);
  }
  check_forces(forces_, atoms_, list_);
}

void Evaluator::compute_dipole_forces(View<const Vec4> cotangent, Needs needs) {
  const EvaluationArgs args{atoms_.position, atoms_.type, atoms_.nlocal, &list_, needs};
  size_results(forces_, atoms_, needs, backend_.reproducible());
  backend_.dipole_forces(*prepared_, args, cotangent, forces_);
  const Trace trace(backend_.times(), Stage::halo);
  halo_.reverse(forces_, atoms_.nlocal);
  finish(forces_, atoms_.nlocal);
  share_totals(*ranks_, needs, forces_);
}

/// All ranks rebuild when one has to.
bool Evaluator::stale() {
  const bool own = own_stale();
  if (ranks_->size() == 1) {
    heard_ = said_;
    return own;
  }
  const Trace trace(backend_.times(), Stage::halo);
  std::array<double, 2> flags{own ? 1.0 : 0.0, said_ ? 1.0 : 0.0};
  ranks_->all_reduce_max(View<double>(flags.data(), flags.size()));
  heard_ = flags[1] > 0;
  return flags[0] > 0;
}

// The list holds while no atom has moved more than half the skin. A fixed interval only adds rebuilds:
// it never keeps a list that misses neighbors.
bool Evaluator::own_stale() {
  if (age_ < 0) return true;
  const Trace trace(backend_.times(), Stage::neighbor);
  if (options_.rebuild_every > 0 && age_ >= options_.rebuild_every) return true;
  const View<const Vec4> local = local_positions(atoms_);
  const double moved2 = backend_.max_displacement2(local, reference_);
  const double limit = 0.5 * options_.skin;
  return !(moved2 <= limit * limit);  // a NaN is stale: the rebuild names the atom
}

void Evaluator::rebuild() {
  check_positions(atoms_);
  {
    const Trace trace(backend_.times(), Stage::neighbor);
    wrap_all(box_, atoms_);
  }
  const bool knew = listed_;
  deal_and_list();
  if (!knew && lends()) deal_and_list();  // by the work that only the first list tells
  reference_.assign(atoms_.position.begin(), atoms_.position.begin() + atoms_.nlocal);
  if (rebuilds_ == 0) {
    const auto [i, j] = coincident_pair(atoms_, list_);
    if (i >= 0) throw InputError(coincidence_text(atoms_, i, j));
  }
  age_ = 0;
  ++rebuilds_;
}

void Evaluator::choose_domains() {
  domains_ =
      std::make_unique<DomainGrid>(domain_frame(box_, local_positions(atoms_), *ranks_), ranks_->node_of());
}

void Evaluator::deal_and_list() {
  {
    const Trace trace(backend_.times(), Stage::neighbor);
    choose_domains();
    deal_atoms();
    sort_in_space();
  }
  build_list();
}

/// Bricks of a mesh reach only so far: with them nothing is lent.
bool Evaluator::lends() const {
  const bool bricks = mesh_ranks_ && mesh_ranks_->bricks();
  return lender_ && options_.balance != Balance::off && !bricks;
}

/// Every atom goes to the owner of its place, and from there, where that saves time, to another rank.
void Evaluator::deal_atoms() {
  if (!lender_) return;
  Array<Vec4> work = work_of_atoms();
  listed_ = false;
  migrate(*domains_, *ranks_, atoms_, {&work});
  lending_ = {};
  if (!lends()) return;
  constexpr double k_worth_it = 0.03;  // ghosts of wider domains cost about that much
  const double tolerance = options_.balance == Balance::ring ? 0 : k_worth_it;
  lending_ = lender_->lend(*domains_, tolerance, share_, atoms_, work);
}

/// (nlocal) x: as the last list tells, which is as old as atoms may move; alike for all before the first one.
Array<Vec4> Evaluator::work_of_atoms() const {
  const auto n = static_cast<std::size_t>(atoms_.nlocal);
  Array<Vec4> work(n, Vec4{1, 0, 0, 0});
  const bool known = listed_ && list_.offset.size() == n * static_cast<std::size_t>(list_.n_types) + 1;
  for (std::size_t i = 0; known && i < n; ++i)
    work[i].x = static_cast<double>(atom_work(list_, static_cast<std::int64_t>(i)));
  return work;
}

void Evaluator::sort_in_space(Array<Vec4>* further) {
  const View<const Vec4> local = local_positions(atoms_);
  const auto order = backend_.spatial_order(local, 0.5 * (cutoff() + options_.skin));
  if (further != nullptr) permute(*further, order);
  permute(atoms_.position, order);
  permute(atoms_.type, order);
  permute(atoms_.id, order);
  permute(atoms_.velocity, order);
  permute(atoms_.mass, order);
  permute(atoms_.image, order);
}

Evaluator::ListState Evaluator::list_state() const {
  ListState state{reference_, age_};
  if (halo_choice_) state.halo = halo_choice_->route;
  return state;
}

/// Once, when domains are known.
void Evaluator::choose_halo_route() {
  if (halo_choice_) return;
  halo_choice_ = choose_halo(*domains_, cutoff() + options_.skin, natoms_, *ranks_, options_.halo);
  halo_ = Halo(*ranks_, halo_choice_->route);
}

void Evaluator::build_list() {
  {
    const Trace trace(backend_.times(), Stage::halo);
    choose_halo_route();
    halo_.build(*domains_, box_, cutoff() + options_.skin, atoms_);
  }
  const Trace trace(backend_.times(), Stage::neighbor);
  backend_.build_neighbor_list(
      {atoms_.position, atoms_.type, atoms_.id, atoms_.nlocal, model().n_types(), cutoff() + options_.skin},
      list_);
  listed_ = true;
  if (ghosts_travel_beside()) find_interior();
}

/// Worth it where messages take time and some atoms need none of them. A Wannier net is evaluated first and
/// needs all ghosts.
bool Evaluator::ghosts_travel_beside() const {
  return ranks_->size() > 1 && backend_.overlaps_ghosts() && model().kind == ModelKind::energy &&
         !long_range_;
}

void Evaluator::find_interior() {
  interior_.assign(static_cast<std::size_t>(atoms_.nlocal), 1);
  for (std::int64_t i = 0; i < atoms_.nlocal; ++i)
    for (std::int64_t k = list_.offset[i * list_.n_types]; k < list_.offset[(i + 1) * list_.n_types]; ++k)
      if (list_.index[k] >= atoms_.nlocal) interior_[i] = 0;
}

// The list is a function of the reference positions in their memory order, so that building it from them
// gives the one the interrupted run had; the atoms then return to where they were.
void Evaluator::restore(const ListState& state, bool dealt) {
  if (!options_.halo && !dealt) options_.halo = state.halo;
  age_ = state.age;
  if (age_ < 0) return;  // no list yet: the next compute() builds one
  require(
      static_cast<std::int64_t>(state.reference.size()) == atoms_.nlocal,
      "the checkpoint holds {} reference positions for {} atoms (they must match); use another checkpoint",
      state.reference.size(), atoms_.nlocal);
  Array<Vec4> now(atoms_.position.begin(), atoms_.position.begin() + atoms_.nlocal);
  std::copy(state.reference.begin(), state.reference.end(), atoms_.position.begin());
  return_to_build(now, dealt);
  build_list();
  reference_.assign(atoms_.position.begin(), atoms_.position.begin() + atoms_.nlocal);
  std::copy(now.begin(), now.end(), atoms_.position.begin());
  halo_.update(atoms_);
}

/// Atoms, which stand where they stood at a list build, go to the ranks that had them then; `now` travels
/// along.
void Evaluator::return_to_build(Array<Vec4>& now, bool dealt) {
  check_dealable();
  choose_domains();
  // Some may be lent. Bricks reach only so far: what another way of sharing the mesh allowed to lend goes
  // back.
  const bool several = ranks_->size() > 1;
  if (dealt || (several && mesh_ranks_ && mesh_ranks_->bricks())) {
    migrate(*domains_, *ranks_, atoms_, {&now});
    sort_in_space(&now);
  } else if (several) {
    domains_->span(local_positions(atoms_), *ranks_);
  }
}

void Evaluator::check_dealable() const { check_positions(atoms_); }

void Evaluator::show_images() {
  wrap_all(box_, atoms_);
  choose_domains();
  if (ranks_->size() > 1)  // lent atoms lie elsewhere
    domains_->span(local_positions(atoms_), *ranks_);
  halo_.build(*domains_, box_, cutoff() + options_.skin, atoms_);
}

EvaluationCounts Evaluator::all_counts() const {
  EvaluationCounts all = counts_;
  if (ranks_->size() == 1) return all;
  std::array<std::int64_t, 2> sums{all.outside_table, all.sel_overflow};
  ranks_->all_reduce_sum(View<std::int64_t>(sums.data(), sums.size()));
  // Largest of negatives: the smallest distance, and the atom with the lowest number.
  constexpr double k_none = -1e300;
  std::array<double, 2> most{
      all.smallest_distance > 0 ? -all.smallest_distance : k_none,
      all.first_outside_atom >= 0 ? -static_cast<double>(all.first_outside_atom) : k_none};
  ranks_->all_reduce_max(View<double>(most.data(), most.size()));
  all.outside_table = sums[0];
  all.sel_overflow = sums[1];
  all.smallest_distance = most[0] == k_none ? 0 : -most[0];
  all.first_outside_atom = most[1] == k_none ? -1 : static_cast<std::int64_t>(-most[1]);
  return all;
}

void Evaluator::count(const EvaluationCounts& seen) {
  if (counts_.first_outside_atom < 0 && seen.first_outside_atom >= 0)
    counts_.first_outside_atom = atoms_.id[seen.first_outside_atom];
  if (seen.outside_table > 0)
    counts_.smallest_distance = counts_.outside_table > 0
                                    ? std::min(counts_.smallest_distance, seen.smallest_distance)
                                    : seen.smallest_distance;
  counts_.outside_table += seen.outside_table;
  counts_.sel_overflow += seen.sel_overflow;
}

}  // namespace nanoday
