// A mesh that every rank or every node holds all of: charges are summed over ranks.
// SPDX-License-Identifier: Apache-2.0
#include "replicated_mesh.hpp"

#include "node_mesh.hpp"

#include <stdexcept>

namespace nanoday {
namespace {

class ReplicatedMesh final : public MeshRanks {
 public:
  explicit ReplicatedMesh(Transport& transport) : transport_(transport) {}
  int rank() const override { return transport_.rank(); }
  int size() const override { return transport_.size(); }

  void sum(View<std::int64_t> values) override { transport_.all_reduce_sum(values); }
  double largest(double value) override {
    transport_.all_reduce_max({&value, 1});
    return value;
  }

  std::unique_ptr<NodeMesh> share_node(std::size_t bytes) override {
    shares_nodes_ = true;
    return make_node_mesh(transport_, bytes);
  }
  bool shares_nodes() const override { return shares_nodes_; }

  bool bricks() const override { return false; }
  MeshBrick brick() const override { no_bricks(); }
  std::array<int, 3> margin() const override { no_bricks(); }
  void fold(View<std::int64_t>) override { no_bricks(); }
  void expand(View<double>) override { no_bricks(); }
  void forward(View<std::complex<double>>) override { no_bricks(); }
  void backward(View<std::complex<double>>) override { no_bricks(); }

 private:
  [[noreturn]] static void no_bricks() {
    throw std::logic_error("a replicated mesh was asked for what only bricks have");
  }

  Transport& transport_;
  bool shares_nodes_ = false;
};

}  // namespace

std::unique_ptr<MeshRanks> make_replicated_mesh(Transport& transport) {
  return std::make_unique<ReplicatedMesh>(transport);
}

}  // namespace nanoday
