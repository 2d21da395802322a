// The fitting net of a batch: forward, and back to the gradient of its input. Lanes run over atoms.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/activate_rows.hpp"
#include "cpu/kernels/descriptor.hpp"
#include "cpu/kernels/gemm.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// z → slope[l] = idt·φ'(z) and, where the next layer or the energy reads it, hidden[l] = idt·φ(z) (+
/// previous).
template <class Real>
void activate_layer(const PackedModel<Real>& model, const PackedDense<Real>& layer, Real* z, Real* slope,
                    const Real* previous, bool want_value, int n_atoms) {
  constexpr long b = k_batch<Real>;
  const auto input = [&](int o, int lane) { return load(z + o * b + lane); };
  activate_rows<Real>(model.activation, layer.out_padded, n_atoms, input,
                      [&](int o, int lane, Vec<Real> value, Vec<Real> d) {
                        const long at = o * b + lane;
                        const Real dt = layer.idt[o];
                        store(slope + at, d * dt);
                        if (!want_value) return;
                        value *= dt;
                        if (layer.residual) value += load(previous + at);
                        store(z + at, value);
                      });
}

/// Adds the faint products' share of the first layer to z.
inline void faint_forward(const PairedDense& layer, Workspace<float>& ws, int n_vectors) {
  gemm_pairs<GemmStart::output>(layer.forward, layer.unit, layer.out_padded, ws.pairs.data(),
                                ws.hidden[0].data(), n_vectors);
}

/// ∂E/∂S of the faint products, behind the others in ws.features, from ∂E/∂z of the first layer.
inline void faint_backward(const PackedCentre<float>& centre, const float* dz, Workspace<float>& ws,
                           int n_vectors) {
  constexpr long b = k_batch<float>;
  const PairedDense& layer = centre.faint;
  for (int o = 0; o < layer.n_out; o += 2)
    for (int v = 0; v < n_vectors; ++v) {
      const long lane = v * k_lanes<float>;
      const Vec<float> odd = o + 1 < layer.n_out ? load(dz + (o + 1) * b + lane) : Vec<float>{};
      store_pairs(ws.pairs.data() + o / 2 * b + lane, load(dz + o * b + lane), odd);
    }
  gemm_pairs<GemmStart::zero>(layer.backward, layer.unit, layer.in_padded, ws.pairs.data(),
                              ws.features.data() + centre.n_single * b, n_vectors);
}

/// Hidden layers forward from ws.features; the last layer's outputs only if `want_last`.
template <class Real>
void fitting_forward(const PackedModel<Real>& model, const PackedCentre<Real>& centre, Workspace<Real>& ws,
                     bool want_last, int n_vectors) {
  const Real* in = ws.features.data();
  for (std::size_t l = 0; l < centre.layers.size(); ++l) {
    const PackedDense<Real>& layer = centre.layers[l];
    gemm<Real, GemmStart::row>(layer.forward, layer.n_in, in, ws.hidden[l].data(), layer.bias.data(),
                               ws.count());
    if constexpr (std::is_same_v<Real, float>)
      if (l == 0 && centre.faint.n_in > 0) faint_forward(centre.faint, ws, n_vectors);
    activate_layer(model, layer, ws.hidden[l].data(), ws.slope[l].data(),
                   l > 0 ? ws.hidden[l - 1].data() : nullptr, want_last || l + 1 < centre.layers.size(),
                   ws.count());
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

/// From ∂E/∂h of the last layer (in ws.grad0, overwritten) to ∂E/∂S in ws.features.
template <class Real>
void fitting_backward(const PackedCentre<Real>& centre, Workspace<Real>& ws, int n_vectors) {
  Real* const dh = ws.grad0.data();
  Real* const dz = ws.grad1.data();
  for (std::size_t l = centre.layers.size() - 1; l > 0; --l) {
    const PackedDense<Real>& layer = centre.layers[l];
    multiply(ws.slope[l].data(), dh, dz, layer.n_out, n_vectors);
    if (layer.residual)  // what passes the layer unchanged is in place already
      gemm<Real, GemmStart::output>(layer.backward, layer.n_out, dz, dh, layer.bias.data(), ws.count());
    else
      gemm<Real, GemmStart::zero>(layer.backward, layer.n_out, dz, dh, layer.bias.data(), ws.count());
  }
  const PackedDense<Real>& first = centre.layers[0];
  multiply(ws.slope[0].data(), dh, dz, first.n_out, n_vectors);
  gemm<Real, GemmStart::zero>(first.backward, first.n_out, dz, ws.features.data(), first.bias.data(),
                              ws.count());
  if constexpr (std::is_same_v<Real, float>)
    if (centre.faint.n_in > 0) faint_backward(centre, dz, ws, n_vectors);
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
