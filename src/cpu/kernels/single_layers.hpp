// The fitting net of a double model whose layers multiply part of their inputs in single precision.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/fitting.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// Product of a single part: `panels` of its forward or backward weights.
inline void single_gemm(const Array<float>& panels, int n_in, const float* x, float* z, int n_atoms) {
  gemm<float, GemmStart::zero, k_batch<double>>(panels, n_in, x, z, panels.data(), n_atoms);
}

/// Where z of a layer comes from, and which layer takes its outputs in single precision (null: none).
struct SplitLayer {
  const SinglePart* part;  ///< null: all of z is in ws.hidden
  const SinglePart* next;
};

inline SplitLayer split_layer(const PackedCentre<double>& centre, std::size_t l) {
  const auto part = [&](std::size_t k) {
    return k < centre.single.size() && centre.single[k].dense.n_in > 0 ? &centre.single[k] : nullptr;
  };
  return {part(l), part(l + 1)};
}

/// ws.missing[l] = exact z − z as it was multiplied, for layers with a single part.
inline void find_missing(const PackedCentre<double>& centre, const SinglePart& part, std::size_t l,
                         Workspace<double>& ws, int n_vectors) {
  constexpr long b = k_batch<double>;
  const bool whole = !part.typical.empty();
  const PackedDense<double>& exact = whole ? centre.layers[l] : centre.weak_exact;
  const double* x = whole ? ws.hidden[l - 1].data() : ws.weak_exact.data();
  double* const missing = ws.missing[l].data();
  gemm<double, GemmStart::row>(exact.forward, exact.n_in, x, missing, exact.bias.data(), ws.count());
  for (int o = 0; o < exact.n_out; ++o)
    for (int v = 0; v < n_vectors; ++v) {
      const long at = o * b + v * k_lanes<double>;
      const Vec<double> base = broadcast(whole ? part.base[o] : 0.0);
      store(missing + at, load(missing + at) - base - load_single(ws.single_z.data() + at));
    }
}

/// As activate_layer; z is the sum of ws.hidden[l] (or the part's base) and ws.single_z, and the next
/// layer's input goes to ws.single_x where that is in single precision.
inline void activate_split(const PackedModel<double>& model, const PackedCentre<double>& centre,
                           std::size_t l, bool want_value, Workspace<double>& ws) {
  constexpr long b = k_batch<double>;
  const SplitLayer split = split_layer(centre, l);
  const PackedDense<double>& layer = centre.layers[l];
  const bool has_base = split.part != nullptr && !split.part->typical.empty();
  double *const z = ws.hidden[l].data(), *const slope = ws.slope[l].data();
  const auto input = [&](int o, int lane) {
    const long at = o * b + lane;
    Vec<double> x = has_base ? broadcast(split.part->base[o]) : load(z + at);
    if (split.part != nullptr) x += load_single(ws.single_z.data() + at);
    return x;
  };
  const auto output = [&](int o, int lane, Vec<double> value, Vec<double> d) {
    const long at = o * b + lane;
    const double dt = layer.idt[o];
    store(slope + at, d * dt);
    if (!want_value) return;
    value *= dt;
    if (layer.residual) value += load(ws.hidden[l - 1].data() + at);
    store(z + at, value);
    if (split.next != nullptr) store_as<float>(ws.single_x.data() + at, value - split.next->typical[o]);
  };
  activate_rows<double>(model.activation, layer.n_out, ws.count(), input, output);
}

/// fitting_forward with single parts; also what they miss, where energies are wanted.
inline void split_forward(const PackedModel<double>& model, const PackedCentre<double>& centre,
                          Workspace<double>& ws, bool want_energy, int n_vectors) {
  const std::size_t n_layers = centre.layers.size();
  for (std::size_t l = 0; l < n_layers; ++l) {
    const PackedDense<double>& layer = centre.layers[l];
    const SinglePart* const part = split_layer(centre, l).part;
    if (part == nullptr || part->typical.empty())
      gemm<double, GemmStart::row>(layer.forward, layer.n_in,
                                   l == 0 ? ws.features.data() : ws.hidden[l - 1].data(), ws.hidden[l].data(),
                                   layer.bias.data(), ws.count());
    if (part != nullptr) {
      single_gemm(part->dense.forward, part->dense.n_in, l == 0 ? ws.weak.data() : ws.single_x.data(),
                  ws.single_z.data(), ws.count());
      if (want_energy) find_missing(centre, *part, l, ws, n_vectors);
    }
    activate_split(model, centre, l, want_energy || l + 1 < n_layers, ws);
  }
}

