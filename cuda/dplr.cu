// The long-range term of a DPLR model on the device: charges of ions and centroids, and their forces home.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/dplr.hpp"

#include "atoms/forces.hpp"
#include "cuda/replica_sums.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>

namespace nanoday::NANODAY_GPU {
namespace {

constexpr double k_2pi = 6.283185307179586;

/// The sum of two forces, each rounded by itself, as the CPU does. Where one does not fit, or is not a
/// number, a value that finish_forces() takes for absurd, whatever is added to it.
NANODAY_DEVICE std::int64_t fixed_forces(double a, double b) {
  constexpr std::int64_t k_absurd = std::int64_t{3} << 60;
  const double x = a * k_fixed_point_scale, y = b * k_fixed_point_scale;
  return std::fabs(x) < 0x1p60 && std::fabs(y) < 0x1p60 ? llrint(x) + llrint(y) : k_absurd;
}

/// Which atoms carry a centroid, as a sum can count them.
struct MarkSites {
  static constexpr const char* k_name = "mark_centroids";
  const std::int32_t *centre, *carries;
  std::int64_t* site;
  std::int64_t n;
  NANODAY_DEVICE void operator()(Block& block) const {
    for (long i = block.global(); i < n; i += block.stride()) site[i] = carries[centre[i]];
  }
};

struct PlaceCharges {
  static constexpr const char* k_name = "place_charges";
  const Vec4 *position, *dipole;
  const std::int32_t *centre, *carries;
  const std::int64_t* site;
  const double *ion, *wannier;
  Vec4* charge;
  Signals* signals;
  std::int64_t n;
  ChargeOrder order;
  NANODAY_DEVICE void operator()(Block& block) const {
    for (long i = block.global(); i < n; i += block.stride()) {
      const Vec4 x = position[i];
      charge[order.ion(i)] = {x.x, x.y, x.z, ion[centre[i]]};
      if (carries[centre[i]] == 0) continue;
      const Vec4 d = dipole[i];
      charge[order.centroid(i, site[i])] = {x.x + d.x, x.y + d.y, x.z + d.z, wannier[centre[i]]};
      if (signals != nullptr && signals->halt == 0 &&
          !(dot(xyz(d), xyz(d)) <= k_farthest_centroid * k_farthest_centroid))
        signals->trouble = 1;
    }
  }
};

/// One thread per atom: its ion's force and its centroid's, so that no sum is shared.
struct ComeHome {
  static constexpr const char* k_name = "centroid_forces_home";
  const Vec4 *charge, *site_force, *dipole;
  const std::int32_t *centre, *carries;
  const std::int64_t* site;
  const std::array<std::int32_t, 3>* image;
  const SystemState* state;
  std::array<std::int64_t, 4>* force;
  VirialSlots virial;
  double* energy;
  Vec4* cotangent;
  ElectricField field;
  Box box;
  double dt;
  std::int64_t n;
  int time_steps;
  ChargeOrder order;

  NANODAY_DEVICE Vec3 strength(const SystemState& of) const {
    if (!(field.period > 0)) return field.amplitude;
    const double time = static_cast<double>(of.step + time_steps) * dt;
    return std::sin(k_2pi * time / field.period) * field.amplitude;
  }
  NANODAY_DEVICE void add_outer(long i, Vec3 f, Vec3 d) const {
    const double left[3] = {f.x, f.y, f.z}, right[3] = {d.x, d.y, d.z};
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) virial.add(i, 3 * a + b, fixed_term(left[a] * right[b]));
  }
  /// The field's force on charge k of atom i; its energy and virial at the unwrapped position (dplr.md 2.2).
  NANODAY_DEVICE Vec3 add_field(long k, long i, Vec3 e) const {
    const Vec3 f = charge[k].w * e;
    const auto& m = image[i];
    const Vec3 x =
        xyz(charge[k]) + double(m[0]) * box.cell[0] + double(m[1]) * box.cell[1] + double(m[2]) * box.cell[2];
    if (energy != nullptr) energy[i] -= dot(f, x);
    if (virial.sum != nullptr) add_outer(i, f, x);
    return f;
  }
  NANODAY_DEVICE void operator()(Block& block) const {
    const bool any = dot(field.amplitude, field.amplitude) > 0;
    for (long i = block.global(); i < n; i += block.stride()) {
      const Vec3 e = any ? strength(state[order.replica(i)]) : Vec3{};
      Vec3 f = xyz(site_force[order.ion(i)]);
      if (any) f = f + add_field(order.ion(i), i, e);
      Vec3 on_site{};
      if (carries[centre[i]] != 0) {
        const std::int64_t k = order.centroid(i, site[i]);
        on_site = xyz(site_force[k]);
        if (any) on_site = on_site + add_field(k, i, e);
        if (virial.sum != nullptr) add_outer(i, -1.0 * on_site, xyz(dipole[i]));
      }
      cotangent[i] = padded(-1.0 * on_site);
      force[i][0] += fixed_forces(f.x, on_site.x);
      force[i][1] += fixed_forces(f.y, on_site.y);
      force[i][2] += fixed_forces(f.z, on_site.z);
    }
  }
};

}  // namespace

