// Heat baths on the device are those of md/: the same states and velocities, step for step.
// SPDX-License-Identifier: Apache-2.0
#include "core/units.hpp"
#include "cpu/cpu_backend.hpp"
#include "cuda/integrate.hpp"
#include "cuda/moving_atoms.hpp"
#include "math/thermostats.hpp"
#include "md/thermostat.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace nanoday {
namespace {

using namespace reference;

constexpr double k_dt = 1e-3;
constexpr int k_steps = 100;
// Relative for states, Å/ps for velocities. Measured: zero; a bath's target is rounded in another order here
// than in md/, which may show as one unit of the last place per step.
constexpr double k_same_bath = 1e-13;

struct BathCase {
  const char* name;
  BathKind kind;
  std::unique_ptr<Thermostat> (*make)(const ThermostatOptions&);
};

const BathCase k_cases[] = {{"Nose-Hoover", BathKind::nose_hoover, make_nose_hoover},
                            {"Langevin", BathKind::langevin, make_langevin},
                            {"rescaling", BathKind::rescaling, make_velocity_rescaling}};

ThermostatOptions options_of(int replica, int n) {
  ThermostatOptions options;
  options.temperature = 250 + 100 * replica;
  options.tau = 0.05;
  options.dt = k_dt;
  options.degrees_of_freedom = 3 * n - 3;
  options.seed = 17 + replica;
  return options;
}

BathSettings settings_of(BathKind kind, const ThermostatOptions& o) {
  return {kind, units::k_boltzmann * o.temperature, o.tau, o.degrees_of_freedom, o.seed};
}

/// Atoms pushed by forces that never change, so that the bath has something to do.
struct CpuRun {
  Atoms atoms;
  Array<Vec4> force;
  std::unique_ptr<Thermostat> bath;

  void step(Backend& cpu, std::int64_t next) {
    const auto ranks = make_self_transport();
    const MovingAtoms moving{cpu, atoms, *ranks};
    bath->before(moving, next);
    cpu.kick(atoms.velocity, force, atoms.mass, k_dt);
    if (bath->splits_drift()) bath->middle(moving, next);
    bath->after(moving, next);
  }
};

struct DeviceRun {
  gpu::Stream stream;
  gpu::DeviceAtoms atoms;
  gpu::DeviceArray<gpu::SystemState> state;
  gpu::DeviceArray<BathSettings> bath;
  gpu::DeviceArray<double> kT;
  gpu::DeviceArray<std::uint64_t> seed;
  gpu::DeviceArray<gpu::Signals> signals;
  double memory = 1;

  DeviceRun(const std::vector<CpuRun>& runs, const std::vector<BathSettings>& settings) {
    std::vector<Atoms> systems;
    Array<Vec4> force;
    std::vector<double> kT_of;
    std::vector<std::uint64_t> seed_of;
    for (std::size_t r = 0; r < runs.size(); ++r) {
      systems.push_back(runs[r].atoms);
      force.insert(force.end(), runs[r].force.begin(), runs[r].force.end());
      kT_of.push_back(settings[r].kT);
      seed_of.push_back(settings[r].seed);
    }
    atoms = on_device(stream, systems);
    upload(stream, atoms.force, force);
    upload(stream, atoms.reference, force);  // anything: no displacement is too large
    upload(stream, signals, std::vector<gpu::Signals>(1));
    upload(stream, state, std::vector<gpu::SystemState>(runs.size()));
    upload(stream, bath, settings);
    upload(stream, kT, kT_of);
    upload(stream, seed, seed_of);
    stream.synchronize();
    memory = bath_memory(k_dt, settings[0].tau);
  }

  void advance(gpu::BathStage stage) {
    gpu::advance_bath(stream, atoms, bath.data(), state.data(), k_dt, stage);
  }
  /// Positions move, too, but nobody asks for them. A step kicks by half its time.
  void step(bool langevin) {
    const gpu::MotionLimits limits{2 * k_dt, 1e9, 1e9, 1e9, false};
    if (!langevin) advance(gpu::BathStage::before);
    gpu::begin_step(stream, atoms, langevin ? nullptr : state.data(), limits, langevin, signals.data());
    if (langevin) {
      advance(gpu::BathStage::before_noise);
      gpu::noise_and_drift(stream, atoms, state.data(), {memory, kT.data(), seed.data()}, limits,
                           signals.data());
      advance(gpu::BathStage::after_noise);
    }
    advance(gpu::BathStage::after);
    gpu::finish_coupling(stream, atoms, state.data());
  }
};

std::vector<CpuRun> cpu_runs(const BathCase& c, const std::vector<int>& sizes) {
  std::vector<CpuRun> runs;
  for (std::size_t r = 0; r < sizes.size(); ++r) {
    CpuRun run;
    run.atoms = random_atoms(Box::orthorhombic(9, 9, 9), sizes[r], static_cast<unsigned>(r + 1));
    for (std::size_t i = 0; i < run.atoms.id.size(); ++i) run.atoms.id[i] = static_cast<std::int64_t>(i);
    for (const Vec4& x : run.atoms.position) run.force.push_back({0.1 * x.y, -0.2 * x.x, 0.05 * x.z, 0});
    run.bath = c.make(options_of(static_cast<int>(r), sizes[r]));
    runs.push_back(std::move(run));
  }
  return runs;
}

/// A NaN counts as larger than anything.
void keep_larger(double& worst, double value) {
  if (!(value <= worst)) worst = value;
}

void expect_same_runs(DeviceRun& device, const std::vector<CpuRun>& runs) {
  const auto velocity = fetched(device.stream, device.atoms.velocity, device.atoms.nlocal);
  const auto states = fetched(device.stream, device.state, device.atoms.n_replicas);
  double worst_velocity = 0, worst_state = 0;
  std::size_t i = 0;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    EXPECT_EQ(states[r].step, k_steps);
    for (const Vec4& v : runs[r].atoms.velocity) {
      keep_larger(worst_velocity, norm(xyz(velocity[i]) - xyz(v)));
      ++i;
    }
    const std::vector<double> expected = runs[r].bath->state();
    double largest = 0;
    for (const double s : expected) largest = std::max(largest, std::fabs(s));
    EXPECT_GT(largest, 1e-3);  // the bath has done something
    for (std::size_t k = 0; k < expected.size(); ++k)
      keep_larger(worst_state, std::fabs(states[r].bath[k] - expected[k]) / largest);
  }
  EXPECT_LT(worst_velocity, k_same_bath);
  EXPECT_LT(worst_state, k_same_bath);
}