/// ∂E/∂z of layer l from ∂E/∂h in ws.grad0, to which the layer behind adds ws.single_z where it has a single
/// part. In double to ws.grad1, in single to ws.single_x, whoever reads it; Σ ∂E/∂z · missing z to `energy`
/// (null: not wanted).
inline void split_slope(const PackedCentre<double>& centre, std::size_t l, Workspace<double>& ws,
                        Vec<double>* energy, int n_vectors) {
  constexpr long b = k_batch<double>;
  const SplitLayer split = split_layer(centre, l);
  const bool arrives = split.next != nullptr;
  const bool keeps = !arrives || centre.layers[l + 1].residual;
  const bool in_double = l == 0 || split.part == nullptr;
  double *const dh = ws.grad0.data(), *const dz = ws.grad1.data();
  const double *const slope = ws.slope[l].data(), *const missing =
                                                      energy != nullptr ? ws.missing[l].data() : nullptr;
  float* const single_x = ws.single_x.data();
  for (int o = 0; o < centre.layers[l].n_out; ++o)
    for (int v = 0; v < n_vectors; ++v) {
      const long at = o * b + v * k_lanes<double>;
      Vec<double> g = keeps ? load(dh + at) : Vec<double>{};
      if (arrives) {
        g += load_single(ws.single_z.data() + at);
        store(dh + at, g);
      }
      g *= load(slope + at);
      if (in_double) store(dz + at, g);
      if (split.part == nullptr) continue;
      store_as<float>(single_x + at, g);
      if (missing != nullptr) energy[v] += g * load(missing + at);
    }
}

/// fitting_backward with single parts, to ∂E/∂S in ws.features and ws.weak. Where `atom_energy` is given,
/// Σ ∂E/∂z · missing z is added: the energies are then those of double products to second order in what is
/// missing (some 1e-15 eV).
inline void split_backward(const PackedCentre<double>& centre, Workspace<double>& ws, double* atom_energy,
                           int n_vectors) {
  constexpr int lanes = k_lanes<double>;
  Vec<double> energy[k_batch<double> / lanes] = {};
  double *const dh = ws.grad0.data(), *const dz = ws.grad1.data();
  for (std::size_t l = centre.layers.size(); l-- > 0;) {
    const PackedDense<double>& layer = centre.layers[l];
    const SinglePart* const part = split_layer(centre, l).part;
    split_slope(centre, l, ws, atom_energy != nullptr ? energy : nullptr, n_vectors);
    if (part != nullptr)
      single_gemm(part->dense.backward, part->dense.n_out, ws.single_x.data(),
                  l == 0 ? ws.weak.data() : ws.single_z.data(), ws.count());
    if (l == 0)
      gemm<double, GemmStart::zero>(layer.backward, layer.n_out, dz, ws.features.data(), layer.bias.data(),
                                    ws.count());
    else if (part == nullptr && layer.residual)
      gemm<double, GemmStart::output>(layer.backward, layer.n_out, dz, dh, layer.bias.data(), ws.count());
    else if (part == nullptr)
      gemm<double, GemmStart::zero>(layer.backward, layer.n_out, dz, dh, layer.bias.data(), ws.count());
  }
  if (atom_energy == nullptr) return;
  for (std::size_t i = 0; i < ws.atoms.size(); ++i) atom_energy[ws.atoms[i]] += energy[i / lanes][i % lanes];
}

/// Forward through whichever form the model has.
template <class Real>
void net_forward(const PackedModel<Real>& model, const PackedCentre<Real>& centre, Workspace<Real>& ws,
                 bool want_last, int n_vectors) {
  if constexpr (std::is_same_v<Real, double>)
    if (!centre.single.empty()) return split_forward(model, centre, ws, want_last, n_vectors);
  fitting_forward(model, centre, ws, want_last, n_vectors);
}

/// Backward through whichever form the model has; energies are corrected on the way where they are given.
template <class Real>
void net_backward(const PackedCentre<Real>& centre, Workspace<Real>& ws, double* atom_energy, int n_vectors) {
  if constexpr (std::is_same_v<Real, double>)
    if (!centre.single.empty()) return split_backward(centre, ws, atom_energy, n_vectors);
  fitting_backward(centre, ws, n_vectors);
}

}  // namespace nanoday::cpu::NANODAY_ISA
