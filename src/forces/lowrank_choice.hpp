// Finds the low-rank form of a model that matters for the user's atoms: bases, rotations, ranked products.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "forces/descriptor_statistics.hpp"
#include "model/inference_plan.hpp"

#include <memory>
#include <vector>

namespace nanoday {

/// Proposes low-rank forms of increasing cost for one model and sample.
///
/// Bases: G on the table range, columns scaled by the first fitting layer's sensitivity, by SVD
/// (low-rank.md). Rotation, per centre type: a' = a·U orders the columns of all neighbor types by their
/// variance in the sample, scaled by the same sensitivity; it concentrates the products S on far fewer pairs
/// than a cross of singular values. Products are ranked by the rms force they carry, |∂E/∂S_f| · |∂S_f/∂x|.
class LowRankProposal {
 public:
  LowRankProposal(std::shared_ptr<const Model> model, const DescriptorStatistics& statistics);

  /// Takes the first ranks[k] basis functions of table k; returns the form with all products.
  std::shared_ptr<const InferencePlan> take_ranks(const std::vector<int>& ranks);
  /// Measures what every product carries; to be called before keep() and ranking().
  void rank_products();
  /// Products carrying more than `threshold` eV/Å (0: all), the mean of the others folded into the bias.
  /// Those carrying no more than `strong` eV/Å are marked as good enough in single precision (0: none), the
  /// weakest of them, which together carry no more than `faint`, as good enough in bfloat16 (0: none).
  LowRankChoice keep(double threshold, double strong, double faint) const;
  /// Mean z of the first fitting layer of every centre type, (nt)(n_1); empty where nothing is known.
  std::vector<std::vector<double>> typical_z() const;
  /// Rms force of every product, all centre types together, descending [eV/Å].
  std::vector<double> ranking() const;

 private:
  struct Centre {
    LowRankChoice::Centre form;      ///< full rotation and inverse, all pairs
    std::vector<double> importance;  ///< (pairs) [eV/Å]
    std::vector<double> mean;        ///< (pairs) sample mean of the product
    std::vector<double> folded;      ///< (pairs, n_1)
  };
  /// All M1 basis functions of one table, most important first.
  struct FullBasis {
    std::array<double, 2> range;
    std::vector<double> project, expand;  ///< (M1, M1)
  };
  void find_bases();
  FullBasis find_basis(int centre, int neighbor) const;
  void truncate_bases(const std::vector<int>& ranks);
  int rank_of(int centre, int neighbor) const { return basis_[model_->pair_index(centre, neighbor)].rank; }
  std::vector<double> sensitivity(int type, bool by_gradient) const;
  std::vector<double> columns(const DescriptorStatistics::Centre& c) const;
  std::vector<double> derivative_covariance(int type) const;
  std::vector<double> column_derivatives(const DescriptorStatistics::Centre& c) const;
  void rotate(int type);
  void rank_products(int type);
  LowRankChoice::Centre keep(const Centre& c, double threshold, double strong, double faint) const;

  std::shared_ptr<const Model> model_;
  const DescriptorStatistics& statistics_;
  std::vector<std::vector<double>> felt_, felt_by_force_;  ///< (nt)(M1, M1) sensitivities
  std::vector<FullBasis> full_basis_;                      ///< by Model::pair_index
  std::vector<LowRankChoice::Basis> basis_;
  std::vector<PieceTable> tables_;  ///< b and its slope, by Model::pair_index
  std::vector<Centre> centres_;
  std::shared_ptr<const InferencePlan> full_;
};

}  // namespace nanoday
