// Barriers, shuffles, ballots, shared memory and atomics of a block; and mistakes that the CPU finds.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/device.hpp"
#include "cuda/runtime.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace gpu = nanoday::NANODAY_GPU;

namespace {

/// Runs a body with threads in ascending, then in descending order.
void in_both_orders(const std::function<void()>& body) {
  body();
#if defined(NANODAY_CUDA_HOST)
  gpu::set_thread_order(true);
  body();
  gpu::set_thread_order(false);
#endif
}

/// A kernel that fills `n` results, and these results.
template <class T, class Kernel>
std::vector<T> results(Kernel kernel, std::size_t n, gpu::Grid grid) {
  gpu::Stream stream;
  gpu::DeviceArray<T> out(n);
  gpu::fill_zero(stream, out.data(), n * sizeof(T));
  kernel.out = out.data();
  gpu::launch(stream, kernel, grid);
  std::vector<T> values(n);
  gpu::download(stream, values.data(), out, n);
  stream.synchronize();
  return values;
}

/// Every thread writes its square to shared memory and reads the one of the thread opposite, several times.
struct Opposite {
  static constexpr const char* k_name = "opposite";
  int rounds = 1;
  std::int32_t* out = nullptr;
  NANODAY_DEVICE void operator()(gpu::Block& block) const {
    auto* values = block.shared<std::int32_t>(0);
    const int t = block.thread();
    std::int32_t sum = 0;
    for (int round = 0; round < rounds; ++round) {
      values[t] = t * t + round;
      block.sync();
      sum += values[block.size() - 1 - t];
      block.sync();
    }
    out[block.global()] = sum;
  }
};

struct WarpSum {
  static constexpr const char* k_name = "warp_sum";
  double* out = nullptr;
  NANODAY_DEVICE void operator()(gpu::Block& block) const {
    out[block.global()] = gpu::warp_sum(block, 1.0 / (1 + block.global()));
  }
};

/// Lanes of each warp pass values round in a ring, with a different value in each warp and round.
struct Ring {
  static constexpr const char* k_name = "ring";
  std::int64_t* out = nullptr;
  NANODAY_DEVICE void operator()(gpu::Block& block) const {
    std::int64_t value = 1000 * block.warp() + block.lane() - (std::int64_t{1} << 40);
    for (int round = 0; round < 5; ++round) value = block.shuffle(value, (block.lane() + 1) % 32);
    out[block.global()] = value;
  }
};

struct Ballot {
  static constexpr const char* k_name = "ballot";
  std::uint32_t* out = nullptr;
  NANODAY_DEVICE void operator()(gpu::Block& block) const {
    out[block.global()] = block.ballot(block.lane() % 3 == block.warp());
  }
};

/// Neighbors in a warp exchange values through shared memory with barriers of the warp alone.
struct WarpShared {
  static constexpr const char* k_name = "warp_shared";
  float* out = nullptr;
  NANODAY_DEVICE void operator()(gpu::Block& block) const {
    auto* values = block.shared<float>(16);
    values[block.thread()] = 0.5f * block.thread();
    block.sync_warp();
    const float left = values[block.warp() * 32 + (block.lane() + 31) % 32];
    block.sync_warp();
    values[block.thread()] = left;
    block.sync_warp();
    out[block.global()] = values[block.warp() * 32 + (block.lane() + 31) % 32];
  }
};

struct Totals {
  std::int32_t i32;
  std::uint32_t u32;
  std::int64_t i64;
  std::uint64_t u64;
  std::int32_t max_i32;
  std::uint32_t max_u32;
  std::uint64_t max_u64;
  std::uint32_t bits;
};

struct Atomics {
  static constexpr const char* k_name = "atomics";
  Totals* out = nullptr;
  NANODAY_DEVICE void operator()(gpu::Block& block) const {
    const auto i = static_cast<std::int32_t>(block.global());
    gpu::atomic_add(&out->i32, -1);
    gpu::atomic_add(&out->u32, 2u);
    gpu::atomic_add(&out->i64, i % 2 == 0 ? -3'000'000'000 * i : 1'000'000'000);
    gpu::atomic_add(&out->u64, 1ull << 40);
    gpu::atomic_max(&out->max_i32, i - 5);
    gpu::atomic_max(&out->max_u32, 4'000'000'000u + i);
    gpu::atomic_max(&out->max_u64, (1ull << 63) + i);
    gpu::atomic_or(&out->bits, 1u << (i % 20));
  }
};

/// Every thread takes a ticket.
struct Tickets {
  static constexpr const char* k_name = "tickets";
  std::int32_t* out = nullptr;  ///< counter, then one mark per ticket
  NANODAY_DEVICE void operator()(gpu::Block&) const { out[1 + gpu::atomic_add(out, 1)] += 1; }
};

}  // namespace

TEST(Block, threads_see_what_others_wrote_before_a_barrier) {
  in_both_orders([] {
    for (const int threads : {32, 96, 1024}) {
      gpu::Grid grid{3, threads, threads * sizeof(std::int32_t)};
      const auto out = results<std::int32_t>(Opposite{4}, 3 * threads, grid);
      for (int k = 0; k < 3 * threads; ++k) {
        const int opposite = threads - 1 - k % threads;
        EXPECT_EQ(out[k], 4 * opposite * opposite + 6) << k;
      }
    }
  });
}

TEST(Block, a_warps_sum_is_in_every_lane_with_the_same_bits) {
  in_both_orders([] {
    const auto out = results<double>(WarpSum{}, 128, {2, 64, 0});
    for (int first = 0; first < 128; first += 32) {
      double sum = 0;
      for (int k = 0; k < 32; ++k) sum += 1.0 / (1 + first + k);
      for (int k = 0; k < 32; ++k) EXPECT_EQ(out[first + k], out[first]);
      EXPECT_NEAR(out[first], sum, 32 * std::numeric_limits<double>::epsilon() * sum);
    }
  });
}

TEST(Block, shuffles_hand_values_of_eight_bytes_from_lane_to_lane) {
  in_both_orders([] {
    const auto out = results<std::int64_t>(Ring{}, 64, {1, 64, 0});
    for (int k = 0; k < 64; ++k) {
      EXPECT_EQ(out[k], 1000 * (k / 32) + (k % 32 + 5) % 32 - (std::int64_t{1} << 40));
    }
  });
}

TEST(Block, a_ballot_tells_what_every_lane_said) {
  in_both_orders([] {
    const auto out = results<std::uint32_t>(Ballot{}, 96, {1, 96, 0});
    for (int k = 0; k < 96; ++k) {
      std::uint32_t expected = 0;
      for (int lane = 0; lane < 32; ++lane) {
        if (lane % 3 == k / 32) expected |= 1u << lane;
      }
      EXPECT_EQ(out[k], expected);
    }
  });
}

TEST(Block, barriers_of_a_warp_order_its_own_shared_memory) {
  in_both_orders([] {
    const auto out = results<float>(WarpShared{}, 128, {1, 128, 16 + 128 * sizeof(float)});
    for (int k = 0; k < 128; ++k) EXPECT_EQ(out[k], 0.5f * (k / 32 * 32 + (k % 32 + 30) % 32));
  });
}

TEST(Block, atomics_of_many_blocks_lose_nothing) {
  in_both_orders([] {
    const std::int64_t n = 64 * 128;
    const Totals t = results<Totals>(Atomics{}, 1, {64, 128, 0})[0];
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += i % 2 == 0 ? -3'000'000'000 * i : 1'000'000'000;
    EXPECT_EQ(t.i32, -n);
    EXPECT_EQ(t.u32, 2 * n);
    EXPECT_EQ(t.i64, sum);
    EXPECT_EQ(t.u64, static_cast<std::uint64_t>(n) << 40);
    EXPECT_EQ(t.max_i32, n - 6);
    EXPECT_EQ(t.max_u32, 4'000'000'000u + n - 1);
    EXPECT_EQ(t.max_u64, (1ull << 63) + n - 1);
    EXPECT_EQ(t.bits, (1u << 20) - 1);
  });
}

TEST(Block, atomic_sums_return_the_old_value) {
  const auto out = results<std::int32_t>(Tickets{}, 1 + 32 * 256, {32, 256, 0});
  EXPECT_EQ(out[0], 32 * 256);
  for (int k = 1; k <= 32 * 256; ++k) EXPECT_EQ(out[k], 1) << k;
}

#if defined(NANODAY_CUDA_HOST)

namespace {

/// Threads below `arriving` come to a barrier, the others leave.
struct LonelyBarrier {
  static constexpr const char* k_name = "lonely_barrier";
  int arriving;
  bool of_warp;
  void operator()(gpu::Block& block) const {
    if (block.thread() >= arriving) return;
    of_warp ? block.sync_warp() : block.sync();
  }
};

struct MixedMeeting {
  static constexpr const char* k_name = "mixed_meeting";
  void operator()(gpu::Block& block) const {
    if (block.lane() == 7) {
      block.ballot(true);
    } else {
      block.shuffle(1, 0);
    }
  }
};

struct TooFar {
  static constexpr const char* k_name = "too_far";
  void operator()(gpu::Block& block) const {
    if (block.thread() == 0) block.shared<double>(0)[8] = 1;
  }
};

struct OddOffset {
  static constexpr const char* k_name = "odd_offset";
  void operator()(gpu::Block& block) const { block.shared<double>(8)[0] = 1; }
};

/// Reads shared memory that nobody has written.
struct Unwritten {
  static constexpr const char* k_name = "unwritten";
  double* out = nullptr;
  void operator()(gpu::Block& block) const { out[block.global()] = block.shared<double>(0)[block.thread()]; }
};

/// Forgets the barrier between writing and reading.
struct Race {
  static constexpr const char* k_name = "race";
  int distance;
  double* out = nullptr;
  void operator()(gpu::Block& block) const {
    auto* values = block.shared<double>(0);
    values[block.thread()] = 1;
    out[block.global()] = values[(block.thread() + distance + block.size()) % block.size()];
  }
};

struct Narrow {
  static constexpr const char* k_name = "narrow";
  static constexpr int k_max_threads = 64;
  void operator()(gpu::Block&) const {}
};

/// The text of the std::logic_error that a launch throws.
template <class Kernel>
std::string fault(const Kernel& kernel, gpu::Grid grid) {
  gpu::Stream stream;
  try {
    gpu::launch(stream, kernel, grid);
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "no fault";
}

int nans(const std::vector<double>& values) {
  int n = 0;
  for (const double value : values) n += std::isnan(value);
  return n;
}

}  // namespace

TEST(Misuse, a_barrier_that_not_all_threads_reach_is_named_with_kernel_and_block) {
  in_both_orders([] {
    EXPECT_EQ(
        fault(LonelyBarrier{40, false}, {1, 64, 0}),
        "kernel lonely_barrier, block 0 hangs: 24 of 64 threads have finished, 40 wait for their block and 0 "
        "for their warp; every thread must reach every barrier, shuffle and ballot");
    EXPECT_NE(fault(LonelyBarrier{40, true}, {1, 64, 0}).find("0 wait for their block and 8 for their warp"),
              std::string::npos);
  });
}

TEST(Misuse, lanes_that_meet_for_different_things_are_found) {
  in_both_orders([] {
    const std::string block = gpu::thread_order_reversed() ? "1" : "0";
    EXPECT_EQ(fault(MixedMeeting{}, {2, 32, 0}),
              "kernel mixed_meeting, block " + block +
                  ": lanes of warp 0 meet for different things; all 32 must call the same");
  });
}

TEST(Misuse, a_failed_block_leaves_the_next_launch_unharmed) {
  EXPECT_NE(fault(LonelyBarrier{1, false}, {100, 1024, 0}), "no fault");
  const auto out = results<std::int32_t>(Opposite{}, 1024, {1, 1024, 4096});
  EXPECT_EQ(out[1023], 0);
  EXPECT_EQ(out[0], 1023 * 1023);
}

TEST(Misuse, writing_behind_shared_memory_is_found) {
  EXPECT_NE(fault(TooFar{}, {1, 32, 64}).find("writes behind its shared memory"), std::string::npos);
  EXPECT_EQ(fault(TooFar{}, {1, 32, 80}), "no fault");
  EXPECT_NE(fault(OddOffset{}, {1, 32, 64}).find("at byte 8 of 64"), std::string::npos);
}

TEST(Misuse, shared_memory_is_not_a_number_until_it_is_written) {
  EXPECT_EQ(nans(results<double>(Unwritten{}, 64, {2, 32, 256})), 64);
}

TEST(Misuse, a_forgotten_barrier_shows_in_one_of_the_two_orders) {
  for (const int distance : {1, -1}) {
    int found = 0;
    in_both_orders([&] { found += nans(results<double>(Race{distance}, 64, {1, 64, 512})); });
    EXPECT_GE(found, 63);
  }
}

TEST(Misuse, shapes_that_no_device_takes_are_refused) {
  EXPECT_NE(fault(Narrow{}, {1, 33, 0}).find("33 threads per block"), std::string::npos);
  EXPECT_NE(fault(Narrow{}, {1, 96, 0}).find("up to 64"), std::string::npos);
  EXPECT_NE(fault(Narrow{}, {1, 64, 228 * 1024}).find("bytes of shared memory"), std::string::npos);
  EXPECT_EQ(fault(Narrow{}, {1, 64, 227 * 1024}), "no fault");
}

TEST(Misuse, copies_between_wrong_places_are_found) {
  gpu::Stream stream;
  gpu::DeviceArray<double> array(4);
  double host[4] = {};
  EXPECT_THROW(gpu::copy_to_device(stream, host, host, 8), std::logic_error);
  EXPECT_THROW(gpu::copy_to_host(stream, host, array.data(), 40), std::logic_error);
  EXPECT_THROW(gpu::fill_zero(stream, array.data() + 4, 8), std::logic_error);
}

TEST(Misuse, graphs_neither_allocate_nor_wait_nor_use_streams_that_have_not_joined) {
  gpu::Stream stream, side;
  gpu::DeviceArray<double> array(4);
  gpu::Graph graph;
  EXPECT_THROW(graph.record(stream, [] { gpu::DeviceArray<double> more(1); }), std::logic_error);
  EXPECT_THROW(graph.record(stream, [&] { stream.synchronize(); }), std::logic_error);
  EXPECT_THROW(graph.record(stream, [&] { gpu::fill_zero(side, array.data(), 8); }), std::logic_error);
  EXPECT_THROW(graph.record(stream, [&] { stream.wait_for(side); }), std::logic_error);
  EXPECT_THROW(graph.record(stream,
                            [&] {
                              side.wait_for(stream);
                              gpu::fill_zero(side, array.data(), 8);
                            }),
               std::logic_error);
  EXPECT_TRUE(graph.empty());
  EXPECT_NO_THROW(gpu::fill_zero(side, array.data(), 8));
}

TEST(MisuseDeathTest, writing_beside_an_array_is_found_when_it_is_released) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        gpu::DeviceArray<double> array(4);
        array.data()[4] = 1;
      },
      "something was written beside 32 bytes");
}

#endif
