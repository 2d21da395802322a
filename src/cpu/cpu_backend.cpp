// The default machine.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/cpu_backend.hpp"

#include "atoms/exact_sum.hpp"
#include "core/error.hpp"
#include "core/units.hpp"
#include "cpu/long_range.hpp"
#include "cpu/model_engine.hpp"
#include "cpu/neighbor_list.hpp"
#include "math/thermostats.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace nanoday {
namespace {

class CpuBackend final : public Backend {
 public:
  CpuBackend(const char* machine, const cpu::InstructionSet& set, int threads, bool reproducible)
      : machine_(machine),
        set_(set),
        threads_(threads),
        reproducible_(reproducible),
        engine_(*set.kernels, threads, reproducible) {}

  std::string name() const override {
    return fmt::format("{} ({}, {} thread{})", machine_, set_.title, threads_, threads_ == 1 ? "" : "s");
  }
  int threads() const override { return threads_; }
  bool multiplies_faint() const override { return set_.pairs != cpu::PairFormat::none; }
  bool reproducible() const override { return reproducible_; }
  bool overlaps_ghosts() const override { return true; }

  double peak_multiply_adds(Precision precision) override {
    double sum = 0;
#pragma omp parallel num_threads(threads_) reduction(+ : sum)
    sum += set_.kernels->peak_fma(precision == Precision::mixed);
    return sum;
  }

  std::unique_ptr<PreparedModel> prepare(std::shared_ptr<const InferencePlan> plan) override {
    require(plan->precision != Precision::fast,
            "precision 'fast' needs a GPU (it rounds products to TF32, which CPUs do not have); use mixed, "
            "or --device cuda");
    auto model = std::make_unique<cpu::CpuModel>();
    if (plan->precision == Precision::fp64) {
      model->fp64 =
          std::make_unique<cpu::PackedModel<double>>(cpu::pack_model<double>(plan, cpu::PairFormat::none));
      if (plan->exact)
        model->fp64_exact = std::make_unique<cpu::PackedModel<double>>(
            cpu::pack_model<double>(plan->exact, cpu::PairFormat::none));
    } else {
      model->mixed = std::make_unique<cpu::PackedModel<float>>(cpu::pack_model<float>(plan, set_.pairs));
      if (plan->exact)
        model->mixed_exact = std::make_unique<cpu::PackedModel<float>>(
            cpu::pack_model<float>(plan->exact, cpu::PairFormat::none));
    }
    return model;
  }

  std::vector<std::int32_t> spatial_order(View<const Vec4> position, double cell) override {
    return cpu::spatial_order(position, cell);
  }
  void build_neighbor_list(const NeighborArgs& args, NeighborList& list) override {
    cpu::build_neighbor_list(args, reproducible_, threads_, list);
    list.version = ++list_version_;
  }
  double max_displacement2(View<const Vec4> position, View<const Vec4> reference) override {
    double most = 0;
    for (std::size_t i = 0; i < reference.size(); ++i) {
      const Vec3 d = xyz(position[i]) - xyz(reference[i]);
      const double r2 = dot(d, d);
      if (!(r2 <= most)) most = r2;  // written so that a NaN is kept
      if (std::isnan(most)) return most;
    }
    return most;
  }

  EvaluationCounts deep_potential(PreparedModel& model, const EvaluationArgs& args, Forces& forces) override {
    cpu::EngineTask task;
    task.companion = std::exchange(slot_.waiting, nullptr);
    return engine_.evaluate(dynamic_cast<cpu::CpuModel&>(model), args, task, forces, times_);
  }
  EvaluationCounts dipoles(PreparedModel& model, const EvaluationArgs& args, View<Vec4> dipole) override {
    std::fill(dipole.begin(), dipole.end(), Vec4{});
    EvaluationArgs forward = args;
    forward.needs = {};
    return engine_.evaluate(dynamic_cast<cpu::CpuModel&>(model), forward, {dipole, {}, false, nullptr},
                            unused_, times_);
  }
  EvaluationCounts dipole_forces(PreparedModel& model, const EvaluationArgs& args, View<const Vec4> cotangent,
                                 Forces& forces) override {
    EvaluationArgs backward = args;
    backward.needs.energy = backward.needs.atom_energy = false;
    return engine_.evaluate(dynamic_cast<cpu::CpuModel&>(model), backward, {{}, cotangent, true, nullptr},
                            forces, times_);
  }

