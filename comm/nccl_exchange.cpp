// Rows and sums between GPUs through NCCL: everything is queued on the stream and may be part of a graph.
// SPDX-License-Identifier: Apache-2.0
#include "nccl_exchange.hpp"

#include "nccl.hpp"

#include <string>
#include <utility>
#include <vector>

namespace nanoday {
namespace {

NcclWorld::Stream stream_of(DeviceQueue& queue) { return static_cast<NcclWorld::Stream>(queue.native()); }

class NcclExchange final : public DeviceExchange {
 public:
  explicit NcclExchange(Transport& ranks) : world_(ranks) {}
  std::string name() const override { return k_nccl_name; }
  bool capturable() const override { return true; }

  void exchange(DeviceQueue& queue, const std::vector<PeerBytes>& peers, const std::byte* sent,
                std::byte* received) override {
    world_.check();
    std::vector<NcclWorld::Outgoing> out;
    std::vector<NcclWorld::Incoming> in;
    for (const PeerBytes& peer : peers) {
      if (peer.sent > 0) out.push_back({peer.rank, {sent, peer.sent}});
      if (peer.received > 0) in.push_back({peer.rank, {received, peer.received}});
      sent += peer.sent;
      received += peer.received;
    }
    if (!out.empty() || !in.empty()) world_.send_and_receive(out, in, stream_of(queue));
  }

  void sum(DeviceQueue& queue, View<std::uint64_t> words) override {
    world_.check();
    world_.all_reduce_sum(words, stream_of(queue));
  }

  void check() override { world_.check(); }

 private:
  NcclWorld world_;
};

}  // namespace

bool nccl_available() { return true; }

std::unique_ptr<DeviceExchange> make_nccl_exchange(Transport& ranks) {
  return std::make_unique<NcclExchange>(ranks);
}

}  // namespace nanoday
