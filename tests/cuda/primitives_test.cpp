// Running sums and sorting of device arrays.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/primitives.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace gpu = nanoday::NANODAY_GPU;

namespace {

template <class T>
std::vector<T> downloaded(gpu::Stream& stream, const gpu::DeviceArray<T>& from, std::size_t n) {
  std::vector<T> values(n);
  gpu::download(stream, values.data(), from, n);
  stream.synchronize();
  return values;
}

std::vector<std::int64_t> summed(const std::vector<std::int64_t>& values) {
  std::vector<std::int64_t> sums{0};
  for (const std::int64_t value : values) sums.push_back(sums.back() + value);
  return sums;
}

struct Pairs {
  std::vector<std::uint64_t> key;
  std::vector<std::int32_t> value;
};

Pairs sorted(const Pairs& in, int bits) {
  gpu::Stream stream;
  gpu::Scratch scratch;
  const std::size_t n = in.key.size();
  gpu::DeviceArray<std::uint64_t> key_in, key_out(n);
  gpu::DeviceArray<std::int32_t> value_in, value_out(n);
  gpu::upload(stream, key_in, in.key);
  gpu::upload(stream, value_in, in.value);
  gpu::sort_pairs(stream, scratch, key_in.data(), key_out.data(), value_in.data(), value_out.data(),
                  static_cast<std::int64_t>(n), bits);
  return {downloaded(stream, key_out, n), downloaded(stream, value_out, n)};
}

}  // namespace

TEST(ExclusiveSum, has_one_more_result_than_terms_in_an_array_of_its_own) {
  gpu::Stream stream;
  gpu::Scratch scratch;
  for (const int n : {0, 1, 31, 1000, 70001}) {
    std::mt19937_64 random(n);
    std::vector<std::int64_t> values(n);
    for (auto& value : values) value = static_cast<std::int64_t>(random() % 2000) - 1000;
    gpu::DeviceArray<std::int64_t> in, out(n + 1);
    gpu::upload(stream, in, values);
    gpu::exclusive_sum(stream, scratch, in.data(), out.data(), n);
    EXPECT_EQ(downloaded(stream, out, n + 1), summed(values)) << n;
  }
}

TEST(ExclusiveSum, may_replace_its_terms_and_never_reads_the_place_behind_them) {
  gpu::Stream stream;
  gpu::Scratch scratch;
  const std::vector<std::int64_t> values{5, std::int64_t{1} << 40, 0, 7};
  std::vector<std::int64_t> and_one_more = values;
  and_one_more.push_back(-99);
  gpu::DeviceArray<std::int64_t> array;
  gpu::upload(stream, array, and_one_more);
  gpu::exclusive_sum(stream, scratch, array.data(), array.data(), 4);
  EXPECT_EQ(downloaded(stream, array, 5), summed(values));
}

TEST(SortPairs, is_stable_and_carries_values_along) {
  std::mt19937_64 random(7);
  Pairs in;
  for (int k = 0; k < 5000; ++k) {
    in.key.push_back(random() % 50 * 0x0123'4567'89ab'cdefULL);
    in.value.push_back(k);
  }
  const Pairs out = sorted(in, 64);
  EXPECT_TRUE(std::is_sorted(out.key.begin(), out.key.end()));
  for (std::size_t k = 0; k < out.key.size(); ++k) {
    EXPECT_EQ(out.key[k], in.key[out.value[k]]);
    if (k > 0 && out.key[k] == out.key[k - 1]) {
      EXPECT_LT(out.value[k - 1], out.value[k]);
    }
  }
}

TEST(SortPairs, looks_at_the_low_bits_only) {
  const Pairs out = sorted({{0x103, 0x201, 0x002, 0x301}, {0, 1, 2, 3}}, 8);
  EXPECT_EQ(out.value, (std::vector<std::int32_t>{1, 3, 2, 0}));
  EXPECT_EQ(out.key, (std::vector<std::uint64_t>{0x201, 0x301, 0x002, 0x103}));
}

TEST(SortPairs, takes_nothing_and_one) {
  EXPECT_TRUE(sorted({}, 64).key.empty());
  EXPECT_EQ(sorted({{9}, {4}}, 64).value, (std::vector<std::int32_t>{4}));
}

TEST(SortPairs, takes_part_in_graphs_once_its_scratch_memory_is_there) {
  gpu::Stream stream;
  gpu::Scratch scratch;
  gpu::DeviceArray<std::uint64_t> key_in, key_out(3);
  gpu::DeviceArray<std::int32_t> value_in, value_out(3);
  gpu::upload(stream, key_in, std::vector<std::uint64_t>{3, 1, 2});
  gpu::upload(stream, value_in, std::vector<std::int32_t>{0, 1, 2});
  const auto sort = [&] {
    gpu::sort_pairs(stream, scratch, key_in.data(), key_out.data(), value_in.data(), value_out.data(), 3);
  };
  sort();
  stream.synchronize();
  gpu::Graph graph;
  graph.record(stream, sort);
  gpu::upload(stream, key_in, std::vector<std::uint64_t>{1, 3, 2});
  graph.launch(stream);
  EXPECT_EQ(downloaded(stream, value_out, 3), (std::vector<std::int32_t>{0, 2, 1}));
}
