// The long-range term of a DPLR model: Wannier centroids, their charges, and the forces that come home.
// SPDX-License-Identifier: Apache-2.0
#include "forces/long_range.hpp"

#include "core/error.hpp"

#include <cmath>

namespace nanoday {
namespace {

constexpr double k_2pi = 6.283185307179586;

const DplrPlan& dplr_of(const InferencePlan& plan) {
  require(plan.dplr != nullptr, "{} has no plan for its long-range part", plan.model->source);
  return *plan.dplr;
}

LongRangePlan in_box(LongRangePlan plan, const Box& box, double nets) {
  plan.box = box;
  if (nets > 0) plan.relative_cost /= nets;
  return plan;
}

void add_to(Forces& forces, std::int64_t i, Vec3 f) {
  Vec4& row = forces.force[i];
  if (!forces.fixed_point) {
    row = {row.x + f.x, row.y + f.y, row.z + f.z, 0};
    return;
  }
  auto& fixed = forces.fixed[i];
  fixed[0] += std::llrint(f.x * k_fixed_point_scale);
  fixed[1] += std::llrint(f.y * k_fixed_point_scale);
  fixed[2] += std::llrint(f.z * k_fixed_point_scale);
}

/// scale · f ⊗ d, first index force.
std::array<double, 9> outer(double scale, Vec3 f, Vec3 d) {
  const double left[3] = {f.x, f.y, f.z}, right[3] = {d.x, d.y, d.z};
  std::array<double, 9> w;
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) w[3 * a + b] = scale * left[a] * right[b];
  return w;
}

void add_nine(std::array<double, 9>& to, const std::array<double, 9>& from) {
  for (int c = 0; c < 9; ++c) to[c] += from[c];
}

void add_virial_of(const Forces& part, Forces& forces) {
  if (!forces.fixed_point) return add_nine(forces.virial, part.virial);
  for (std::size_t c = 0; c < 9; ++c) {
    forces.exact_virial[c].add(part.exact_virial[c]);
    forces.virial[c] = forces.exact_virial[c].value();
  }
}

}  // namespace

LongRange::LongRange(Backend& backend, std::shared_ptr<const InferencePlan> plan, const Box& box,
                     MeshRanks* ranks, double nets)
    : backend_(backend),
      plan_(std::move(plan)),
      dplr_(dplr_of(*plan_)),
      charges_(*plan_->model->dipole_charge),
      prepared_(backend.prepare(dplr_.wannier)),
      solver_(backend.make_long_range(in_box(dplr_.solver, box, nets), ranks)),
      counts_totals_(ranks == nullptr || ranks->rank() == 0) {}

std::int64_t LongRange::owner_of(std::size_t k) const {
  const std::size_t ions = charge_.size() - host_.size();
  return k < ions ? static_cast<std::int64_t>(k) : host_[k - ions];
}

void LongRange::check_displacements(const Atoms& atoms) {
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    const double distance = norm(xyz(dipole_[i]));
    if (distance <= k_farthest_centroid) continue;
    const std::string text = fmt::format(
        "the Wannier centroid of atom {} is {:.3f} Å away from it (more than {:g} Å: the atoms around it are "
        "far from what the model knows); check the structure, or shorten the time step",
        atoms.id[i] + 1, distance, k_farthest_centroid);
    if (first_) throw InputError(text);
    throw RunError(text);
  }
}

void LongRange::place_charges(const Atoms& atoms) {
  charge_.resize(atoms.nlocal);
  host_.clear();
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    const Vec4& x = atoms.position[i];
    charge_[i] = {x.x, x.y, x.z, charges_.ion_charge[atoms.type[i]]};
    if (wannier().selected[atoms.type[i]]) host_.push_back(static_cast<std::int32_t>(i));
  }
  for (const std::int32_t i : host_) {
    const Vec4 &x = atoms.position[i], &d = dipole_[i];
    charge_.push_back({x.x + d.x, x.y + d.y, x.z + d.z, charges_.wannier_charge[atoms.type[i]]});
  }
}

EvaluationCounts LongRange::start(const EvaluationArgs& args, const Atoms& atoms) {
  dipole_.resize(atoms.nlocal);
  EvaluationCounts counts = backend_.dipoles(*prepared_, args, dipole_);
  check_displacements(atoms);
  first_ = false;
  place_charges(atoms);
  solver_->start({charge_, args.needs});
  return counts;
}

