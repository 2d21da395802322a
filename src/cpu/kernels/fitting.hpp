// The fitting net of a batch: forward, and back to the gradient of its input. Lanes run over atoms.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/descriptor.hpp"
#include "cpu/kernels/embedding_net.hpp"
#include "cpu/kernels/gemm.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// z → slope[l] = idt·φ'(z) and, where the next layer or the energy reads it, hidden[l] = idt·φ(z) (+
/// previous).
template <class Real>
void activate_layer(const PackedModel<Real>& model, const PackedDense<Real>& layer, Real* z, Real* slope,
                    const Real* previous, bool want_value, int n_vectors) {
  constexpr long b = k_batch<Real>;
  for (int o = 0; o < layer.out_padded; ++o) {
    const Real dt = layer.idt[o];
    for (int v = 0; v < n_vectors; ++v) {
      const long at = o * b + v * k_lanes<Real>;
      Vec<Real> value, d;
      activate_lanes<Real>(model.activation, load(z + at), value, d);
      store(slope + at, d * dt);
      if (!want_value) continue;
      value *= dt;
      if (layer.residual) value += load(previous + at);
      store(z + at, value);
    }
  }
}

/// Vectors of float that cover n_vectors vectors of double.
inline constexpr int single_vectors(int n_vectors) { return (n_vectors + 1) / 2; }

/// Adds the weak products' share of the first layer to z; multiplied in single precision.
inline void add_weak_products(const PackedDense<float>& layer, Workspace<double>& ws, int n_vectors) {
  constexpr int b = k_batch<double>;
  gemm<float, GemmStart::zero, b>(layer.forward, layer.n_in, ws.weak.data(), ws.weak_z.data(),
                                  layer.bias.data(), single_vectors(n_vectors));
  for (int o = 0; o < layer.n_out; ++o)
    for (int v = 0; v < n_vectors; ++v) {
      const long at = static_cast<long>(o) * b + v * k_lanes<double>;
      store(ws.hidden[0].data() + at, load(ws.hidden[0].data() + at) + load_single(ws.weak_z.data() + at));
    }
}

/// ∂E/∂S of the weak products from ∂E/∂z of the first layer.
inline void weak_products_backward(const PackedDense<float>& layer, const double* dz, Workspace<double>& ws,
                                   int n_vectors) {
  constexpr int b = k_batch<double>;
  for (int o = 0; o < layer.n_out; ++o)
    for (int v = 0; v < n_vectors; ++v) {
      const long at = static_cast<long>(o) * b + v * k_lanes<double>;
      store_as<float>(ws.weak_z.data() + at, load(dz + at));
    }
  gemm<float, GemmStart::zero, b>(layer.backward, layer.n_out, ws.weak_z.data(), ws.weak.data(),
                                  layer.bias.data(), single_vectors(n_vectors));
}

/// Adds Σ_o ∂E/∂z_o δz_o to the energies, δz being what single precision took from z of the first layer: the
/// energies are then those of double products to second order in δz (some 1e-15 eV), at the cost of one
/// product. `free` is overwritten.
inline void correct_energy(const PackedCentre<double>& centre, const double* dz, double* free,
                           Workspace<double>& ws, double* atom_energy, int n_vectors) {
  constexpr int b = k_batch<double>;
  const PackedDense<double>& layer = centre.weak_exact;
  gemm<double, GemmStart::zero>(layer.forward, layer.n_in, ws.weak_exact.data(), free, layer.bias.data(),
                                n_vectors);
  Vec<double> sum[b / k_lanes<double>] = {};
  for (int o = 0; o < layer.n_out; ++o)
    for (int v = 0; v < n_vectors; ++v) {
      const long at = static_cast<long>(o) * b + v * k_lanes<double>;
      sum[v] += load(dz + at) * (load(free + at) - load_single(ws.weak_z.data() + at));
    }
  for (std::size_t i = 0; i < ws.atoms.size(); ++i)
    atom_energy[ws.atoms[i]] += sum[i / k_lanes<double>][i % k_lanes<double>];
}