  bool solves_bricks() const override { return true; }
  std::unique_ptr<LongRangeSolver> make_long_range(const LongRangePlan& plan, MeshRanks* ranks) override {
    require(plan.threads >= 0 && plan.threads < std::max(threads_, 2),
            "--pppm-threads {} leaves no thread for the nets (there are {}); give fewer, or off",
            plan.threads, threads_);
    const bool direct = plan.method == LongRangeMethod::direct;
    auto solver = direct ? cpu::make_direct_sum(plan, threads_, reproducible_, set_, ranks)
                         : cpu::make_pppm(plan, threads_, reproducible_, set_, ranks);
    return std::make_unique<cpu::Companion>(std::move(solver), plan, threads_, slot_, times_);
  }

  void kick(View<Vec4> velocity, View<const Vec4> force, View<const double> mass, double dt) override {
    const std::int64_t n = static_cast<std::int64_t>(velocity.size());
#pragma omp parallel for num_threads(threads_) schedule(static) if (n > k_small)
    for (std::int64_t i = 0; i < n; ++i) {
      const double s = dt * units::k_force_to_acceleration / mass[i];
      velocity[i].x += s * force[i].x;
      velocity[i].y += s * force[i].y;
      velocity[i].z += s * force[i].z;
    }
  }
  void drift(View<Vec4> position, View<const Vec4> velocity, double dt) override {
    const std::int64_t n = static_cast<std::int64_t>(velocity.size());
#pragma omp parallel for num_threads(threads_) schedule(static) if (n > k_small)
    for (std::int64_t i = 0; i < n; ++i) {
      position[i].x += dt * velocity[i].x;
      position[i].y += dt * velocity[i].y;
      position[i].z += dt * velocity[i].z;
    }
  }
  void scale_velocities(View<Vec4> velocity, double factor) override {
    for (Vec4& v : velocity) v = padded(factor * xyz(v));
  }
  void ornstein_uhlenbeck(View<Vec4> velocity, View<const double> mass, View<const std::int64_t> id, double c,
                          double kT, std::uint64_t seed, std::uint64_t step) override {
    const std::int64_t n = static_cast<std::int64_t>(velocity.size());
    const double width2 = langevin_width2(c, kT);
#pragma omp parallel for num_threads(threads_) schedule(static) if (n > k_small)
    for (std::int64_t i = 0; i < n; ++i) {
      velocity[i] = padded(langevin_velocity(xyz(velocity[i]), c, width2, mass[i], seed, step,
                                             static_cast<std::uint64_t>(id[i])));
    }
  }
  AtomSum kinetic_energy(View<const Vec4> velocity, View<const double> mass) override {
    AtomSum sum{reproducible_, 0, {}};
    for (std::size_t i = 0; i < velocity.size(); ++i)
      sum.add(0.5 * mass[i] * dot(xyz(velocity[i]), xyz(velocity[i])) * units::k_mass_velocity2);
    return sum;
  }

 private:
  static constexpr std::int64_t k_small = 20000;  // below this a fork costs more than the loop

  std::string machine_;
  cpu::InstructionSet set_;
  int threads_;
  bool reproducible_;
  cpu::ModelEngine engine_;
  cpu::CompanionSlot slot_;
  Forces unused_;
  std::int64_t list_version_ = 0;
};

}  // namespace

std::unique_ptr<Backend> make_lanes_backend(const char* machine, const cpu::InstructionSet& set,
                                            const MachineOptions& options) {
  require(options.threads >= 0 && options.threads <= 4096,
          "--threads {} is out of range (1 … 4096; 0: all cores)", options.threads);
  const int threads = options.threads > 0 ? options.threads : omp_get_max_threads();
  return std::make_unique<CpuBackend>(machine, set, threads, options.reproducible);
}

std::unique_ptr<Backend> make_cpu_backend(const MachineOptions& options) {
  return make_lanes_backend("cpu", cpu::instruction_set(options.isa), options);
}

std::vector<std::string> cpu_instruction_sets() {
  std::vector<std::string> names;
  for (const cpu::InstructionSet& set : cpu::instruction_sets())
    if (set.available) names.emplace_back(set.name);
  return names;
}

}  // namespace nanoday
