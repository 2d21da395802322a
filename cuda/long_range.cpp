// The long-range solvers on the device: their tables, buffers and the order of their kernels.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/long_range.hpp"

#include "core/error.hpp"
#include "cuda/direct_sum.hpp"
#include "cuda/influence_table.hpp"
#include "cuda/pppm.hpp"
#include "math/reciprocal_grid.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <utility>
#include <vector>

namespace nanoday::NANODAY_GPU {
namespace {

/// b_d with a_c · b_d = δ_cd [1/Å].
std::array<Vec3, 3> reciprocal_vectors(const Box& box) {
  const auto& [a, b, c] = box.cell;
  const double inverse = 1 / dot(a, cross(b, c));
  return {inverse * cross(b, c), inverse * cross(c, a), inverse * cross(a, b)};
}

bool some_sum(const Needs& needs) {
  return needs.energy || needs.virial || needs.atom_energy || needs.atom_virial;
}

/// Results of n charges, and what went wrong while they were made.
class Results {
 public:
  explicit Results(int systems)
      : sums_(7 * static_cast<std::size_t>(systems)),
        flags_(static_cast<std::size_t>(systems)),
        host_flags_(1) {
    Stream stream;
    fill_zero(stream, flags_.data(), flags_.size() * sizeof(ChargeFlags));
    fill_zero(stream, sums_.data(), sums_.size() * sizeof(double));
    stream.synchronize();
  }

  void resize(std::int64_t n, const Needs& needs) {
    const auto size = static_cast<std::size_t>(n);
    require(size < std::size_t{1} << 31, "{} charges are more than a long-range solver counts; use fewer", n);
    force_.resize(std::max(size, force_.size()));
    if (needs.atom_energy) energy_.resize(std::max(size, energy_.size()));
    if (needs.atom_virial) virial_.resize(std::max(size, virial_.size()));
  }
  /// Throws when prepare() was not asked for this.
  void expect(std::int64_t n, const Needs& needs) const {
    const auto size = static_cast<std::size_t>(n);
    if (size > force_.size() || (needs.atom_energy && size > energy_.size()) ||
        (needs.atom_virial && size > virial_.size()))
      throw std::logic_error("a long-range solver was not prepared for what it is asked");
  }

  LongRangeFields fields() const { return {force_.data(), sums_.data(), energy_.data(), virial_.data()}; }
  ChargeFlags* flags() const { return flags_.data(); }
  /// \param stuck how many ranks had charges without a place in the last solve, device memory; null: one rank
  void check(Stream& stream, int system, const std::int64_t* stuck) {
    std::int64_t stuck_ranks = 0;
    copy_to_host(stream, host_flags_.data(), flags_.data() + system, sizeof(ChargeFlags));
    if (stuck != nullptr) copy_to_host(stream, &stuck_ranks, stuck, sizeof stuck_ranks);
    stream.synchronize();
    const ChargeFlags found = host_flags_[0];
    if (found.lost == 0 && found.overflow == 0) {
      require_run(stuck_ranks == 0,
                  "the charges of {} rank(s) have no place in the long-range sum; see the message there",
                  stuck_ranks);
      return;
    }
    fill_zero(stream, flags_.data() + system, sizeof(ChargeFlags));
    stream.synchronize();
    require_run(
        found.lost == 0,
        "charge {} has no place in the long-range sum (its position or charge is not a finite number, or "
        "it is absurdly far away); look at the step before, or use a smaller time step",
        found.lost - 1);
    throw RunError(fmt::format(
        "the long-range charges overflow their fixed-point numbers (a charge of {} e, or {} e at one place); "
        "look at the step before, or correct the charges",
        k_max_charge, k_max_point_charge));
  }