Vec3 LongRange::field() const {
  const double factor = dplr_.field.period > 0 ? std::sin(k_2pi * time_ / dplr_.field.period) : 1.0;
  return factor * dplr_.field.amplitude;
}

/// f += qE, W += Σ qE ⊗ x and energy −Σ qE·x over all charges at unwrapped positions (spec dplr.md 2.2, 2.3).
void LongRange::add_field(const Atoms& atoms, const Box& box, const Needs& needs, Forces& forces) {
  const Vec3 strength = field();
  AtomSum energies{forces.fixed_point, 0, {}};
  for (std::size_t k = 0; k < charge_.size(); ++k) {
    const std::int64_t owner = owner_of(k);
    const auto& image = atoms.image[owner];
    const Vec3 x = xyz(charge_[k]) + box.translation(image[0], image[1], image[2]);
    const Vec3 f = charge_[k].w * strength;
    site_force_[k] = padded(xyz(site_force_[k]) + f);
    const double energy = -dot(f, x);
    energies.add(energy);
    if (needs.energy) add_energy(forces, energy);
    if (needs.virial) add_virial(forces, outer(1, f, x));
    if (needs.atom_energy) forces.atom_energy[owner] += energy;
    if (needs.atom_virial) add_nine(forces.atom_virial[owner], outer(1, f, x));
  }
  field_energy_ = energies.value();
}

/// Forces on ions, and those on centroids as far as these move with their hosts.
void LongRange::add_ions(Forces& forces) const {
  for (std::size_t k = 0; k < charge_.size(); ++k) add_to(forces, owner_of(k), xyz(site_force_[k]));
}

void LongRange::add_site_sums(const LongRangeResult& result, const Needs& needs, Forces& forces) const {
  // The solver's sums are those of all ranks: one of them counts.
  if (needs.energy && counts_totals_) add_energy(forces, result.energy);
  if (needs.virial && counts_totals_) add_virial(forces, result.virial);
  for (std::size_t k = 0; k < charge_.size(); ++k) {
    const std::int64_t owner = owner_of(k);
    if (needs.atom_energy) forces.atom_energy[owner] += result.atom_energy[k];
    if (needs.atom_virial) add_nine(forces.atom_virial[owner], result.atom_virial[k]);
  }
}

/// F += Σ f_W · ∂μ/∂x, and the virial's −f_W ⊗ μ, which takes back that μ scales with the box (spec 1.3).
void LongRange::add_chain_rule(const EvaluationArgs& args, Forces& forces) {
  const std::size_t n = charge_.size() - host_.size();
  cotangent_.assign(n, Vec4{});
  for (std::size_t k = 0; k < host_.size(); ++k) {
    const Vec3 f = xyz(site_force_[n + k]), mu = xyz(dipole_[host_[k]]);
    cotangent_[host_[k]] = padded(-1.0 * f);
    if (args.needs.virial) add_virial(forces, outer(-1, f, mu));
    if (args.needs.atom_virial) add_nine(forces.atom_virial[host_[k]], outer(-1, f, mu));
  }
  backend_.dipole_forces(*prepared_, args, cotangent_, chain_);
  for (std::size_t i = 0; i < args.position.size(); ++i) {
    if (forces.fixed_point)
      for (int c = 0; c < 3; ++c) forces.fixed[i][c] += chain_.fixed[i][c];
    else
      add_to(forces, static_cast<std::int64_t>(i), xyz(chain_.force[i]));
    if (args.needs.atom_virial) add_nine(forces.atom_virial[i], chain_.atom_virial[i]);
  }
  if (args.needs.virial) add_virial_of(chain_, forces);
}

void LongRange::finish(const EvaluationArgs& args, const Atoms& atoms, const Box& box, Forces& forces) {
  const LongRangeResult& result = solver_->finish();
  energy_ = result.energy;
  site_force_.assign(result.force.begin(),
                     result.force.begin() + static_cast<std::ptrdiff_t>(charge_.size()));
  add_site_sums(result, args.needs, forces);
  if (dplr_.field.any()) add_field(atoms, box, args.needs, forces);
  add_ions(forces);
  add_chain_rule(args, forces);
}

}  // namespace nanoday
