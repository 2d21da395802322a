// How rows and sums travel between the devices of ranks: NCCL, a GPU-aware MPI, or by way of the host.
// SPDX-License-Identifier: Apache-2.0
#include "device_exchange.hpp"

#include "nccl_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace nanoday {
namespace {

constexpr int k_rows_tag = 0x4845;

/// Host memory that grows as needed.
class Staging {
 public:
  std::byte* of(DeviceQueue& queue, std::size_t bytes) {
    if (bytes > size_) {
      memory_ = queue.pinned(bytes + bytes / 8);
      size_ = bytes + bytes / 8;
    }
    return memory_.get();
  }

 private:
  std::shared_ptr<std::byte> memory_;
  std::size_t size_ = 0;
};

/// Messages of a transport. Sums always go through the host: they are short, but for charge meshes.
class TransportExchange final : public DeviceExchange {
 public:
  explicit TransportExchange(Transport& ranks) : ranks_(ranks), staged_(!ranks.reads_device_memory()) {}

  std::string name() const override {
    return staged_ ? fmt::format("way of host memory over {}", ranks_.name()) : "GPU-aware MPI";
  }
  bool capturable() const override { return false; }

  void exchange(DeviceQueue& queue, const std::vector<PeerBytes>& peers, const std::byte* sent,
                std::byte* received) override {
    std::size_t out = 0, in = 0;
    for (const PeerBytes& peer : peers) {
      out += peer.sent;
      in += peer.received;
    }
    std::byte* to = received;
    if (staged_) {
      std::byte* const from = outgoing_.of(queue, out);
      queue.copy_to_host(from, sent, out);
      sent = from;
      to = incoming_.of(queue, in);
    }
    queue.wait();
    send_and_receive(peers, sent, to);
    if (!staged_) return;
    queue.copy_to_device(received, to, in);
    queue.wait();  // the same host memory serves the next call, on whichever queue
  }

  void sum(DeviceQueue& queue, View<std::uint64_t> words) override {
    const std::size_t bytes = words.size() * sizeof words[0];
    std::byte* const host = words_.of(queue, bytes);
    queue.copy_to_host(host, words.data(), bytes);
    queue.wait();
    ranks_.all_reduce_sum(View<std::int64_t>(reinterpret_cast<std::int64_t*>(host), words.size()));
    queue.copy_to_device(words.data(), host, bytes);
    queue.wait();
  }

 private:
  void send_and_receive(const std::vector<PeerBytes>& peers, const std::byte* sent, std::byte* received) {
    std::vector<Transport::Request> pending;
    for (const PeerBytes& peer : peers) {
      if (peer.received > 0)
        pending.push_back(ranks_.post_receive(peer.rank, k_rows_tag, {received, peer.received}));
      received += peer.received;
    }
    for (const PeerBytes& peer : peers) {
      if (peer.sent > 0) pending.push_back(ranks_.post_send(peer.rank, k_rows_tag, {sent, peer.sent}));
      sent += peer.sent;
    }
    for (const auto request : pending) ranks_.wait(request);
  }

  Transport& ranks_;
  bool staged_;
  Staging outgoing_, incoming_, words_;
};

/// A number for a name, the same on all ranks; 0 for no name. (Fowler, Noll and Vo, FNV-1a.)
std::int64_t number_of(const std::string& name) {
  if (name.empty()) return 0;
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<std::int64_t>(hash | 1);
}

/// Collective: no device serves two ranks, and none is played by a CPU.
bool every_rank_has_its_own(Transport& ranks, const std::string& device) {
  std::vector<std::int64_t> number(static_cast<std::size_t>(ranks.size()));
  number[static_cast<std::size_t>(ranks.rank())] = number_of(device);
  ranks.all_reduce_sum(View<std::int64_t>(number));
  std::set<std::pair<int, std::int64_t>> different;
  for (std::size_t r = 0; r < number.size(); ++r)
    if (number[r] != 0) different.insert({ranks.node_of()[r], number[r]});
  return different.size() == number.size();
}

}  // namespace

std::unique_ptr<DeviceExchange> make_device_exchange(Transport& ranks, const std::string& device) {
  const bool own = every_rank_has_its_own(ranks, device);
  if (own && nccl_available()) return make_nccl_exchange(ranks);
  return std::make_unique<TransportExchange>(ranks);
}

}  // namespace nanoday
