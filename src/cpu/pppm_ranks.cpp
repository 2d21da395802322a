// Particle-particle particle-mesh over ranks: one charge mesh from the charges of all of them.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cpu/pppm.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday::cpu {

namespace {

/// Unit of the sums of |q| that travel with the mesh [e]: 2^18 e of each of 2^24 ranks fit.
constexpr double k_load_unit = 0x1p-20;

}  // namespace

/// A rank that cannot go on still takes part in the sum, or the others would wait for it.
void Pppm::spread_over_ranks(const LongRangeArgs& args, const Team& team) {
  if (!failure_) place_charges(args, team);
  team.wait();
  if (!failure_ && lost_ < 0) spread_into_fixed_mesh(team);
  team.wait();
  if (team.me == 0) sum_over_ranks();
  team.wait();
  check_sums();
  const std::size_t plane_points = static_cast<std::size_t>(layout_.n[1]) * layout_.n[2];
  const auto [begin, end] = team.share(layout_.n[0]);
  for (auto plane = begin; plane < end; ++plane) {
    plane_from_fixed(own_[team.me], sums_.data() + plane * plane_points, layout_.n[2]);
    transform_plane(own_[team.me], static_cast<int>(plane));
  }
  team.wait();
}

void Pppm::spread_into_fixed_mesh(const Team& team) {
  Own& own = own_[team.me];
  sort_charges(own);
  const auto& n = layout_.n;
  std::int64_t* load_sums = sums_.data() + static_cast<std::size_t>(n[0]) * n[1] * n[2];
  const auto [begin, end] = team.share(n[0]);
  for (auto plane = begin; plane < end; ++plane) {
    PlaneLoad load;
    if (!spread_fixed_plane(own, static_cast<int>(plane), load)) {
      overflow_ = true;
      continue;
    }
    load_sums[plane] = static_cast<std::int64_t>(std::ceil(load.total() / k_load_unit));
    for (int b = 0; b < n[1]; ++b)
      std::copy_n(own.fixed_plane.data() + static_cast<std::size_t>(b) * layout_.real_row, n[2],
                  sums_.data() + (static_cast<std::size_t>(plane) * n[1] + b) * n[2]);
  }
}

void Pppm::sum_over_ranks() {
  sums_.back() = failure_ || lost_ >= 0 || overflow_;
  try {
    ranks_->sum(sums_);
  } catch (...) {
    if (!failure_) failure_ = std::current_exception();
  }
}

/// Throws on all ranks when one of them cannot go on, or all together are too much.
void Pppm::check_sums() const {
  if (failure_) std::rethrow_exception(failure_);
  check_placed();
  const std::int64_t* load = sums_.data() + sums_.size() - 1 - layout_.n[0];
  const std::int64_t most = *std::max_element(load, load + layout_.n[0]);
  require_run(!overflow_ && (sums_.back() > 0 || static_cast<double>(most) * k_load_unit < k_max_fixed_plane),
              "the charge mesh overflows its fixed-point numbers (a charge of {} e, or {} e on one "
              "plane); look at the step before, or correct the charges",
              k_max_fixed_charge, k_max_fixed_plane);
  require_run(sums_.back() == 0, "the charges of {} rank(s) cannot be put on the mesh; see the message there",
              sums_.back());
}

}  // namespace nanoday::cpu
