// Particle-particle particle-mesh over ranks: one charge mesh from the charges of all of them, one per node.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cpu/pppm.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

namespace nanoday::cpu {

namespace {

/// Unit of the sums of |q| that travel with the mesh [e]: 2^18 e of each of 2^24 ranks fit.
constexpr double k_load_unit = 0x1p-20;

/// Adds what other ranks may be adding to at the same time; integers, so that nobody's turn matters.
void add(std::int64_t& to, std::int64_t value, bool alone) {
  if (alone)
    to += value;
  else if (value != 0)
    std::atomic_ref<std::int64_t>(to).fetch_add(value, std::memory_order_relaxed);
}

}  // namespace

void Pppm::share_node() {
  const auto& n = layout_.n;
  const View<std::byte> memory = node_->memory();
  auto* first = reinterpret_cast<double*>(memory.data());
  for (auto& field : field_) {
    field = {first, n[0] * layout_.plane_size()};
    first += field.size();
  }
  sums_ = {reinterpret_cast<std::int64_t*>(first), static_cast<std::size_t>(n[0]) * n[1] * n[2] + n[0] + 1};
}

/// What only fails because another rank did: everybody's last call throws it.
template <class Talk>
void Pppm::guarded(Talk talk) noexcept {
  try {
    talk();
  } catch (...) {
    if (!failure_) failure_ = std::current_exception();
  }
}

/// A rank that cannot go on still says so, or the others would wait for it.
void Pppm::begin(const LongRangeArgs& args, LongRangeResult& result, const Team& team) {
  if (team.me == 0) prepare_guarded(args, result);
  team.wait();
  if (!failure_) place_charges(args, team);
  team.wait();
  if (!failure_ && lost_ < 0) add_to_node(team);
  team.wait();
  if (team.me == 0) announce();
}

void Pppm::add_to_node(const Team& team) {
  Own& own = own_[team.me];
  sort_charges(own);
  const auto& n = layout_.n;
  const bool alone = node_->members() == 1;
  std::int64_t* load_sums = sums_.data() + static_cast<std::size_t>(n[0]) * n[1] * n[2];
  const auto [begin, end] = team.share(n[0]);
  for (auto plane = begin; plane < end; ++plane) {
    PlaneLoad load;
    if (!spread_fixed_plane(own, static_cast<int>(plane), load)) {
      overflow_ = true;
      continue;
    }
    if (load.total() == 0) continue;
    add(load_sums[plane], static_cast<std::int64_t>(std::ceil(load.total() / k_load_unit)), alone);
    for (int b = 0; b < n[1]; ++b) {
      const std::int64_t* from = own.fixed_plane.data() + static_cast<std::size_t>(b) * layout_.real_row;
      std::int64_t* to = sums_.data() + (static_cast<std::size_t>(plane) * n[1] + b) * n[2];
      for (int c = 0; c < n[2]; ++c) add(to[c], from[c], alone);
    }
  }
}

void Pppm::announce() noexcept {
  if (failure_ || lost_ >= 0 || overflow_) add(sums_[sums_.size() - 1], 1, false);
  if (!leads()) guarded([&] { node_->tell_leader(); });
}

/// The leader leaves nothing but zeros behind for the next solve.
void Pppm::transform(const Needs& needs, const Team& team) {
  if (team.me == 0) add_nodes();
  team.wait();
  if (word_.failed == 0) {
    const std::size_t plane_points = static_cast<std::size_t>(layout_.n[1]) * layout_.n[2];
    const auto [begin, end] = team.share(layout_.n[0]);
    for (auto plane = begin; plane < end; ++plane) {
      std::int64_t* const fixed = sums_.data() + plane * plane_points;
      plane_from_fixed(own_[team.me], fixed, layout_.n[2]);
      std::fill_n(fixed, plane_points, 0);
      transform_plane(own_[team.me], static_cast<int>(plane));
    }
    team.wait();
    solve_pass(force_channels_, true, needs, team);
  }
  if (team.me != 0) return;
  if (word_.failed == 0) add_up(needs, word_.energy, word_.virial);
  tell_others();
}

void Pppm::add_nodes() noexcept {
  word_ = {};
  const bool counted = failure_ != nullptr;  // in the sums, by announce()
  guarded([&] {
    node_->hear_others();
    node_->sum_over_nodes(sums_);
  });
  const std::int64_t* const load = sums_.end() - 1 - layout_.n[0];
  word_.most_load = *std::max_element(load, load + layout_.n[0]);
  const bool too_much = static_cast<double>(word_.most_load) * k_load_unit >= k_max_fixed_plane;
  word_.failed = sums_[sums_.size() - 1] + (too_much || (failure_ && !counted) ? 1 : 0);
  const auto first = word_.failed > 0 ? sums_.begin() : sums_.end() - 1 - layout_.n[0];
  std::fill(first, sums_.end(), 0);
}

void Pppm::tell_others() noexcept {
  guarded([&] { node_->tell_others({reinterpret_cast<const std::byte*>(&word_), sizeof word_}); });
}

void Pppm::hear_leader() noexcept {
  guarded([&] { node_->hear_leader({reinterpret_cast<std::byte*>(&word_), sizeof word_}); });
}

void Pppm::end(const LongRangeArgs& args, LongRangeResult& result, const Team& team) {
  if (team.me == 0 && !leads()) hear_leader();
  team.wait();
  check_word();
  if (team.me == 0) {
    result.energy = word_.energy;
    result.virial = word_.virial;
  }
  gather_per_charge(args, result, team);
}

/// Further fields in place of those that every rank of the node has gathered from.
void Pppm::solve_next(const std::vector<Channel>& channels, const Needs& needs, const Team& team) {
  if (!node_) return solve_pass(channels, false, needs, team);
  team.wait();
  if (team.me == 0) {
    if (leads())
      guarded([&] { node_->hear_others(); });
    else
      guarded([&] { node_->tell_leader(); });
    if (!leads()) hear_leader();
  }
  team.wait();
  if (failure_) std::rethrow_exception(failure_);
  if (!leads()) return;
  solve_pass(channels, false, needs, team);
  if (team.me == 0) tell_others();
}

/// Throws on all ranks when one of them cannot go on, or all together are too much.
void Pppm::check_word() const {
  if (failure_) std::rethrow_exception(failure_);
  check_placed();
  const bool too_much = static_cast<double>(word_.most_load) * k_load_unit >= k_max_fixed_plane;
  require_run(!overflow_ && !too_much,
              "the charge mesh overflows its fixed-point numbers (a charge of {} e, or {} e on one "
              "plane); look at the step before, or correct the charges",
              k_max_fixed_charge, k_max_fixed_plane);
  require_run(word_.failed == 0, "the charges of {} rank(s) cannot be put on the mesh; see the message there",
              word_.failed);
}

}  // namespace nanoday::cpu
