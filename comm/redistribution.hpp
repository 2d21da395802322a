// Moves the points of a mesh from one distribution over ranks to another.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "brick_grid.hpp"
#include "transport.hpp"

#include <complex>
#include <cstdint>
#include <functional>
#include <vector>

namespace nanoday {

using MeshPoint = std::array<int, 3>;

/// Which rank holds a point of the mesh, and where in its array.
class MeshDistribution {
 public:
  virtual ~MeshDistribution() = default;
  virtual int owner(MeshPoint point) const = 0;
  /// \pre `rank` owns the point
  virtual std::size_t index(int rank, MeshPoint point) const = 0;
  /// All points of a rank, each once, in any order.
  virtual void for_points(int rank, const std::function<void(MeshPoint)>& use) const = 0;
  /// Length of a rank's array; elements that are no point stay as they are.
  virtual std::size_t size(int rank) const = 0;
};

/// Bricks, c fastest.
class BrickDistribution final : public MeshDistribution {
 public:
  explicit BrickDistribution(const BrickGrid& grid) : grid_(grid) {}
  int owner(MeshPoint point) const override;
  std::size_t index(int rank, MeshPoint point) const override;
  void for_points(int rank, const std::function<void(MeshPoint)>& use) const override;
  std::size_t size(int rank) const override { return grid_.brick(rank).points(); }

 private:
  BrickGrid grid_;
};

/// Whole lines along one direction, in bundles of k_bundle neighboring lines that stay together whatever the
/// number of ranks; (bundles, N, k_bundle), the last bundle padded.
class PencilDistribution final : public MeshDistribution {
 public:
  static constexpr int k_bundle = 8;
  PencilDistribution(std::array<int, 3> mesh, std::size_t along, int n_ranks)
      : mesh_(mesh), along_(along), n_ranks_(n_ranks) {}
  int owner(MeshPoint point) const override;
  std::size_t index(int rank, MeshPoint point) const override;
  void for_points(int rank, const std::function<void(MeshPoint)>& use) const override;
  std::size_t size(int rank) const override;
  std::int64_t bundles(int rank) const { return first_bundle(rank + 1) - first_bundle(rank); }

 private:
  std::int64_t lines() const;
  std::int64_t line(MeshPoint point) const;
  std::int64_t first_bundle(int rank) const;

  std::array<int, 3> mesh_;
  std::size_t along_;
  int n_ranks_;
};

/// One rank's plan; every rank makes its own, nothing is communicated for it. Messages only between ranks
/// that share points, one per pair.
class Redistribution {
 public:
  Redistribution(const MeshDistribution& from, const MeshDistribution& to, std::array<int, 3> mesh, int rank,
                 int n_ranks);
  /// Collective. \param in by `from` \param out by `to`, another array
  void run(Transport& transport, View<const std::complex<double>> in, View<std::complex<double>> out);

 private:
  struct Peer {
    int rank;
    std::vector<std::int32_t>
        here;  ///< places in this rank's array, in the order of the points' mesh indices
    std::vector<std::complex<double>> values;
  };
  static std::vector<Peer> peers(const MeshDistribution& mine, const MeshDistribution& theirs,
                                 std::array<int, 3> mesh, int rank, int n_ranks);

  int rank_;
  std::vector<Peer> sends_, receives_;  ///< by rank; the own one too
};

}  // namespace nanoday