 private:
  DeviceArray<Vec4> force_;
  DeviceArray<double> sums_, energy_;
  DeviceArray<std::array<double, 9>> virial_;
  DeviceArray<ChargeFlags> flags_;
  PinnedArray<ChargeFlags> host_flags_;
};

// ---- particle mesh

/// Returns the plan after all checks, so that members made from it need none.
const LongRangePlan& checked(const LongRangePlan& plan, int systems) {
  check_mesh_plan(plan);
  const auto& n = plan.mesh;
  require(1.0 * n[0] * n[1] * (n[2] + 2.0) * systems < 0x1p31,
          "the mesh {} × {} × {}{} does not fit into memory (points are counted in 31 bits); use fewer mesh "
          "points{}",
          n[0], n[1], n[2], systems == 1 ? "" : fmt::format(" of each of {} systems", systems),
          systems == 1 ? "" : " or systems");
  return plan;
}

DeviceMesh device_mesh(const LongRangePlan& plan, int systems) {
  const auto b = reciprocal_vectors(plan.box);
  DeviceMesh mesh;
  mesh.systems = systems;
  for (int d = 0; d < 3; ++d) {
    mesh.n[d] = plan.mesh[d];
    mesh.row[d] = double(plan.mesh[d]) * b[d];
  }
  mesh.origin = plan.box.origin;
  return mesh;
}

/// spread → convert → transform → influence → transforms back → gather. Per-charge values take passes of
/// their own before that of the forces, which may overwrite the spectrum.
class MeshSolver final : public DeviceSolver {
 public:
  MeshSolver(const LongRangePlan& plan, int systems, SumWords sum)
      : sum_(std::move(sum)),
        order_(checked(plan, systems).order),
        ik_(plan.differentiation == Differentiation::ik),
        mesh_(device_mesh(plan, systems)),
        points_(static_cast<std::size_t>(mesh_.points()) * systems),
        modes_(static_cast<std::size_t>(mesh_.modes()) * systems),
        fft_(plan.mesh, 3, systems),
        results_(systems) {
    const InfluenceFunction influence(plan);
    make_tables(plan, influence);
    make_force_rule(plan, influence);
    partial_.resize(7 * static_cast<std::size_t>(influence_rows(mesh_)) * systems);
    resize_fields(Needs{});
  }

  void prepare(std::int64_t n, const Needs& needs) override {
    results_.resize(n, needs);
    resize_fields(needs);
  }

  void solve(Stream& stream, const Vec4* charge, std::int64_t n, const Needs& needs,
             const std::uint32_t* halt) override {
    results_.expect(n, needs);
    const View<const Vec4> charges{charge, static_cast<std::size_t>(n)};
    spread_charges(stream, order_, mesh_, charges, fixed_.data(), results_.flags());
    if (sum_) {
      tell_stuck(stream, results_.flags(), fixed_.data() + points_);
      sum_(stream, reinterpret_cast<std::uint64_t*>(fixed_.data()), points_ + 1);
    }
    convert_charges(stream, mesh_, fixed_.data(), field_.data(), results_.flags());
    fft_.forward(stream, field_.data(), spectrum_.data());
    const LongRangeFields out = results_.fields();
    if (needs.atom_virial)
      for (const auto pass : {InfluencePass::virial_first, InfluencePass::virial_second}) {
        make_fields(stream, pass, 3, modes_, nullptr);
        gather_virials(stream, order_, mesh_, charges, field_.data(), pass, out.atom_virial);
      }
    if (needs.atom_energy && ik_) {
      make_fields(stream, InfluencePass::potential, 1, modes_, nullptr);
      gather_energies(stream, order_, mesh_, charges, field_.data(), out.atom_energy);
    }
    double* partial = some_sum(needs) ? partial_.data() : nullptr;
    make_fields(stream, ik_ ? InfluencePass::derivatives : InfluencePass::potential, ik_ ? 3 : 1, 0, partial);
    gather_forces(stream, order_, mesh_, charges, field_.data(), rule_, ik_, out.force);
    if (needs.atom_energy && !ik_)
      gather_energies(stream, order_, mesh_, charges, field_.data(), out.atom_energy);
    if (partial) finish_sums(stream, mesh_.systems, partial, influence_rows(mesh_), needs, out.sums, halt);
  }

  LongRangeFields fields() const override { return results_.fields(); }
  void check(Stream& stream, int system) override {
    results_.check(stream, system, sum_ ? fixed_.data() + points_ : nullptr);
  }

