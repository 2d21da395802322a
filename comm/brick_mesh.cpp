// A mesh in bricks, one per rank: margins, sums and the transform behind one interface for the solvers.
// SPDX-License-Identifier: Apache-2.0
#include "brick_mesh.hpp"

#include "mesh_margins.hpp"
#include "pencil_fft.hpp"

#include <utility>

namespace nanoday {
namespace {

class BrickMesh final : public MeshRanks {
 public:
  BrickMesh(Transport& transport, const BrickGrid& grid, std::array<int, 3> margin,
            std::unique_ptr<BrickFft> fft)
      : transport_(transport),
        messages_(transport.split(0)),
        brick_(grid.brick(transport.rank())),
        margin_(margin),
        margins_(grid, transport.rank(), margin),
        fft_(std::move(fft)) {}

  int rank() const override { return transport_.rank(); }
  int size() const override { return transport_.size(); }
  void sum(View<std::int64_t> values) override { transport_.all_reduce_sum(values); }
  double largest(double value) override {
    transport_.all_reduce_max(View<double>(&value, 1));
    return value;
  }
  bool bricks() const override { return true; }
  MeshBrick brick() const override { return brick_; }
  std::array<int, 3> margin() const override { return margin_; }
  void fold(View<std::int64_t> with_margins) override { margins_.fold(*messages_, with_margins); }
  void expand(View<double> with_margins) override { margins_.expand(*messages_, with_margins); }
  void forward(View<std::complex<double>> brick) override { fft_->forward(brick); }
  void backward(View<std::complex<double>> brick) override { fft_->backward(brick); }

 private:
  Transport& transport_;
  std::unique_ptr<Transport> messages_;  ///< of margins, apart from others' tags
  MeshBrick brick_;
  std::array<int, 3> margin_;
  MeshMargins margins_;
  std::unique_ptr<BrickFft> fft_;
};

}  // namespace

std::unique_ptr<MeshRanks> make_reduction_mesh(Transport& transport, const DomainGrid& domains,
                                               std::array<int, 3> mesh, std::array<int, 3> margin,
                                               ReductionOptions options) {
  const BrickGrid grid = brick_grid(domains, mesh);
  auto fft = std::make_unique<ReductionFft>(grid, transport.rank(), make_rings(transport, grid), options);
  return std::make_unique<BrickMesh>(transport, grid, margin, std::move(fft));
}

std::unique_ptr<MeshRanks> make_pencil_mesh(Transport& transport, const DomainGrid& domains,
                                            std::array<int, 3> mesh, std::array<int, 3> margin) {
  const BrickGrid grid = brick_grid(domains, mesh);
  auto fft = std::make_unique<PencilFft>(grid, transport.split(0));
  return std::make_unique<BrickMesh>(transport, grid, margin, std::move(fft));
}

std::array<std::unique_ptr<RingSum>, 3> make_rings(Transport& transport, const BrickGrid& grid) {
  const auto place = grid.place[static_cast<std::size_t>(transport.rank())];
  const auto shape = grid.shape();
  const auto ring = [&](std::size_t e, std::size_t f) {  // of ranks that agree in directions e and f
    return make_ring_sum(transport.split(place[e] * shape[f] + place[f]));
  };
  auto a = ring(1, 2), b = ring(0, 2), c = ring(0, 1);
  return {std::move(a), std::move(b), std::move(c)};
}

}  // namespace nanoday
