// Streams, memory, graphs and counters of the CUDA runtime; here on the CPU that plays the GPU.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace gpu = nanoday::NANODAY_GPU;

namespace {

struct AddOne {
  static constexpr const char* k_name = "add_one";
  std::int32_t* value;
  std::int64_t n;
  NANODAY_DEVICE void operator()(gpu::Block& block) const {
    for (std::int64_t i = block.global(); i < n; i += block.stride()) value[i] += 1;
  }
};

std::vector<std::int32_t> downloaded(gpu::Stream& stream, const gpu::DeviceArray<std::int32_t>& from) {
  std::vector<std::int32_t> values(from.size());
  gpu::download(stream, values.data(), from, from.size());
  stream.synchronize();
  return values;
}

}  // namespace

TEST(Runtime, ranks_of_a_node_are_dealt_to_its_devices_in_turn) {
  std::vector<int> taken;
  for (int local_rank = 0; local_rank < 8; ++local_rank) taken.push_back(gpu::device_of(local_rank, 3));
  EXPECT_EQ(taken, (std::vector<int>{0, 1, 2, 0, 1, 2, 0, 1}));
  for (int local_rank = 0; local_rank < 8; ++local_rank)
    EXPECT_EQ(gpu::device_of(local_rank, 1), 0) << "a launcher that shows each rank one device has chosen";
}

TEST(Runtime, what_is_uploaded_comes_back_changed_by_a_kernel) {
  gpu::Stream stream;
  gpu::DeviceArray<std::int32_t> array;
  gpu::upload(stream, array, std::vector<std::int32_t>{1, 2, 3, 4, 5});
  gpu::launch(stream, AddOne{array.data(), 5}, gpu::grid_for(5, 32));
  EXPECT_EQ(downloaded(stream, array), (std::vector<std::int32_t>{2, 3, 4, 5, 6}));
}

TEST(Runtime, a_launch_without_blocks_does_nothing_and_counts_nothing) {
  gpu::Stream stream;
  const auto before = gpu::device_counts();
  gpu::launch(stream, AddOne{nullptr, 0}, gpu::grid_for(0));
  EXPECT_EQ(gpu::device_counts().kernels, before.kernels);
}

TEST(Runtime, counters_tell_kernels_bytes_and_allocations) {
  gpu::Stream stream;
  const auto before = gpu::device_counts();
  gpu::DeviceArray<std::int32_t> array;
  gpu::upload(stream, array, std::vector<std::int32_t>(10, 1));
  gpu::launch(stream, AddOne{array.data(), 10}, gpu::grid_for(10));
  gpu::launch(stream, AddOne{array.data(), 10}, gpu::grid_for(10));
  std::int32_t first = 0;
  gpu::download(stream, &first, array, 1);
  const auto after = gpu::device_counts();
  EXPECT_EQ(after.kernels - before.kernels, 2);
  EXPECT_EQ(after.bytes_to_device - before.bytes_to_device, 40);
  EXPECT_EQ(after.bytes_to_host - before.bytes_to_host, 4);
  EXPECT_EQ(after.allocations - before.allocations, 1);
}

TEST(Runtime, arrays_grow_with_some_room_and_keep_their_memory_when_they_shrink) {
  const auto before = gpu::device_bytes();
  gpu::DeviceArray<double> array(100);
  EXPECT_EQ(gpu::device_bytes() - before, 800u);
  array.resize(200);
  const double* place = array.data();
  EXPECT_EQ(array.capacity(), 225u);
  array.resize(220);
  array.resize(3);
  EXPECT_EQ(array.data(), place);
  EXPECT_EQ(array.size(), 3u);
  gpu::DeviceArray<double> other(std::move(array));
  EXPECT_EQ(other.data(), place);
  EXPECT_GE(gpu::device_peak_bytes(), before + 1800);
}

TEST(Runtime, all_memory_is_given_back) {
  const auto before = gpu::device_bytes();
  { gpu::DeviceArray<double> array(1000); }
  EXPECT_EQ(gpu::device_bytes(), before);
}

TEST(Runtime, fills_and_copies_stay_on_the_device) {
  gpu::Stream stream;
  gpu::DeviceArray<std::int32_t> from, to(4);
  gpu::upload(stream, from, std::vector<std::int32_t>{7, 8, 9, 10});
  const auto before = gpu::device_counts();
  gpu::copy_on_device(stream, to.data(), from.data(), 16);
  gpu::fill_zero(stream, to.data() + 1, 8);
  EXPECT_EQ(gpu::device_counts().bytes_to_host, before.bytes_to_host);
  EXPECT_EQ(downloaded(stream, to), (std::vector<std::int32_t>{7, 0, 0, 10}));
}