TEST(DeviceThermostats, follow_those_of_the_cpu_over_a_hundred_steps) {
  MachineOptions options;
  options.threads = 1;
  options.reproducible = true;
  const auto cpu = make_cpu_backend(options);
  in_both_orders([&] {
    for (const BathCase& c : k_cases) {
      SCOPED_TRACE(c.name);
      for (const std::vector<int>& sizes : {std::vector<int>{40}, std::vector<int>{33, 64, 2}}) {
        std::vector<CpuRun> runs = cpu_runs(c, sizes);
        std::vector<BathSettings> settings;
        for (std::size_t r = 0; r < sizes.size(); ++r)
          settings.push_back(settings_of(c.kind, options_of(static_cast<int>(r), sizes[r])));
        DeviceRun device(runs, settings);
        for (int step = 1; step <= k_steps; ++step) {
          device.step(c.kind == BathKind::langevin);
          for (CpuRun& run : runs) run.step(*cpu, step);
        }
        expect_same_runs(device, runs);
      }
    }
  });
}

TEST(DeviceThermostats, leave_velocities_alone_when_there_is_nothing_to_couple) {
  gpu::Stream stream;
  std::vector<gpu::SystemState> before(4);
  for (gpu::SystemState& s : before) s.scale = 7;
  std::vector<Atoms> systems(4, random_atoms(Box::orthorhombic(9, 9, 9), 3));
  for (Vec4& v : systems[3].velocity) v = {};  // at rest
  const gpu::DeviceAtoms atoms = on_device(stream, systems);
  gpu::DeviceArray<gpu::SystemState> state;
  upload(stream, state, before);
  gpu::DeviceArray<BathSettings> bath;
  upload(stream, bath,
         std::vector<BathSettings>{{BathKind::none, 0.03, 0.1, 9, 1},
                                   {BathKind::langevin, 0.03, 0.1, 9, 1},
                                   {BathKind::nose_hoover, 0.03, 0.1, 0, 1},  // no degrees of freedom
                                   {BathKind::rescaling, 0.03, 0.1, 9, 1}});
  gpu::advance_bath(stream, atoms, bath.data(), state.data(), k_dt, gpu::BathStage::after);
  for (const gpu::SystemState& s : fetched(stream, state, 4)) {
    EXPECT_EQ(s.scale, 1);
    EXPECT_EQ(s.bath, gpu::SystemState{}.bath);
  }
}

TEST(DeviceThermostats, rescale_after_the_second_kick_only) {
  gpu::Stream stream;
  const gpu::DeviceAtoms atoms = on_device(stream, {random_atoms(Box::orthorhombic(9, 9, 9), 3)});
  gpu::DeviceArray<gpu::SystemState> state;
  upload(stream, state, std::vector<gpu::SystemState>(1));
  gpu::DeviceArray<BathSettings> bath;
  upload(stream, bath, std::vector<BathSettings>{{BathKind::rescaling, 0.03, 0.1, 9, 1}});
  gpu::advance_bath(stream, atoms, bath.data(), state.data(), k_dt, gpu::BathStage::before);
  EXPECT_EQ(fetched(stream, state, 1)[0].scale, 1);
  gpu::advance_bath(stream, atoms, bath.data(), state.data(), k_dt, gpu::BathStage::after);
  EXPECT_NE(fetched(stream, state, 1)[0].scale, 1);
}

TEST(ThermostatFormulas, use_the_weights_of_yoshida) {
  // 1/(2 − 2^(1/3)) rounded once; its own formula loses up to two units.
  EXPECT_NEAR(k_outer_weight * (2 - std::cbrt(2.0)), 1, 4e-16);
}

TEST(ThermostatFormulas, draw_gamma_deviates_of_the_right_mean_and_variance) {
  for (const double shape : {0.5, 1.0, 3.7}) {
    double sum = 0, square = 0;
    constexpr int n = 20000;
    for (int k = 0; k < n; ++k) {
      BathDraws draws(5, static_cast<std::uint64_t>(k));
      const double g = gamma_deviate(shape, draws);
      sum += g;
      square += g * g;
    }
    const double mean = sum / n;
    EXPECT_NEAR(mean, shape, 5 * std::sqrt(shape / n));  // five standard errors
    EXPECT_NEAR(square / n - mean * mean, shape, 5 * shape * std::sqrt((2 + 6 / shape) / n));
  }
}

}  // namespace
}  // namespace nanoday
