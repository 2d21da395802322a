// Sums over the atoms of several ranks: exact however much one rank's share holds.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/moving_atoms.hpp"
#include "cuda/ranks.hpp"
#include "device_exchange.hpp"
#include "in_process.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

namespace nanoday {
namespace {

using namespace reference;

constexpr int k_ranks = 2;
constexpr std::uint64_t k_full = std::numeric_limits<std::uint64_t>::max();

/// Ranks that only sum.
class SummingRanks final : public ResidentRanks {
 public:
  explicit SummingRanks(Transport& ranks) : ranks_(ranks) {}
  std::unique_ptr<DeviceExchange> connect(const std::string& device) override {
    return make_device_exchange(ranks_, device);
  }
  HaloRows deal(Atoms&) override { throw std::logic_error("nothing moves here"); }
  HaloRows restore(Atoms&, Array<Vec4>&, bool) override { throw std::logic_error("nothing moves here"); }

 private:
  Transport& ranks_;
};

/// Each rank has n atoms at work: body(stream, atoms, state (1), ranks).
template <class Body>
void on_every_rank(int n, const Body& body) {
  run_ranks(k_ranks, [&](Transport& transport) {
    SummingRanks ranks(transport);
    gpu::DeviceRanks device_ranks(&ranks);
    gpu::Stream stream;
    const gpu::DeviceAtoms atoms = on_device(stream, {random_atoms(Box::orthorhombic(20, 20, 20), n)});
    gpu::DeviceArray<gpu::SystemState> state;
    upload(stream, state, std::vector<gpu::SystemState>(1));
    body(stream, atoms, state, device_ranks);
  });
}

gpu::SystemState only(gpu::Stream& stream, const gpu::SystemState* state) {
  gpu::SystemState found;
  copy_to_host(stream, &found, state, sizeof found);
  stream.synchronize();
  return found;
}

TEST(RankSums, keep_their_value_when_low_halves_are_carried) {
  for (const std::int64_t high : {std::int64_t{0}, std::int64_t{-5}, std::int64_t{1} << 40}) {
    gpu::FixedSum sum{high, k_full, 0, 0};
    const double value = value_of(sum);
    sum.carry();
    EXPECT_EQ(value_of(sum), value);
    EXPECT_LT(sum.low, std::uint64_t{1} << 32);
    gpu::Halves halves{high, std::numeric_limits<std::int64_t>::max(), 0};
    const double of_halves = value_of(halves.value());
    halves.carry();
    EXPECT_EQ(value_of(halves.value()), of_halves);
    EXPECT_LT(halves.low, std::int64_t{1} << 32);
  }
}

// Each rank's low halves are all but 2^64, as after 2^32 terms: added up as they are, they would wrap.
TEST(RankSums, of_virials_are_exact_when_every_rank_has_full_low_halves) {
  on_every_rank(
      3, [](gpu::Stream& stream, const gpu::DeviceAtoms& atoms, auto& state, gpu::DeviceRanks& ranks) {
        std::vector<gpu::FixedSum> slots(9);
        for (int c = 0; c < 9; ++c) slots[c] = {c - 4, k_full - c, 0, 0};
        gpu::DeviceArray<gpu::FixedSum> virial;
        upload(stream, virial, slots);
        gpu::sum_results(stream, atoms, nullptr, {virial.data(), nullptr, 1}, state.data(), nullptr, &ranks);
        const gpu::SystemState found = only(stream, state.data());
        for (int c = 0; c < 9; ++c) {
          const __int128 units = k_ranks * ((static_cast<__int128>(slots[c].high) << 32) + slots[c].low);
          EXPECT_EQ(value_of(found.virial[c]), static_cast<double>(units) / k_fixed_point_scale);
        }
      });
}

// A block of 1024 atoms delivers a low half below 2^32, though each of its terms has one of 2^32 - 1.
TEST(RankSums, leave_room_for_those_of_four_billion_blocks) {
  for (const int n : {1000, 5000}) {
    const std::uint64_t blocks = n <= 4096 ? 1 : (n + 1023) / 1024;
    on_every_rank(
        n, [&](gpu::Stream& stream, const gpu::DeviceAtoms& atoms, auto& state, gpu::DeviceRanks& ranks) {
          gpu::DeviceArray<double> energy;
          upload(stream, energy, std::vector<double>(n, -1 / k_fixed_point_scale));  // low half 2^32 - 1
          gpu::sum_results(stream, atoms, energy.data(), {}, state.data(), nullptr, &ranks);
          gpu::sum_kinetic(stream, atoms, state.data(), nullptr, &ranks);
          const gpu::SystemState found = only(stream, state.data());
          EXPECT_EQ(value_of(found.energy), -k_ranks * n / k_fixed_point_scale);
          EXPECT_GT(value_of(found.kinetic), 0);
          EXPECT_LT(found.energy.low, k_ranks * blocks << 32);
          EXPECT_LT(found.kinetic.low, k_ranks * blocks << 32);
        });
  }
}

}  // namespace
}  // namespace nanoday
