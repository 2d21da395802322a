// What happens around an evaluation: ghosts follow, everything is cleared, results become forces, or nothing.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/evaluation.hpp"

#include "cuda/moving_atoms.hpp"
#include "cuda/neighbor_list.hpp"
#include "periodic_images.hpp"

#include <gtest/gtest.h>

#include <random>

namespace nanoday {
namespace {

using namespace reference;

constexpr int k_n = 300;

class Evaluation : public testing::Test {
 protected:
  Evaluation() {
    atoms_ = on_device(stream_, {random_atoms(Box::orthorhombic(20, 20, 20), k_n)});
    atoms_.force.resize(k_n);
    upload(stream_, signals_, std::vector<gpu::Signals>(1));
    upload(stream_, state_, std::vector<gpu::SystemState>(1));
    upload(stream_, counts_, std::vector<gpu::PassCounts>(gpu::k_counts_kinds));
    std::mt19937_64 random(5);
    forces_.fixed_point = true;
    forces_.force.resize(k_n);
    for (int i = 0; i < k_n; ++i)
      forces_.fixed.push_back(
          {std::int64_t(random()) >> 3, std::int64_t(random()) >> 12, std::int64_t(random()) >> 25, 0});
    upload(stream_, fixed_, forces_.fixed);
    stream_.synchronize();
  }
  void set(gpu::Signals signals) { upload(stream_, signals_, std::vector<gpu::Signals>{signals}); }
  gpu::Signals signals() { return fetched(stream_, signals_, 1)[0]; }
  void finish(double kick, bool count) {
    upload(stream_, fixed_, forces_.fixed);
    gpu::finish_evaluation(stream_, atoms_, {fixed_.data()}, {counts_.data(), nullptr},
                           {kick, count ? state_.data() : nullptr}, signals_.data());
  }

