// Particle-particle particle-mesh on a mesh cut into bricks: the order of its stages, and all on the mesh.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/brick_pppm.hpp"

#include "core/error.hpp"
#include "cpu/first_touch.hpp"
#include "cpu/influence_table.hpp"
#include "math/influence_function.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nanoday::cpu {

namespace {

/// Numbers that kernels may touch beyond the last point they mean.
constexpr int k_beyond = k_weight_row;

std::size_t points_of(const std::array<int, 3>& n) {
  return static_cast<std::size_t>(n[0]) * static_cast<std::size_t>(n[1]) * static_cast<std::size_t>(n[2]);
}

/// Returns the plan after all checks, so that members made from it need none.
const LongRangePlan& checked(const LongRangePlan& plan, const MeshBrick& brick, std::array<int, 3> margin) {
  check_mesh_plan(plan);
  std::array<int, 3> extent{};
  for (int d = 0; d < 3; ++d) {
    require(0 <= brick.begin[d] && brick.begin[d] <= brick.end[d] && brick.end[d] <= plan.mesh[d] &&
                margin[d] >= 0,
            "a brick of the mesh has points {} to {} along {} and a margin of {} (the mesh has {}); cut the "
            "mesh anew",
            brick.begin[d], brick.end[d], "abc"[d], margin[d], plan.mesh[d]);
    extent[d] = brick.end[d] - brick.begin[d] + 2 * margin[d];
  }
  const double with_margins = 1.0 * extent[0] * extent[1] * extent[2];
  const double own = static_cast<double>(brick.points());
  require(with_margins < 0x1p31,
          "a brick of the mesh has {:.3g} points (they are counted in 31 bits); use more ranks",
          with_margins);
  check_free_memory(
      8 * (5 * with_margins + 14 * own),
      fmt::format("a brick of {} × {} × {} points of the mesh", extent[0], extent[1], extent[2]));
  return plan;
}

}  // namespace

/// Runs what only one thread of a rank may do, between two meetings of the team; what it throws, every member
/// throws.
template <class Call>
void BrickPppm::alone(const Team& team, Call&& call) {
  team.wait();
  if (team.me == 0) try {
      call();
    } catch (...) {
      failure_ = std::current_exception();
    }
  team.wait();
  if (failure_) std::rethrow_exception(failure_);
}

BrickPppm::BrickPppm(const LongRangePlan& plan, int max_team, const MeshKernelSet& kernels, MeshRanks& ranks)
    : plan_(checked(plan, ranks.brick(), ranks.margin())),
      ik_(plan.differentiation == Differentiation::ik),
      of_order_(kernels.order[plan.order]),
      ranks_(ranks),
      brick_(ranks.brick()),
      influence_(plan),
      map_(mesh_map(plan)),
      force_rule_(plan, influence_),
      own_(static_cast<std::size_t>(max_team)) {
  for (int d = 0; d < 3; ++d) {
    low_[d] = brick_.begin[d] - ranks.margin()[d];
    extent_[d] = brick_.shape()[d] + 2 * ranks.margin()[d];
  }
  overlap_ = ranks_at_a_point();
  row_ = (extent_[2] + k_beyond + 7) / 8 * 8;
  on_each_thread(max_team, [&](int t) {
    own_[t].plane.resize(static_cast<std::size_t>(extent_[1]) * row_);
    own_[t].charges.reserve(0, extent_[0]);
  });
  mesh_.resize(points_of(extent_));
  spectrum_.resize(brick_.points());
  product_.resize(brick_.points());
  for (int c = 0; c < (ik_ ? 3 : 1); ++c) field_[c].resize(points_of(extent_) + k_beyond);
  make_tables();
}

/// At most this many bricks with their margins cover a point: along a direction where bricks have b points or
/// more and margins m or less, 2m/b + 1 rounded up. Where a brick is empty that is no bound, but all ranks
/// are one.
double BrickPppm::ranks_at_a_point() {
  double by_width = 1, by_number = ranks_.size();
  for (int d = 0; d < 3; ++d) {
    const double width = -ranks_.largest(-brick_.shape()[d]), margin = ranks_.largest(ranks_.margin()[d]);
    const double widest = ranks_.largest(extent_[d]);
    by_width *= width > 0 ? std::ceil(2 * margin / width) + 1 : std::numeric_limits<double>::infinity();
    by_number *= std::ceil(widest / plan_.mesh[d]);
  }
  return std::min(by_width, by_number);
}