 private:
  void make_tables(const LongRangePlan& plan, const InfluenceFunction& influence) {
    Stream stream;
    influence_ = make_influence_table(stream, plan, influence);
    fixed_.resize(points_ + (sum_ ? 1 : 0));
    fill_zero(stream, fixed_.data(), fixed_.size() * sizeof(std::int64_t));  // each solve leaves zeros behind
    stream.synchronize();
    tables_.green = influence_.green.data();
    tables_.edge_difference = influence_.edge_difference.data();
    tables_.beta = plan.beta;
    const auto b = reciprocal_vectors(plan.box);
    for (int d = 0; d < 3; ++d) tables_.reciprocal[d] = 2 * std::numbers::pi * b[d];
  }

  void make_force_rule(const LongRangePlan& plan, const InfluenceFunction& influence) {
    for (int d = 0; d < 3; ++d)
      rule_.to_cartesian[d] = ik_ ? -2 * std::numbers::pi / plan.mesh[d] * mesh_.row[d] : mesh_.row[d];
    if (ik_) return;
    const auto self = self_force_amplitudes(plan, influence);
    for (int d = 0; d < 3; ++d)
      for (int j = 0; j < 2; ++j) rule_.self[d][j] = self[d][j];
  }

  /// The pass of the forces puts its result where the spectrum is, the others behind it.
  void resize_fields(const Needs& needs) {
    const std::size_t forces = ik_ ? 3 : 1;
    const std::size_t spectra =
        needs.atom_virial ? 4 : std::max<std::size_t>(forces, needs.atom_energy ? 2 : 1);
    spectrum_.resize(std::max(spectra * modes_, spectrum_.size()));
    field_.resize(std::max((needs.atom_virial ? 3 : forces) * points_, field_.size()));
  }

  /// Fields of one pass from the spectrum, by way of the spectra at `first`.
  void make_fields(Stream& stream, InfluencePass pass, int count, std::size_t first, double* partial) {
    Complex* out = spectrum_.data() + first;
    apply_influence(stream, mesh_, tables_, pass, spectrum_.data(), out, partial);
    fft_.inverse(stream, out, field_.data(), count);  // together: odd meshes would begin at odd addresses
  }

  SumWords sum_;  ///< none for one rank
  int order_;
  bool ik_;
  DeviceMesh mesh_;
  std::size_t points_, modes_;  ///< of all systems
  MeshFft fft_;
  ModeTables tables_;
  ForceRule rule_;
  InfluenceTable influence_;
  DeviceArray<double> partial_;
  DeviceArray<std::int64_t>
      fixed_;                      ///< (points) charges; zero between solves. With ranks: how many are stuck
  DeviceArray<double> field_;      ///< (1 or 3, points); the first are the charge meshes before the transform
  DeviceArray<Complex> spectrum_;  ///< (1 to 4, modes)
  Results results_;
};

// ---- direct sum

/// Units of the half space: the first index that is not zero is positive.
struct HostUnits {
  std::vector<ReciprocalUnit> unit;
  std::vector<double> weight;  ///< (units, 8)
};

/// Weight of one vector; 0 where it is left out or the sum has its negative.
class VectorWeight {
 public:
  explicit VectorWeight(const LongRangePlan& plan)
      : beta_(plan.beta),
        prefactor_(2 * plan.coulomb / plan.box.volume()),
        k_far_(direct_sum_reach(plan).k_far),
        reciprocal_(reciprocal_vectors(plan.box)) {}
  double operator()(int nx, int ny, int nz) const {
    if (nx < 0 || (nx == 0 && (ny < 0 || (ny == 0 && nz <= 0)))) return 0;
    const Vec3 k = 2 * std::numbers::pi *
                   (double(nx) * reciprocal_[0] + double(ny) * reciprocal_[1] + double(nz) * reciprocal_[2]);
    return norm(k) > k_far_ ? 0 : prefactor_ * gaussian_green(dot(k, k), beta_);
  }

