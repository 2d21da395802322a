// InferencePlans laid out for the device: tables, nets and what each centre type does with them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/runtime.hpp"
#include "math/activation.hpp"
#include "model/inference_plan.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace nanoday::NANODAY_GPU {

/// Plans of several models of the same architecture, evaluated in the same kernels; usually one.
using Plans = std::vector<std::shared_ptr<const InferencePlan>>;

/// Most layers of an embedding or fitting net, and most neighbor types; larger models are refused by name.
inline constexpr int k_max_layers = 8;
inline constexpr int k_max_types = 64;

/// Columns of a for which one row of the feature kernels, 16 numbers a column and some, fits 227 KiB of
/// shared memory.
template <class Real>
inline constexpr std::size_t k_max_columns = (227 * 1024 / sizeof(Real) - 264) / 16;

/// One layer of an embedding net, in double (nets are asked outside tables only, or by --table net).
struct EmbeddingLayerView {
  int n_in = 0, n_out = 0;
  const double* weight = nullptr;  ///< (n_in, n_out)
  const double* bias = nullptr;    ///< (n_out)
  const double* idt = nullptr;     ///< (n_out) or null
};

/// b(s̃) of one (centre, neighbor) pair of types: fifth-order pieces, or a net, or both.
template <class Real>
struct TableView {
  double lower = 0, upper = 0, max = 0, stride0 = 0, stride1 = 0, inverse0 = 0, inverse1 = 0;
  int n_first = 0, n_pieces = 0;       ///< n_pieces 0: always ask the net
  int columns = 0;                     ///< as in the plan, not padded
  const Real* coefficients = nullptr;  ///< (n_pieces, columns, 6) ascending powers of the place in the piece
  Activation activation = Activation::tanh;
  int n_layers = 0;  ///< 0: no net; outside the range the table continues linearly (spec 3)
  EmbeddingLayerView layer[k_max_layers];
};

/// Features handled together on the way back from ∂E/∂S (features.cu).
inline constexpr int k_feature_chunk = 128;
/// Widest hidden layer; wider models are refused by name.
inline constexpr int k_max_layer_width = 1024;

/// One of the products that column p of a' takes part in: S[f] = Σ_c a'[c, p] a'[c, other].
struct ColumnPair {
  std::uint16_t feature = 0;  ///< f, counted from the first feature of its chunk of k_feature_chunk
  std::uint16_t other = 0;
};

/// One dense layer of a fitting net. Weights in single-precision plans are stored as float.
template <class Real>
struct DenseView {
  int n_in = 0, n_out = 0;
  const Real* weight = nullptr;  ///< (n_in, n_out) row-major
  const Real* bias = nullptr;    ///< (n_out), zeros when there is none
  const Real* idt = nullptr;     ///< (n_out), ones when there is none
  bool residual = false;         ///< y = x + h
};

/// What atoms of one centre do. A centre is a type of one model, number model·nt + type. A group is a centre
/// of its plan, or of the exact plan that takes over atoms with neighbors outside the table (the second half
/// of all groups).
template <class Real>
struct GroupView {
  bool active = false;  ///< false: such atoms have no output (dipole models)
  int n_columns = 0;    ///< R, columns of a
  int n_rotated = 0;    ///< R', columns of a'; equals R when there is no rotation
  int n_features = 0;   ///< F
  double avg[4] = {}, inverse_std[4] = {}, pad_row[4] = {};
  const std::int32_t* table = nullptr;         ///< (nt) index into tables, −1: excluded
  const std::int32_t* first_column = nullptr;  ///< (nt) where a neighbor type's columns begin in a
  const std::int32_t* sel = nullptr;           ///< (nt)
  const Real* pad_value = nullptr;             ///< (nt, R): b at s̃ of padding, in the columns of that type
  const Real* rotation = nullptr;              ///< (R, R') or null
  const std::int32_t* pair_p = nullptr;  ///< (F) ascending, equal ones by q; F is a multiple of four: the
                                         ///< last ones may be copies without weight
  const std::int32_t* pair_q = nullptr;  ///< (F)
  const std::int32_t* column_first =
      nullptr;                              ///< (chunks of features, R' + 1) where a column's products begin
  const ColumnPair* column_pair = nullptr;  ///< in order of feature; p = q is listed twice
  int n_layers = 0;
  DenseView<Real> layer[k_max_layers];  ///< hidden layers; layer[0].n_in = F
  DenseView<Real> output;               ///< (n_last, 1) energy; (n_last, R) dipole
  Activation activation = Activation::tanh;
  double output_bias = 0;                     ///< energy models: e_i bias before scale and shift [eV]
  double energy_scale = 1, energy_shift = 0;  ///< E_i = (e_i + output_bias)·scale + shift
};

/// What kernels take; all pointers are device pointers, the struct itself travels by value.
template <class Real>
struct ModelView {
  int n_types = 0;
  int n_centres = 0;  ///< models · nt
  int n_groups = 0;   ///< centres, or twice as many with exact plans
  bool dipole = false;
  bool compressed = false;  ///< no net continues the tables: what lies outside is trouble
  double rcut = 0, rcut2 = 0, rcut_smth = 0, inverse_width = 0, inverse_normaliser = 0;
  const TableView<Real>* tables = nullptr;  ///< those of the plans, then those of the exact plans
  const GroupView<Real>* groups = nullptr;  ///< (n_groups)
};

/// Owner of a ModelView's memory, and the sizes that buffers must have.
template <class Real>
class PackedModel {
 public:
  /// Uploads the plans (and their exact plans); throws InputError naming what the device code has no room
  /// for. \pre the models are of one architecture (model/architecture.hpp)
  PackedModel(Stream& stream, Plans plans);
  const ModelView<Real>& view() const { return view_; }
  const InferencePlan& plan() const { return *plans_[0]; }  ///< the first one: what all have in common
  bool has_exact() const { return plan().exact != nullptr; }
  const std::vector<GroupView<Real>>& groups() const { return groups_; }  ///< host copy, for sizes
  int max_columns(bool exact) const;  ///< R over the groups of the plans, or of the exact plans
  int max_rotated(bool exact) const;
  int max_features(bool exact) const;
  int max_layers() const;
  int max_width() const;  ///< of hidden layers, rounded up to a multiple of four

 private:
  /// Keeps an array in device memory for the lifetime of this model.
  template <class T>
  const T* keep(Stream& stream, const std::vector<T>& values);

  Plans plans_;
  ModelView<Real> view_;
  std::vector<TableView<Real>> tables_;
  std::vector<GroupView<Real>> groups_;
  std::vector<DeviceArray<std::byte>> memory_;
  friend struct ModelPacker;
};

}  // namespace nanoday::NANODAY_GPU
