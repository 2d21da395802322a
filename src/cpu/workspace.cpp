// Growth of a thread's scratch memory, and other rare work, compiled for the baseline machine.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/workspace.hpp"

#include "math/activation.hpp"

#include <algorithm>

namespace nanoday::cpu {

template <class Real>
void NeighborBlock<Real>::grow(std::int64_t n) {
  const std::size_t size = static_cast<std::size_t>(n + n / 2 + 64);
  index.resize(size);
  for (auto* a : {&dx, &dy, &dz, &radial, &angular, &isotropic}) a->resize(size);
  for (auto& r : row) r.resize(size);
  t.resize(size);
  piece.resize(size);
}

template <class Real>
void NeighborBlock<Real>::grow_segment(std::int64_t n) {
  const std::size_t size = static_cast<std::size_t>(n + n / 2 + 64);
  for (auto* a : {&r2, &s}) a->resize(size);
  g.resize(4 * size);
  d_row.resize(4 * size);
}

template <class Real>
void SpecialPieces<Real>::next_block(std::size_t size) {
  constexpr std::size_t k_block = 1 << 18;
  if (block_ == blocks_.size()) blocks_.emplace_back(std::max(k_block, size));
  if (blocks_[block_].size() < size) blocks_[block_].resize(size);
  base_ = blocks_[block_].data();
  room_ = blocks_[block_].size();
  used_ = 0;
  ++block_;
}

template <class Real>
void Workspace<Real>::resize(const PackedModel<Real>& model) {
  constexpr std::size_t b = k_batch<Real>;
  const auto grow = [](auto& x, std::size_t n) {
    if (x.size() < n) x.resize(n);
  };
  const std::size_t columns = static_cast<std::size_t>(model.max_columns);
  const std::size_t rotated_size = 4 * static_cast<std::size_t>(model.max_rotated) * b;
  const std::size_t width = static_cast<std::size_t>(model.max_width) * b;
  grow(a, 4 * columns * b);
  grow(rotated, rotated_size);
  grow(d_rotated, rotated_size);
  grow(features, static_cast<std::size_t>(model.max_features) * b);
  grow(weak, static_cast<std::size_t>(model.max_weak) * b);
  grow(weak_exact, static_cast<std::size_t>(model.max_weak) * b);
  if (model.max_faint > 0)
    grow(pairs, b * static_cast<std::size_t>(std::max(model.max_faint, model.max_width)) / 2);
  grow(staging, 16 * 4 * columns);
  grow(vectors, 2 * (columns + k_panel) * b);
  grow(grad0, width);
  grow(grad1, width);
  const std::size_t layers = static_cast<std::size_t>(model.max_layers);
  if (hidden.size() < layers) hidden.resize(layers), slope.resize(layers);
  if (model.any_single) {
    grow(single_x, width);
    grow(single_z, width);
    if (missing.size() < layers) missing.resize(layers);
    for (auto& m : missing) grow(m, width);
  }
  for (auto& h : hidden) grow(h, width);
  for (auto& s : slope) grow(s, width);
  const std::size_t segments = static_cast<std::size_t>(k_batch<Real>) * model.n_types;
  if (neighbors.first.size() < segments) neighbors.first.resize(segments), neighbors.count.resize(segments);
  atoms.reserve(k_batch<Real>);
}

template <class Real>
void Workspace<Real>::hand_over(std::int32_t atom) {
  outside.push_back(atom);
}

template <class Real>
void Workspace<Real>::shrink(int n) {
  atoms.resize(static_cast<std::size_t>(n));
}

template <class Real>
void keep_nearest(const Vec4* position, Vec4 centre, int sel, std::int64_t first, int count,
                  Workspace<Real>& ws) {
  NeighborBlock<Real>& n = ws.neighbors;
  ws.distance.resize(count);
  ws.order.resize(count);
  for (int k = 0; k < count; ++k) {
    const Vec4& p = position[n.index[first + k]];
    const float x = static_cast<float>(p.x) - static_cast<float>(centre.x);
    const float y = static_cast<float>(p.y) - static_cast<float>(centre.y);
    const float z = static_cast<float>(p.z) - static_cast<float>(centre.z);
    ws.distance[k] = x * x + y * y + z * z;
    ws.order[k] = k;
  }
  const auto nearer = [&](std::int32_t i, std::int32_t j) {
    return ws.distance[i] != ws.distance[j] ? ws.distance[i] < ws.distance[j] : i < j;
  };
  std::nth_element(ws.order.begin(), ws.order.begin() + sel, ws.order.end(), nearer);
  std::sort(ws.order.begin(), ws.order.begin() + sel);
  for (int k = 0; k < sel; ++k) {  // ascending places: moving down never overwrites what is still needed
    const std::int64_t from = first + ws.order[k], to = first + k;
    n.index[to] = n.index[from];
    n.dx[to] = n.dx[from];
    n.dy[to] = n.dy[from];
    n.dz[to] = n.dz[from];
    n.r2[k] = n.r2[ws.order[k]];
  }
}

void activate_lane(Activation kind, double x, double& value, double& slope) {
  const ActivationValue f = activate(kind, x);
  value = f.value;
  slope = f.slope;
}

template struct NeighborBlock<double>;
template struct NeighborBlock<float>;
template class SpecialPieces<double>;
template class SpecialPieces<float>;
template struct Workspace<double>;
template struct Workspace<float>;
template void keep_nearest(const Vec4*, Vec4, int, std::int64_t, int, Workspace<double>&);
template void keep_nearest(const Vec4*, Vec4, int, std::int64_t, int, Workspace<float>&);

}  // namespace nanoday::cpu
