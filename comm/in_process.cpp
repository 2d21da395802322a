// N ranks as N threads: a mailbox per (from, to, tag) behind one lock.
// SPDX-License-Identifier: Apache-2.0
#include "in_process.hpp"

#include "transport_parts.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <tuple>

namespace nanoday {
namespace {

/// What all ranks share, whatever world they have split into: one lock, one bell, and the first failure.
struct Hub {
  /// Waits until `ready`; throws when that will not come because a rank has failed.
  template <class Ready>
  void wait(std::unique_lock<std::mutex>& lock, Ready ready) {
    bool is_ready = false;
    changed.wait(lock, [&] { return (is_ready = ready()) || first_failure; });
    require_run(is_ready, "{}", k_another_rank_failed);
  }
  /// Keeps the exception being handled, if it is the first, and releases everyone who waits.
  void fail() {
    const std::lock_guard lock(mutex);
    if (!first_failure) first_failure = std::current_exception();
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::exception_ptr first_failure;
};

/// Where ranks wait for each other.
class Meeting {
 public:
  explicit Meeting(std::size_t n_ranks) : n_ranks_(n_ranks) {}
  void join(Hub& hub) {
    std::unique_lock lock(hub.mutex);
    const std::int64_t mine = generation_;
    if (++arrived_ == n_ranks_) {
      arrived_ = 0;
      ++generation_;
      hub.changed.notify_all();
    } else {
      hub.wait(lock, [&] { return generation_ != mine; });
    }
  }

 private:
  std::size_t n_ranks_, arrived_ = 0;
  std::int64_t generation_ = 0;
};

/// Parts of a shared segment, one per rank of the node.
using Parts = std::vector<Array<std::byte>>;

/// What the ranks of one world share. Collective operations use two sets of places in turn: whoever fills one
/// again has met everyone after they emptied it.
struct World {
  World(Hub& hub, const std::vector<int>& nodes) : hub(hub), node_of(nodes), all(nodes.size()) {
    for (auto& set : place) set.resize(nodes.size());
    for (auto& set : parcels) set.resize(nodes.size());
    for (int n = 0; n <= *std::max_element(nodes.begin(), nodes.end()); ++n)
      node.emplace_back(static_cast<std::size_t>(std::count(nodes.begin(), nodes.end(), n)));
  }

  Hub& hub;
  const std::vector<int> node_of;
  Meeting all;
  std::deque<Meeting> node;                                 ///< (nodes)
  std::map<std::tuple<int, int, int>, Mailbox> mailbox;     ///< by (from, to, tag)
  std::array<std::vector<Array<std::byte>>, 2> place;       ///< (2, ranks) arrays being gathered
  std::array<std::vector<std::vector<Parcel>>, 2> parcels;  ///< (2, ranks) exchanged, by receiver
  std::map<std::pair<std::int64_t, int>, std::shared_ptr<World>> split_off;  ///< by (round, color)
  std::map<std::pair<int, std::int64_t>, std::shared_ptr<Parts>> segment;    ///< by (node, number)
};

class InProcessSegment final : public SharedSegment {
 public:
  explicit InProcessSegment(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}
  View<std::byte> part(int rank_in_node) override {
    check_rank(rank_in_node, static_cast<int>(parts_->size()));
    return (*parts_)[static_cast<std::size_t>(rank_in_node)];
  }

 private:
  std::shared_ptr<Parts> parts_;
};

class InProcessTransport final : public Transport {
 public:
  InProcessTransport(std::shared_ptr<World> world, int rank) : world_(std::move(world)), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(world_->node_of.size()); }
  const std::vector<int>& node_of() const override { return world_->node_of; }
  std::string name() const override { return fmt::format("in-process ({})", ranks_and_nodes(node_of())); }

