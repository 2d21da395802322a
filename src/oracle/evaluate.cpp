// Energies, dipoles and their forces, atom by atom.
// SPDX-License-Identifier: Apache-2.0
#include "oracle/evaluate.hpp"

#include "core/error.hpp"
#include "oracle/descriptor.hpp"

namespace nanoday::oracle {
namespace {

void clear(const EvaluationArgs& args, Forces& forces) {
  const std::size_t nall = args.position.size();
  forces.fixed_point = false;
  forces.force.assign(nall, Vec4{});
  forces.energy = 0;
  forces.virial = {};
  forces.atom_energy.assign(args.needs.atom_energy ? args.nlocal : 0, 0.0);
  forces.atom_virial.assign(args.needs.atom_virial ? nall : 0, std::array<double, 9>{});
}

void add(Vec4& sum, double s, Vec3 v) {
  sum.x += s * v.x;
  sum.y += s * v.y;
  sum.z += s * v.z;
}

/// F_i += Σ g_ij, F_j −= g_ij, W −= g_ij ⊗ r_ij, the latter booked on the neighbor (spec 2.7).
void add_forces(const EvaluationArgs& args, std::int64_t i, const std::vector<Slot>& slots,
                const std::vector<Vec3>& gradient, Forces& forces) {
  for (std::size_t k = 0; k < slots.size(); ++k) {
    const std::int32_t j = slots[k].index;
    add(forces.force[i], 1, gradient[k]);
    add(forces.force[j], -1, gradient[k]);
    const std::array<double, 3> g{gradient[k].x, gradient[k].y, gradient[k].z};
    const std::array<double, 3> d{slots[k].d.x, slots[k].d.y, slots[k].d.z};
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) {
        if (args.needs.virial) forces.virial[3 * a + b] -= g[a] * d[b];
        if (args.needs.atom_virial) forces.atom_virial[j][3 * a + b] -= g[a] * d[b];
      }
  }
}

/// Q[m, α] = T[1 + α, m].
Vec3 rotation_row(const Descriptor& descriptor, int m) {
  return {descriptor.t[1][m], descriptor.t[2][m], descriptor.t[3][m]};
}

}  // namespace

EvaluationCounts deep_potential(const Model& model, const EvaluationArgs& args, Forces& forces) {
  require(model.kind == ModelKind::energy, "{} is a dipole model (it has no energy); use an energy model",
          model.source);
  clear(args, forces);
  EvaluationCounts counts;
  for (std::int64_t i = 0; i < args.nlocal; ++i) {
    const int type = args.type[i];
    const FittingNet& net = model.fitting[type];
    const Descriptor descriptor = describe(model, args, i, counts);
    const FittingTrace trace = fit(net, descriptor.d);
    const double energy =
        (trace.output[0] + model.bias_atom_e[type]) * model.out_std[type] + model.out_bias[type];
    forces.energy += energy;
    if (args.needs.atom_energy) forces.atom_energy[i] = energy;
    const auto a = fit_backward(net, trace, {model.out_std[type]});
    add_forces(args, i, descriptor.slots, descriptor_gradient(model, descriptor, a, {}), forces);
  }
  return counts;
}

EvaluationCounts dipoles(const Model& model, const EvaluationArgs& args, View<Vec4> dipole) {
  require(model.kind == ModelKind::dipole, "{} is an energy model (it has no dipoles); use a dipole model",
          model.source);
  EvaluationCounts counts;
  for (std::int64_t i = 0; i < args.nlocal; ++i) {
    const int type = args.type[i];
    dipole[i] = Vec4{};
    if (!model.selected[type]) continue;
    const Descriptor descriptor = describe(model, args, i, counts);
    const FittingTrace trace = fit(model.fitting[type], descriptor.d);
    for (int m = 0; m < model.m1; ++m) add(dipole[i], trace.output[m], rotation_row(descriptor, m));
  }
  return counts;
}

// Φ = Σ_i c_i·μ_i with μ = Σ_m y_m Q_m: ∂Φ/∂y_m = Q_m·c, ∂Φ/∂Q_m = y_m c (spec 2.10).
EvaluationCounts dipole_forces(const Model& model, const EvaluationArgs& args, View<const Vec4> cotangent,
                               Forces& forces) {
  require(model.kind == ModelKind::dipole, "{} is an energy model (it has no dipoles); use a dipole model",
          model.source);
  clear(args, forces);
  EvaluationCounts counts;
  for (std::int64_t i = 0; i < args.nlocal; ++i) {
    const int type = args.type[i];
    if (!model.selected[type]) continue;
    const Vec3 c = xyz(cotangent[i]);
    const Descriptor descriptor = describe(model, args, i, counts);
    const FittingTrace trace = fit(model.fitting[type], descriptor.d);
    std::vector<double> dy(model.m1);
    std::vector<Vec3> dq(model.m1);
    for (int m = 0; m < model.m1; ++m) {
      dy[m] = dot(rotation_row(descriptor, m), c);
      dq[m] = trace.output[m] * c;
      forces.energy += dy[m] * trace.output[m];
    }
    const auto a = fit_backward(model.fitting[type], trace, dy);
    add_forces(args, i, descriptor.slots, descriptor_gradient(model, descriptor, a, dq), forces);
  }
  return counts;
}

}  // namespace nanoday::oracle
