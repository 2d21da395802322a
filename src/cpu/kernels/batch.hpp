// One batch of atoms of one type, from positions to forces; every stage stays in the thread's own cache.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/descriptor.hpp"
#include "cpu/kernels/environment.hpp"
#include "cpu/kernels/fitting.hpp"
#include "cpu/kernels/gradient.hpp"
#include "cpu/kernels/single_layers.hpp"

#include <time.h>

namespace nanoday::cpu::NANODAY_ISA {

NANODAY_INLINE double clock_seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Environment of every atom; those that must go to the exact plan leave the batch.
template <class Real>
void batch_environment(const PackedModel<Real>& model, const BatchArgs& args, Workspace<Real>& ws,
                       BatchCounts& counts) {
  std::int64_t used = 0;
  ws.special.clear();
  std::int32_t* atoms = ws.atoms.data();
  int kept = 0;
  const int n = static_cast<int>(ws.atoms.size());
  for (int i = 0; i < n; ++i) {
    atoms[kept] = atoms[i];
    kept += build_environment(model, args, kept, used, ws, counts);
  }
  ws.shrink(kept);
}

/// Dipole models: y = output layer on columns of a; μ_α = Σ_p y_p a[1+α, p] (spec 2.10).
template <class Real>
void batch_dipole(const PackedCentre<Real>& centre, const BatchArgs& args, Workspace<Real>& ws) {
  constexpr long b = k_batch<Real>;
  const PackedDense<Real>& out = centre.vector_output;
  gemm<Real, GemmStart::row>(out.forward, out.n_in, ws.hidden[centre.layers.size() - 1].data(),
                             ws.vectors.data(), out.bias.data(), ws.count());
  if (args.dipole == nullptr) return;
  for (std::size_t i = 0; i < ws.atoms.size(); ++i) {
    double mu[3] = {0, 0, 0};
    for (int p = 0; p < centre.n_columns; ++p) {
      const double y = ws.vectors[p * b + i];
      for (int k = 0; k < 3; ++k)
        mu[k] += y * static_cast<double>(ws.a[((1 + k) * centre.n_columns + p) * b + i]);
    }
    args.dipole[ws.atoms[i]] = {mu[0], mu[1], mu[2], 0};
  }
}

/// ∂/∂h of Σ c·μ into ws.grad0; the part through a itself is left for add_direct_gradient.
template <class Real>
void dipole_seed(const PackedCentre<Real>& centre, const BatchArgs& args, Workspace<Real>& ws,
                 int n_vectors) {
  constexpr long b = k_batch<Real>;
  Real* dy = ws.vectors.data() + (centre.n_columns + k_panel) * b;
  for (int p = 0; p < centre.n_columns; ++p)
    for (int i = 0; i < n_vectors * k_lanes<Real>; ++i) {
      Real sum = 0;
      if (i < static_cast<int>(ws.atoms.size())) {
        const Vec4& c = args.cotangent[ws.atoms[i]];
        const Real* a = ws.a.data() + p * b + i;
        const long row = centre.n_columns * b;
        sum = static_cast<Real>(c.x) * a[row] + static_cast<Real>(c.y) * a[2 * row] +
              static_cast<Real>(c.z) * a[3 * row];
      }
      dy[p * b + i] = sum;
    }
  const PackedDense<Real>& out = centre.vector_output;
  gemm<Real, GemmStart::zero>(out.backward, out.n_out, dy, ws.grad0.data(), out.bias.data(), ws.count());
}

/// ∂(Σ c·μ)/∂a[1+α, p] += c_α y_p.
template <class Real>
void add_direct_gradient(const PackedCentre<Real>& centre, const BatchArgs& args, Workspace<Real>& ws) {
  constexpr long b = k_batch<Real>;
  for (int p = 0; p < centre.n_columns; ++p)
    for (std::size_t i = 0; i < ws.atoms.size(); ++i) {
      const Vec4& c = args.cotangent[ws.atoms[i]];
      const Real y = ws.vectors[p * b + i];
      Real* a = ws.a.data() + p * b + i;
      const long row = centre.n_columns * b;
      a[row] += static_cast<Real>(c.x) * y;
      a[2 * row] += static_cast<Real>(c.y) * y;
      a[3 * row] += static_cast<Real>(c.z) * y;
    }
}

/// ∂E/∂S in ws.features back to ∂E/∂a in ws.a.
template <class Real>
void descriptor_backward(const PackedCentre<Real>& centre, const Real* a, int rows, Workspace<Real>& ws,
                         int n_vectors) {
  constexpr long b = k_batch<Real>;
  std::memset(ws.d_rotated.data(), 0, sizeof(Real) * 4 * rows * b);
  pair_features_gradient(centre, a, rows, ws, ws.d_rotated.data(), n_vectors);
  const PackedDense<Real>& rotation = centre.rotation;
  if (rotation.n_in == 0) {
    std::memcpy(ws.a.data(), ws.d_rotated.data(), sizeof(Real) * 4 * rows * b);
    return;
  }
  for (int c = 0; c < 4; ++c)
    gemm<Real, GemmStart::zero>(rotation.backward, rotation.n_out, ws.d_rotated.data() + c * rows * b,
                                ws.a.data() + static_cast<long>(c) * centre.n_columns * b,
                                rotation.bias.data(), ws.count());
}

/// Everything for one batch; see BatchKernel.
template <class Real>
void evaluate_batch(const PackedModel<Real>& model, const BatchArgs& args, Workspace<Real>& ws,
                    BatchCounts& counts) {
  const PackedCentre<Real>& centre = model.centres[args.centre_type];
  const bool energy_model = centre.vector_output.n_in == 0;
  const double t0 = clock_seconds();
  batch_environment(model, args, ws, counts);
  const int n_vectors = (ws.count() + k_lanes<Real> - 1) / k_lanes<Real>;
  const double t1 = clock_seconds();
  ws.times.environment += t1 - t0;
  if (n_vectors == 0) return;
  batch_descriptor(model, centre, ws);
  const int rows = centre.rotation.n_in == 0 ? centre.n_columns : centre.rotation.out_padded;
  const Real* a = rotate(centre, ws);
  const bool want_energy = energy_model && args.atom_energy != nullptr;
  pair_features(centre, a, rows, want_energy, ws, n_vectors);
  const double t2 = clock_seconds();
  net_forward(model, centre, ws, want_energy || !energy_model, n_vectors);
  if (want_energy) batch_energy(centre, ws, args.atom_energy);
  if (!energy_model) batch_dipole(centre, args, ws);
  if (args.want_forces) {
    if (energy_model)
      energy_seed(centre, ws, n_vectors);
    else
      dipole_seed(centre, args, ws, n_vectors);
    net_backward(centre, ws, want_energy ? args.atom_energy : nullptr, n_vectors);
  }
  const double t3 = clock_seconds();
  double t4 = t3;
  if (args.want_forces) {
    descriptor_backward(centre, a, rows, ws, n_vectors);
    if (!energy_model) add_direct_gradient(centre, args, ws);
    t4 = clock_seconds();
    batch_gradient(model, args, ws, counts);
  }
  ws.times.descriptor += t2 - t1 + t4 - t3;
  ws.times.fitting += t3 - t2;
  ws.times.gradient += clock_seconds() - t4;
}

/// Multiply-adds per second of one core on a 240 × 240 layer, the shape that dominates a step.
template <class Real>
double measure_gemm() {
  constexpr int width = 240, repeats = 400;
  static const Real w[width * width] = {}, x[width * k_batch<Real>] = {};  // shared by all threads, only read
  alignas(64) static thread_local Real z[width * k_batch<Real>];
  double best = 0;
  for (int trial = 0; trial < 5; ++trial) {
    const double start = clock_seconds();
    for (int r = 0; r < repeats; ++r)
      gemm<Real, GemmStart::zero>(w, width / k_panel, width, x, z, w, 3 * k_lanes<Real>);
    const double rate = 1.0 * repeats * width * width * 3 * k_lanes<Real> / (clock_seconds() - start);
    best = rate > best ? rate : best;
  }
  return best;
}

inline double peak_fma(bool single_precision) {
  return single_precision ? measure_gemm<float>() : measure_gemm<double>();
}

}  // namespace nanoday::cpu::NANODAY_ISA