 private:
  double beta_, prefactor_, k_far_;
  std::array<Vec3, 3> reciprocal_;
};

/// The vectors of one line that count are neighbors: |k|² is a parabola along it.
void add_line(HostUnits& units, const VectorWeight& weight, int nx, int ny, int limit) {
  int first = -limit, last = limit;
  while (first <= last && weight(nx, ny, first) == 0) ++first;
  while (last >= first && weight(nx, ny, last) == 0) --last;
  for (int nz = first; nz <= last; nz += k_unit_vectors) {
    units.unit.push_back({nx, ny, nz, 0});
    for (int j = 0; j < k_unit_vectors; ++j)
      units.weight.push_back(nz + j <= last ? weight(nx, ny, nz + j) : 0);
  }
}

HostUnits make_units(const LongRangePlan& plan) {
  const auto limit = direct_sum_reach(plan).limit;
  const VectorWeight weight(plan);
  HostUnits units;
  for (int nx = 0; nx <= limit[0]; ++nx)
    for (int ny = -limit[1]; ny <= limit[1]; ++ny) add_line(units, weight, nx, ny, limit[2]);
  return units;
}

class DirectSolver final : public DeviceSolver {
 public:
  DirectSolver(const LongRangePlan& plan, int systems, SumWords sum)
      : sum_(std::move(sum)), results_(systems) {
    const HostUnits host = make_units(plan);
    const std::size_t count = host.unit.size();
    std::vector<double> by_vector(host.weight.size());  // neighboring threads take neighboring units
    for (std::size_t u = 0; u < count; ++u)
      for (int j = 0; j < k_unit_vectors; ++j) by_vector[j * count + u] = host.weight[u * k_unit_vectors + j];
    Stream stream;
    upload(stream, unit_, host.unit);
    upload(stream, weight_, by_vector);
    stream.synchronize();
    coefficient_.resize(by_vector.size() * systems);
    partial_.resize(7 * count * systems);
    if (sum_) shares_.resize(factor_words(static_cast<std::int64_t>(count)) + 1);
    modes_.systems = systems;
    modes_.unit = unit_.data();
    modes_.units = static_cast<std::int64_t>(count);
    modes_.weight = weight_.data();
    modes_.origin = plan.box.origin;
    modes_.beta = plan.beta;
    const auto b = reciprocal_vectors(plan.box);
    for (int d = 0; d < 3; ++d) modes_.reciprocal[d] = b[d];
  }

  void prepare(std::int64_t n, const Needs& needs) override { results_.resize(n, needs); }

  void solve(Stream& stream, const Vec4* charge, std::int64_t n, const Needs& needs,
             const std::uint32_t* halt) override {
    results_.expect(n, needs);
    const View<const Vec4> charges{charge, static_cast<std::size_t>(n)};
    double* partial = some_sum(needs) ? partial_.data() : nullptr;
    const LongRangeFields out = results_.fields();
    if (sum_) {
      structure_shares(stream, modes_, charges, shares_.data(), results_.flags());
      tell_stuck(stream, results_.flags(), stuck());
      sum_(stream, reinterpret_cast<std::uint64_t*>(shares_.data()), shares_.size());
      finish_factors(stream, modes_, shares_.data(), coefficient_.data(), partial, results_.flags());
    } else {
      structure_factors(stream, modes_, charges, coefficient_.data(), partial, results_.flags());
    }
    evaluate_charges(stream, modes_, charges, coefficient_.data(), out.force,
                     needs.atom_energy ? out.atom_energy : nullptr,
                     needs.atom_virial ? out.atom_virial : nullptr);
    if (partial) finish_sums(stream, modes_.systems, partial, modes_.units, needs, out.sums, halt);
  }

  LongRangeFields fields() const override { return results_.fields(); }
  void check(Stream& stream, int system) override {
    results_.check(stream, system, sum_ ? stuck() : nullptr);
  }

 private:
  std::int64_t* stuck() const { return shares_.data() + shares_.size() - 1; }

  SumWords sum_;  ///< none for one rank
  ReciprocalUnits modes_;
  DeviceArray<ReciprocalUnit> unit_;
  DeviceArray<double> weight_, partial_;
  DeviceArray<Complex> coefficient_;
  DeviceArray<std::int64_t> shares_;  ///< with ranks: their parts of all sums, and how many are stuck
  Results results_;
};

}  // namespace

std::unique_ptr<DeviceSolver> make_solver(const LongRangePlan& plan, int systems, SumWords sum) {
  if (plan.method == LongRangeMethod::direct)
    return std::make_unique<DirectSolver>(plan, systems, std::move(sum));
  return std::make_unique<MeshSolver>(plan, systems, std::move(sum));
}

}  // namespace nanoday::NANODAY_GPU
