// A mesh in memory that the ranks of a node have in common: who waits for whom.
// SPDX-License-Identifier: Apache-2.0
#include "node_mesh.hpp"

#include <atomic>
#include <cstdint>
#include <vector>

namespace nanoday {
namespace {

constexpr int k_to_leader_tag = 0x4e4d, k_to_others_tag = 0x4e4e;
constexpr std::size_t k_alignment = 64;  ///< as Array's; MPI promises less

/// Messages, not barriers: who has told goes on at once, and who waits is released when another rank fails.
class SharedNodeMesh final : public NodeMesh {
 public:
  SharedNodeMesh(Transport& transport, std::size_t bytes) : transport_(transport) {
    const auto& node_of = transport.node_of();
    const int mine = node_of[static_cast<std::size_t>(transport.rank())];
    for (std::size_t r = 0; r < node_of.size(); ++r)
      if (node_of[r] == mine) ranks_.push_back(static_cast<int>(r));
    leaders_ = transport.split(leads() ? 0 : 1);
    segment_ = transport.share(leads() ? bytes + k_alignment : 0);
    // Segments are mapped in whole pages: all ranks skip as much.
    const View<std::byte> part = segment_->part(0);
    const std::size_t beyond = reinterpret_cast<std::uintptr_t>(part.data()) % k_alignment;
    memory_ = part.subview(beyond > 0 ? k_alignment - beyond : 0, bytes);
  }

  int members() const override { return static_cast<int>(ranks_.size()); }
  bool leads() const override { return transport_.rank() == ranks_.front(); }
  View<std::byte> memory() override { return memory_; }

  void tell_leader() override {
    const std::byte told{1};
    publish();
    transport_.wait(transport_.post_send(ranks_.front(), k_to_leader_tag, {&told, 1}));
  }

  void hear_others() override {
    for (std::size_t k = 1; k < ranks_.size(); ++k) {
      std::byte told{};
      transport_.wait(transport_.post_receive(ranks_[k], k_to_leader_tag, {&told, 1}));
    }
    take_note();
  }

  void tell_others(View<const std::byte> word) override {
    publish();
    for (std::size_t k = 1; k < ranks_.size(); ++k)
      transport_.wait(transport_.post_send(ranks_[k], k_to_others_tag, word));
  }

  void hear_leader(View<std::byte> word) override {
    transport_.wait(transport_.post_receive(ranks_.front(), k_to_others_tag, word));
    take_note();
  }

  void sum_over_nodes(View<std::int64_t> values) override { leaders_->all_reduce_sum(values); }

 private:
  // Plain stores come before the message, plain loads after it.
  static void publish() { std::atomic_thread_fence(std::memory_order_seq_cst); }
  static void take_note() { std::atomic_thread_fence(std::memory_order_seq_cst); }

  Transport& transport_;
  std::vector<int> ranks_;              ///< of the node, the leader first
  std::unique_ptr<Transport> leaders_;  ///< of all nodes; for the others a world without use
  std::unique_ptr<SharedSegment> segment_;
  View<std::byte> memory_;  ///< of it
};

}  // namespace

std::unique_ptr<NodeMesh> make_node_mesh(Transport& transport, std::size_t bytes) {
  return std::make_unique<SharedNodeMesh>(transport, bytes);
}

}  // namespace nanoday
