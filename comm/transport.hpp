// How bytes travel between ranks: the seam between communication plans and what carries them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nanoday {

/// What a rank has sent so far. Collective operations are not counted here.
struct Traffic {
  std::int64_t messages = 0, bytes = 0;            ///< to ranks of other nodes
  std::int64_t node_messages = 0, node_bytes = 0;  ///< to ranks of its own node
};

/// Bytes for one rank, or from one.
struct Parcel {
  int rank = 0;
  std::vector<std::byte> bytes;
};

/// Memory that all ranks of a node see, zero at first. Whoever reads what another rank wrote waits at
/// node_barrier() between.
class SharedSegment {
 public:
  virtual ~SharedSegment() = default;
  /// The part that the k-th rank of the node asked for, of the length it asked for.
  virtual View<std::byte> part(int rank_in_node) = 0;
};

/// One rank's connection to the others. Messages between two ranks with the same tag arrive in the order
/// they were sent. One thread per rank uses it at a time. Operations marked collective are called by all
/// ranks in the same order; they throw RunError when another rank has failed.
class Transport {
 public:
  /// A send or receive under way, to be given to wait() once.
  using Request = std::int64_t;

  virtual ~Transport() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// (size) node of every rank, numbered 0 … in order of their first ranks.
  virtual const std::vector<int>& node_of() const = 0;

  /// Starts sending `bytes` to rank `to` (possibly this one). \pre `bytes` unchanged until wait()
  virtual Request post_send(int to, int tag, View<const std::byte> bytes) = 0;
  /// Starts receiving exactly `bytes.size()` bytes from rank `from`. \pre `bytes` untouched until wait()
  virtual Request post_receive(int from, int tag, View<std::byte> bytes) = 0;
  /// Returns when the request is done. Throws RunError when the message has another length or a rank failed.
  virtual void wait(Request request) = 0;

  /// Collective: replaces every element by its sum over all ranks; every rank gets the same bits. Integers
  /// are summed modulo 2^64.
  virtual void all_reduce_sum(View<std::int64_t> values) = 0;
  virtual void all_reduce_sum(View<double> values) = 0;
  /// Collective: the largest of every element; a NaN of any rank wins.
  virtual void all_reduce_max(View<double> values) = 0;
  /// Collective: `bytes` of rank `root` to all; lengths agree.
  virtual void broadcast(int root, View<std::byte> bytes) = 0;
  /// Collective: hands parcels to any ranks (at most one per rank; the own one too) and returns those that
  /// came in, ordered by sender. For sizes nobody knows beforehand: list builds, not ordinary steps.
  virtual std::vector<Parcel> exchange(std::vector<Parcel> outgoing) = 0;
  /// Collective: returns when every rank has called it.
  virtual void barrier() = 0;

  /// Collective: the ranks that give the same color, in the order they have here, as a world of their own
  /// with its own messages. With one color for all: a copy.
  virtual std::unique_ptr<Transport> split(int color) = 0;
  /// Collective over a node: `bytes` (may differ) of memory of this rank that the others of its node see.
  virtual std::unique_ptr<SharedSegment> share(std::size_t bytes) = 0;
  /// Returns when all ranks of the node have called it; what they wrote to shared segments is then visible.
  virtual void node_barrier() = 0;

  /// True when post_send() and post_receive() may be given memory of a GPU, whose stream has been waited for.
  virtual bool reads_device_memory() const { return false; }

  const Traffic& traffic() const { return traffic_; }
  /// "mpi (8 ranks on 2 nodes)", for people.
  virtual std::string name() const = 0;

 protected:
  /// For post_send() of those who implement it.
  void count(int to, std::size_t bytes) {
    const bool inside =
        node_of()[static_cast<std::size_t>(to)] == node_of()[static_cast<std::size_t>(rank())];
    (inside ? traffic_.node_messages : traffic_.messages) += 1;
    (inside ? traffic_.node_bytes : traffic_.bytes) += static_cast<std::int64_t>(bytes);
  }

 private:
  Traffic traffic_;
};

/// The bytes of an array of plain values.
template <class T>
View<const std::byte> bytes_of(View<const T> values) {
  return {reinterpret_cast<const std::byte*>(values.data()), values.size() * sizeof(T)};
}
template <class T>
View<std::byte> writable_bytes_of(View<T> values) {
  return {reinterpret_cast<std::byte*>(values.data()), values.size() * sizeof(T)};
}

/// What a rank says that fails only because another did. MpiSession::fail() prints others' reasons instead.
inline constexpr const char* k_another_rank_failed = "another rank failed; see its message";

/// Ranks dealt to nodes in order, `ranks_per_node` each (the last node may have fewer); 0: all on one node.
std::vector<int> nodes_in_order(int n_ranks, int ranks_per_node);

/// A world of one rank.
std::unique_ptr<Transport> make_self_transport();

}  // namespace nanoday
