// Particle-particle particle-mesh: the order of its stages, and what happens at the charges.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/pppm.hpp"

#include "core/error.hpp"
#include "cpu/brick_pppm.hpp"

namespace nanoday::cpu {

namespace {

/// Fields, then what Pppm::sums_ holds.
std::size_t node_bytes(const MeshLayout& layout) {
  const auto [na, nb, nc] = layout.n;
  const std::size_t fields = Pppm::k_most_channels * na * layout.plane_size();
  const std::size_t sums = static_cast<std::size_t>(na) * nb * nc + na + 1;
  return fields * sizeof(double) + sums * sizeof(std::int64_t);
}

/// Returns the plan after all checks, so that members made from it need none.
const LongRangePlan& checked(const LongRangePlan& plan, int max_team) {
  check_mesh_plan(plan);
  check_mesh_memory(plan.mesh, max_team);
  return plan;
}

}  // namespace

std::unique_ptr<LongRangeTeam> make_pppm(const LongRangePlan& plan, int max_team, bool reproducible,
                                         const InstructionSet& set, MeshRanks* ranks) {
  if (ranks && ranks->bricks()) return std::make_unique<BrickPppm>(plan, max_team, *set.mesh, *ranks);
  return std::make_unique<Pppm>(plan, max_team, reproducible, *set.mesh, ranks);
}

Pppm::Pppm(const LongRangePlan& plan, int max_team, bool reproducible, const MeshKernelSet& kernels,
           MeshRanks* ranks)
    : plan_(checked(plan, max_team)),
      fixed_(reproducible || ranks),
      kernels_(kernels),
      of_order_(kernels.order[plan.order]),
      layout_(mesh_layout(plan.mesh)),
      node_(ranks ? ranks->share_node(node_bytes(layout_)) : nullptr),
      influence_(plan),
      table_(leads() ? make_influence_table(plan, influence_) : InfluenceTable{}),
      map_(mesh_map(plan)),
      force_rule_(plan, influence_),
      own_(static_cast<std::size_t>(max_team)) {
  using enum Differentiation;
  if (plan.differentiation == ad) {
    force_channels_ = {{&table_.green, false, Channel::nothing}};
  } else if (table_.separable) {
    force_channels_ = {{&table_.green, false, Channel::along_a},
                       {&table_.green, false, Channel::along_b},
                       {&table_.slope[2], true, Channel::nothing}};
  } else {
    for (const auto& slope : table_.slope) force_channels_.push_back({&slope, true, Channel::nothing});
  }
  if (node_) share_node();
  potential_channel_ = {{&table_.green, false, Channel::nothing}};
  for (int c = 0; c < 6; ++c) virial_channels_[c / 3].push_back({&virial_table_[c], false, Channel::nothing});
  make_plans();
}

void Pppm::solve(const LongRangeArgs& args, LongRangeResult& result, const Team& team) {
  require(team.size <= static_cast<int>(own_.size()),
          "{} threads call a mesh solver made for {}; make it for more", team.size, own_.size());
  if (!node_) return solve_alone(args, result, team);
  begin(args, result, team);
  if (leads()) transform(args.needs, team);
  end(args, result, team);
}

void Pppm::solve_alone(const LongRangeArgs& args, LongRangeResult& result, const Team& team) {
  if (team.me == 0) prepare_guarded(args, result);
  team.wait();
  spread_alone(args, team);
  solve_pass(force_channels_, true, args.needs, team);
  if (team.me == 0) add_up(args.needs, result.energy, result.virial);
  gather_per_charge(args, result, team);
}

void Pppm::gather_per_charge(const LongRangeArgs& args, LongRangeResult& result, const Team& team) {
  gather_forces(args, result, team);
  if (args.needs.atom_energy) {
    if (plan_.differentiation == Differentiation::ik) solve_next(potential_channel_, args.needs, team);
    gather_energies(result, team);
  }
  if (!args.needs.atom_virial) return;
  for (int half = 0; half < 2; ++half) {
    solve_next(virial_channels_[half], args.needs, team);
    gather_virials(result, team, half);
  }
}

void Pppm::spread_alone(const LongRangeArgs& args, const Team& team) {
  if (failure_) std::rethrow_exception(failure_);
  place_charges(args, team);
  team.wait();
  check_placed();
  spread_charges(team);
  team.wait();
  require_run(!overflow_,
              "the charge mesh overflows its fixed-point numbers (a charge of {} e, or {} e on one "
              "plane); switch the reproducible mode off",
              k_max_fixed_charge, k_max_fixed_plane);
}

void Pppm::check_placed() const {
  require_run(lost_ < 0,
              "charge {} has no place on the mesh (its position or charge is not a finite number, or "
              "it is absurdly far away); look at the step before, or use a smaller time step",
              lost_.load());
}

void Pppm::prepare_guarded(const LongRangeArgs& args, LongRangeResult& result) noexcept {
  try {
    failure_ = nullptr;
    lost_ = -1;
    overflow_ = false;
    prepare(args, result);
  } catch (...) {
    // Every member throws it after they met: one that left alone would leave the others waiting.
    failure_ = std::current_exception();
  }
}

void Pppm::prepare(const LongRangeArgs& args, LongRangeResult& result) {
  const std::size_t n = args.charge.size();
  require(n < std::size_t{1} << 31, "{} charges are more than a mesh solver counts; use fewer", n);
  n_charges_ = static_cast<std::int32_t>(n);
  if (stencil_.size() < n) {
    stencil_.resize(n + n / 8);
    start_a_.resize(stencil_.size());
    for (auto& own : own_) own.charges.reserve(stencil_.size(), layout_.n[0]);
  }
  result.force.resize(n);
  result.atom_energy.resize(args.needs.atom_energy ? n : 0);
  result.atom_virial.resize(args.needs.atom_virial ? n : 0);
  if (!leads()) return;
  if ((args.needs.virial || args.needs.atom_virial) && virial_table_[0].empty())
    virial_table_ = make_virial_tables(table_, influence_, plan_.beta);
  if (args.needs.atom_virial) make_fields(k_most_channels);
}

void Pppm::place_charges(const LongRangeArgs& args, const Team& team) {
  const auto [begin, end] = team.share(static_cast<std::int64_t>(args.charge.size()));
  const std::int64_t lost = of_order_.make_stencils(map_, args.charge.data(), stencil_.data(), begin, end);
  if (lost >= 0) lost_ = lost;
  for (std::int64_t i = begin; i < end; ++i) start_a_[i] = stencil_[i].start[0];
}

std::size_t Pppm::bytes() const {
  const auto of = [](const auto& array) { return array.size() * sizeof(array[0]); };
  std::size_t sum = of(spectrum_) + of(table_.green) + (leads() && node_ ? node_->memory().size() : 0);
  for (int c = 0; c < k_most_channels; ++c) sum += of(half_[c]) + of(own_field_[c]) + of(table_.slope[c]);
  for (const auto& table : virial_table_) sum += of(table);
  for (const auto& own : own_)
    sum +=
        of(own.plane) + of(own.fixed_plane) + of(own.half) + of(own.block) + of(own.rows) + of(own.product);
  return sum;
}

void Pppm::add_up(const Needs& needs, double& energy, std::array<double, 9>& virial) const {
  std::array<double, 7> sum{};
  for (int block = 0; block < table_.blocks; ++block)
    for (int c = 0; c < 7; ++c) sum[c] += table_.multiplicity(block) * block_sum_[block][c] / 2;
  energy = needs.energy || needs.atom_energy ? sum[0] : 0;
  virial = {};
  if (needs.virial || needs.atom_virial)
    virial = {sum[1], sum[2], sum[3], sum[2], sum[4], sum[5], sum[3], sum[5], sum[6]};
}

FieldMeshes Pppm::field_meshes() const {
  return {layout_.plane(), layout_.n[0], {field_[0].data(), field_[1].data(), field_[2].data()}};
}

void Pppm::gather_forces(const LongRangeArgs& args, LongRangeResult& result, const Team& team) const {
  const auto gather = force_rule_.kernel(of_order_);
  const FieldMeshes meshes = field_meshes();
  const auto& order = own_[team.me].charges.order;  // by plane: neighbors in the mesh share cache lines
  const auto [begin, end] = team.share(n_charges_);
  for (std::int64_t s = begin; s < end; ++s) {
    const std::int32_t i = order[s];
    result.force[i] = padded(force_rule_.force(args.charge[i], gather(stencil_[i], meshes)));
  }
}

void Pppm::gather_energies(LongRangeResult& result, const Team& team) const {
  const auto [begin, end] = team.share(n_charges_);
  for (std::int64_t i = begin; i < end; ++i)
    result.atom_energy[i] = stencil_[i].charge / 2 * of_order_.interpolate(stencil_[i], field_meshes());
}

void Pppm::gather_virials(LongRangeResult& result, const Team& team, int half) const {
  const auto [begin, end] = team.share(n_charges_);
  for (std::int64_t i = begin; i < end; ++i) {
    const Vec3 v = stencil_[i].charge / 2 * of_order_.interpolate3(stencil_[i], field_meshes());
    put_virial_half(result.atom_virial[i], half, v);
  }
}

}  // namespace nanoday::cpu
