// Moves the points of a mesh from one distribution over ranks to another.
// SPDX-License-Identifier: Apache-2.0
#include "redistribution.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <limits>

namespace nanoday {
namespace {

constexpr int k_tag = 0;

std::int64_t mesh_index(std::array<int, 3> mesh, MeshPoint p) {
  return (static_cast<std::int64_t>(p[0]) * mesh[1] + p[1]) * mesh[2] + p[2];
}

View<const std::byte> raw(const std::vector<std::complex<double>>& values) {
  return bytes_of(View<const std::complex<double>>(values));
}

}  // namespace

int BrickDistribution::owner(MeshPoint p) const {
  return grid_.rank_at({grid_.owner_along(0, p[0]), grid_.owner_along(1, p[1]), grid_.owner_along(2, p[2])});
}

std::size_t BrickDistribution::index(int rank, MeshPoint p) const {
  const MeshBrick brick = grid_.brick(rank);
  const auto n = brick.shape();
  return static_cast<std::size_t>(
      mesh_index(n, {p[0] - brick.begin[0], p[1] - brick.begin[1], p[2] - brick.begin[2]}));
}

void BrickDistribution::for_points(int rank, const std::function<void(MeshPoint)>& use) const {
  const MeshBrick brick = grid_.brick(rank);
  for (int a = brick.begin[0]; a < brick.end[0]; ++a)
    for (int b = brick.begin[1]; b < brick.end[1]; ++b)
      for (int c = brick.begin[2]; c < brick.end[2]; ++c) use({a, b, c});
}

std::int64_t PencilDistribution::lines() const {
  std::int64_t n = 1;
  for (std::size_t d = 0; d < 3; ++d)
    if (d != along_) n *= mesh_[d];
  return n;
}

std::int64_t PencilDistribution::line(MeshPoint p) const {
  std::int64_t line = 0;
  for (std::size_t d = 0; d < 3; ++d)
    if (d != along_) line = line * mesh_[d] + p[d];
  return line;
}

std::int64_t PencilDistribution::first_bundle(int rank) const {
  const std::int64_t all = (lines() + k_bundle - 1) / k_bundle;
  return all * rank / n_ranks_;
}

int PencilDistribution::owner(MeshPoint p) const {
  const std::int64_t all = (lines() + k_bundle - 1) / k_bundle, bundle = line(p) / k_bundle;
  // The last rank whose first bundle is not behind this one: floor(all·r/n) ≤ bundle.
  return static_cast<int>(((bundle + 1) * n_ranks_ - 1) / all);
}

std::size_t PencilDistribution::index(int rank, MeshPoint p) const {
  const std::int64_t l = line(p), bundle = l / k_bundle - first_bundle(rank);
  return static_cast<std::size_t>((bundle * mesh_[along_] + p[along_]) * k_bundle + l % k_bundle);
}

void PencilDistribution::for_points(int rank, const std::function<void(MeshPoint)>& use) const {
  const std::size_t slow = along_ == 0 ? 1 : 0, fast = along_ == 2 ? 1 : 2;
  const std::int64_t end = std::min(lines(), first_bundle(rank + 1) * k_bundle);
  for (std::int64_t l = first_bundle(rank) * k_bundle; l < end; ++l) {
    MeshPoint p;
    p[slow] = static_cast<int>(l / mesh_[fast]);
    p[fast] = static_cast<int>(l % mesh_[fast]);
    for (p[along_] = 0; p[along_] < mesh_[along_]; ++p[along_]) use(p);
  }
}

std::size_t PencilDistribution::size(int rank) const {
  return static_cast<std::size_t>(bundles(rank) * mesh_[along_] * k_bundle);
}

Redistribution::Redistribution(const MeshDistribution& from, const MeshDistribution& to,
                               std::array<int, 3> mesh, int rank, int n_ranks)
    : rank_(rank),
      sends_(peers(from, to, mesh, rank, n_ranks)),
      receives_(peers(to, from, mesh, rank, n_ranks)) {}

std::vector<Redistribution::Peer> Redistribution::peers(const MeshDistribution& mine,
                                                        const MeshDistribution& theirs,
                                                        std::array<int, 3> mesh, int rank, int n_ranks) {
  require(mine.size(rank) <= std::numeric_limits<std::int32_t>::max(),
          "a mesh of {} x {} x {} points has {} on one rank (at most 2^31 − 1); use more ranks", mesh[0],
          mesh[1], mesh[2], mine.size(rank));
  struct Place {
    std::int64_t point;
    std::int32_t here;
  };
  std::vector<std::vector<Place>> by_rank(static_cast<std::size_t>(n_ranks));
  mine.for_points(rank, [&](MeshPoint p) {
    by_rank[static_cast<std::size_t>(theirs.owner(p))].push_back(
        {mesh_index(mesh, p), static_cast<std::int32_t>(mine.index(rank, p))});
  });
  std::vector<Peer> peers;
  for (std::size_t r = 0; r < by_rank.size(); ++r) {
    auto& places = by_rank[r];
    if (places.empty()) continue;
    std::sort(places.begin(), places.end(), [](Place a, Place b) { return a.point < b.point; });
    peers.push_back({static_cast<int>(r), {}, std::vector<std::complex<double>>(places.size())});
    for (const Place& place : places) peers.back().here.push_back(place.here);
  }
  return peers;
}

void Redistribution::run(Transport& transport, View<const std::complex<double>> in,
                         View<std::complex<double>> out) {
  std::vector<Transport::Request> arriving, leaving;
  for (Peer& peer : receives_)
    if (peer.rank != rank_)
      arriving.push_back(transport.post_receive(peer.rank, k_tag,
                                                writable_bytes_of(View<std::complex<double>>(peer.values))));
  const std::vector<std::complex<double>>* own = nullptr;
  for (Peer& peer : sends_) {
    for (std::size_t k = 0; k < peer.here.size(); ++k)
      peer.values[k] = in[static_cast<std::size_t>(peer.here[k])];
    if (peer.rank == rank_)
      own = &peer.values;
    else
      leaving.push_back(transport.post_send(peer.rank, k_tag, raw(peer.values)));
  }
  auto request = arriving.begin();
  for (Peer& peer : receives_) {
    if (peer.rank != rank_) transport.wait(*request++);
    const auto& values = peer.rank == rank_ ? *own : peer.values;
    for (std::size_t k = 0; k < peer.here.size(); ++k)
      out[static_cast<std::size_t>(peer.here[k])] = values[k];
  }
  for (const auto send : leaving) transport.wait(send);
}

}  // namespace nanoday
