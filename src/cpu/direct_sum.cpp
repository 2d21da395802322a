// The sum over reciprocal vectors on the CPU: products of one-dimensional waves, charges side by side.
// SPDX-License-Identifier: Apache-2.0
//
// S(k) needs Σ q X Y Z over charges with X, Y, Z = cos or sin 2πn f of the fractional coordinates, eight real
// sums for the four vectors (nx, ±ny, ±nz) in any box shape; φ and its slopes at the charges come back
// through the same products. Every sum over charges belongs to one member of the team, every charge's force
// too, so that results do not depend on the size of the team.
#include "core/error.hpp"
#include "cpu/first_touch.hpp"
#include "cpu/instruction_sets.hpp"
#include "cpu/long_range_team.hpp"
#include "cpu/reciprocal_lines.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

namespace nanoday::cpu {
namespace {

class DirectSum final : public LongRangeTeam {
 public:
  DirectSum(const LongRangePlan& plan, int max_team, bool reproducible, const DirectSumKernels& kernels,
            MeshRanks* ranks)
      : box_(plan.box),
        fixed_(reproducible || ranks),
        ranks_(ranks),
        kernels_(kernels),
        lines_(make_reciprocal_lines(plan)),
        sums_(lines_.table_size),
        fixed_sums_(fixed_ ? lines_.table_size : 0),
        coefficients_(lines_.table_size),
        totals_(lines_.line.size()),
        scratch_(max_team) {
    const std::int64_t columns = 2 * lines_.n_max[2] + 1;
    on_each_thread(max_team, [&](int t) {
      scratch_[t].resize(std::max<std::int64_t>(4 * k_charge_chunk, 2 * columns * k_charge_tile));
    });
  }

  void solve(const LongRangeArgs& args, LongRangeResult& result, const Team& team) override {
    if (team.me == 0) prepare(args, result);
    team.wait();
    if (!failure_.empty()) throw RunError(failure_);  // by every member, so that none waits
    fill_waves(args.charge, team);
    team.wait();
    const auto [first, last] = lines_.share(team.me, team.size);
    sum_waves(first, last, team.me);
    if (ranks_) sum_over_ranks(team);
    if (fixed_) take_fixed_sums(first, last);
    green(first, last, -1);
    team.wait();
    evaluate(team);
    write_forces(args, result, team);
    if (team.me == 0) write_totals(args.needs, result);
    if (!args.needs.atom_virial) return;
    for (int component = 0; component < 6; ++component) {
      team.wait();  // the coefficients are in use until here
      green(first, last, component);
      team.wait();
      evaluate(team);
      write_atom_virial(component, result, team);
    }
  }

 private:
  /// Room for these charges, and whether they can be summed.
  void prepare(const LongRangeArgs& args, LongRangeResult& result) {
    failure_.clear();
    const auto n = static_cast<std::int64_t>(args.charge.size());
    count_ = padded_count(n);
    // Rows a multiple of 4096 bytes apart would fall on each other in the cache.
    stride_ = count_ % 512 == 0 ? count_ + k_charge_tile : count_;
    double largest = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const Vec4& c = args.charge[i];
      if (!std::isfinite(c.x + c.y + c.z + c.w))
        failure_ = fmt::format(
            "charge {} of the long-range sum is not at a finite position (the run has become "
            "unstable); use a smaller time step",
            i + 1);
      largest = std::max(largest, std::fabs(c.w));
    }
    try {
      for (int d = 0; d < 3; ++d)
        if (const std::size_t size = (2 * lines_.n_max[d] + 1) * stride_; waves_[d].size() < size)
          waves_[d].resize(size);
      if (values_.size() < static_cast<std::size_t>(4 * count_)) values_.resize(4 * count_);
      result.force.resize(n);
      result.atom_energy.resize(args.needs.atom_energy ? n : 0);
      result.atom_virial.resize(args.needs.atom_virial ? n : 0);
    } catch (const std::bad_alloc&) {
      failure_ = fmt::format("no memory for the direct sum of {} charges; use --solver pppm", n);
    }
    std::int64_t of_all_ranks = n;
    if (ranks_) agree(largest, of_all_ranks);
    if (failure_.empty()) choose_fixed_point(largest, padded_count(of_all_ranks));
  }