// ---------------------------------------------------------------------------------------------------------

DplrTerm::DplrTerm(Stream& stream, const Plans& plans, const Box& box, int n_replicas, SumWords sum)
    : field_(plans[0]->dplr->field), box_(box), n_replicas_(n_replicas) {
  LongRangePlan solver = plans[0]->dplr->solver;
  solver.box = box;
  solver_ = make_solver(solver, n_replicas, std::move(sum));
  std::vector<double> ion, wannier;
  std::vector<std::int32_t> carries;
  for (const auto& plan : plans) {
    const DipoleCharge& charges = *plan->model->dipole_charge;
    ion.insert(ion.end(), charges.ion_charge.begin(), charges.ion_charge.end());
    wannier.insert(wannier.end(), charges.wannier_charge.begin(), charges.wannier_charge.end());
    const std::vector<char>& selected = plan->dplr->wannier->model->selected;
    carries.insert(carries.end(), selected.begin(), selected.end());
  }
  upload(stream, ion_charge_, ion);
  upload(stream, wannier_charge_, wannier);
  upload(stream, carries_, carries);
  stream.synchronize();
}

void DplrTerm::deal(Stream& stream, const DeviceAtoms& atoms, const std::int32_t* centre) {
  n_ = atoms.nlocal;
  centre_ = centre;
  site_.resize(n_ + 1);
  cotangent_.resize(n_);
  std::int64_t centroids = 0;
  launch(stream, MarkSites{centre_, carries_.data(), site_.data(), n_}, grid_for(n_));
  exclusive_sum(stream, scratch_, site_.data(), site_.data(), n_);
  copy_to_host(stream, &centroids, site_.data() + n_, sizeof centroids);
  stream.synchronize();
  if (centroids % n_replicas_ != 0 || n_ % n_replicas_ != 0)
    throw std::logic_error("replicas of a DPLR model must have equal numbers of ions and centroids");
  n_charges_ = n_ + centroids;
  charge_.resize(n_charges_);
}

void DplrTerm::place(Stream& stream, const DeviceAtoms& atoms, const Vec4* dipole, Signals* signals) {
  launch(stream,
         PlaceCharges{atoms.position.data(), dipole, centre_, carries_.data(), site_.data(),
                      ion_charge_.data(), wannier_charge_.data(), charge_.data(), signals, n_, order()},
         grid_for(n_));
}

void DplrTerm::solve(Stream& stream, const Needs& needs, const std::uint32_t* halt) {
  solver_->solve(stream, charge_.data(), n_charges_, needs, halt);
}

void DplrTerm::come_home(Stream& stream, const DeviceAtoms& atoms, const Vec4* dipole,
                         const SystemState* state, double dt, int time_steps, const Results& to) {
  launch(stream,
         ComeHome{charge_.data(), solver_->fields().force, dipole, centre_, carries_.data(), site_.data(),
                  atoms.image.data(), state, to.force, to.virial, to.atom_energy, cotangent_.data(), field_,
                  box_, dt, n_, time_steps, order()},
         grid_for(n_));
}

std::array<double, 10> DplrTerm::sums(Stream& stream, int replica) const {
  std::array<double, 7> s{};
  copy_to_host(stream, s.data(), solver_->fields().sums + 7 * replica, sizeof s);
  stream.synchronize();
  return {s[0], s[1], s[2], s[3], s[2], s[4], s[5], s[3], s[5], s[6]};
}

}  // namespace nanoday::NANODAY_GPU
