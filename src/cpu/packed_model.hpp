// An InferencePlan laid out for the CPU kernels: padded tables, weights in panels of eight.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"
#include "cpu/instruction_sets.hpp"

#include <array>
#include <memory>
#include <vector>

namespace nanoday::cpu {

/// Outputs per weight panel; every kernel width divides it.
inline constexpr int k_panel = 8;
/// Atoms per batch: six vectors of 8 doubles or 16 floats; 48-96 atoms keep their neighbor arrays in L2
/// (measured in tests/bench: 32 and 192 are slower).
template <class Real>
inline constexpr int k_batch = static_cast<int>(384 / sizeof(Real));
static_assert(k_batch<double> % 16 == 0, "weak products go through whole float vectors of the same batch");
/// Columns of tables and of a are padded to this many.
template <class Real>
inline constexpr int k_column_pad = static_cast<int>(64 / sizeof(Real));

/// Where row `row` of `rows` (coefficients of tⁿ, or value and slope) of a column lies inside a table piece:
/// columns in blocks of one 64-byte line, the rows of a block side by side. Two blocks of doubles are the 16
/// columns that the DP papers transpose together.
template <class Real>
constexpr long in_piece(int rows, int row, int column) {
  constexpr int line = k_column_pad<Real>;
  return static_cast<long>(column / line) * rows * line + static_cast<long>(row) * line + column % line;
}

/// Widest embedding layer the kernels have room for.
inline constexpr int k_max_embedding_width = 1024;

/// Dense layer ready for both directions. Panel p of `forward` holds outputs 8p…8p+7 for every input;
/// panel p of `backward` holds inputs 8p…8p+7 for every output.
template <class Real>
struct PackedDense {
  int n_in = 0, n_out = 0;            ///< as in the model
  int in_padded = 0, out_padded = 0;  ///< multiples of k_panel
  Array<Real> forward;                ///< (out_padded/8, n_in, 8)
  Array<Real> backward;               ///< (in_padded/8, n_out, 8)
  Array<Real> bias;                   ///< (out_padded), zero when there is none
  Array<Real> idt;                    ///< (out_padded), ones when the layer has none
  bool residual = false;              ///< y = x + h
};

/// Dense layer on pairs of 16-bit numbers (PairFormat), the lower half of a word holding the even input or
/// output. Panels as in PackedDense.
struct PairedDense {
  int n_in = 0, n_out = 0;            ///< as in the model
  int in_padded = 0, out_padded = 0;  ///< multiples of k_panel
  float unit = 1;  ///< what 1 stands for; a power of 2, so that half precision holds weights below 1
  Array<std::uint32_t> forward;   ///< (out_padded/8, ⌈n_in/2⌉, 8)
  Array<std::uint32_t> backward;  ///< (in_padded/8, ⌈n_out/2⌉, 8)
};

/// What a layer of a double model multiplies in single precision: all its inputs, or the first layer's weak
/// products.
struct SinglePart {
  PackedDense<float> dense;  ///< n_in 0: nothing
  Array<double> typical;     ///< (n_in) what is subtracted from inputs first; none: nothing is
  Array<double> base;        ///< (out_padded) bias and the typical inputs' share of z; with `typical` only
};

/// Table with padded columns, and the net or rule that continues it.
template <class Real>
struct PackedTable {
  double lower = 0, upper = 0, max = 0, stride0 = 0, stride1 = 0, inverse0 = 0, inverse1 = 0;
  int n_first = 0, n_pieces = 0;
  int columns = 0;                    ///< padded
  Array<Real> coefficients;           ///< (n_pieces, in_piece()); empty: always ask the net
  const EmbeddingNet* net = nullptr;  ///< asked outside the table (or always); null: continue linearly
  int net_columns = 0;                ///< its outputs, unpadded
};

/// Everything about one centre type.
template <class Real>
struct PackedCentre {
  bool active = false;  ///< has a fitting net
  std::array<double, 4> avg{}, inverse_std{}, pad_row{};
  std::vector<int> table;              ///< (nt) index into PackedModel::tables, −1 when excluded
  std::vector<int> first_column;       ///< (nt)
  std::vector<int> sel;                ///< (nt)
  std::vector<Array<Real>> pad_value;  ///< (nt)(columns of the table) G or b at padding's s̃
  int n_columns = 0;                   ///< R, padded per neighbor type
  PackedDense<Real> rotation;          ///< n_in 0: none
  int n_rotated = 0;                   ///< R' (= n_columns without rotation)
  std::vector<std::int32_t> pair_p, pair_q;
  int n_precise = 0;               ///< features multiplied in Real; the rest, in double models, in float
  std::vector<SinglePart> single;  ///< by layer; empty: everything in Real
  PackedDense<Real> weak_exact;    ///< first layer on weak products in Real, for energies
  int n_single = 0;   ///< mixed models: features multiplied in float; the rest in pairs of 16-bit numbers
  PairedDense faint;  ///< first layer on those; n_in 0: none
  std::vector<PackedDense<Real>> layers;
  Array<Real> output;                         ///< energy: (last layer's out_padded)
  PackedDense<Real> vector_output;            ///< dipole: last layer → columns of a
  double output_bias = 0;                     ///< energy: e_i = h·output + output_bias
  double energy_scale = 1, energy_shift = 0;  ///< E_i = e_i·scale + shift
};

template <class Real>
struct PackedModel {
  std::shared_ptr<const InferencePlan> plan;
  int n_types = 0;
  double rcut = 0, rcut2 = 0, rcut_smth = 0, inverse_width = 0;
  double inverse_normaliser = 0;  ///< 1/N
  Activation activation = Activation::tanh;
  std::vector<PackedTable<Real>> tables;  ///< by Model::pair_index
  std::vector<PackedCentre<Real>> centres;
  int max_features = 0, max_weak = 0, max_faint = 0, max_columns = 0, max_rotated = 0, max_width = 0,
      max_layers = 0;
  bool any_single = false;  ///< some centre has `single` parts
};

/// \param pairs what the machine multiplies in pairs; mixed models' faint products get it
template <class Real>
PackedModel<Real> pack_model(std::shared_ptr<const InferencePlan> plan, PairFormat pairs);

/// What CpuBackend::prepare returns. Only the members of the plan's precision are filled.
struct CpuModel : PreparedModel {
  std::unique_ptr<PackedModel<double>> fp64, fp64_exact;
  std::unique_ptr<PackedModel<float>> mixed, mixed_exact;
};

}  // namespace nanoday::cpu
