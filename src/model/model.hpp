// What a trained Deep Potential model is, whatever file it came from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"
#include "math/activation.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nanoday {

enum class ModelKind { energy, dipole };

/// Name as DeePMD-kit writes it ("tanh", "gelu", …).
std::string_view activation_name(Activation activation);
/// Inverse of activation_name (also "gelu_tf", "none"); throws InputError for an unknown one.
Activation parse_activation(std::string_view name);

/// One dense layer: h = φ(x·weight + bias) ∘ idt. Row-major weight, one row per input.
struct DenseLayer {
  int n_in = 0, n_out = 0;
  std::vector<double> weight;  ///< (n_in, n_out)
  std::vector<double> bias;    ///< (n_out)
  std::vector<double> idt;     ///< (n_out), empty when the layer has none
};

/// Embedding net G: s̃ → (M1). Shortcut rule (spec 2.4): n_L = n_{L−1}: y = h + x; n_L = 2 n_{L−1}:
/// y = h + (x, x); otherwise y = h and idt is unused. idt acts only in the two shortcut cases.
struct EmbeddingNet {
  Activation activation = Activation::tanh;
  std::vector<DenseLayer> layers;
  bool empty() const { return layers.empty(); }
};

/// Table of a compressed model (spec 3): rows of fifth-order pieces for M1 outputs.
struct CompressedTable {
  double lower = 0, upper = 0, max = 0, stride0 = 0, stride1 = 0;
  int n_rows = 0;
  int n_outputs = 0;
  std::vector<double> coefficients;  ///< (n_rows, n_outputs, 6), as stored in the file
  bool empty() const { return coefficients.empty(); }
};

/// Fitting net of one centre type: hidden layers with shortcut y = x + h iff l ≥ 1 and n_l = n_{l−1}
/// (graph convention, spec 2.6; idt acts on h), then a linear output layer.
struct FittingNet {
  Activation activation = Activation::tanh;
  std::vector<DenseLayer> layers;  ///< hidden layers
  DenseLayer output;               ///< (n_last, 1) for energy; (n_last, M1) for dipole
  bool empty() const { return output.weight.empty(); }
};

struct Model;

/// Long-range part of a DPLR model (spec dplr.md 1): charges of ions and Wannier centroids.
struct DipoleCharge {
  std::vector<double> ion_charge;        ///< (nt) [e]
  std::vector<double> wannier_charge;    ///< (nt) [e]; 0 where the type carries no centroid
  double beta = 0;                       ///< as written in the file [1/Å]
  double spacing = 0;                    ///< cut of the training sum, as written in the file [Å]
  std::shared_ptr<const Model> wannier;  ///< ModelKind::dipole; its types are those of the energy model
};

/// A Deep Potential model with the se_e2_a descriptor. `nt` = number of types.
struct Model {
  std::string source;  ///< file name, for messages
  std::string hash;    ///< 64-bit FNV-1a of the file's bytes, 16 hex digits
  ModelKind kind = ModelKind::energy;
  std::vector<std::string> type_map;  ///< (nt) element names; "" when the file names none
  bool float32 = false;               ///< nets stored in single precision
  bool compressed = false;

  double rcut = 0, rcut_smth = 0;  ///< [Å], already rounded as the file says
  double switch_width = 0;         ///< r_c − r_s as the file's program forms it (float32 in .pb) [Å]
  std::vector<int> sel;            ///< (nt) neighbor capacity per type
  int normaliser = 0;              ///< N of spec 2.4: Σ original_sel
  std::vector<std::array<double, 4>> avg,
      std;                   ///< (nt) shift and scale of the environment matrix per centre type
  double min_nbor_dist = 0;  ///< smallest distance in the training data [Å], 0 when unknown

  bool one_sided = false;               ///< embedding nets depend on the neighbor type only
  int m1 = 0;                           ///< embedding width
  int m2 = 0;                           ///< axis_neuron
  bool resnet_dt = false;               ///< of the embedding nets
  std::vector<EmbeddingNet> embedding;  ///< (nt) by neighbor, or (nt·nt) by centre·nt + neighbor; empty nets
                                        ///< where excluded or compressed
  std::vector<CompressedTable> tables;  ///< same indexing; compressed models only
  std::vector<char> excluded;           ///< (nt·nt) by centre·nt + neighbor: pair carries no descriptor

  std::vector<FittingNet> fitting;        ///< (nt); empty net: type has no output (dipole models)
  std::vector<double> bias_atom_e;        ///< (nt) [eV]
  std::vector<double> out_bias, out_std;  ///< (nt); E_i = (e_i + bias_atom_e)·out_std + out_bias
  std::vector<char> selected;             ///< (nt) dipole: type carries a vector; energy: all 1

  std::optional<DipoleCharge> dipole_charge;  ///< DPLR models only

  int n_types() const { return static_cast<int>(sel.size()); }
  int pair_count() const { return one_sided ? n_types() : n_types() * n_types(); }
  /// Index into `embedding` / `tables` of a (centre, neighbor) type pair.
  int pair_index(int centre, int neighbor) const {
    return one_sided ? neighbor : centre * n_types() + neighbor;
  }
  bool is_excluded(int centre, int neighbor) const { return excluded[centre * n_types() + neighbor] != 0; }
};

}  // namespace nanoday