TEST(Graphs, a_recording_is_not_executed_until_it_is_launched) {
  gpu::Stream stream;
  gpu::DeviceArray<std::int32_t> array;
  gpu::upload(stream, array, std::vector<std::int32_t>(3, 0));
  gpu::Graph graph;
  EXPECT_TRUE(graph.empty());
  graph.record(stream, [&] {
    gpu::launch(stream, AddOne{array.data(), 3}, gpu::grid_for(3));
    gpu::launch(stream, AddOne{array.data(), 2}, gpu::grid_for(2));
  });
  EXPECT_FALSE(graph.empty());
  EXPECT_EQ(graph.kernels(), 2);
  EXPECT_EQ(downloaded(stream, array), (std::vector<std::int32_t>{0, 0, 0}));
  graph.launch(stream);
  graph.launch(stream);
  EXPECT_EQ(downloaded(stream, array), (std::vector<std::int32_t>{4, 4, 2}));
}

TEST(Graphs, a_second_recording_replaces_the_first) {
  gpu::Stream stream;
  gpu::DeviceArray<std::int32_t> array;
  gpu::upload(stream, array, std::vector<std::int32_t>{0});
  gpu::Graph graph;
  const auto add = [&] { gpu::launch(stream, AddOne{array.data(), 1}, gpu::Grid{1, 32, 0}); };
  graph.record(stream, [&] { add(), add(); });
  graph.record(stream, add);
  graph.launch(stream);
  EXPECT_EQ(graph.kernels(), 1);
  EXPECT_EQ(downloaded(stream, array), (std::vector<std::int32_t>{1}));
}

TEST(Graphs, copies_are_counted_each_time_a_graph_runs_and_its_kernels_never) {
  gpu::Stream stream;
  gpu::DeviceArray<std::int32_t> array;
  gpu::upload(stream, array, std::vector<std::int32_t>{0, 0});
  const gpu::PinnedArray<std::int32_t> seen(2);
  gpu::Graph graph;
  const auto before = gpu::device_counts();
  graph.record(stream, [&] {
    gpu::launch(stream, AddOne{array.data(), 2}, gpu::grid_for(2));
    gpu::copy_to_host(stream, seen.data(), array.data(), 8);
  });
  EXPECT_EQ(gpu::device_counts().bytes_to_host, before.bytes_to_host);
  graph.launch(stream);
  graph.launch(stream);
  stream.synchronize();
  const auto after = gpu::device_counts();
  EXPECT_EQ(seen[1], 2);
  EXPECT_EQ(after.bytes_to_host - before.bytes_to_host, 16);
  EXPECT_EQ(after.graph_launches - before.graph_launches, 2);
  EXPECT_EQ(after.kernels, before.kernels);
}

TEST(Graphs, new_memory_makes_them_stale_until_they_are_recorded_again) {
  gpu::Stream stream;
  gpu::DeviceArray<std::int32_t> array(4);
  gpu::Graph graph;
  EXPECT_FALSE(graph.fresh());
  const auto body = [&] { gpu::fill_zero(stream, array.data(), 16); };
  graph.record(stream, body);
  EXPECT_TRUE(graph.fresh());
  array.resize(3);
  EXPECT_TRUE(graph.fresh());
  array.resize(1000);
  EXPECT_FALSE(graph.fresh());
  graph.record(stream, body);
  EXPECT_TRUE(graph.fresh());
}