/// Hidden layers forward from ws.features and ws.weak; the last layer's outputs only if `want_last`.
template <class Real>
void fitting_forward(const PackedModel<Real>& model, const PackedCentre<Real>& centre, Workspace<Real>& ws,
                     bool want_last, int n_vectors) {
  const Real* in = ws.features.data();
  for (std::size_t l = 0; l < centre.layers.size(); ++l) {
    const PackedDense<Real>& layer = centre.layers[l];
    gemm<Real, GemmStart::row>(layer.forward, layer.n_in, in, ws.hidden[l].data(), layer.bias.data(),
                               n_vectors);
    if constexpr (std::is_same_v<Real, double>)
      if (l == 0 && centre.weak_first.n_in > 0) add_weak_products(centre.weak_first, ws, n_vectors);
    activate_layer(model, layer, ws.hidden[l].data(), ws.slope[l].data(),
                   l > 0 ? ws.hidden[l - 1].data() : nullptr, want_last || l + 1 < centre.layers.size(),
                   n_vectors);
    in = ws.hidden[l].data();
  }
}

/// E_i of every atom of the batch, summed in double.
template <class Real>
void batch_energy(const PackedCentre<Real>& centre, const Workspace<Real>& ws, double* atom_energy) {
  const Real* h = ws.hidden[centre.layers.size() - 1].data();
  const int n_atoms = static_cast<int>(ws.atoms.size());
  double e[k_batch<Real>] = {};
  for (int m = 0; m < centre.layers.back().n_out; ++m)
    for (int i = 0; i < n_atoms; ++i)
      e[i] += static_cast<double>(h[static_cast<long>(m) * k_batch<Real> + i]) *
              static_cast<double>(centre.output[m]);
  for (int i = 0; i < n_atoms; ++i)
    atom_energy[ws.atoms[i]] = (e[i] + centre.output_bias) * centre.energy_scale + centre.energy_shift;
}

/// out = x ∘ factor.
template <class Real>
void multiply(const Real* factor, const Real* x, Real* out, int rows, int n_vectors) {
  constexpr long b = k_batch<Real>;
  for (int o = 0; o < rows; ++o)
    for (int v = 0; v < n_vectors; ++v) {
      const long at = o * b + v * k_lanes<Real>;
      store(out + at, load(x + at) * load(factor + at));
    }
}

/// From ∂E/∂h of the last layer (in ws.grad0, overwritten) to ∂E/∂S in ws.features and ws.weak. Where
/// `atom_energy` is given, the batch's energies are corrected on the way.
template <class Real>
void fitting_backward(const PackedCentre<Real>& centre, Workspace<Real>& ws, double* atom_energy,
                      int n_vectors) {
  Real* const dh = ws.grad0.data();
  Real* const dz = ws.grad1.data();
  for (std::size_t l = centre.layers.size() - 1; l > 0; --l) {
    const PackedDense<Real>& layer = centre.layers[l];
    multiply(ws.slope[l].data(), dh, dz, layer.n_out, n_vectors);
    if (layer.residual)  // what passes the layer unchanged is in place already
      gemm<Real, GemmStart::output>(layer.backward, layer.n_out, dz, dh, layer.bias.data(), n_vectors);
    else
      gemm<Real, GemmStart::zero>(layer.backward, layer.n_out, dz, dh, layer.bias.data(), n_vectors);
  }
  const PackedDense<Real>& first = centre.layers[0];
  multiply(ws.slope[0].data(), dh, dz, first.n_out, n_vectors);
  if constexpr (std::is_same_v<Real, double>)
    if (centre.weak_first.n_in > 0) {
      if (atom_energy != nullptr) correct_energy(centre, dz, dh, ws, atom_energy, n_vectors);
      weak_products_backward(centre.weak_first, dz, ws, n_vectors);
    }
  gemm<Real, GemmStart::zero>(first.backward, first.n_out, dz, ws.features.data(), first.bias.data(),
                              n_vectors);
}

/// ∂E/∂h of the last layer of an energy net: the output weights, the same for every atom.
template <class Real>
void energy_seed(const PackedCentre<Real>& centre, Workspace<Real>& ws, int n_vectors) {
  const Real scale = static_cast<Real>(centre.energy_scale);
  for (int o = 0; o < centre.layers.back().out_padded; ++o)
    for (int v = 0; v < n_vectors; ++v)
      store(ws.grad0.data() + o * static_cast<long>(k_batch<Real>) + v * k_lanes<Real>,
            broadcast(centre.output[o] * scale));
}

}  // namespace nanoday::cpu::NANODAY_ISA
