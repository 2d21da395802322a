// A machine with a toy force field, so that dynamics can be tested without a trained model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"
#include "core/units.hpp"
#include "forces/evaluator.hpp"
#include "math/counter_rng.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

namespace nanoday::toy {

/// Forces: a trap ½ k_t |x|² + ¼ q (x⁴ + y⁴ + z⁴) around the origin for type t (so that angular momentum
/// is not conserved), and a soft repulsion A (1 − r²/r_c²)³ between atoms closer than r_c (smooth at the
/// cutoff, so that integration errors keep their order).
struct Field {
  std::vector<double> trap{0, 0, 0};  ///< k_t [eV/Å²]
  double quartic = 0;                 ///< q [eV/Å⁴]
  double repulsion = 0;               ///< A [eV]
  double cutoff = 3;                  ///< r_c [Å]
};

class Prepared : public PreparedModel {};

class ToyBackend : public Backend {
 public:
  explicit ToyBackend(Field field) : field_(std::move(field)) {}

  std::string name() const override { return "toy"; }
  bool reproducible() const override { return false; }
  std::unique_ptr<PreparedModel> prepare(std::shared_ptr<const InferencePlan>) override {
    return std::make_unique<Prepared>();
  }

  std::vector<std::int32_t> spatial_order(View<const Vec4> position, double cell) override {
    std::vector<std::int32_t> order(position.size());
    std::iota(order.begin(), order.end(), 0);
    const auto bin = [&](std::int32_t i) { return std::floor(position[i].x / cell); };
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return bin(a) < bin(b); });
    return order;
  }

  void build_neighbor_list(const NeighborArgs& args, NeighborList& list) override {
    list.n_types = args.n_types;
    list.cutoff = args.cutoff;
    list.offset.assign(1, 0);
    list.index.clear();
    for (std::int64_t i = 0; i < args.nlocal; ++i)
      for (int t = 0; t < args.n_types; ++t) {
        for (std::size_t j = 0; j < args.position.size(); ++j) {
          const Vec3 d = xyz(args.position[j]) - xyz(args.position[i]);
          if (static_cast<std::int64_t>(j) != i && args.type[j] == t && dot(d, d) < args.cutoff * args.cutoff)
            list.index.push_back(static_cast<std::int32_t>(j));
        }
        list.offset.push_back(static_cast<std::int64_t>(list.index.size()));
      }
  }

  double max_displacement2(View<const Vec4> position, View<const Vec4> reference) override {
    double most = 0;
    for (std::size_t i = 0; i < position.size(); ++i) {
      const Vec3 d = xyz(position[i]) - xyz(reference[i]);
      most = std::max(most, dot(d, d));
    }
    return most;
  }

  EvaluationCounts deep_potential(PreparedModel&, const EvaluationArgs& args, Forces& forces) override {
    forces.force.assign(args.position.size(), Vec4{});
    forces.energy = 0;
    forces.virial = {};
    for (std::int64_t i = 0; i < args.nlocal; ++i) {
      Vec3 force = trap(args, i, forces);
      const auto& list = *args.neighbors;
      for (auto k = list.offset[i * list.n_types]; k < list.offset[(i + 1) * list.n_types]; ++k)
        force = force + pair(xyz(args.position[i]) - xyz(args.position[list.index[k]]), forces);
      forces.force[i] = padded(force);
    }
    if (poison_ >= 0) forces.force[poison_].x = std::nan("");
    return report_;
  }
  EvaluationCounts dipoles(PreparedModel&, const EvaluationArgs&, View<Vec4>) override { return {}; }
  EvaluationCounts dipole_forces(PreparedModel&, const EvaluationArgs&, View<const Vec4>, Forces&) override {
    return {};
  }
  std::unique_ptr<LongRangeSolver> make_long_range(const LongRangePlan&, MeshRanks*) override {
    return nullptr;
  }

  void kick(View<Vec4> velocity, View<const Vec4> force, View<const double> mass, double dt) override {
    for (std::size_t i = 0; i < velocity.size(); ++i)
      velocity[i] =
          padded(xyz(velocity[i]) + (units::k_force_to_acceleration * dt / mass[i]) * xyz(force[i]));
  }
  void drift(View<Vec4> position, View<const Vec4> velocity, double dt) override {
    for (std::size_t i = 0; i < velocity.size(); ++i)
      position[i] = padded(xyz(position[i]) + dt * xyz(velocity[i]));
  }
  void scale_velocities(View<Vec4> velocity, double factor) override {
    for (auto& v : velocity) v = padded(factor * xyz(v));
  }
  void ornstein_uhlenbeck(View<Vec4> velocity, View<const double> mass, View<const std::int64_t> id, double c,
                          double kT, std::uint64_t seed, std::uint64_t step) override {
    for (std::size_t i = 0; i < velocity.size(); ++i) {
      const double width = std::sqrt((1 - c * c) * kT / (mass[i] * units::k_mass_velocity2));
      velocity[i] =
          padded(c * xyz(velocity[i]) + width * normal3(seed, step, static_cast<std::uint64_t>(id[i])));
    }
  }
  AtomSum kinetic_energy(View<const Vec4> velocity, View<const double> mass) override {
    double twice = 0;
    for (std::size_t i = 0; i < velocity.size(); ++i)
      twice += mass[i] * dot(xyz(velocity[i]), xyz(velocity[i]));
    return {false, 0.5 * twice * units::k_mass_velocity2, {}};
  }

  /// From now on the force on this atom (memory index) is not a number.
  void poison(std::int64_t atom) { poison_ = atom; }
  /// What every evaluation from now on says it has met.
  void report(const EvaluationCounts& counts) { report_ = counts; }

 private:
  Vec3 trap(const EvaluationArgs& args, std::int64_t i, Forces& forces) const {
    const Vec3 x = xyz(args.position[i]);
    const double k = field_.trap[args.type[i]], r2 = dot(x, x);
    const double q = field_.quartic;
    const Vec3 square{x.x * x.x, x.y * x.y, x.z * x.z};
    forces.energy += 0.5 * k * r2 + 0.25 * q * dot(square, square);
    return {-(k + q * square.x) * x.x, -(k + q * square.y) * x.y, -(k + q * square.z) * x.z};
  }

  /// Force on the first atom of a pair at distance vector d; half the energy and virial each.
  Vec3 pair(Vec3 d, Forces& forces) const {
    const double rc2 = field_.cutoff * field_.cutoff, u = 1 - dot(d, d) / rc2;
    if (u <= 0) return {};
    forces.energy += 0.5 * field_.repulsion * u * u * u;
    const Vec3 f = (6 * field_.repulsion * u * u / rc2) * d;
    const double dv[3] = {d.x, d.y, d.z}, fv[3] = {f.x, f.y, f.z};
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) forces.virial[3 * a + b] += 0.5 * dv[a] * fv[b];
    return f;
  }

  Field field_;
  std::int64_t poison_ = -1;
  EvaluationCounts report_;
};

/// A plan whose model says no more than the toy needs: three types and a cutoff.
inline std::shared_ptr<const InferencePlan> plan(double rcut = 3, bool compressed = false) {
  auto model = std::make_shared<Model>();
  model->type_map = {"O", "H", "Na"};
  model->sel = {10, 10, 10};
  model->rcut = rcut;
  model->compressed = compressed;
  model->hash = "0123456789abcdef";
  auto made = std::make_shared<InferencePlan>();
  made->model = model;
  return made;
}

/// n atoms of types 0, 1, 2, 0, … with masses 16, 1, 23 u at pseudo-random places of a cube.
inline Atoms atoms(int n, double edge, std::uint64_t seed = 7) {
  Atoms a;
  a.nlocal = n;
  const double masses[] = {16, 1, 23};
  for (int i = 0; i < n; ++i) {
    const auto at = [&](std::uint64_t axis) {
      return edge * uniform(seed, axis, static_cast<std::uint64_t>(i));
    };
    a.position.push_back({at(0), at(1), at(2), 0});
    a.velocity.push_back({});
    a.type.push_back(i % 3);
    a.mass.push_back(masses[i % 3]);
    a.id.push_back(i);
    a.image.push_back({});
  }
  return a;
}

}  // namespace nanoday::toy
