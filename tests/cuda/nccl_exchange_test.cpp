// NCCL with one GPU: its calls are queued, recorded beside kernels on two streams, and recorded anew.
// SPDX-License-Identifier: Apache-2.0
#include "nccl_exchange.hpp"

#include "cuda/runtime.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace nanoday {
namespace {

namespace gpu = nanoday::NANODAY_GPU;

/// What NCCL needs to know of a stream.
class NativeQueue final : public DeviceQueue {
 public:
  explicit NativeQueue(gpu::Stream& stream) : stream_(stream) {}
  void* native() override { return gpu::native_stream(stream_); }
  void copy_to_host(void*, const void*, std::size_t) override { refuse(); }
  void copy_to_device(void*, const void*, std::size_t) override { refuse(); }
  void wait() override { refuse(); }
  std::shared_ptr<std::byte> pinned(std::size_t) override {
    refuse();
    return {};
  }

 private:
  static void refuse() { throw std::logic_error("NCCL goes by way of the host"); }
  gpu::Stream& stream_;
};

struct TimesThree {
  static constexpr const char* k_name = "times_three";
  std::uint64_t* value;
  std::int64_t n;
  NANODAY_DEVICE void operator()(gpu::Block& block) const {
    for (std::int64_t i = block.global(); i < n; i += block.stride()) value[i] *= 3;
  }
};

using Words = std::vector<std::uint64_t>;

Words counted_from(std::uint64_t first, std::size_t n) {
  Words words(n);
  std::iota(words.begin(), words.end(), first);
  return words;
}

Words times(std::uint64_t factor, Words words) {
  for (std::uint64_t& w : words) w *= factor;
  return words;
}

/// The only rank, which sends to itself. The graph goes before the communicator that waits for it.
class NcclExchange : public testing::Test {
 protected:
  void set(const Words& sent, const Words& summed) {
    upload(stream_, sent_, sent);
    upload(stream_, summed_, summed);
    received_.resize(sent.size());
    fill_zero(stream_, received_.data(), sent.size() * sizeof(std::uint64_t));
    stream_.synchronize();
  }
  void send_to_itself() {
    NativeQueue queue(stream_);
    const std::size_t bytes = sent_.size() * sizeof(std::uint64_t);
    exchange_->exchange(queue, {{0, bytes, bytes}}, reinterpret_cast<const std::byte*>(sent_.data()),
                        reinterpret_cast<std::byte*>(received_.data()));
  }
  void sum(gpu::Stream& stream) {
    NativeQueue queue(stream);
    exchange_->sum(queue, summed_.view());
  }
  void triple(gpu::Stream& stream, const gpu::DeviceArray<std::uint64_t>& words) {
    const auto n = static_cast<std::int64_t>(words.size());
    gpu::launch(stream, TimesThree{words.data(), n}, gpu::grid_for(n));
  }
  /// Rows travel and are changed on one stream, while the other changes words, sums them, changes them again.
  void record() {
    graph_.record(stream_, [&] {
      side_.wait_for(stream_);
      triple(side_, summed_);
      sum(side_);
      triple(side_, summed_);
      send_to_itself();
      triple(stream_, received_);
      stream_.wait_for(side_);
    });
  }
  Words fetched(const gpu::DeviceArray<std::uint64_t>& from) {
    Words words(from.size());
    gpu::download(stream_, words.data(), from, words.size());
    stream_.synchronize();
    exchange_->check();
    return words;
  }

  std::unique_ptr<Transport> ranks_ = make_self_transport();
  std::unique_ptr<DeviceExchange> exchange_ = make_nccl_exchange(*ranks_);
  gpu::Stream stream_, side_{true};
  gpu::DeviceArray<std::uint64_t> sent_, received_, summed_;
  gpu::Graph graph_;
};

TEST_F(NcclExchange, queues_messages_and_sums) {
  EXPECT_TRUE(exchange_->capturable());
  const Words sent = counted_from(5, 1000), summed = counted_from(std::uint64_t{1} << 63, 300);
  set(sent, summed);
  send_to_itself();
  triple(stream_, received_);
  sum(stream_);
  EXPECT_EQ(fetched(received_), times(3, sent));
  EXPECT_EQ(fetched(summed_), summed) << "one rank's sum, to the last bit";
}

TEST_F(NcclExchange, sends_nothing_where_no_peer_is) {
  set({7}, {});
  NativeQueue queue(stream_);
  exchange_->exchange(queue, {}, nullptr, nullptr);
  EXPECT_EQ(fetched(received_), Words{0});
}

TEST_F(NcclExchange, is_recorded_with_kernels_on_two_streams_and_again_with_other_sizes) {
  for (const std::size_t n : {100, 70000, 3}) {
    SCOPED_TRACE(n);
    const Words sent = counted_from(n, n), summed = counted_from(1, 2 * n);
    set(sent, summed);
    record();
    EXPECT_EQ(fetched(received_), Words(n, 0)) << "recording does nothing";
    EXPECT_EQ(fetched(summed_), summed);
    graph_.launch(stream_);
    EXPECT_EQ(fetched(received_), times(3, sent));
    EXPECT_EQ(fetched(summed_), times(9, summed));
    send_to_itself();  // between launches, as at a list build
    EXPECT_EQ(fetched(received_), sent);
    graph_.launch(stream_);
    sum(stream_);
    graph_.launch(stream_);
    EXPECT_EQ(fetched(received_), times(3, sent));
    EXPECT_EQ(fetched(summed_), times(9 * 9 * 9, summed));
  }
}

// While an exception is on its way the communicator is given up instead of waited for: after the graph,
// again.
TEST_F(NcclExchange, is_given_up_when_an_exception_is_on_its_way) {
  set(counted_from(1, 10), counted_from(1, 10));
  const auto fail = [&] {
    const auto exchange = std::move(exchange_);
    gpu::Graph graph;
    NativeQueue queue(stream_);
    graph.record(stream_, [&] { exchange->sum(queue, summed_.view()); });
    graph.launch(stream_);
    throw std::runtime_error("as a failing step");
  };
  EXPECT_THROW(fail(), std::runtime_error);
  stream_.synchronize();
}

}  // namespace
}  // namespace nanoday
