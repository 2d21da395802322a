// The oracle: a machine written straight from the equations, in double, to judge the others by.
// SPDX-License-Identifier: Apache-2.0
#include "oracle/oracle_backend.hpp"

#include "core/error.hpp"
#include "core/units.hpp"
#include "math/counter_rng.hpp"
#include "oracle/direct_sum.hpp"
#include "oracle/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace nanoday {
namespace {

struct OracleModel : PreparedModel {
  std::shared_ptr<const InferencePlan> plan;
};

const Model& model_of(PreparedModel& prepared) { return *static_cast<OracleModel&>(prepared).plan->model; }

/// v += s · a, component by component.
void add_scaled(Vec4& v, double s, const Vec4& a) { v = {v.x + s * a.x, v.y + s * a.y, v.z + s * a.z, 0}; }

class OracleBackend final : public Backend {
 public:
  std::string name() const override { return "oracle (double, one thread, straight from the equations)"; }
  bool reproducible() const override { return false; }

  std::unique_ptr<PreparedModel> prepare(std::shared_ptr<const InferencePlan> plan) override {
    auto prepared = std::make_unique<OracleModel>();
    prepared->plan = std::move(plan);
    return prepared;
  }

  // Bins in the order x, then y, then z; atoms of one bin stay in their old order.
  std::vector<std::int32_t> spatial_order(View<const Vec4> position, double cell) override {
    std::vector<std::int32_t> order(position.size());
    std::iota(order.begin(), order.end(), 0);
    const auto bin = [&](std::int32_t i) {
      const Vec4 x = position[i];
      return std::array<double, 3>{std::floor(x.x / cell), std::floor(x.y / cell), std::floor(x.z / cell)};
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return bin(a) < bin(b); });
    return order;
  }

  // Every pair is looked at.
  void build_neighbor_list(const NeighborArgs& args, NeighborList& list) override {
    list.n_types = args.n_types;
    list.cutoff = args.cutoff;
    list.offset.assign(1, 0);
    list.index.clear();
    for (std::int64_t i = 0; i < args.nlocal; ++i)
      for (int type = 0; type < args.n_types; ++type) {
        for (std::size_t j = 0; j < args.position.size(); ++j) {
          if (args.type[j] != type || static_cast<std::int64_t>(j) == i) continue;
          const Vec3 d = xyz(args.position[j]) - xyz(args.position[i]);
          if (norm(d) <= args.cutoff) list.index.push_back(static_cast<std::int32_t>(j));
        }
        list.offset.push_back(static_cast<std::int64_t>(list.index.size()));
      }
    list.index.resize(list.index.size() + 64, 0);
  }

  double max_displacement2(View<const Vec4> position, View<const Vec4> reference) override {
    double largest = 0;
    for (std::size_t i = 0; i < position.size(); ++i) {
      const Vec3 d = xyz(position[i]) - xyz(reference[i]);
      if (std::isnan(dot(d, d))) return std::numeric_limits<double>::quiet_NaN();
      largest = std::max(largest, dot(d, d));
    }
    return largest;
  }

  EvaluationCounts deep_potential(PreparedModel& model, const EvaluationArgs& args, Forces& forces) override {
    const Trace trace(times_, Stage::descriptor);
    return oracle::deep_potential(model_of(model), args, forces);
  }

  EvaluationCounts dipoles(PreparedModel& model, const EvaluationArgs& args, View<Vec4> dipole) override {
    const Trace trace(times_, Stage::descriptor);
    return oracle::dipoles(model_of(model), args, dipole);
  }

  EvaluationCounts dipole_forces(PreparedModel& model, const EvaluationArgs& args, View<const Vec4> cotangent,
                                 Forces& forces) override {
    const Trace trace(times_, Stage::gradient);
    return oracle::dipole_forces(model_of(model), args, cotangent, forces);
  }

  std::unique_ptr<LongRangeSolver> make_long_range(const LongRangePlan& plan, MeshRanks* ranks) override {
    const int n_ranks = ranks ? ranks->size() : 1;
    require(n_ranks == 1,
            "the reference machine sums over charges of one rank only (there are {} ranks); use --device cpu",
            n_ranks);
    return make_oracle_sum(plan);
  }

  void kick(View<Vec4> velocity, View<const Vec4> force, View<const double> mass, double dt) override {
    for (std::size_t i = 0; i < velocity.size(); ++i)
      add_scaled(velocity[i], dt * units::k_force_to_acceleration / mass[i], force[i]);
  }

  void drift(View<Vec4> position, View<const Vec4> velocity, double dt) override {
    for (std::size_t i = 0; i < velocity.size(); ++i) add_scaled(position[i], dt, velocity[i]);
  }

  void scale_velocities(View<Vec4> velocity, double factor) override {
    for (Vec4& v : velocity) v = {factor * v.x, factor * v.y, factor * v.z, 0};
  }

  void ornstein_uhlenbeck(View<Vec4> velocity, View<const double> mass, View<const std::int64_t> id, double c,
                          double kT, std::uint64_t seed, std::uint64_t step) override {
    scale_velocities(velocity, c);
    for (std::size_t i = 0; i < velocity.size(); ++i) {
      const double sigma = std::sqrt((1 - c * c) * kT / (mass[i] * units::k_mass_velocity2));
      add_scaled(velocity[i], sigma, padded(normal3(seed, step, static_cast<std::uint64_t>(id[i]))));
    }
  }

  AtomSum kinetic_energy(View<const Vec4> velocity, View<const double> mass) override {
    AtomSum sum;
    for (std::size_t i = 0; i < velocity.size(); ++i)
      sum.plain += 0.5 * mass[i] * units::k_mass_velocity2 * dot(xyz(velocity[i]), xyz(velocity[i]));
    return sum;
  }
};

}  // namespace

std::unique_ptr<Backend> make_oracle_backend() { return std::make_unique<OracleBackend>(); }

}  // namespace nanoday