  Request post_send(int to, int tag, View<const std::byte> bytes) override {
    check_rank(to, size());
    count(to, bytes.size());
    Mailbox::Message message(bytes.begin(), bytes.end());
    const std::lock_guard lock(hub().mutex);
    world_->mailbox[{rank_, to, tag}].put(std::move(message));
    hub().changed.notify_all();
    return k_sent;
  }

  Request post_receive(int from, int tag, View<std::byte> bytes) override {
    check_rank(from, size());
    const std::lock_guard lock(hub().mutex);
    receives_[next_] = {from, tag, world_->mailbox[{from, rank_, tag}].ask(), bytes};
    return next_++;
  }

  void wait(Request request) override {
    if (request == k_sent) return;
    const auto [from, tag, number, bytes] = receives_.at(request);
    receives_.erase(request);
    std::unique_lock lock(hub().mutex);
    Mailbox& mailbox = world_->mailbox[{from, rank_, tag}];
    hub().wait(lock, [&] { return mailbox.has(number); });
    const Mailbox::Message message = mailbox.take(number);
    lock.unlock();
    check_length(message.size(), bytes.size(), from, rank_, tag);
    copy_bytes(bytes, message.data());
  }

  void all_reduce_sum(View<std::int64_t> values) override {
    reduce(values, [](std::int64_t a, std::int64_t b) { return plus(a, b); });
  }
  void all_reduce_sum(View<double> values) override {
    reduce(values, [](double a, double b) { return plus(a, b); });
  }
  void all_reduce_max(View<double> values) override { reduce(values, larger); }

  void broadcast(int root, View<std::byte> bytes) override {
    check_rank(root, size());
    const auto& given = gather(rank_ == root ? bytes : View<std::byte>());
    const auto& array = given[static_cast<std::size_t>(root)];
    require_run(array.size() == bytes.size(), "rank {} broadcasts {} bytes but rank {} expects {}", root,
                array.size(), rank_, bytes.size());
    if (rank_ != root) copy_bytes(bytes, array.data());
  }

  std::vector<Parcel> exchange(std::vector<Parcel> outgoing) override {
    auto& arriving = world_->parcels[next_set()];
    for (const Parcel& parcel : outgoing) check_rank(parcel.rank, size());
    {
      const std::lock_guard lock(hub().mutex);
      for (Parcel& parcel : outgoing)
        arriving[static_cast<std::size_t>(parcel.rank)].push_back({rank_, std::move(parcel.bytes)});
    }
    barrier();
    std::vector<Parcel> mine = std::exchange(arriving[static_cast<std::size_t>(rank_)], {});
    std::sort(mine.begin(), mine.end(), [](const Parcel& a, const Parcel& b) { return a.rank < b.rank; });
    return mine;
  }

  void barrier() override { world_->all.join(hub()); }

  std::unique_ptr<Transport> split(int color) override {
    const auto& given = gather(writable_bytes_of(View<int>(&color, 1)));
    std::vector<int> nodes;
    int place = 0;
    for (int r = 0; r < size(); ++r) {
      int theirs = 0;
      std::memcpy(&theirs, given[static_cast<std::size_t>(r)].data(), sizeof theirs);
      if (theirs != color) continue;
      if (r < rank_) ++place;
      nodes.push_back(node_of()[static_cast<std::size_t>(r)]);
    }
    const auto make = [&] { return std::make_shared<World>(hub(), numbered(nodes)); };
    auto child = find_or_make(world_->split_off, {round_, color}, make);
    child->all.join(hub());
    forget(world_->split_off, {round_, color});
    return std::make_unique<InProcessTransport>(std::move(child), place);
  }

  std::unique_ptr<SharedSegment> share(std::size_t bytes) override {
    const int node = node_of()[static_cast<std::size_t>(rank_)];
    const std::pair key{node, n_shared_++};
    const auto ranks = static_cast<std::size_t>(std::count(node_of().begin(), node_of().end(), node));
    const auto parts = find_or_make(world_->segment, key, [&] { return std::make_shared<Parts>(ranks); });
    (*parts)[static_cast<std::size_t>(rank_in_node(node_of(), rank_))].assign(bytes, std::byte{0});
    node_barrier();
    forget(world_->segment, key);
    return std::make_unique<InProcessSegment>(parts);
  }

