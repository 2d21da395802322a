// What goes to the device when a resident system begins, and what comes back when somebody looks.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cuda/resident_system.hpp"

#include <algorithm>
#include <map>
#include <type_traits>
#include <utility>

namespace nanoday::NANODAY_GPU {
namespace {

/// Atoms of each type.
std::map<std::int32_t, std::int64_t> composition(const Atoms& atoms) {
  std::map<std::int32_t, std::int64_t> count;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) ++count[atoms.type[i]];
  return count;
}

/// Local rows of all replicas, one behind the other.
template <class RowsOf>
auto joined(const std::vector<ResidentState>& states, RowsOf rows_of) {
  std::remove_cvref_t<decltype(rows_of(states[0]))> rows;
  for (const ResidentState& state : states) {
    const auto& from = rows_of(state);
    rows.insert(rows.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(state.atoms.nlocal));
  }
  return rows;
}

Atoms joined_atoms(const std::vector<ResidentState>& states) {
  Atoms all;
  for (const ResidentState& state : states) all.nlocal += state.atoms.nlocal;
  all.position = joined(
      states, [](const ResidentState& s) -> auto& { return s.atoms.position; });
  all.type = joined(
      states, [](const ResidentState& s) -> auto& { return s.atoms.type; });
  all.id = joined(
      states, [](const ResidentState& s) -> auto& { return s.atoms.id; });
  all.velocity = joined(
      states, [](const ResidentState& s) -> auto& { return s.atoms.velocity; });
  all.mass = joined(
      states, [](const ResidentState& s) -> auto& { return s.atoms.mass; });
  all.image = joined(
      states, [](const ResidentState& s) -> auto& { return s.atoms.image; });
  return all;
}

/// The first n elements, or all.
template <class T, class From>
void upload_first(Stream& stream, DeviceArray<T>& to, const From& from, std::int64_t n) {
  upload(stream, to, View<const T>(from.data(), static_cast<std::size_t>(n)));
}

}  // namespace

void Resident::load(int replica, const ResidentState& state) {
  pending_.resize(settings_.bath.size());
  pending_[static_cast<std::size_t>(replica)] = state;
}

/// Ghosts stand behind the local atoms where `rows` tells how they are made.
void Resident::upload_rows(const Atoms& atoms, const HaloRows& rows) {
  atoms_.nlocal = atoms.nlocal;
  atoms_.nghost = static_cast<std::int64_t>(rows.source.size());
  atoms_.n_replicas = n_replicas();
  upload_first(stream_, atoms_.position, atoms.position, atoms_.nall());
  upload_first(stream_, atoms_.type, atoms.type, atoms_.nall());
  upload_first(stream_, atoms_.id, atoms.id, atoms_.nall());
  upload_first(stream_, atoms_.velocity, atoms.velocity, atoms.nlocal);
  upload_first(stream_, atoms_.mass, atoms.mass, atoms.nlocal);
  upload_first(stream_, atoms_.image, atoms.image, atoms.nlocal);
  atoms_.force.resize(static_cast<std::size_t>(atoms.nlocal));
  atoms_.reference.resize(static_cast<std::size_t>(atoms.nlocal));
  if (ranks_.several()) ranks_.set_rows(stream_, rows, atoms_);
  stream_.synchronize();
}

/// Some local atoms; valid after the stream has been waited for.
void Resident::fetch_rows(std::int64_t first, std::int64_t n, Atoms& atoms) {
  const auto fetch = [&](auto& to, const auto& from) {
    to.resize(static_cast<std::size_t>(n));
    copy_to_host(stream_, to.data(), from.data() + first, to.size() * sizeof(*to.data()));
  };
  atoms.nlocal = n;
  atoms.nghost = 0;
  fetch(atoms.position, atoms_.position);
  fetch(atoms.type, atoms_.type);
  fetch(atoms.id, atoms_.id);
  fetch(atoms.velocity, atoms_.velocity);
  fetch(atoms.mass, atoms_.mass);
  fetch(atoms.image, atoms_.image);
}

void Resident::upload_systems() {
  std::vector<SystemState> systems;
  for (const ResidentState& from : pending_) {
    SystemState system;
    system.step = from.step;
    std::copy(from.bath.begin(), from.bath.end(), system.bath.begin());
    systems.push_back(system);
  }
  upload(stream_, state_, systems);
  std::vector<std::int32_t> replica;
  for (int r = 0; r < n_replicas(); ++r)
    replica.insert(replica.end(), static_cast<std::size_t>(pending_[0].atoms.nlocal), r);
  if (n_replicas() > 1) upload(stream_, atoms_.replica, replica);
  signals_.resize(1);
  fill_zero(stream_, signals_.data(), sizeof(Signals));
  stream_.synchronize();
  energy_->reset_counts(stream_);
  if (wannier_) wannier_->reset_counts(stream_);
}

void Resident::upload_state() {
  age_ = pending_[0].age;
  const auto atoms_of_type = composition(pending_[0].atoms);
  for (const ResidentState& state : pending_)
    require(state.age == age_ && composition(state.atoms) == atoms_of_type,
            "replicas differ in their numbers of atoms or in the age of their lists (they are advanced "
            "together); "
            "continue them one by one");
  Atoms atoms = joined_atoms(pending_);
  upload_systems();
  if (age_ < 0) return upload_rows(atoms, {});
  // The list is a function of the reference positions in their memory order (forces/evaluator.cpp).
  Array<Vec4> now = std::exchange(atoms.position,
                                  joined(
                                      pending_, [](const ResidentState& s) -> auto& { return s.reference; }));
  HaloRows rows;
  if (ranks_.several()) rows = settings_.ranks->restore(atoms, now, pending_[0].dealt);
  upload_rows(atoms, rows);
  const std::size_t bytes = static_cast<std::size_t>(atoms_.nlocal) * sizeof(Vec4);
  copy_on_device(stream_, atoms_.reference.data(), atoms_.position.data(), bytes);
  if (!ranks_.several()) build_ghosts(stream_, work_, settings_.box, cutoff(), atoms_);
  build_lists();
  copy_to_device(stream_, atoms_.position.data(), now.data(), bytes);
  stream_.synchronize();
}

/// The last evaluation is finished before anybody looks at it, and what one rank has met is known to all.
SystemState Resident::read_state(int replica) {
  SystemState state;
  const auto fetch = [&] {
    ranks_.agree(stream_, signals_.data());
    copy_to_host(stream_, &state, state_.data() + replica, sizeof state);
    copy_to_host(stream_, seen_.data(), signals_.data(), sizeof(Signals));
    finish_queue();
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
  const std::int64_t n = atoms_per_replica(), first = n * replica;
  fetch_rows(first, n, atoms);
  const auto fetch = [&](Array<Vec4>& to, const DeviceArray<Vec4>& from) {
    to.resize(static_cast<std::size_t>(n));
    copy_to_host(stream_, to.data(), from.data() + first, to.size() * sizeof(Vec4));
  };
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
  finish_queue();
  return reference;
}

EvaluationCounts Resident::counts(int replica) {
  finish_queue();
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
