// What transports are made of: numbering of nodes, order of messages, the larger of two numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.hpp"
#include "transport.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <utility>

namespace nanoday {

/// Messages with one sender, receiver and tag: the n-th receive that was posted takes the n-th message sent.
class Mailbox {
 public:
  using Message = std::vector<std::byte>;
  void put(Message message) { waiting_.emplace(sent_++, std::move(message)); }
  /// The number of the next message, for has() and take().
  std::int64_t ask() { return asked_++; }
  bool has(std::int64_t number) const { return waiting_.contains(number); }
  /// \pre has(number)
  Message take(std::int64_t number) { return std::move(waiting_.extract(number).mapped()); }

 private:
  std::int64_t sent_ = 0, asked_ = 0;
  std::map<std::int64_t, Message> waiting_;
};

inline void check_rank(int rank, int size) {
  require_run(rank >= 0 && rank < size, "rank {} does not exist (there are {})", rank, size);
}

/// Throws RunError unless a message has the length that its receiver expects.
inline void check_length(std::size_t sent, std::size_t expected, int from, int to, int tag) {
  require_run(sent == expected, "a message from rank {} with tag {} has {} bytes but rank {} expects {}",
              from, tag, sent, to, expected);
}

/// Copies one array over another of the same length, which may be empty.
inline void copy_bytes(View<std::byte> to, const std::byte* from) {
  if (!to.empty()) std::memcpy(to.data(), from, to.size());
}

/// Messages of a rank to itself, without any transport. Receives are matched when waited for: nobody else can
/// send in the meantime.
class OwnMail {
 public:
  struct Receive {
    int tag = 0;
    std::int64_t number = 0;
    View<std::byte> bytes;
  };
  void send(int tag, View<const std::byte> bytes) { mailbox_[tag].put({bytes.begin(), bytes.end()}); }
  Receive post_receive(int tag, View<std::byte> bytes) { return {tag, mailbox_[tag].ask(), bytes}; }
  void wait(const Receive& receive, int rank) {
    Mailbox& mailbox = mailbox_[receive.tag];
    require_run(
        mailbox.has(receive.number),
        "rank {} waits for a message with tag {} that it never sent to itself; post the send before waiting",
        rank, receive.tag);
    const Mailbox::Message message = mailbox.take(receive.number);
    check_length(message.size(), receive.bytes.size(), rank, rank, receive.tag);
    copy_bytes(receive.bytes, message.data());
  }

 private:
  std::map<int, Mailbox> mailbox_;  ///< by tag
};

/// The larger number; NaN when one is; +0 before −0, so that the order of comparisons does not matter.
inline double larger(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == b) return std::signbit(a) ? b : a;
  return a < b ? b : a;
}

/// Sum of a rank's number to those before it; integers modulo 2^64.
inline double plus(double a, double b) { return a + b; }
inline std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

/// Labels replaced by 0, 1, … in order of their first ranks: (ranks) → (ranks).
std::vector<int> numbered(const std::vector<int>& label);

/// How many ranks before `rank` share its node.
int rank_in_node(const std::vector<int>& node_of, int rank);

/// "4 ranks on 2 nodes".
std::string ranks_and_nodes(const std::vector<int>& node_of);

}  // namespace nanoday