  /// Charges are summed in whole tiles.
  static std::int64_t padded_count(std::int64_t n) {
    return (std::max<std::int64_t>(n, 1) + k_charge_tile - 1) / k_charge_tile * k_charge_tile;
  }

  /// The largest charge and the number of charges of all ranks. When one rank cannot go on, all have a
  /// failure.
  void agree(double& largest, std::int64_t& count) try {
    largest = ranks_->largest(failure_.empty() ? largest : std::numeric_limits<double>::infinity());
    if (failure_.empty() && !std::isfinite(largest))
      failure_ = "the charges of another rank cannot be summed; see the message there";
    if (std::isfinite(largest)) ranks_->sum({&count, 1});
  } catch (const std::exception& error) {
    failure_ = error.what();
  }

  /// Finest unit 2^-bits in which the sums of all charges fit into 62 bits and every charge into 50. Depends
  /// on their number and the largest one only (of all ranks), not on their order.
  void choose_fixed_point(double largest, std::int64_t count) {
    constexpr int k_finest = 48, k_coarsest = 20;
    bits_ = k_finest;
    if (!fixed_ || largest == 0) return;
    const int of_all = std::ilogb(static_cast<double>(count) * largest) + 1;
    bits_ = std::min({k_finest, 61 - of_all, 49 - (std::ilogb(largest) + 1)});
    if (bits_ < k_coarsest)
      failure_ = fmt::format("fixed-point sums overflow (charges up to {} e, {} of them); {}", largest, count,
                             ranks_ ? "correct the charges" : "run without --reproducible");
  }

  /// Tiles of this member as charges [begin, end).
  std::pair<std::int64_t, std::int64_t> charges_of(const Team& team) const {
    const auto [first, last] = team.share(count_ / k_charge_tile);
    return {first * k_charge_tile, last * k_charge_tile};
  }

  void fill_waves(View<const Vec4> charge, const Team& team) {
    const auto [begin, end] = charges_of(team);
    for (std::int64_t i = begin; i < end; ++i) {
      const bool real = i < static_cast<std::int64_t>(charge.size());
      const Vec3 f = real ? box_.fractional(xyz(charge[i])) : Vec3{};
      anchor_waves(f.x, 0, i);
      anchor_waves(f.y, 1, i);
      anchor_waves(f.z, 2, i);
    }
    for (int d = 0; d < 3; ++d) kernels_.fill_waves(waves_[d].data(), stride_, lines_.n_max[d], begin, end);
    for (int row = 0; row <= 2 * lines_.n_max[0]; ++row)
      for (std::int64_t i = begin; i < end; ++i)
        waves_[0][row * stride_ + i] *= i < static_cast<std::int64_t>(charge.size()) ? charge[i].w : 0;
  }

  /// Waves 0, 1 and the multiples of k_anchor of one charge along one axis.
  void anchor_waves(double fraction, int axis, std::int64_t i) {
    double* wave = waves_[axis].data() + i;
    wave[0] = 1;
    const double f = fraction - std::nearbyint(fraction);
    for (int n = 1; n <= lines_.n_max[axis]; n += n == 1 ? k_anchor - 1 : k_anchor) {
      const double angle = 2 * std::numbers::pi * std::fma(n, f, -std::nearbyint(n * f));
      wave[(2 * n - 1) * stride_] = std::cos(angle);
      wave[2 * n * stride_] = std::sin(angle);
    }
  }

  ChargeWaves waves() const {
    return {{waves_[0].data(), waves_[1].data(), waves_[2].data()}, stride_, count_};
  }

  void sum_waves(const ReciprocalLine* first, const ReciprocalLine* last, int me) {
    if (first == last) return;
    double* scratch = scratch_[me].data();
    if (!fixed_) {
      kernels_.sum_waves(waves(), first, last, sums_.data(), scratch);
      return;
    }
    kernels_.sum_waves_fixed(waves(), first, last, fixed_sums_.data(), scratch, bits_);
  }

  void sum_over_ranks(const Team& team) {
    team.wait();
    if (team.me == 0) try {
        ranks_->sum(fixed_sums_);
      } catch (const std::exception& error) {
        failure_ = error.what();
      }
    team.wait();
    if (!failure_.empty()) throw RunError(failure_);
  }