  void node_barrier() override {
    world_->node[static_cast<std::size_t>(node_of()[static_cast<std::size_t>(rank_)])].join(hub());
  }

 private:
  static constexpr Request k_sent = -1;
  static constexpr std::size_t k_short = 256;  ///< elements; fewer are not worth a second meeting
  struct Receive {
    int from, tag;
    std::int64_t number;
    View<std::byte> bytes;
  };

  Hub& hub() { return world_->hub; }
  std::size_t next_set() { return static_cast<std::size_t>(++round_ % 2); }

  template <class Key, class T, class Make>
  std::shared_ptr<T> find_or_make(std::map<Key, std::shared_ptr<T>>& all, const Key& key, Make make) {
    const std::lock_guard lock(hub().mutex);
    auto& entry = all[key];
    if (!entry) entry = make();
    return entry;
  }
  template <class Map>
  void forget(Map& all, const typename Map::key_type& key) {
    const std::lock_guard lock(hub().mutex);
    all.erase(key);
  }

  // (ranks) everyone's array, until the next but one collective call. They are copies: they outlive a rank
  // that fails while others still read.
  std::vector<Array<std::byte>>& gather(View<const std::byte> bytes) {
    auto& given = world_->place[next_set()];
    given[static_cast<std::size_t>(rank_)].assign(bytes.begin(), bytes.end());
    barrier();
    return given;
  }

  // Combined in rank order, so that all get the same bits. Long arrays: every rank combines its slice, in the
  // place of rank 0's, which nobody else reads there.
  template <class T, class Combine>
  void reduce(View<T> values, Combine combine) {
    auto& given = gather(writable_bytes_of(values));
    for (const auto& array : given)
      require_run(array.size() == values.size() * sizeof(T),
                  "ranks combine arrays of {} and {} bytes (they must agree)", array.size(),
                  values.size() * sizeof(T));
    const auto combine_range = [&](std::size_t begin, std::size_t end, T* result) {
      for (std::size_t k = begin; k < end; ++k) {
        T value = reinterpret_cast<const T*>(given[0].data())[k];
        for (std::size_t r = 1; r < given.size(); ++r)
          value = combine(value, reinterpret_cast<const T*>(given[r].data())[k]);
        result[k] = value;
      }
    };
    if (values.size() <= k_short) {
      combine_range(0, values.size(), values.data());
      return;
    }
    const std::size_t n = given.size(), me = static_cast<std::size_t>(rank_);
    T* const result = reinterpret_cast<T*>(given[0].data());
    combine_range(values.size() * me / n, values.size() * (me + 1) / n, result);
    barrier();
    std::copy(result, result + values.size(), values.data());
  }

  std::shared_ptr<World> world_;
  int rank_;
  std::map<Request, Receive> receives_;
  Request next_ = 0;
  std::int64_t round_ = 0, n_shared_ = 0;
};

}  // namespace

void run_ranks(int n_ranks, const std::function<void(Transport&)>& body, int ranks_per_node) {
  require(n_ranks >= 1, "{} ranks asked for (there must be at least one)", n_ranks);
  Hub hub;
  const auto world = std::make_shared<World>(hub, nodes_in_order(n_ranks, ranks_per_node));
  const auto run_one = [&](int rank) {
    try {
      InProcessTransport transport(world, rank);
      body(transport);
    } catch (...) {
      hub.fail();
    }
  };
  {
    std::vector<std::jthread> threads;
    try {
      for (int rank = 0; rank < n_ranks; ++rank) threads.emplace_back(run_one, rank);
    } catch (...) {
      hub.fail();  // no thread to be had: those that run must not wait for it
    }
  }
  if (hub.first_failure) std::rethrow_exception(hub.first_failure);
}

}  // namespace nanoday