void BrickPppm::make_tables() {
  green_.resize(brick_.points());
  for (int d = 0; d < 3 && ik_; ++d) slope_[d].resize(brick_.points());
  const auto& n = plan_.mesh;
  std::size_t at = 0;
  for (int a = brick_.begin[0]; a < brick_.end[0]; ++a)
    for (int b = brick_.begin[1]; b < brick_.end[1]; ++b)
      for (int c = brick_.begin[2]; c < brick_.end[2]; ++c, ++at) {
        const InfluenceFunction::Mode mode{mesh_frequency(a, n[0]), mesh_frequency(b, n[1]),
                                           mesh_frequency(c, n[2])};
        green_[at] = mode_green(influence_, mode);
        for (int d = 0; d < 3 && ik_; ++d) slope_[d][at] = mode_slope(influence_, mode, d, green_[at]);
      }
}

void BrickPppm::make_virial_tables() {
  for (auto& table : virial_table_) table.resize(brick_.points());
  const auto& n = plan_.mesh;
  std::size_t at = 0;
  for (int a = brick_.begin[0]; a < brick_.end[0]; ++a)
    for (int b = brick_.begin[1]; b < brick_.end[1]; ++b)
      for (int c = brick_.begin[2]; c < brick_.end[2]; ++c, ++at) {
        const auto virial = mode_virial(
            influence_, {mesh_frequency(a, n[0]), mesh_frequency(b, n[1]), mesh_frequency(c, n[2])},
            plan_.beta, green_[at]);
        for (int v = 0; v < 6; ++v) virial_table_[v][at] = virial[v];
      }
}

void BrickPppm::solve(const LongRangeArgs& args, LongRangeResult& result, const Team& team) {
  require(team.size <= static_cast<int>(own_.size()),
          "{} threads call a mesh solver made for {}; make it for more", team.size, own_.size());
  if (team.me == 0) prepare(args, result);
  team.wait();
  if (!failure_) place_charges(args, team);
  team.wait();
  if (!failure_ && lost_ < 0 && outside_ < 0) spread_charges(team);
  alone(team, [&] {
    agree();
    ranks_.fold(mesh_);
  });
  load_brick(team);
  alone(team, [&] { ranks_.forward(spectrum_); });
  const Needs& needs = args.needs;
  if (needs.energy || needs.atom_energy || needs.virial || needs.atom_virial) sum_modes(needs, team);
  const Channel potential{&green_, false};
  if (ik_)
    solve_pass({{&slope_[0], true}, {&slope_[1], true}, {&slope_[2], true}}, team);
  else
    solve_pass({potential}, team);
  gather_forces(args, result, team);
  if (needs.atom_energy) {
    if (ik_) solve_pass({potential}, team);
    gather_energies(result, team);
  }
  for (int half = 0; half < 2 && needs.atom_virial; ++half) {
    Channels channels;
    for (int v = 3 * half; v < 3 * half + 3; ++v) channels.push_back({&virial_table_[v], false});
    solve_pass(channels, team);
    gather_virials(result, team, half);
  }
  alone(team, [&] { add_up(needs, result); });
}

/// Errors are kept: a rank that left now would leave the others waiting.
void BrickPppm::prepare(const LongRangeArgs& args, LongRangeResult& result) try {
  failure_ = nullptr;
  lost_ = outside_ = -1;
  overflow_ = false;
  for (Own& own : own_) own.most = 0, own.sum = {};
  const std::size_t n = args.charge.size();
  require(n < std::size_t{1} << 31, "{} charges are more than a mesh solver counts; use fewer", n);
  n_charges_ = static_cast<std::int32_t>(n);
  if (stencil_.size() < n) {
    stencil_.resize(n + n / 8);
    start_a_.resize(stencil_.size());
    for (auto& own : own_) own.charges.reserve(stencil_.size(), extent_[0]);
  }
  result.force.resize(n);
  result.atom_energy.resize(args.needs.atom_energy ? n : 0);
  result.atom_virial.resize(args.needs.atom_virial ? n : 0);
  if ((args.needs.virial || args.needs.atom_virial) && virial_table_[0].size() < brick_.points())
    make_virial_tables();
  if (args.needs.atom_virial)
    for (auto& field : field_) field.resize(points_of(extent_) + k_beyond);
} catch (...) {
  failure_ = std::current_exception();
}

void BrickPppm::agree() {
  const bool stuck = failure_ || lost_ >= 0 || outside_ >= 0 || overflow_;
  double most = stuck ? std::numeric_limits<double>::infinity() : 0;
  for (const Own& own : own_) most = std::max(most, own.most / k_mesh_scale);
  most = ranks_.largest(most);
  if (failure_) std::rethrow_exception(failure_);
  require_run(lost_ < 0,
              "charge {} has no place on the mesh (its position or charge is not a finite number, or "
              "it is absurdly far away); look at the step before, or use a smaller time step",
              lost_.load());
  require_run(
      outside_ < 0,
      "charge {} lies outside its rank's brick of the mesh and the margin around it (its atom moved too far "
      "since atoms were dealt to ranks); use a smaller time step, or a larger --skin",
      outside_.load());
  require_run(
      !overflow_ && !(most < std::numeric_limits<double>::infinity() && most * overlap_ >= k_max_fixed_plane),
      "the charge mesh overflows its fixed-point numbers (a charge of {} e, or {} e at one place); look at "
      "the step before, or correct the charges",
      k_max_fixed_charge, k_max_fixed_plane);
  require_run(most < std::numeric_limits<double>::infinity(),
              "the charges of another rank cannot be put on the mesh; see the message there");
}

