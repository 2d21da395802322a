// Barrier gates in software, with the hardware's limits.
// SPDX-License-Identifier: Apache-2.0
#include "barrier_gates.hpp"
#include "core/error.hpp"

#include <vector>

namespace nanoday {
namespace {

class SoftwareGates final : public BarrierGates {
 public:
  SoftwareGates(std::unique_ptr<Transport> ring, int interfaces)
      : ring_(std::move(ring)), started_(static_cast<std::size_t>(interfaces)) {}

  int interfaces() const override { return static_cast<int>(started_.size()); }

  void start(int interface, View<const std::uint64_t> words) override {
    auto& own = started_.at(static_cast<std::size_t>(interface));
    require_run(own.empty(), "a barrier gate is started twice (interface {} is busy); finish it first",
                interface);
    require_run(!words.empty() && words.size() <= k_words,
                "{} words do not fit a barrier-gate operation (it holds 1 to {}); use more operations",
                words.size(), k_words);
    own.assign(words.begin(), words.end());
  }

  void finish(int interface, View<std::uint64_t> words) override {
    auto& sum = started_.at(static_cast<std::size_t>(interface));
    require_run(sum.size() == words.size(), "a barrier gate was started with {} words but {} are fetched",
                sum.size(), words.size());
    const int before = ring_->rank() - 1, after = ring_->rank() + 1;
    if (before >= 0) {
      std::vector<std::uint64_t> share(sum.size());
      receive(before, interface, share);
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += share[k];
    }
    if (after < ring_->size()) {
      send(after, interface, sum);
      receive(after, interface, sum);
    }
    if (before >= 0) send(before, interface, sum);
    for (std::size_t k = 0; k < sum.size(); ++k) words[k] = sum[k];
    sum.clear();
  }

 private:
  void send(int to, int tag, View<const std::uint64_t> words) {
    ring_->wait(ring_->post_send(to, tag, bytes_of(words)));
  }
  void receive(int from, int tag, View<std::uint64_t> words) {
    ring_->wait(ring_->post_receive(from, tag, writable_bytes_of(words)));
  }

  std::unique_ptr<Transport> ring_;
  std::vector<std::vector<std::uint64_t>> started_;  ///< (interfaces) words of the operation under way
};

}  // namespace

std::unique_ptr<BarrierGates> make_software_gates(std::unique_ptr<Transport> ring, int interfaces) {
  return std::make_unique<SoftwareGates>(std::move(ring), interfaces);
}

}  // namespace nanoday
