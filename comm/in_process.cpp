// N ranks as N threads: a mailbox per (from, to, tag) behind one lock.
// SPDX-License-Identifier: Apache-2.0
#include "in_process.hpp"

#include "core/error.hpp"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <vector>

namespace nanoday {
namespace {

using Message = std::vector<std::byte>;

/// What the ranks share.
struct Hub {
  explicit Hub(int n) : n_ranks(n), contribution(n) {}

  /// Waits until `ready`; throws when a rank has failed meanwhile.
  template <class Ready>
  void wait(std::unique_lock<std::mutex>& lock, Ready ready) {
    changed.wait(lock, [&] { return first_failure || ready(); });
    require_run(!first_failure, "another rank failed; see its message");
  }

  const int n_ranks;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::tuple<int, int, int>, std::deque<Message>> mailbox;  ///< by (from, to, tag)
  int arrived = 0;                                                   ///< ranks in the present barrier
  std::int64_t generation = 0;                                       ///< barriers completed
  std::vector<Message> contribution;                                 ///< (n_ranks) arrays being reduced
  std::exception_ptr first_failure;
};

class InProcessTransport final : public Transport {
 public:
  InProcessTransport(Hub& hub, int rank) : hub_(hub), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return hub_.n_ranks; }

  Request post_send(int to, int tag, View<const std::byte> bytes) override {
    check_rank(to);
    const std::lock_guard lock(hub_.mutex);
    hub_.mailbox[{rank_, to, tag}].emplace_back(bytes.begin(), bytes.end());
    hub_.changed.notify_all();
    return k_sent;
  }

  Request post_receive(int from, int tag, View<std::byte> bytes) override {
    check_rank(from);
    receives_[next_] = {from, tag, bytes};
    return next_++;
  }

  void wait(Request request) override {
    if (request == k_sent) return;
    const auto [from, tag, bytes] = receives_.at(request);
    receives_.erase(request);
    std::unique_lock lock(hub_.mutex);
    auto& waiting = hub_.mailbox[{from, rank_, tag}];
    hub_.wait(lock, [&] { return !waiting.empty(); });
    const Message message = std::move(waiting.front());
    waiting.pop_front();
    require_run(message.size() == bytes.size(),
                "a message from rank {} with tag {} has {} bytes but rank {} "
                "expects {}",
                from, tag, message.size(), rank_, bytes.size());
    if (!message.empty()) std::memcpy(bytes.data(), message.data(), message.size());
  }

  void all_reduce_sum(View<std::int64_t> values) override { reduce(values); }
  void all_reduce_sum(View<double> values) override { reduce(values); }

  void barrier() override {
    std::unique_lock lock(hub_.mutex);
    const std::int64_t mine = hub_.generation;
    if (++hub_.arrived == hub_.n_ranks) {
      hub_.arrived = 0;
      ++hub_.generation;
      hub_.changed.notify_all();
    } else {
      hub_.wait(lock, [&] { return hub_.generation != mine; });
    }
  }

 private:
  static constexpr Request k_sent = -1;
  struct Receive {
    int from, tag;
    View<std::byte> bytes;
  };

  void check_rank(int rank) const {
    require_run(rank >= 0 && rank < size(), "rank {} does not exist (there are {})", rank, size());
  }

  // Everyone sums everyone's array in rank order, so that all get the same bits. The hub holds copies: they
  // outlive a rank that fails while others still read.
  template <class T>
  void reduce(View<T> values) {
    const View<std::byte> mine = writable_bytes_of(values);
    hub_.contribution[rank_].assign(mine.begin(), mine.end());
    barrier();
    for (std::size_t k = 0; k < values.size(); ++k) {
      T sum{};
      for (const Message& array : hub_.contribution) sum += reinterpret_cast<const T*>(array.data())[k];
      values[k] = sum;
    }
    barrier();
  }

  Hub& hub_;
  int rank_;
  std::map<Request, Receive> receives_;
  Request next_ = 0;
};

}  // namespace

void run_ranks(int n_ranks, const std::function<void(Transport&)>& body) {
  require(n_ranks >= 1, "{} ranks asked for (there must be at least one)", n_ranks);
  Hub hub(n_ranks);
  const auto run_one = [&](int rank) {
    InProcessTransport transport(hub, rank);
    try {
      body(transport);
    } catch (...) {
      const std::lock_guard lock(hub.mutex);
      if (!hub.first_failure) hub.first_failure = std::current_exception();
      hub.changed.notify_all();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < n_ranks; ++rank) threads.emplace_back(run_one, rank);
  }
  if (hub.first_failure) std::rethrow_exception(hub.first_failure);
}

}  // namespace nanoday
