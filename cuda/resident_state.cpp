// What goes to the device when a resident system begins, and what comes back when somebody looks.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cuda/resident_system.hpp"

#include <algorithm>
#include <map>
#include <type_traits>

namespace nanoday::NANODAY_GPU {
namespace {

/// Atoms of each type.
std::map<std::int32_t, std::int64_t> composition(const Atoms& atoms) {
  std::map<std::int32_t, std::int64_t> count;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) ++count[atoms.type[i]];
  return count;
}

}  // namespace

void Resident::load(int replica, const ResidentState& state) {
  pending_.resize(settings_.bath.size());
  pending_[static_cast<std::size_t>(replica)] = state;
}

/// One replica's rows after another's.
void Resident::upload_state() {
  const auto n = static_cast<std::size_t>(pending_[0].atoms.nlocal);
  const auto all = [&](auto& to, auto&& rows_of) {
    std::remove_cvref_t<decltype(rows_of(pending_[0]))> rows;
    for (const ResidentState& state : pending_) {
      const auto& from = rows_of(state);
      rows.insert(rows.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(n));
    }
    upload(stream_, to, rows);
    stream_.synchronize();
  };
  atoms_.nlocal = static_cast<std::int64_t>(n * pending_.size());
  atoms_.nghost = 0;
  atoms_.n_replicas = n_replicas();
  all(
      atoms_.position, [](const ResidentState& s) -> auto& { return s.atoms.position; });
  all(
      atoms_.type, [](const ResidentState& s) -> auto& { return s.atoms.type; });
  all(
      atoms_.id, [](const ResidentState& s) -> auto& { return s.atoms.id; });
  all(
      atoms_.velocity, [](const ResidentState& s) -> auto& { return s.atoms.velocity; });
  all(
      atoms_.mass, [](const ResidentState& s) -> auto& { return s.atoms.mass; });
  all(
      atoms_.image, [](const ResidentState& s) -> auto& { return s.atoms.image; });
  if (n_replicas() > 1) {
    std::vector<std::int32_t> replica;
    for (int r = 0; r < n_replicas(); ++r) replica.insert(replica.end(), n, r);
    upload(stream_, atoms_.replica, replica);
    stream_.synchronize();
  }
  atoms_.force.resize(static_cast<std::size_t>(atoms_.nlocal));
  atoms_.reference.resize(static_cast<std::size_t>(atoms_.nlocal));
  std::vector<SystemState> systems;
  for (const ResidentState& from : pending_) {
    SystemState system;
    system.step = from.step;
    std::copy(from.bath.begin(), from.bath.end(), system.bath.begin());
    systems.push_back(system);
  }
  upload(stream_, state_, systems);
  signals_.resize(1);
  fill_zero(stream_, signals_.data(), sizeof(Signals));
  stream_.synchronize();
  energy_->reset_counts(stream_);
  if (wannier_) wannier_->reset_counts(stream_);
  age_ = pending_[0].age;
  const auto atoms_of_type = composition(pending_[0].atoms);
  for (const ResidentState& state : pending_)
    require(state.age == age_ && composition(state.atoms) == atoms_of_type,
            "replicas differ in their numbers of atoms or in the age of their lists (they are advanced "
            "together); "
            "continue them one by one");
  if (age_ < 0) return;
  // The list is a function of the reference positions in their memory order (forces/evaluator.cpp).
  all(
      atoms_.reference, [](const ResidentState& s) -> auto& { return s.reference; });
  const std::size_t bytes = static_cast<std::size_t>(atoms_.nlocal) * sizeof(Vec4);
  copy_on_device(stream_, atoms_.position.data(), atoms_.reference.data(), bytes);
  build_lists();
  DeviceArray<Vec4> now;
  all(
      now, [](const ResidentState& s) -> auto& { return s.atoms.position; });
  copy_on_device(stream_, atoms_.position.data(), now.data(), bytes);
  stream_.synchronize();
}

/// The last evaluation is finished before anybody looks at it.
SystemState Resident::read_state(int replica) {
  SystemState state;
  const auto fetch = [&] {
    copy_to_host(stream_, &state, state_.data() + replica, sizeof state);
    copy_to_host(stream_, seen_.data(), signals_.data(), sizeof(Signals));
    stream_.synchronize();
  };
  fetch();
  while (repeat_with_room()) {
    run_part(second_part(), [&] { second_half(last_needs_); });
    fetch();
  }
  return state;
}

ResidentScalars Resident::scalars(int replica) {
  const SystemState state = read_state(replica);
  ResidentScalars s;
  s.step = state.step;
  s.kinetic = value_of(state.kinetic);
  s.energy = value_of(state.energy);
  for (int c = 0; c < 9; ++c) s.virial[c] = value_of(state.virial[c]);
  s.bath.assign(state.bath.begin(), state.bath.end());
  if (!dplr_) return s;
  dplr_->solver().check(stream_, replica);
  const auto sums = dplr_->sums(stream_, replica);
  s.energy_long = sums[0];
  s.energy += sums[0];
  for (int c = 0; c < 9; ++c) s.virial[c] += sums[1 + c];
  return s;
}

void Resident::download(int replica, Atoms& atoms, Forces& forces, Array<Vec4>& dipoles) {
  read_state(replica);
  const auto n = static_cast<std::size_t>(atoms_per_replica()), first = n * static_cast<std::size_t>(replica);
  const auto fetch = [&](auto& to, const auto& from) {
    to.resize(n);
    copy_to_host(stream_, to.data(), from.data() + first, n * sizeof(*to.data()));
  };
  atoms.nlocal = static_cast<std::int64_t>(n);
  atoms.nghost = 0;
  fetch(atoms.position, atoms_.position);
  fetch(atoms.type, atoms_.type);
  fetch(atoms.id, atoms_.id);
  fetch(atoms.velocity, atoms_.velocity);
  fetch(atoms.mass, atoms_.mass);
  fetch(atoms.image, atoms_.image);
  forces.fixed_point = false;
  fetch(forces.force, atoms_.force);
  if (dplr_) fetch(dipoles, dipole_);
  stream_.synchronize();
}

Array<Vec4> Resident::reference(int replica) {
  const auto n = static_cast<std::size_t>(atoms_per_replica());
  Array<Vec4> reference(n);
  copy_to_host(stream_, reference.data(), atoms_.reference.data() + n * static_cast<std::size_t>(replica),
               n * sizeof(Vec4));
  stream_.synchronize();
  return reference;
}

EvaluationCounts Resident::counts(int replica) {
  EvaluationCounts counts = as_counts(energy_->read_counts(stream_));
  if (wannier_) {
    const EvaluationCounts more = as_counts(wannier_->read_counts(stream_));
    counts.outside_table += more.outside_table;
    counts.sel_overflow += more.sel_overflow;
    if (counts.first_outside_atom < 0) counts.first_outside_atom = more.first_outside_atom;
    if (counts.smallest_distance == 0 ||
        (more.smallest_distance > 0 && more.smallest_distance < counts.smallest_distance))
      counts.smallest_distance = more.smallest_distance;
  }
  const std::int64_t first = atoms_per_replica() * replica;
  counts.first_outside_atom -= first;
  if (counts.first_outside_atom < 0 || counts.first_outside_atom >= atoms_per_replica())
    counts.first_outside_atom = -1;
  return counts;
}

}  // namespace nanoday::NANODAY_GPU
