// Margins of mesh bricks: shares in them go to the points' owners, values come from there.
// SPDX-License-Identifier: Apache-2.0
#include "mesh_margins.hpp"

#include "core/error.hpp"

namespace nanoday {
namespace {

constexpr int k_fold_tag = 1, k_expand_tag = 2;

/// Matching rows of the array at brick `holder` (index with margin) and of the one at brick `owner`.
struct Matches {
  std::vector<int> held, owned;
};

Matches matches(const BrickGrid& grid, std::size_t d, int holder, int owner, int margin) {
  const auto& cut = grid.cut[d];
  const auto at = [&](int p) { return cut[static_cast<std::size_t>(p)]; };
  const int n = grid.mesh[d];
  Matches found;
  for (int i = at(holder) - margin; i < at(holder + 1) + margin; ++i) {
    const int wrapped = ((i % n) + n) % n;
    if (wrapped < at(owner) || wrapped >= at(owner + 1)) continue;
    found.held.push_back(i - at(holder) + margin);
    found.owned.push_back(wrapped - at(owner) + margin);
  }
  return found;
}

}  // namespace

MeshMargins::MeshMargins(const BrickGrid& grid, int rank, std::array<int, 3> margin)
    : rank_(rank), brick_(grid.brick(rank).shape()), margin_(margin) {
  const auto here = grid.place[static_cast<std::size_t>(rank)];
  for (std::size_t d = 0; d < 3; ++d) {
    require(margin[d] >= 0, "a mesh margin of {} points is negative; use 0 or more", margin[d]);
    shape_[d] = brick_[d] + 2 * margin[d];
  }
  // Rows by place of the other brick: what I hold of it, and what it holds of mine.
  std::array<std::vector<std::vector<int>>, 3> held, wanted;
  const auto bricks = grid.shape();
  for (std::size_t d = 0; d < 3; ++d)
    for (int p = 0; p < bricks[d]; ++p) {
      held[d].push_back(matches(grid, d, here[d], p, margin[d]).held);
      wanted[d].push_back(matches(grid, d, p, here[d], margin[d]).owned);
    }
  for (std::size_t r = 0; r < grid.place.size(); ++r) {
    Peer peer{static_cast<int>(r), {}, {}};
    for (std::size_t d = 0; d < 3; ++d) {
      const auto p = static_cast<std::size_t>(grid.place[r][d]);
      peer.margin.along[d] = held[d][p];
      peer.core.along[d] = wanted[d][p];
    }
    if (peer.rank == rank) {
      own_margin_ = peer.margin;
      own_core_ = peer.core;
    } else if (peer.margin.points() + peer.core.points() > 0) {
      peers_.push_back(std::move(peer));
    }
  }
}

std::size_t MeshMargins::size() const {
  return static_cast<std::size_t>(shape_[0]) * static_cast<std::size_t>(shape_[1]) *
         static_cast<std::size_t>(shape_[2]);
}

template <class F>
void MeshMargins::for_points(const Rows& rows, F use) const {
  for (const int a : rows.along[0])
    for (const int b : rows.along[1]) {
      const std::size_t row =
          (static_cast<std::size_t>(a) * static_cast<std::size_t>(shape_[1]) + static_cast<std::size_t>(b)) *
          static_cast<std::size_t>(shape_[2]);
      for (const int c : rows.along[2]) use(row + static_cast<std::size_t>(c));
    }
}

bool MeshMargins::inside(int a, int b, int c) const {
  const auto in = [&](int i, std::size_t d) { return i >= margin_[d] && i < margin_[d] + brick_[d]; };
  return in(a, 0) && in(b, 1) && in(c, 2);
}

template <class F>
void MeshMargins::for_own_images(F use) const {
  const auto index = [&](int a, int b, int c) {
    return (static_cast<std::size_t>(a) * static_cast<std::size_t>(shape_[1]) + static_cast<std::size_t>(b)) *
               static_cast<std::size_t>(shape_[2]) +
           static_cast<std::size_t>(c);
  };
  const auto& [ma, mb, mc] = own_margin_.along;
  const auto& [ca, cb, cc] = own_core_.along;
  for (std::size_t a = 0; a < ma.size(); ++a)
    for (std::size_t b = 0; b < mb.size(); ++b)
      for (std::size_t c = 0; c < mc.size(); ++c)
        if (!inside(ma[a], mb[b], mc[c])) use(index(ma[a], mb[b], mc[c]), index(ca[a], cb[b], cc[c]));
}

void MeshMargins::fold(Transport& transport, View<std::int64_t> with_margins) const {
  const View<std::uint64_t> mesh(reinterpret_cast<std::uint64_t*>(with_margins.data()), with_margins.size());
  std::vector<std::vector<std::uint64_t>> out(peers_.size()), in(peers_.size());
  std::vector<Transport::Request> sends, receives(peers_.size());
  for (std::size_t k = 0; k < peers_.size(); ++k) {
    in[k].resize(peers_[k].core.points());
    if (!in[k].empty())
      receives[k] =
          transport.post_receive(peers_[k].rank, k_fold_tag, writable_bytes_of(View<std::uint64_t>(in[k])));
  }
  for (std::size_t k = 0; k < peers_.size(); ++k) {
    for_points(peers_[k].margin, [&](std::size_t at) { out[k].push_back(mesh[at]); });
    if (!out[k].empty())
      sends.push_back(
          transport.post_send(peers_[k].rank, k_fold_tag, bytes_of(View<const std::uint64_t>(out[k]))));
  }
  for_own_images([&](std::size_t image, std::size_t own) { mesh[own] += mesh[image]; });
  clear_margins(with_margins);
  for (std::size_t k = 0; k < peers_.size(); ++k) {
    if (in[k].empty()) continue;
    transport.wait(receives[k]);
    std::size_t next = 0;
    for_points(peers_[k].core, [&](std::size_t at) { mesh[at] += in[k][next++]; });
  }
  for (const auto send : sends) transport.wait(send);
}

void MeshMargins::expand(Transport& transport, View<double> mesh) const {
  std::vector<std::vector<double>> out(peers_.size()), in(peers_.size());
  std::vector<Transport::Request> sends, receives(peers_.size());
  for (std::size_t k = 0; k < peers_.size(); ++k) {
    in[k].resize(peers_[k].margin.points());
    if (!in[k].empty())
      receives[k] =
          transport.post_receive(peers_[k].rank, k_expand_tag, writable_bytes_of(View<double>(in[k])));
  }
  for (std::size_t k = 0; k < peers_.size(); ++k) {
    for_points(peers_[k].core, [&](std::size_t at) { out[k].push_back(mesh[at]); });
    if (!out[k].empty())
      sends.push_back(
          transport.post_send(peers_[k].rank, k_expand_tag, bytes_of(View<const double>(out[k]))));
  }
  for_own_images([&](std::size_t image, std::size_t own) { mesh[image] = mesh[own]; });
  for (std::size_t k = 0; k < peers_.size(); ++k) {
    if (in[k].empty()) continue;
    transport.wait(receives[k]);
    std::size_t next = 0;
    for_points(peers_[k].margin, [&](std::size_t at) { mesh[at] = in[k][next++]; });
  }
  for (const auto send : sends) transport.wait(send);
}

template <class T>
void MeshMargins::clear_margins(View<T> with_margins) const {
  std::size_t at = 0;
  for (int a = 0; a < shape_[0]; ++a)
    for (int b = 0; b < shape_[1]; ++b)
      for (int c = 0; c < shape_[2]; ++c, ++at)
        if (!inside(a, b, c)) with_margins[at] = 0;
}

}  // namespace nanoday
