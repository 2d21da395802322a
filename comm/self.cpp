// A world of one rank: messages to oneself wait in a queue per tag.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "transport.hpp"

#include <cstring>
#include <deque>
#include <map>
#include <vector>

namespace nanoday {
namespace {

class SelfTransport final : public Transport {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }

  Request post_send(int to, int tag, View<const std::byte> bytes) override {
    check_rank(to);
    queue_[tag].emplace_back(bytes.begin(), bytes.end());
    return k_sent;
  }

  Request post_receive(int from, int tag, View<std::byte> bytes) override {
    check_rank(from);
    receives_[next_] = {tag, bytes};
    return next_++;
  }

  // Receives are matched when waited for: nobody else can send in the meantime.
  void wait(Request request) override {
    if (request == k_sent) return;
    const auto [tag, bytes] = receives_.at(request);
    receives_.erase(request);
    auto& waiting = queue_[tag];
    require_run(!waiting.empty(),
                "rank 0 waits for a message with tag {} that it never sent to itself; "
                "post the send before waiting",
                tag);
    const std::vector<std::byte> message = std::move(waiting.front());
    waiting.pop_front();
    require_run(message.size() == bytes.size(), "a message with tag {} has {} bytes but {} were expected",
                tag, message.size(), bytes.size());
    if (!message.empty()) std::memcpy(bytes.data(), message.data(), message.size());
  }

  void all_reduce_sum(View<std::int64_t>) override {}
  void all_reduce_sum(View<double>) override {}
  void barrier() override {}

 private:
  static constexpr Request k_sent = -1;
  static void check_rank(int rank) {
    require_run(rank == 0, "rank {} does not exist (there is one rank)", rank);
  }

  struct Receive {
    int tag;
    View<std::byte> bytes;
  };
  std::map<int, std::deque<std::vector<std::byte>>> queue_;
  std::map<Request, Receive> receives_;
  Request next_ = 0;
};

}  // namespace

std::unique_ptr<Transport> make_self_transport() { return std::make_unique<SelfTransport>(); }

}  // namespace nanoday