  void take_fixed_sums(const ReciprocalLine* first, const ReciprocalLine* last) {
    if (first == last) return;
    const double unit = std::ldexp(1.0, -bits_);
    const ReciprocalLine& end = *(last - 1);
    for (std::int64_t t = first->table; t < end.table + end.rows * end.columns; ++t)
      sums_[t] = static_cast<double>(fixed_sums_[t]) * unit;
  }

  void green(const ReciprocalLine* first, const ReciprocalLine* last, int component) {
    for (const ReciprocalLine* line = first; line != last; ++line)
      apply_green(lines_, *line, component, sums_.data(), coefficients_.data(),
                  component < 0 ? &totals_[line - lines_.line.data()] : nullptr);
  }

  void evaluate(const Team& team) {
    const auto [begin, end] = charges_of(team);
    const ReciprocalLine* first = lines_.line.data();
    kernels_.evaluate(waves(), first, first + lines_.line.size(), coefficients_.data(), begin, end,
                      values_.data() + 4 * begin, scratch_[team.me].data());
  }

  /// Entry `part` of what evaluate() found for charge i: q φ, q ∂φ/∂(2πf).
  double value(int part, std::int64_t i) const {
    const std::int64_t tile = i / k_charge_tile;
    return values_[(4 * tile + part) * k_charge_tile + i % k_charge_tile];
  }

  /// f = −q Σ_d ∂φ/∂f_d ∇f_d, ∇f_d = b_d.
  void write_forces(const LongRangeArgs& args, LongRangeResult& result, const Team& team) const {
    const auto [begin, end] = charges_of(team);
    const auto n = static_cast<std::int64_t>(args.charge.size());
    for (std::int64_t i = begin; i < std::min(end, n); ++i) {
      const auto& b = lines_.reciprocal;
      const Vec3 slope = value(1, i) * b[0] + value(2, i) * b[1] + value(3, i) * b[2];
      result.force[i] = padded(-2 * std::numbers::pi * slope);
      if (args.needs.atom_energy) result.atom_energy[i] = 0.5 * value(0, i);
    }
  }

  void write_totals(const Needs& needs, LongRangeResult& result) const {
    LineTotals sum{};
    for (const LineTotals& line : totals_)
      for (std::size_t v = 0; v < sum.size(); ++v) sum[v] += line[v];
    result.energy = needs.energy || needs.atom_energy ? sum[0] : 0;
    result.virial = {};
    if (needs.virial || needs.atom_virial)
      result.virial = {sum[1], sum[4], sum[5], sum[4], sum[2], sum[6], sum[5], sum[6], sum[3]};
  }

  void write_atom_virial(int component, LongRangeResult& result, const Team& team) const {
    static constexpr std::array<std::array<int, 2>, 6> entries{
        {{0, 0}, {4, 4}, {8, 8}, {1, 3}, {2, 6}, {5, 7}}};
    const auto [begin, end] = charges_of(team);
    const auto n = static_cast<std::int64_t>(result.atom_virial.size());
    for (std::int64_t i = begin; i < std::min(end, n); ++i)
      for (const int entry : entries[component]) result.atom_virial[i][entry] = 0.5 * value(0, i);
  }

  Box box_;
  bool fixed_;        ///< sums over charges are fixed point
  MeshRanks* ranks_;  ///< null for one rank
  const DirectSumKernels& kernels_;
  ReciprocalLines lines_;
  Array<double> sums_;                  ///< Σ q X Y Z, whole table
  Array<std::int64_t> fixed_sums_;      ///< the same in units of 2^-bits_
  Array<double> coefficients_;          ///< of φ in products of waves
  std::vector<LineTotals> totals_;      ///< (lines)
  std::vector<Array<double>> scratch_;  ///< (members)
  std::array<Array<double>, 3> waves_;  ///< per axis (2 n_max + 1, stride_); grows only
  Array<double> values_;                ///< (tiles, 4, k_charge_tile)
  std::int64_t count_ = 0, stride_ = 0;
  int bits_ = 0;
  std::string failure_;
};

}  // namespace

std::unique_ptr<LongRangeTeam> make_direct_sum(const LongRangePlan& plan, int max_team, bool reproducible,
                                               const InstructionSet& set, MeshRanks* ranks) {
  return std::make_unique<DirectSum>(plan, max_team, reproducible, *set.direct, ranks);
}

}  // namespace nanoday::cpu