TEST(Graphs, are_changed_where_only_arguments_are_new_and_made_anew_otherwise) {
  gpu::Stream stream;
  gpu::DeviceArray<std::int32_t> few(10), many(5000);
  gpu::upload(stream, few, std::vector<std::int32_t>(10, 0));
  gpu::upload(stream, many, std::vector<std::int32_t>(5000, 0));
  const auto body = [&](gpu::DeviceArray<std::int32_t>& array) {
    return [&] {
      const auto n = static_cast<std::int64_t>(array.size());
      gpu::fill_zero(stream, array.data(), array.size() * sizeof(std::int32_t));
      gpu::launch(stream, AddOne{array.data(), n}, gpu::grid_for(n));
    };
  };
  gpu::Graph graph;
  const auto before = gpu::device_counts();
  const auto makings = [&] { return gpu::device_counts().graph_makings - before.graph_makings; };
  const auto updates = [&] { return gpu::device_counts().graph_updates - before.graph_updates; };
  graph.record(stream, body(few));
  EXPECT_EQ(makings(), 1);
  graph.record(stream, body(many));  // other pointers, other sizes
  EXPECT_EQ(makings(), 1);
  EXPECT_EQ(updates(), 1);
  graph.launch(stream);
  EXPECT_EQ(downloaded(stream, many), std::vector<std::int32_t>(5000, 1));
  EXPECT_EQ(downloaded(stream, few), std::vector<std::int32_t>(10, 0));
  graph.record(stream, [&] {
    body(few)();
    gpu::launch(stream, AddOne{few.data(), 10}, gpu::grid_for(10));
  });
  EXPECT_EQ(makings(), 2);
  EXPECT_EQ(updates(), 1);
  graph.launch(stream);
  EXPECT_EQ(downloaded(stream, few), std::vector<std::int32_t>(10, 2));
}

TEST(Graphs, are_not_fresh_once_they_have_expired) {
  gpu::Stream stream;
  gpu::DeviceArray<std::int32_t> array(10);
  gpu::Graph graph;
  const auto body = [&] { gpu::launch(stream, AddOne{array.data(), 10}, gpu::grid_for(10)); };
  graph.record(stream, body);
  graph.expire();
  EXPECT_FALSE(graph.fresh());
  graph.record(stream, body);
  EXPECT_TRUE(graph.fresh());
}

TEST(Runtime, a_mark_is_waited_for_while_the_stream_goes_on) {
  gpu::Stream stream;
  gpu::DeviceArray<std::int32_t> array;
  gpu::upload(stream, array, std::vector<std::int32_t>(1, 0));
  const gpu::PinnedArray<std::int32_t> seen(1);
  gpu::Mark mark;
  gpu::launch(stream, AddOne{array.data(), 1}, gpu::grid_for(1));
  gpu::copy_to_host(stream, seen.data(), array.data(), sizeof(std::int32_t));
  mark.set(stream);
  gpu::launch(stream, AddOne{array.data(), 1}, gpu::grid_for(1));
  mark.wait();
  EXPECT_TRUE(mark.done());
  EXPECT_EQ(seen[0], 1);
}

TEST(Graphs, a_second_stream_joins_and_is_joined_back) {
  gpu::Stream stream, side;
  gpu::DeviceArray<std::int32_t> array;
  gpu::upload(stream, array, std::vector<std::int32_t>{0, 0});
  stream.synchronize();
  gpu::Graph graph;
  graph.record(stream, [&] {
    side.wait_for(stream);
    gpu::launch(side, AddOne{array.data(), 1}, gpu::Grid{1, 32, 0});
    gpu::launch(stream, AddOne{array.data() + 1, 1}, gpu::Grid{1, 32, 0});
    stream.wait_for(side);
    gpu::launch(stream, AddOne{array.data(), 2}, gpu::Grid{1, 32, 0});
  });
  EXPECT_EQ(graph.kernels(), 3);
  graph.launch(stream);
  EXPECT_EQ(downloaded(stream, array), (std::vector<std::int32_t>{2, 2}));
}

TEST(Graphs, a_recording_that_fails_leaves_the_stream_usable) {
  gpu::Stream stream;
  gpu::DeviceArray<std::int32_t> array;
  gpu::upload(stream, array, std::vector<std::int32_t>{5});
  gpu::Graph graph;
  EXPECT_THROW(graph.record(stream, [] { throw nanoday::RunError("enough"); }), nanoday::RunError);
  EXPECT_TRUE(graph.empty());
  gpu::launch(stream, AddOne{array.data(), 1}, gpu::Grid{1, 32, 0});
  EXPECT_EQ(downloaded(stream, array), (std::vector<std::int32_t>{6}));
}

TEST(Runtime, a_timer_measures_what_lies_between) {
  gpu::Stream stream;
  gpu::DeviceArray<std::int32_t> array(1 << 16);
  gpu::DeviceTimer timer;
  timer.start(stream);
  gpu::launch(stream, AddOne{array.data(), 1 << 16}, gpu::grid_for(1 << 16));
  timer.stop(stream);
  EXPECT_GT(timer.seconds(), 0);
  EXPECT_LT(timer.seconds(), 10);
}
