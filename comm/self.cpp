// A world of one rank: messages to oneself wait in a queue per tag.
// SPDX-License-Identifier: Apache-2.0
#include "transport_parts.hpp"

namespace nanoday {
namespace {

class SelfSegment final : public SharedSegment {
 public:
  explicit SelfSegment(std::size_t bytes) : bytes_(bytes) {}
  View<std::byte> part(int rank_in_node) override {
    check_rank(rank_in_node, 1);
    return bytes_;
  }

 private:
  Array<std::byte> bytes_;
};

class SelfTransport final : public Transport {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  const std::vector<int>& node_of() const override { return node_of_; }
  std::string name() const override { return "self (1 rank)"; }

  Request post_send(int to, int tag, View<const std::byte> bytes) override {
    check_rank(to, 1);
    count(to, bytes.size());
    mail_.send(tag, bytes);
    return k_sent;
  }

  Request post_receive(int from, int tag, View<std::byte> bytes) override {
    check_rank(from, 1);
    receives_[next_] = mail_.post_receive(tag, bytes);
    return next_++;
  }

  void wait(Request request) override {
    if (request == k_sent) return;
    const auto receive = receives_.at(request);
    receives_.erase(request);
    mail_.wait(receive, 0);
  }

  void all_reduce_sum(View<std::int64_t>) override {}
  void all_reduce_sum(View<double>) override {}
  void all_reduce_max(View<double>) override {}
  void broadcast(int root, View<std::byte>) override { check_rank(root, 1); }
  std::vector<Parcel> exchange(std::vector<Parcel> outgoing) override {
    for (const Parcel& parcel : outgoing) check_rank(parcel.rank, 1);
    return outgoing;
  }
  void barrier() override {}

  std::unique_ptr<Transport> split(int) override { return make_self_transport(); }
  std::unique_ptr<SharedSegment> share(std::size_t bytes) override {
    return std::make_unique<SelfSegment>(bytes);
  }
  void node_barrier() override {}

 private:
  static constexpr Request k_sent = -1;
  const std::vector<int> node_of_{0};
  OwnMail mail_;
  std::map<Request, OwnMail::Receive> receives_;
  Request next_ = 0;
};

}  // namespace

std::unique_ptr<Transport> make_self_transport() { return std::make_unique<SelfTransport>(); }

}  // namespace nanoday