  gpu::Stream stream_;
  gpu::DeviceAtoms atoms_;
  gpu::DeviceArray<gpu::Signals> signals_;
  gpu::DeviceArray<gpu::SystemState> state_;
  gpu::DeviceArray<gpu::PassCounts> counts_;
  gpu::DeviceArray<std::array<std::int64_t, 4>> fixed_;
  Forces forces_;
};

TEST_F(Evaluation, ends_with_forces_of_fixed_point_sums) {
  finish(0, false);
  EXPECT_EQ(signals().trouble, 0u);
  const auto velocity = fetched(stream_, atoms_.velocity, k_n);
  nanoday::finish(forces_, k_n);
  expect_same(fetched(stream_, atoms_.force, k_n), forces_.force);
  forces_.fixed[k_n - 1][2] = -(std::int64_t{1} << 62);  // one more like it and the sum wraps around
  finish(0, false);
  EXPECT_EQ(signals().trouble, 1u);
  expect_same(fetched(stream_, atoms_.velocity, k_n), {velocity.data(), velocity.size()});
  EXPECT_EQ(fetched(stream_, state_, 1)[0].step, 0);
}

TEST_F(Evaluation, ends_with_a_kick_as_one_apart) {
  gpu::DeviceAtoms apart = on_device(stream_, {random_atoms(Box::orthorhombic(20, 20, 20), k_n)});
  finish(2.5e-4, true);
  upload(stream_, apart.force, fetched(stream_, atoms_.force, k_n));
  gpu::kick(stream_, apart, 2.5e-4);
  const auto wanted = fetched(stream_, apart.velocity, k_n);
  expect_same(fetched(stream_, atoms_.velocity, k_n), {wanted.data(), wanted.size()});
  EXPECT_EQ(fetched(stream_, state_, 1)[0].step, 1);
}

TEST_F(Evaluation, that_was_halted_moves_and_counts_nothing) {
  const auto velocity = fetched(stream_, atoms_.velocity, k_n);
  std::vector<gpu::PassCounts> counts(gpu::k_counts_kinds);
  counts[gpu::k_counts_now].outside_table = 7;
  counts[gpu::k_counts_now].sel_overflow = 2;
  counts[gpu::k_counts_now].exact_rows = 80;
  upload(stream_, counts_, counts);
  set({0, 0, 1});
  finish(2.5e-4, true);
  auto found = fetched(stream_, counts_, gpu::k_counts_kinds);
  EXPECT_EQ(found[gpu::k_counts_total].outside_table, 0u);
  EXPECT_EQ(found[gpu::k_counts_total].exact_rows, 80u) << "the host must learn what room was wanted";
  EXPECT_EQ(fetched(stream_, state_, 1)[0].step, 0);
  expect_same(fetched(stream_, atoms_.velocity, k_n), {velocity.data(), velocity.size()});

  upload(stream_, counts_, counts);  // the same again, with room
  set({});
  finish(2.5e-4, true);
  finish(2.5e-4, true);  // nothing new was met
  found = fetched(stream_, counts_, gpu::k_counts_kinds);
  EXPECT_EQ(found[gpu::k_counts_total].outside_table, 7u);
  EXPECT_EQ(found[gpu::k_counts_total].sel_overflow, 2u);
  EXPECT_EQ(fetched(stream_, state_, 1)[0].step, 2);
}

TEST_F(Evaluation, begins_with_everything_cleared) {
  constexpr int k_slots = 3;
  gpu::DeviceArray<double> energy;
  upload(stream_, energy, std::vector<double>(k_n, 5.0));
  gpu::DeviceArray<gpu::FixedSum> virial;
  upload(stream_, virial, std::vector<gpu::FixedSum>(std::size_t{9} * k_slots, {1, 2, 3, 0}));
  gpu::DeviceArray<std::int64_t> range;
  upload(stream_, range, std::vector<std::int64_t>{64, 64, 256, 64});  // two chunks of 128 and 64 rows
  gpu::DeviceArray<std::int32_t> atom, exact_count;
  upload(stream_, atom, std::vector<std::int32_t>(320, 9));
  upload(stream_, exact_count, std::vector<std::int32_t>(4, 9));
  gpu::DeviceArray<std::uint8_t> taken;
  upload(stream_, taken, std::vector<std::uint8_t>(192, 1));
  const gpu::ExactRows rows{range.data(), atom.data(), taken.data(), exact_count.data(), 192, 2, 4};
  gpu::begin_evaluation(stream_, atoms_, {fixed_.data(), energy.data(), {virial.data(), nullptr, k_slots}},
                        {rows, gpu::ExactRows{}}, signals_.data());
  for (const auto& f : fetched(stream_, fixed_, k_n)) EXPECT_EQ(f, (std::array<std::int64_t, 4>{}));
  EXPECT_EQ(fetched(stream_, energy, k_n), std::vector<double>(k_n, 0.0));
  for (const gpu::FixedSum& s : fetched(stream_, virial, 9 * k_slots))
    EXPECT_TRUE(s.high == 0 && s.low == 0 && s.misfits == 0);
  EXPECT_EQ(fetched(stream_, exact_count, 4), std::vector<std::int32_t>(4, 0));
  EXPECT_EQ(fetched(stream_, taken, 192), std::vector<std::uint8_t>(192, 0));
  const auto of_row = fetched(stream_, atom, 320);
  for (int r = 0; r < 320; ++r)
    EXPECT_EQ(of_row[r], (r >= 64 && r < 128) || r >= 256 ? -1 : 9) << "row " << r;
  EXPECT_EQ(signals().halt, 0u);
}

TEST_F(Evaluation, halts_when_the_host_has_something_to_see) {
  const auto halted = [&](gpu::Signals before) {
    set(before);
    gpu::begin_evaluation(stream_, atoms_, {fixed_.data()}, {}, signals_.data());
    return signals().halt;
  };
  EXPECT_EQ(halted({0, 0, 0}), 0u);
  EXPECT_EQ(halted({1, 0, 0}), 1u);
  EXPECT_EQ(halted({0, 1, 0}), 1u);
  EXPECT_EQ(halted({0, 0, 1}), 1u);
}

TEST(EvaluationGhosts, follow_their_owners) {
  gpu::Stream stream;
  in_both_orders([&] {
    const Box box = Box::triclinic({Vec3{5, 0, 0}, Vec3{1, 6, 0}, Vec3{-1, 0.5, 4}});
    Atoms atoms = wrapped_atoms(box, 33);
    gpu::DeviceAtoms device = on_device(stream, {atoms});
    gpu::RebuildWork work;
    gpu::build_ghosts(stream, work, box, 5, device);
    PeriodicImages halo;
    halo.build(box, 5, atoms);
    for (std::int64_t i = 0; i < atoms.nlocal; ++i) atoms.position[i].x += 0.01 * static_cast<double>(i);
    halo.update(atoms);
    gpu::copy_to_device(stream, device.position.data(), atoms.position.data(), atoms.nlocal * sizeof(Vec4));
    gpu::DeviceArray<std::array<std::int64_t, 4>> fixed(33);
    gpu::DeviceArray<gpu::Signals> signals;
    upload(stream, signals, std::vector<gpu::Signals>(1));
    gpu::begin_evaluation(stream, device, {fixed.data()}, {}, signals.data());
    expect_same(fetched(stream, device.position, atoms.nall()), atoms.position);
  });
}

}  // namespace
}  // namespace nanoday
