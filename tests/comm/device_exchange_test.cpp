// Rows and sums between devices by way of a transport: ghosts and forces as the halo's own, sums modulo 2^64.
// SPDX-License-Identifier: Apache-2.0
#include "device_exchange.hpp"

#include "comm/rank_systems.hpp"
#include "comm/rank_worlds.hpp"
#include "core/error.hpp"
#include "halo.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace nanoday {
namespace {

using namespace rank_systems;

/// Device memory is host memory, and work is done when it is queued.
class HostQueue final : public DeviceQueue {
 public:
  void* native() override { return nullptr; }
  void copy_to_host(void* to, const void* from, std::size_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, bytes);
    copied += bytes;
  }
  void copy_to_device(void* to, const void* from, std::size_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, bytes);
    copied += bytes;
  }
  void wait() override {}
  std::shared_ptr<std::byte> pinned(std::size_t bytes) override {
    return {new std::byte[bytes], std::default_delete<std::byte[]>()};
  }
  std::size_t copied = 0;
};

template <class T>
std::byte* bytes_in(std::vector<T>& rows) {
  return reinterpret_cast<std::byte*>(rows.data());
}

/// What a device does between two list builds, by hand.
class Rows {
 public:
  using Force = std::array<std::int64_t, 4>;
  Rows(Transport& transport, HaloRows rows)
      : rows_(std::move(rows)), exchange_(make_device_exchange(transport, "")) {
    for (const auto& peer : rows_.peer) n_received_ += static_cast<std::size_t>(peer.received);
  }

  std::vector<Vec4> ghosts(const Atoms& atoms) {
    std::vector<Vec4> out, in(n_received_), ghost;
    for (const std::int32_t i : rows_.sent) out.push_back(atoms.position[static_cast<std::size_t>(i)]);
    exchange_->exchange(queue_, peers(false), bytes_in(out), bytes_in(in));
    for (std::size_t g = 0; g < rows_.source.size(); ++g) {
      const auto from = static_cast<std::size_t>(rows_.source[g]), n = static_cast<std::size_t>(atoms.nlocal);
      ghost.push_back(
          padded(xyz(from < n ? atoms.position[from] : in[from - n]) + xyz(rows_.translation[g])));
    }
    return ghost;
  }

  /// \param share (nlocal + nghost); becomes the sums of (nlocal)
  void bring_home(std::vector<Force>& share, std::size_t nlocal) {
    std::vector<Force> home(nlocal + n_received_, Force{}), in(rows_.sent.size());
    const auto add = [](Force& to, const Force& more) {
      for (std::size_t c = 0; c < 3; ++c) to[c] += more[c];
    };
    for (std::size_t i = 0; i < nlocal; ++i) add(home[i], share[i]);
    for (std::size_t g = 0; g < rows_.source.size(); ++g)
      add(home[static_cast<std::size_t>(rows_.source[g])], share[nlocal + g]);
    exchange_->exchange(queue_, peers(true), bytes_in(home) + nlocal * sizeof(Force), bytes_in(in));
    for (std::size_t k = 0; k < in.size(); ++k) add(home[static_cast<std::size_t>(rows_.sent[k])], in[k]);
    share.assign(home.begin(), home.begin() + static_cast<std::ptrdiff_t>(nlocal));
  }

  std::size_t copied() const { return queue_.copied; }
  std::size_t row_bytes() const { return (rows_.sent.size() + n_received_) * sizeof(Vec4); }

 private:
  std::vector<PeerBytes> peers(bool homeward) const {
    std::vector<PeerBytes> peers;
    for (const auto& [rank, sent, received] : rows_.peer) {
      peers.push_back({rank, static_cast<std::size_t>(sent) * sizeof(Vec4),
                       static_cast<std::size_t>(received) * sizeof(Vec4)});
      if (homeward) std::swap(peers.back().sent, peers.back().received);
    }
    return peers;
  }

  HaloRows rows_;
  std::unique_ptr<DeviceExchange> exchange_;
  HostQueue queue_;
  std::size_t n_received_ = 0;
};

void expect_the_halos_rows(const Case& c, const Atoms& all, Transport& transport) {
  Atoms atoms = dealt(all, transport);
  const DomainGrid grid = settle(c.box, transport, atoms);
  Halo halo(transport, HaloRoute::direct);
  halo.build(grid, c.box, c.cutoff, atoms);
  Rows rows(transport, halo.rows());
  const auto n = static_cast<std::size_t>(atoms.nlocal), nall = static_cast<std::size_t>(atoms.nall());
  for (std::size_t i = 0; i < n; ++i) atoms.position[i].x += 0.01 * static_cast<double>(atoms.id[i] % 7);
  const std::vector<Vec4> ghost = rows.ghosts(atoms);
  halo.update(atoms);
  ASSERT_EQ(ghost.size(), nall - n);
  for (std::size_t g = 0; g < ghost.size(); ++g)
    ASSERT_EQ(std::memcmp(&ghost[g], &atoms.position[n + g], sizeof(Vec4)), 0) << "ghost " << g;
  EXPECT_EQ(rows.copied(), rows.row_bytes()) << "rows out and in, nothing else";

  Forces forces;
  forces.fixed_point = true;
  forces.force.resize(nall);
  forces.fixed.resize(nall);
  for (std::size_t k = 0; k < nall; ++k)
    for (std::size_t d = 0; d < 3; ++d)
      forces.fixed[k][d] = static_cast<std::int64_t>((k + 1) * 7919 * (d + 1)) << 20;
  std::vector<Rows::Force> share;
  for (const auto& f : forces.fixed) share.push_back({f[0], f[1], f[2], 0});
  rows.bring_home(share, n);
  halo.reverse(forces, atoms.nlocal);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t d = 0; d < 3; ++d) ASSERT_EQ(share[i][d], forces.fixed[i][d]) << "atom " << i;
}

TEST(DeviceExchange, moves_the_rows_of_the_halo_there_and_back) {
  for (const Case& c : cases())
    for (const RankWorld& world : rank_worlds()) {
      SCOPED_TRACE(c.name + ", " + world.name);
      const Atoms all = all_atoms(c);
      world.run([&](Transport& transport) { expect_the_halos_rows(c, all, transport); });
      if (HasFailure()) return;
    }
}

TEST(DeviceExchange, sums_words_modulo_two_to_the_64) {
  for (const RankWorld& world : rank_worlds())
    world.run([&](Transport& transport) {
      const auto exchange = make_device_exchange(transport, "");
      HostQueue queue;
      const auto rank = static_cast<std::uint64_t>(transport.rank()),
                 n = static_cast<std::uint64_t>(transport.size());
      std::vector<std::uint64_t> words{rank, ~std::uint64_t{0}, std::uint64_t{1} << 63};
      exchange->sum(queue, words);
      EXPECT_EQ(words, (std::vector<std::uint64_t>{n * (n - 1) / 2, std::uint64_t{0} - n, (n % 2) << 63}));
      EXPECT_FALSE(exchange->capturable());
    });
}

TEST(DeviceExchange, only_a_halo_between_single_ranks_lists_its_rows) {
  const auto transport = make_self_transport();
  EXPECT_THROW(Halo(*transport, HaloRoute::by_node).rows(), RunError);
}

}  // namespace
}  // namespace nanoday
