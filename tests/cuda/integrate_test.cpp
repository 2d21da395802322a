// Kicks, drifts, noise, sums and watches on the device are those of the CPU, to the last bit.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/integrate.hpp"

#include "cpu/cpu_backend.hpp"
#include "cuda/moving_atoms.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace nanoday {
namespace {

using namespace reference;

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();

std::unique_ptr<Backend> reproducible_cpu() {
  MachineOptions options;
  options.threads = 1;
  options.reproducible = true;
  return make_cpu_backend(options);
}

Atoms sample(int n, unsigned seed = 7) { return random_atoms(Box::orthorhombic(20, 20, 20), n, seed); }

Array<Vec4> random_forces(int n) {
  std::mt19937_64 random(11);
  std::normal_distribution<double> normal(0, 2);
  Array<Vec4> force;
  for (int i = 0; i < n; ++i) force.push_back({normal(random), normal(random), normal(random), 0});
  return force;
}

std::vector<gpu::SystemState> states(gpu::Stream& stream, const gpu::DeviceArray<gpu::SystemState>& from) {
  return fetched(stream, from, static_cast<std::int64_t>(from.size()));
}

/// States full of rubbish: sums must be set, not added to.
gpu::DeviceArray<gpu::SystemState> used_states(gpu::Stream& stream, int n) {
  gpu::SystemState state;
  state.kinetic = state.energy = state.virial[4] = {5, 7, 1, 0};
  gpu::DeviceArray<gpu::SystemState> device;
  upload(stream, device, std::vector<gpu::SystemState>(n, state));
  stream.synchronize();
  return device;
}

TEST(DeviceIntegrator, kicks_and_drifts_as_the_cpu_does) {
  gpu::Stream stream;
  const auto cpu = reproducible_cpu();
  for (const int n : {0, 1, 256, 1000}) {
    Atoms atoms = sample(n);
    const Array<Vec4> force = random_forces(n);
    gpu::DeviceAtoms device = on_device(stream, {atoms});
    upload(stream, device.force, force);
    gpu::kick(stream, device, 2.5e-4);
    gpu::drift(stream, device, 5e-4);
    cpu->kick(atoms.velocity, force, atoms.mass, 2.5e-4);
    cpu->drift(atoms.position, atoms.velocity, 5e-4);
    expect_same(fetched(stream, device.velocity, n), atoms.velocity);
    expect_same(fetched(stream, device.position, n), atoms.position);
  }
}

TEST(DeviceIntegrator, does_nothing_while_forces_are_incomplete) {
  gpu::Stream stream;
  const Atoms atoms = sample(50);
  gpu::DeviceAtoms device = on_device(stream, {atoms});
  upload(stream, device.force, random_forces(50));
  auto state = used_states(stream, 1);
  gpu::DeviceArray<gpu::Signals> signals;
  upload(stream, signals, std::vector<gpu::Signals>{{0, 0, 1}});
  upload(stream, device.reference, Array<Vec4>(50, Vec4{1e3, 0, 0, 0}));
  const std::uint32_t* const halt = &signals.data()->halt;
  gpu::DeviceArray<BathSettings> bath;
  upload(stream, bath, std::vector<BathSettings>{{BathKind::nose_hoover, 0.03, 0.1, 150, 1}});
  gpu::DeviceArray<double> kT;
  upload(stream, kT, std::vector<double>{0.03});
  gpu::DeviceArray<std::uint64_t> seed;
  upload(stream, seed, std::vector<std::uint64_t>{1});
  gpu::kick(stream, device, 1, halt);
  gpu::drift(stream, device, 1, halt);
  gpu::sum_kinetic(stream, device, state.data(), halt);
  for (const auto stage : {gpu::BathStage::before, gpu::BathStage::after, gpu::BathStage::before_noise,
                           gpu::BathStage::after_noise})
    gpu::advance_bath(stream, device, bath.data(), state.data(), 1e-3, stage, halt);
  gpu::finish_coupling(stream, device, state.data(), halt);
  const gpu::Noise noise{0.5, kT.data(), seed.data()};
  gpu::ornstein_uhlenbeck(stream, device, state.data(), noise, halt);
  const gpu::MotionLimits limits{1e3, 0.5, 1e6, 1, false};
  gpu::begin_step(stream, device, state.data(), limits, false, signals.data());
  gpu::noise_and_drift(stream, device, state.data(), noise, limits, signals.data());
  gpu::watch_displacement(stream, device, 1, signals.data());
  expect_same(fetched(stream, device.position, 50), atoms.position);
  expect_same(fetched(stream, device.velocity, 50), atoms.velocity);
  const gpu::SystemState after = states(stream, state)[0];
  EXPECT_EQ(after.kinetic.high, 5);
  EXPECT_EQ(after.step, 0);
  EXPECT_EQ(after.bath, gpu::SystemState{}.bath);
  EXPECT_EQ(fetched(stream, signals, 1)[0].rebuild, 0u);
  EXPECT_EQ(fetched(stream, signals, 1)[0].trouble, 0u);
}

TEST(DeviceIntegrator, draws_the_noise_of_the_cpu_for_every_replica) {
  gpu::Stream stream;
  const auto cpu = reproducible_cpu();
  std::vector<Atoms> systems{sample(70, 1), sample(70, 2)};
  for (Atoms& atoms : systems)
    for (std::size_t i = 0; i < atoms.id.size(); ++i) atoms.id[i] = static_cast<std::int64_t>(i);
  gpu::DeviceAtoms device = on_device(stream, systems);
  const std::vector<double> kT{0.02, 0.05};
  const std::vector<std::uint64_t> seed{3, 12345678901234567u};
  gpu::DeviceArray<double> device_kT;
  upload(stream, device_kT, kT);
  gpu::DeviceArray<std::uint64_t> device_seed;
  upload(stream, device_seed, seed);
  gpu::DeviceArray<gpu::SystemState> state;
  std::vector<gpu::SystemState> before(2);
  before[0].step = 41;
  before[1].step = 8;
  upload(stream, state, before);
  gpu::ornstein_uhlenbeck(stream, device, state.data(), {0.9, device_kT.data(), device_seed.data()});
  const auto velocity = fetched(stream, device.velocity, 140);
  for (int r = 0; r < 2; ++r) {
    cpu->ornstein_uhlenbeck(systems[r].velocity, systems[r].mass, systems[r].id, 0.9, kT[r], seed[r],
                            static_cast<std::uint64_t>(before[r].step + 1));
    expect_same({velocity.begin() + 70 * r, velocity.begin() + 70 * (r + 1)}, systems[r].velocity);
  }
}

TEST(DeviceIntegrator, scales_velocities_of_each_replica_by_its_own_factor_and_counts_the_step) {
  gpu::Stream stream;
  const auto cpu = reproducible_cpu();
  std::vector<Atoms> systems{sample(40, 1), sample(60, 2)};
  gpu::DeviceAtoms device = on_device(stream, systems);
  std::vector<gpu::SystemState> factors(2);
  factors[0].scale = 1.25;
  factors[1].scale = -0.3;
  gpu::DeviceArray<gpu::SystemState> state;
  upload(stream, state, factors);
  gpu::finish_coupling(stream, device, state.data());
  const auto velocity = fetched(stream, device.velocity, 100);
  cpu->scale_velocities(systems[0].velocity, 1.25);
  cpu->scale_velocities(systems[1].velocity, -0.3);
  expect_same({velocity.begin(), velocity.begin() + 40}, systems[0].velocity);
  expect_same({velocity.begin() + 40, velocity.end()}, systems[1].velocity);
  for (const gpu::SystemState& s : states(stream, state)) EXPECT_EQ(s.step, 1);
}

TEST(DeviceSums, give_the_kinetic_energy_of_the_cpu_to_the_last_bit) {
  gpu::Stream stream;
  const auto cpu = reproducible_cpu();
  in_both_orders([&] {
    for (const int n : {0, 1, 31, 256, 4096, 4097, 9000}) {  // one block alone, and many
      const Atoms atoms = sample(n);
      const gpu::DeviceAtoms device = on_device(stream, {atoms});
      auto state = used_states(stream, 1);
      gpu::sum_kinetic(stream, device, state.data());
      EXPECT_EQ(value_of(states(stream, state)[0].kinetic),
                cpu->kinetic_energy(atoms.velocity, atoms.mass).value());
    }
  });
}

TEST(DeviceSums, keep_replicas_apart_wherever_they_begin) {
  gpu::Stream stream;
  const auto cpu = reproducible_cpu();
  in_both_orders([&] {
    std::vector<Atoms> systems;
    for (const int n : {37, 1, 192, 0, 300, 64}) systems.push_back(sample(n, n + 1));
    const gpu::DeviceAtoms device = on_device(stream, systems);
    auto state = used_states(stream, 6);
    gpu::sum_kinetic(stream, device, state.data());
    const auto found = states(stream, state);
    for (int r = 0; r < 6; ++r)
      EXPECT_EQ(value_of(found[r].kinetic),
                cpu->kinetic_energy(systems[r].velocity, systems[r].mass).value());
  });
}

/// Σ of rounded terms, as the definition says.
double exact_sum(const std::vector<double>& terms) {
  __int128 sum = 0;
  for (const double e : terms) sum += static_cast<__int128>(std::llrint(e * k_fixed_point_scale));
  return static_cast<double>(sum) / k_fixed_point_scale;
}

TEST(DeviceSums, add_energies_and_virials_exactly) {
  gpu::Stream stream;
  in_both_orders([&] {
    for (const int n : {3, 5000}) {
      const gpu::DeviceAtoms device = on_device(stream, {sample(n)});
      std::mt19937_64 random(5);
      std::normal_distribution<double> normal(-155.7, 100);
      std::vector<double> energy(n);
      for (double& e : energy) e = normal(random);
      const int slots = 1 + n / 100;
      std::vector<gpu::FixedSum> virial(std::size_t{9} * slots);
      std::array<__int128, 9> sums{};
      for (int k = 0; k < 9 * slots; ++k) {
        virial[k] = {std::int64_t(random()) >> 20, random() >> 10, 0, 0};
        sums[k % 9] += (static_cast<__int128>(virial[k].high) << 32) + virial[k].low;
      }
      gpu::DeviceArray<double> device_energy;
      upload(stream, device_energy, energy);
      gpu::DeviceArray<gpu::FixedSum> device_virial;
      upload(stream, device_virial, virial);
      auto state = used_states(stream, 1);
      gpu::sum_results(stream, device, device_energy.data(), {device_virial.data(), nullptr, slots},
                       state.data());
      gpu::SystemState found = states(stream, state)[0];
      EXPECT_EQ(value_of(found.energy), exact_sum(energy));
      for (int c = 0; c < 9; ++c)
        EXPECT_EQ(value_of(found.virial[c]), static_cast<double>(sums[c]) / k_fixed_point_scale);
      gpu::sum_results(stream, device, nullptr, {}, state.data());
      found = states(stream, state)[0];
      EXPECT_EQ(value_of(found.energy), 0);
      for (int c = 0; c < 9; ++c) EXPECT_EQ(value_of(found.virial[c]), 0);
    }
  });
}

TEST(DeviceSums, hold_the_energy_of_a_hundred_million_atoms) {
  gpu::FixedSum sum;
  const std::int64_t term = std::llrint(-155.7 * k_fixed_point_scale);
  sum.high = 100000000 * (term >> 32);
  sum.low = 100000000 * static_cast<std::uint64_t>(term & 0xffffffff);
  EXPECT_NEAR(value_of(sum), -155.7e8, 1e-5);
}

TEST(DeviceSums, are_not_numbers_when_a_term_is_none) {
  gpu::Stream stream;
  for (const double bad : {k_nan, 1e300, -3e5}) {
    for (const int n : {3, 5000}) {
      const gpu::DeviceAtoms device = on_device(stream, {sample(n)});
      std::vector<double> energy(n, 1.0);
      energy[n / 2] = bad;
      gpu::DeviceArray<double> device_energy;
      upload(stream, device_energy, energy);
      auto state = used_states(stream, 1);
      gpu::sum_results(stream, device, device_energy.data(), {}, state.data());
      EXPECT_TRUE(std::isnan(value_of(states(stream, state)[0].energy)));
    }
  }
}

TEST(DeviceIntegrator, asks_for_a_rebuild_when_one_atom_has_moved_too_far) {
  gpu::Stream stream;
  const int n = 300;
  const Atoms atoms = sample(n);
  gpu::DeviceAtoms device = on_device(stream, {atoms});
  const auto asked = [&](double moved) {
    Array<Vec4> reference = atoms.position;
    reference[n - 1].y += moved;
    upload(stream, device.reference, reference);
    gpu::DeviceArray<gpu::Signals> signals;
    upload(stream, signals, std::vector<gpu::Signals>(1));
    gpu::watch_displacement(stream, device, 1.0, signals.data());
    return fetched(stream, signals, 1)[0].rebuild;
  };
  EXPECT_EQ(asked(0), 0u);
  EXPECT_EQ(asked(0.999), 0u);
  EXPECT_EQ(asked(-1.001), 1u);
  EXPECT_EQ(asked(k_nan), 1u);
}

TEST(DeviceIntegrator, notices_atoms_that_are_lost_or_too_fast) {
  gpu::Stream stream;
  const int n = 300;
  const auto trouble = [&](int atom, double speed, double place, bool open) {
    Atoms atoms = sample(n);
    for (Vec4& v : atoms.velocity) v = {1, 1, 1, 0};
    atoms.velocity[atom].x = speed;
    atoms.position[atom].z = place;
    gpu::DeviceAtoms device = on_device(stream, {atoms});
    upload(stream, device.force, Array<Vec4>(n));
    upload(stream, device.reference, atoms.position);
    gpu::DeviceArray<gpu::Signals> signals;
    upload(stream, signals, std::vector<gpu::Signals>(1));
    gpu::begin_step(stream, device, nullptr, {1e-3, 0.5, 1e6, 1e9, open}, false, signals.data());
    return fetched(stream, signals, 1)[0].trouble;
  };
  EXPECT_EQ(trouble(5, 499, 0, true), 0u);
  EXPECT_EQ(trouble(5, -501, 0, false), 1u);
  EXPECT_EQ(trouble(n - 1, k_nan, 0, false), 1u);
  EXPECT_EQ(trouble(0, 1, 1.1e6, false), 0u);
  EXPECT_EQ(trouble(0, 1, 1.1e6, true), 1u);
  EXPECT_EQ(trouble(0, 1, k_nan, true), 1u);
}

/// What happens to an atom from one evaluation to the next, kernel by kernel.
TEST(DeviceIntegrator, begins_a_step_as_its_parts_would_one_by_one) {
  gpu::Stream stream;
  const int n = 300;
  const double dt = 1e-3;
  const Array<Vec4> force = random_forces(2 * n);
  const std::vector<double> kT{0.02, 0.05};
  const std::vector<std::uint64_t> seed{3, 4};
  gpu::DeviceArray<double> device_kT;
  upload(stream, device_kT, kT);
  gpu::DeviceArray<std::uint64_t> device_seed;
  upload(stream, device_seed, seed);
  const gpu::Noise noise{0.9, device_kT.data(), device_seed.data()};
  std::vector<gpu::SystemState> factors(2);
  factors[0].scale = 1.25;
  factors[1].scale = -0.3;
  const auto run = [&](bool scaled, bool noisy, const auto& body) {
    gpu::DeviceAtoms device = on_device(stream, {sample(n, 1), sample(n, 2)});
    upload(stream, device.force, force);
    upload(stream, device.reference, fetched(stream, device.position, 2 * n));
    gpu::DeviceArray<gpu::SystemState> state;
    upload(stream, state, factors);
    body(device, state.data(), scaled, noisy);
    auto rows = fetched(stream, device.position, 2 * n);
    const auto velocity = fetched(stream, device.velocity, 2 * n);
    rows.insert(rows.end(), velocity.begin(), velocity.end());
    return rows;
  };
  const auto parts = [&](gpu::DeviceAtoms& device, gpu::SystemState* state, bool scaled, bool noisy) {
    if (scaled) gpu::finish_coupling(stream, device, state);
    gpu::kick(stream, device, dt / 2);
    gpu::drift(stream, device, noisy ? dt / 2 : dt);
    if (!noisy) return;
    gpu::ornstein_uhlenbeck(stream, device, state, noise);
    gpu::drift(stream, device, dt / 2);
  };
  const auto whole = [&](gpu::DeviceAtoms& device, gpu::SystemState* state, bool scaled, bool noisy) {
    gpu::DeviceArray<gpu::Signals> signals;
    upload(stream, signals, std::vector<gpu::Signals>(1));
    const gpu::MotionLimits limits{dt, 0.5, 1e6, 1, false};
    gpu::begin_step(stream, device, scaled ? state : nullptr, limits, noisy, signals.data());
    if (noisy) gpu::noise_and_drift(stream, device, state, noise, limits, signals.data());
    EXPECT_EQ(fetched(stream, signals, 1)[0].trouble, 0u);
    EXPECT_EQ(fetched(stream, signals, 1)[0].rebuild, 0u);
  };
  for (const bool scaled : {false, true}) {
    const std::vector<Vec4> wanted = run(scaled, false, parts);
    expect_same(run(scaled, false, whole), {wanted.data(), wanted.size()});
  }
  const std::vector<Vec4> wanted = run(false, true, parts);
  expect_same(run(false, true, whole), {wanted.data(), wanted.size()});
}

TEST(DeviceIntegrator, watches_where_a_step_leads) {
  gpu::Stream stream;
  const int n = 70;
  const gpu::MotionLimits limits{1e-3, 10, 1e6, 0.05, false};
  gpu::DeviceArray<double> kT;
  upload(stream, kT, std::vector<double>{0.0});
  gpu::DeviceArray<std::uint64_t> seed;
  upload(stream, seed, std::vector<std::uint64_t>{1});
  gpu::DeviceArray<gpu::SystemState> state;
  upload(stream, state, std::vector<gpu::SystemState>(1));
  for (const bool noisy : {false, true})
    for (const double speed : {49.0, 51.0}) {  // over the whole way
      Atoms atoms = sample(n);
      for (Vec4& v : atoms.velocity) v = {0, 0, 0, 0};
      atoms.velocity[n - 1].y = speed;
      gpu::DeviceAtoms device = on_device(stream, {atoms});
      upload(stream, device.force, Array<Vec4>(n));
      upload(stream, device.reference, atoms.position);
      gpu::DeviceArray<gpu::Signals> signals;
      upload(stream, signals, std::vector<gpu::Signals>(1));
      gpu::begin_step(stream, device, nullptr, limits, noisy, signals.data());
      if (noisy)
        gpu::noise_and_drift(stream, device, state.data(), {1, kT.data(), seed.data()}, limits,
                             signals.data());
      EXPECT_EQ(fetched(stream, signals, 1)[0].rebuild, speed > 50 ? 1u : 0u) << speed;
    }
}

}  // namespace
}  // namespace nanoday