void BrickPppm::load_brick(const Team& team) {
  const auto n = brick_.shape(), m = ranks_.margin();
  const auto [begin, end] = team.share(n[0]);
  for (std::int64_t a = begin; a < end; ++a)
    for (int b = 0; b < n[1]; ++b) {
      const std::int64_t* from =
          mesh_.data() + ((a + m[0]) * extent_[1] + b + m[1]) * static_cast<std::int64_t>(extent_[2]) + m[2];
      Complex* to = spectrum_.data() + (a * n[1] + b) * n[2];
      for (int c = 0; c < n[2]; ++c) to[c] = static_cast<double>(from[c]) / k_mesh_scale;
    }
}

void BrickPppm::sum_modes(const Needs& needs, const Team& team) {
  const bool virial = needs.virial || needs.atom_virial;
  auto& sum = own_[team.me].sum;
  const auto [begin, end] = team.share(static_cast<std::int64_t>(brick_.points()));
  for (std::int64_t k = begin; k < end; ++k) {
    const double half = std::norm(spectrum_[k]) / 2;
    sum[0].add(half * green_[k]);
    for (int v = 0; v < 6 && virial; ++v) sum[v + 1].add(half * virial_table_[v][k]);
  }
}

void BrickPppm::add_up(const Needs& needs, LongRangeResult& result) {
  result.energy = 0;
  result.virial = {};
  const bool energy = needs.energy || needs.atom_energy, virial = needs.virial || needs.atom_virial;
  if (!energy && !virial) return;
  std::array<ExactSum::Limbs, 7> limbs{};
  for (const Own& own : own_)
    for (int s = 0; s < 7; ++s) {
      const auto more = own.sum[s].limbs();
      for (std::size_t l = 0; l < more.size(); ++l) limbs[s][l] += more[l];
    }
  ranks_.sum({limbs[0].data(), limbs.size() * limbs[0].size()});
  std::array<double, 7> sum{};
  for (int s = 0; s < 7; ++s) sum[s] = ExactSum::from_limbs(limbs[s]).value();
  if (energy) result.energy = sum[0];
  if (virial) result.virial = {sum[1], sum[2], sum[3], sum[2], sum[4], sum[5], sum[3], sum[5], sum[6]};
}

/// Fields 0 … channels − 1, margins filled. Two go through one transform, the same two whatever else is
/// computed: they change each other's rounding.
void BrickPppm::solve_pass(const Channels& channels, const Team& team) {
  const int count = static_cast<int>(channels.size());
  for (int c = 0; c < count; c += 2) {
    multiply(channels[c], c + 1 < count ? &channels[c + 1] : nullptr, team);
    alone(team, [&] { ranks_.backward(product_); });
    store_fields(c, std::min(2, count - c), team);
    team.wait();
  }
  alone(team, [&] {
    for (int c = 0; c < count; ++c) ranks_.expand({field_[c].data(), points_of(extent_)});
  });
}

/// The spectrum of (first field) + i·(second field).
void BrickPppm::multiply(const Channel& first, const Channel* second, const Team& team) {
  const auto of = [&](const Channel& channel, std::int64_t k) {
    const Complex value = (*channel.table)[k] * spectrum_[k];
    return channel.times_i ? Complex{-value.imag(), value.real()} : value;
  };
  const auto [begin, end] = team.share(static_cast<std::int64_t>(brick_.points()));
  for (std::int64_t k = begin; k < end; ++k) {
    product_[k] = of(first, k);
    if (!second) continue;
    const Complex value = of(*second, k);
    product_[k] += Complex{-value.imag(), value.real()};
  }
}

void BrickPppm::store_fields(int first, int count, const Team& team) {
  const auto n = brick_.shape(), m = ranks_.margin();
  const auto [begin, end] = team.share(n[0]);
  for (std::int64_t a = begin; a < end; ++a)
    for (int b = 0; b < n[1]; ++b) {
      const Complex* from = product_.data() + (a * n[1] + b) * n[2];
      const std::int64_t to = ((a + m[0]) * extent_[1] + b + m[1]) * extent_[2] + m[2];
      for (int c = 0; c < n[2]; ++c) {
        field_[first][to + c] = from[c].real();
        if (count > 1) field_[first + 1][to + c] = from[c].imag();
      }
    }
}

}  // namespace nanoday::cpu
