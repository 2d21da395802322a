// The other ranks as the device sees them: packing rows, adding shares, telling and hearing flags.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/ranks.hpp"

#include <thread>

namespace nanoday::NANODAY_GPU {
namespace {

/// A stream as those see it who know no CUDA.
class StreamQueue final : public DeviceQueue {
 public:
  explicit StreamQueue(Stream& stream) : stream_(stream) {}
  void* native() override { return native_stream(stream_); }
  void copy_to_host(void* to, const void* from, std::size_t bytes) override {
    NANODAY_GPU::copy_to_host(stream_, to, from, bytes);
  }
  void copy_to_device(void* to, const void* from, std::size_t bytes) override {
    NANODAY_GPU::copy_to_device(stream_, to, from, bytes);
  }
  void wait() override { stream_.synchronize(); }
  std::shared_ptr<std::byte> pinned(std::size_t bytes) override {
    return {static_cast<std::byte*>(allocate_pinned(bytes)), release_pinned};
  }

 private:
  Stream& stream_;
};

using FixedForce = std::array<std::int64_t, 4>;
static_assert(sizeof(FixedForce) == sizeof(Vec4), "rows of positions and of forces share a buffer");

struct PackRows {
  static constexpr const char* k_name = "pack_rows";
  const Vec4* position;
  const std::int32_t* sent;
  Vec4* row;
  std::int64_t n;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t k = block.global();
    if (k < n) row[k] = position[sent[k]];
  }
};

/// An atom may have been sent to several peers. Integers: any order will do.
struct AddShares {
  static constexpr const char* k_name = "add_shares";
  const FixedForce* share;
  const std::int32_t* sent;
  FixedForce* force;
  std::int64_t n;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t k = block.global();
    if (k >= n) return;
    const FixedForce f = share[k];
    for (int c = 0; c < 3; ++c) atomic_add(&force[sent[k]][c], f[c]);
  }
};

enum Flag { k_rebuild, k_trouble, k_halt, k_voice, k_flags };

struct TellFlags {
  static constexpr const char* k_name = "tell_flags";
  const Signals* signals;
  const std::uint32_t* said;
  std::uint64_t* flag;

  NANODAY_DEVICE void operator()(Block& block) const {
    if (block.global() != 0) return;
    flag[k_rebuild] = signals->rebuild != 0;
    flag[k_trouble] = signals->trouble != 0;
    flag[k_halt] = signals->halt != 0;
    flag[k_voice] = *said != 0;
  }
};

struct HearFlags {
  static constexpr const char* k_name = "hear_flags";
  const std::uint64_t* flag;
  Signals* signals;
  std::uint32_t* heard;

  NANODAY_DEVICE void operator()(Block& block) const {
    if (block.global() != 0) return;
    signals->rebuild = flag[k_rebuild] != 0;
    signals->trouble = flag[k_trouble] != 0;
    signals->halt = flag[k_halt] != 0;
    *heard = flag[k_voice] != 0;
  }
};

}  // namespace

// ------------------------------------------------------------------------------------------------------

DeviceRanks::DeviceRanks(ResidentRanks* ranks) : voice_(k_voices) {
  say(false);
  voice_[k_heard] = 0;
  if (ranks == nullptr) return;
  exchange_ = ranks->connect(device_key());
  flags_.resize(k_flags);
  share_.resize(1);
}

void DeviceRanks::set_rows(Stream& stream, const HaloRows& rows, DeviceAtoms& atoms) {
  outward_.clear();
  home_.clear();
  std::size_t received = 0;
  for (const auto& [rank, sent, in] : rows.peer) {
    const std::size_t out_bytes = static_cast<std::size_t>(sent) * sizeof(Vec4),
                      in_bytes = static_cast<std::size_t>(in) * sizeof(Vec4);
    outward_.push_back({rank, out_bytes, in_bytes});
    home_.push_back({rank, in_bytes, out_bytes});
    received += static_cast<std::size_t>(in);
  }
  upload(stream, sent_, rows.sent);
  outgoing_.resize(rows.sent.size());
  upload(stream, atoms.ghost_owner, rows.source);
  upload(stream, atoms.ghost_shift, rows.translation);
  atoms.received.resize(received);
  stream.synchronize();
}

void DeviceRanks::send_positions(Stream& stream, const DeviceAtoms& atoms) {
  if (!several()) return;
  const auto n = static_cast<std::int64_t>(sent_.size());
  launch(stream, PackRows{atoms.position.data(), sent_.data(), outgoing_.data(), n}, grid_for(n));
  StreamQueue queue(stream);
  exchange_->exchange(queue, outward_, reinterpret_cast<const std::byte*>(outgoing_.data()),
                      reinterpret_cast<std::byte*>(atoms.received.data()));
}

void DeviceRanks::bring_home(Stream& stream, const DeviceAtoms& atoms, FixedForce* force) {
  if (!several()) return;
  StreamQueue queue(stream);
  exchange_->exchange(queue, home_, reinterpret_cast<const std::byte*>(force + atoms.nlocal),
                      reinterpret_cast<std::byte*>(outgoing_.data()));
  const auto n = static_cast<std::int64_t>(sent_.size());
  const auto* const share = reinterpret_cast<const FixedForce*>(outgoing_.data());
  launch(stream, AddShares{share, sent_.data(), force, n}, grid_for(n));
}

void DeviceRanks::sum(Stream& stream, std::uint64_t* words, std::size_t n) {
  if (!several()) return;
  StreamQueue queue(stream);
  exchange_->sum(queue, {words, n});
}

void DeviceRanks::wait(Mark& mark) {
  if (!several()) return mark.wait();
  exchange_->check();
  while (!mark.done()) {
    std::this_thread::yield();
    exchange_->check();
  }
}

void DeviceRanks::agree(Stream& stream, Signals* signals) {
  if (!several()) return;
  launch(stream, TellFlags{signals, voice_.data() + k_said, flags_.data()}, {1, k_warp, 0});
  sum(stream, flags_.data(), k_flags);
  launch(stream, HearFlags{flags_.data(), signals, voice_.data() + k_heard}, {1, k_warp, 0});
}

}  // namespace nanoday::NANODAY_GPU
