// Finds the low-rank form of a model that matters for the user's atoms.
// SPDX-License-Identifier: Apache-2.0
#include "forces/lowrank_choice.hpp"

#include "model/embedding_table.hpp"
#include "model/linear_algebra.hpp"
#include "model/plan_builder.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

/// Square root of a positive semidefinite matrix and its inverse, small eigenvalues lifted to floor·largest.
struct SquareRoot {
  std::vector<double> root, inverse;
};

SquareRoot square_root(const std::vector<double>& matrix, int n, double floor) {
  const SymmetricEigen e = symmetric_eigen(matrix, n);
  SquareRoot out{std::vector<double>(matrix.size(), 0.0), std::vector<double>(matrix.size(), 0.0)};
  const double largest = std::max(e.values[0], 1e-300);
  for (int k = 0; k < n; ++k) {
    const double s = std::sqrt(std::max(e.values[k], floor * largest));
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) {
        const double v =
            e.vectors[static_cast<std::size_t>(i) * n + k] * e.vectors[static_cast<std::size_t>(j) * n + k];
        out.root[static_cast<std::size_t>(i) * n + j] += v * s;
        out.inverse[static_cast<std::size_t>(i) * n + j] += v / s;
      }
  }
  return out;
}

std::vector<double> transposed(const std::vector<double>& a, int rows, int columns) {
  std::vector<double> t(a.size());
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j)
      t[static_cast<std::size_t>(j) * rows + i] = a[static_cast<std::size_t>(i) * columns + j];
  return t;
}

double trace(const std::vector<double>& a, int n) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += a[static_cast<std::size_t>(i) * n + i];
  return sum;
}

/// Value and slope of a table's columns (inside its range).
void value_and_slope(const PieceTable& t, double s, std::vector<double>& b, std::vector<double>& d) {
  const bool fine = s < t.upper;
  const double start = fine ? t.lower : t.upper, stride = fine ? t.stride0 : t.stride1;
  const int last = (fine ? t.n_first : t.n_pieces - t.n_first) - 1;
  const int i = std::clamp(static_cast<int>((s - start) / stride), 0, last);
  const double u = s - (start + i * stride);
  const double* a =
      t.coefficients.data() + static_cast<std::size_t>(fine ? i : t.n_first + i) * 6 * t.columns;
  b.resize(t.columns);
  d.resize(t.columns);
  for (int m = 0; m < t.columns; ++m) {
    const auto c = [&](int k) { return a[static_cast<std::size_t>(k) * t.columns + m]; };
    b[m] = c(0) + u * (c(1) + u * (c(2) + u * (c(3) + u * (c(4) + u * c(5)))));
    d[m] = c(1) + u * (2 * c(2) + u * (3 * c(3) + u * (4 * c(4) + u * 5 * c(5))));
  }
}

/// The largest importance at which all kept products up to it carry no more than `faint` together; they add
/// up as independent ones do.
double largest_faint(std::vector<double> importance, double threshold, double faint) {
  std::sort(importance.begin(), importance.end());
  double square = 0, limit = 0;
  for (const double x : importance) {
    if (x <= threshold) continue;
    square += x * x;
    if (!(square <= faint * faint)) break;
    limit = x;
  }
  return limit;
}

/// Pairs p ≤ q of n columns, by p then q, all of them strong.
void all_pairs(int n, LowRankChoice::Centre& form) {
  for (int i = 0; i < n; ++i)
    for (int j = i; j < n; ++j) {
      form.pair_p.push_back(i);
      form.pair_q.push_back(j);
    }
  form.n_precise = form.n_single = static_cast<std::int32_t>(form.pair_p.size());
}

}  // namespace

LowRankProposal::LowRankProposal(std::shared_ptr<const Model> model, const DescriptorStatistics& statistics)
    : model_(std::move(model)),
      statistics_(statistics),
      felt_(model_->n_types()),
      felt_by_force_(model_->n_types()) {
  for (int t = 0; t < model_->n_types(); ++t) {
    if (model_->fitting[t].empty()) continue;
    felt_[t] = sensitivity(t, false);
    felt_by_force_[t] = sensitivity(t, true);
  }
  find_bases();
}

std::shared_ptr<const InferencePlan> LowRankProposal::take_ranks(const std::vector<int>& ranks) {
  truncate_bases(ranks);
  centres_.assign(model_->n_types(), {});
  LowRankChoice all;
  all.basis = basis_;
  for (int t = 0; t < model_->n_types(); ++t) {
    if (!model_->fitting[t].empty()) rotate(t);
    all.centres.push_back(centres_[t].form);
  }
  full_ = make_lowrank_plan(model_, {}, std::move(all));
  return full_;
}

void LowRankProposal::rank_products() {
  for (int t = 0; t < model_->n_types(); ++t) {
    centres_[t].folded = full_->centres[t].weight;
    if (!model_->fitting[t].empty()) rank_products(t);
  }
}

/// How much the first fitting layer of a centre type feels each column of T: Σ (∂z_u/∂T[m])² with typical T,
/// weighted by the rms of ∂E/∂z_u when asked. (M1, M1)
std::vector<double> LowRankProposal::sensitivity(int type, bool by_gradient) const {
  const Model& model = *model_;
  const int m1 = model.m1, m2 = model.m2;
  const DenseLayer& first = model.fitting[type].layers[0];
  const int n1 = first.n_out;
  std::vector<double> size(m1, 0.0), dz(n1, by_gradient ? 0.0 : 1.0);
  double count = 0;
  for (const auto& c : statistics_.centres) {
    if (c.type != type) continue;
    ++count;
    for (int row = 0; row < 4; ++row)
      for (int m = 0; m < m1; ++m) {
        double t = 0;
        for (int n = 0; n < model.n_types(); ++n) t += c.t[(static_cast<std::size_t>(n) * 4 + row) * m1 + m];
        size[m] += t * t;
      }
    for (int u = 0; u < n1 && by_gradient; ++u) dz[u] += c.dz[u] * c.dz[u];
  }
  for (double& s : size) s = count > 0 ? std::sqrt(s / (4 * count)) : 1.0;
  for (double& g : dz) g = by_gradient ? std::sqrt(g / std::max(count, 1.0)) : 1.0;
  std::vector<double> q(static_cast<std::size_t>(m1) * m1, 0.0), x(static_cast<std::size_t>(m1) * m2 * n1);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = first.weight[i] * dz[i % n1] * size[i / n1 % m2];
  const std::size_t row = static_cast<std::size_t>(m2) * n1;
  for (int i = 0; i < m1; ++i)
    for (int j = 0; j <= i; ++j) {
      double sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::size_t k = 0; k < row; ++k) sum += x[i * row + k] * x[j * row + k];
      q[static_cast<std::size_t>(i) * m1 + j] = q[static_cast<std::size_t>(j) * m1 + i] = sum;
    }
  for (int i = 0; i < m2; ++i)
    for (int j = 0; j < m2; ++j) {
      double sum = 0;
      for (int m = 0; m < m1; ++m)
        for (int u = 0; u < n1; ++u)
          sum += first.weight[m * row + static_cast<std::size_t>(i) * n1 + u] *
                 first.weight[m * row + static_cast<std::size_t>(j) * n1 + u] * size[m] * size[m] * dz[u] *
                 dz[u];
      q[static_cast<std::size_t>(i) * m1 + j] += sum;
    }
  return q;
}

void LowRankProposal::find_bases() {
  const Model& model = *model_;
  full_basis_.resize(model.pair_count());
  for (int c = 0; c < (model.one_sided ? 1 : model.n_types()); ++c)
    for (int n = 0; n < model.n_types(); ++n) {
      const int k = model.pair_index(c, n);
      const bool present = model.compressed ? !model.tables[k].empty() : !model.embedding[k].empty();
      if (present) full_basis_[k] = find_basis(c, n);
    }
}

LowRankProposal::FullBasis LowRankProposal::find_basis(int centre, int neighbor) const {
  const Model& model = *model_;
  const int m1 = model.m1, samples = std::max(1001, 2 * m1), k = model.pair_index(centre, neighbor);
  std::vector<double> felt(static_cast<std::size_t>(m1) * m1, 0.0);
  for (int t = 0; t < model.n_types(); ++t) {
    if (felt_[t].empty() || model.is_excluded(t, neighbor) || (!model.one_sided && t != centre)) continue;
    for (std::size_t i = 0; i < felt.size(); ++i) felt[i] += felt_[t][i];
  }
  if (trace(felt, m1) <= 0)
    for (int m = 0; m < m1; ++m) felt[static_cast<std::size_t>(m) * m1 + m] = 1;
  const SquareRoot root = square_root(felt, m1, 1e-10);
  FullBasis basis;
  basis.range = table_range(model, model.one_sided ? -1 : centre, neighbor);
  const PieceTable full = model.compressed
                              ? convert_table(model.tables[k], {}, 0)
                              : make_table(model.embedding[k], basis.range, k_lowrank_interval, {}, 0);
  // Short distances move s̃ fastest, so values and slopes count more there: forces are what is bounded.
  std::vector<double> g, slopes, b, d;
  for (int i = 0; i < samples; ++i) {
    const double x = i / (samples - 1.0), weight = 1 + x * x;
    value_and_slope(full, basis.range[0] + (basis.range[1] - basis.range[0]) * x, b, d);
    for (int m = 0; m < m1; ++m) {
      g.push_back(weight * b[m]);
      slopes.push_back(0.3 * (weight * x + 1e-3) * d[m]);
    }
  }
  g.insert(g.end(), slopes.begin(), slopes.end());
  const std::vector<double> v =
      right_singular_vectors(matrix_product(g, root.root, 2 * samples, m1, m1), 2 * samples, m1);
  basis.expand = matrix_product(v, root.inverse, m1, m1, m1);
  basis.project = matrix_product(root.root, transposed(v, m1, m1), m1, m1, m1);
  return basis;
}

void LowRankProposal::truncate_bases(const std::vector<int>& ranks) {
  const Model& model = *model_;
  const int m1 = model.m1;
  basis_.assign(model.pair_count(), {});
  tables_.assign(model.pair_count(), {});
  for (int k = 0; k < model.pair_count(); ++k) {
    const FullBasis& full = full_basis_[k];
    if (full.expand.empty()) continue;
    LowRankChoice::Basis& basis = basis_[k];
    const int rank = std::min(ranks[k], m1);
    basis.rank = rank;
    basis.expand.assign(full.expand.begin(), full.expand.begin() + static_cast<std::ptrdiff_t>(rank) * m1);
    for (int m = 0; m < m1; ++m)
      basis.project.insert(basis.project.end(), full.project.begin() + static_cast<std::ptrdiff_t>(m) * m1,
                           full.project.begin() + static_cast<std::ptrdiff_t>(m) * m1 + rank);
    tables_[k] = model.compressed
                     ? convert_table(model.tables[k], basis.project, rank)
                     : make_table(model.embedding[k], full.range, k_lowrank_interval, basis.project, rank);
  }
}

/// a of one centre, (4, R).
std::vector<double> LowRankProposal::columns(const DescriptorStatistics::Centre& c) const {
  const Model& model = *model_;
  std::vector<std::vector<double>> parts;
  for (int n = 0; n < model.n_types(); ++n) {
    if (model.is_excluded(c.type, n)) continue;
    const std::vector<double> t(c.t.begin() + static_cast<std::ptrdiff_t>(n) * 4 * model.m1,
                                c.t.begin() + static_cast<std::ptrdiff_t>(n + 1) * 4 * model.m1);
    const auto& basis = basis_[model.pair_index(c.type, n)];
    parts.push_back(matrix_product(t, basis.project, 4, model.m1, basis.rank));
  }
  std::vector<double> a;
  for (int row = 0; row < 4; ++row)
    for (const auto& p : parts) {
      const std::ptrdiff_t rank = static_cast<std::ptrdiff_t>(p.size() / 4);
      a.insert(a.end(), p.begin() + row * rank, p.begin() + (row + 1) * rank);
    }
  return a;
}

/// Mean over centres of Σ_neighbors Σ ∂a ∂aᵀ, (R, R), without the 1/N² of a.
std::vector<double> LowRankProposal::derivative_covariance(int type) const {
  const Model& model = *model_;
  std::vector<int> first(model.n_types(), -1);
  int n_columns = 0;
  for (int n = 0; n < model.n_types(); ++n)
    if (!model.is_excluded(type, n)) first[n] = n_columns, n_columns += rank_of(type, n);
  std::vector<double> sum(static_cast<std::size_t>(n_columns) * n_columns, 0.0), b, d;
  double centres = 0;
  for (const auto& c : statistics_.centres) {
    if (c.type != type || c.neighbors.empty()) continue;
    ++centres;
    for (const auto& n : c.neighbors) {
      value_and_slope(tables_[model.pair_index(type, n.type)], n.s, b, d);
      const int rank = rank_of(type, n.type);
      for (int p = 0; p < rank; ++p) {
        double* to = sum.data() + static_cast<std::size_t>(first[n.type] + p) * n_columns + first[n.type];
        for (int q = 0; q < rank; ++q)
          to[q] += n.alpha * b[p] * b[q] + n.beta * (b[p] * d[q] + d[p] * b[q]) + n.gamma * d[p] * d[q];
      }
    }
  }
  for (double& s : sum) s /= std::max(centres, 1.0);
  return sum;
}

void LowRankProposal::rotate(int type) {
  const Model& model = *model_;
  Centre& centre = centres_[type];
  std::vector<double> v, covariance;
  int n = 0;
  for (int k = 0; k < model.n_types(); ++k) {
    if (model.is_excluded(type, k)) continue;
    const auto& e = basis_[model.pair_index(type, k)].expand;
    v.insert(v.end(), e.begin(), e.end());
    n += rank_of(type, k);
  }
  if (n == 0) return;
  covariance.assign(static_cast<std::size_t>(n) * n, 0.0);
  for (const auto& c : statistics_.centres) {
    if (c.type != type) continue;
    const std::vector<double> a = columns(c);
    for (int row = 0; row < 4; ++row)
      for (int p = 0; p < n; ++p)
        for (int q = 0; q < n; ++q)
          covariance[static_cast<std::size_t>(p) * n + q] +=
              a[static_cast<std::size_t>(row) * n + p] * a[static_cast<std::size_t>(row) * n + q];
  }
  const double known = trace(covariance, n);
  const std::vector<double> derivative = derivative_covariance(type);
  // Variance of a, with a tenth of the weight for its derivatives (measured: 400 products where 460 were
  // needed).
  const double wa = 10 / std::max(known, 1e-300), wd = 1 / std::max(trace(derivative, n), 1e-300);
  for (std::size_t i = 0; i < covariance.size(); ++i) covariance[i] = wa * covariance[i] + wd * derivative[i];
  const std::vector<double> felt =
      matrix_product(matrix_product(v, felt_by_force_[type], n, model.m1, model.m1),
                     transposed(v, n, model.m1), n, model.m1, n);
  if (!(known > 0 && trace(felt, n) > 0)) {  // no such atom, none with neighbors, or a net that feels none:
    all_pairs(n, centre.form);               // nothing to learn from, keep the columns as they are
    return;
  }
  const SquareRoot root = square_root(felt, n, 1e-14);
  const SymmetricEigen e =
      symmetric_eigen(matrix_product(matrix_product(root.root, covariance, n, n, n), root.root, n, n, n), n);
  centre.form.n_rotated = n;
  centre.form.rotation = matrix_product(root.root, e.vectors, n, n, n);
  centre.form.inverse = matrix_product(transposed(e.vectors, n, n), root.inverse, n, n, n);
  all_pairs(n, centre.form);
}

/// Σ_neighbors Σ (∂a'_p/∂x)² of one centre, (R') [1/Å²].
std::vector<double> LowRankProposal::column_derivatives(const DescriptorStatistics::Centre& c) const {
  const Model& model = *model_;
  const auto& form = centres_[c.type].form;
  const int n = form.n_rotated;
  std::vector<double> sum(n, 0.0), b, d, rb(n), rd(n);
  for (const auto& neighbor : c.neighbors) {
    int first = 0;
    for (int k = 0; k < neighbor.type; ++k) first += model.is_excluded(c.type, k) ? 0 : rank_of(c.type, k);
    value_and_slope(tables_[model.pair_index(c.type, neighbor.type)], neighbor.s, b, d);
    std::fill(rb.begin(), rb.end(), 0.0);
    std::fill(rd.begin(), rd.end(), 0.0);
    for (int p = 0; p < rank_of(c.type, neighbor.type); ++p) {
      const double* u = form.rotation.data() + static_cast<std::size_t>(first + p) * n;
      for (int q = 0; q < n; ++q) {
        rb[q] += b[p] * u[q];
        rd[q] += d[p] * u[q];
      }
    }
    for (int q = 0; q < n; ++q)
      sum[q] +=
          neighbor.alpha * rb[q] * rb[q] + 2 * neighbor.beta * rb[q] * rd[q] + neighbor.gamma * rd[q] * rd[q];
  }
  for (double& s : sum) s /= 1.0 * model.normaliser * model.normaliser;
  return sum;
}

void LowRankProposal::rank_products(int type) {
  Centre& centre = centres_[type];
  const std::size_t pairs = centre.form.pair_p.size();
  const int n = centre.form.n_rotated,
            n1 = static_cast<int>(centre.folded.size() / std::max<std::size_t>(pairs, 1));
  centre.importance.assign(pairs, 1e300);  // without statistics everything is kept
  centre.mean.assign(pairs, 0.0);
  if (n == 0) return;
  std::vector<const DescriptorStatistics::Centre*> mine;
  for (const auto& c : statistics_.centres)
    if (c.type == type) mine.push_back(&c);
  // Row k: product values and squared forces of centre k; summed afterwards in order, for any thread count.
  std::vector<double> value(mine.size() * pairs), square(mine.size() * pairs);
#pragma omp parallel for schedule(dynamic, 4)
  for (std::size_t k = 0; k < mine.size(); ++k) {
    const std::vector<double> a = matrix_product(columns(*mine[k]), centre.form.rotation, 4, n, n);
    const std::vector<double> derivative2 = column_derivatives(*mine[k]);
    std::vector<double> size2(n, 0.0);
    for (int i = 0; i < 4 * n; ++i) size2[i % n] += a[i] * a[i];
    for (std::size_t f = 0; f < pairs; ++f) {
      const int p = centre.form.pair_p[f], q = centre.form.pair_q[f];
      const double* w = centre.folded.data() + f * n1;
      double s = 0, g = 0;
      for (int row = 0; row < 4; ++row) s += a[row * n + p] * a[row * n + q];
#pragma omp simd reduction(+ : g)
      for (int u = 0; u < n1; ++u) g += mine[k]->dz[u] * w[u];
      value[k * pairs + f] = s;
      square[k * pairs + f] = g * g * (size2[p] * derivative2[q] + size2[q] * derivative2[p]);
    }
  }
  const double count = static_cast<double>(mine.size());
  for (std::size_t f = 0; f < pairs; ++f) {
    double s = 0, v = 0;
    for (std::size_t k = 0; k < mine.size(); ++k) {
      s += square[k * pairs + f];
      v += value[k * pairs + f];
    }
    centre.importance[f] = std::sqrt(s / count);
    centre.mean[f] = v / count;
  }
}

std::vector<double> LowRankProposal::ranking() const {
  std::vector<double> all;
  for (const Centre& c : centres_)
    if (c.form.n_rotated > 0) all.insert(all.end(), c.importance.begin(), c.importance.end());
  std::sort(all.rbegin(), all.rend());
  return all;
}

std::vector<std::vector<double>> LowRankProposal::typical_z() const {
  std::vector<std::vector<double>> z(centres_.size());
  for (std::size_t t = 0; t < centres_.size(); ++t) {
    const Centre& c = centres_[t];
    if (c.form.n_rotated == 0) continue;
    const DenseLayer& first = model_->fitting[t].layers[0];
    z[t] = first.bias;
    z[t].resize(first.n_out, 0.0);
    for (std::size_t f = 0; f < c.mean.size(); ++f)
      for (std::size_t u = 0; u < z[t].size(); ++u) z[t][u] += c.mean[f] * c.folded[f * z[t].size() + u];
  }
  return z;
}

LowRankChoice LowRankProposal::keep(double threshold, double strong, double faint) const {
  LowRankChoice out;
  out.basis = basis_;
  for (const Centre& c : centres_)
    out.centres.push_back(keep(c, threshold, strong, largest_faint(c.importance, threshold, faint)));
  return out;
}

LowRankChoice::Centre LowRankProposal::keep(const Centre& c, double threshold, double strong,
                                            double faint) const {
  LowRankChoice::Centre kept;
  const std::size_t n = static_cast<std::size_t>(c.form.n_rotated), pairs = c.form.pair_p.size();
  const std::size_t n1 = pairs > 0 ? c.folded.size() / pairs : 0;
  const double most = pairs > 0 ? *std::max_element(c.importance.begin(), c.importance.end()) : 0.0;
  std::size_t used = 0;
  const auto take = [&](std::size_t f) {
    kept.pair_p.push_back(c.form.pair_p[f]);
    kept.pair_q.push_back(c.form.pair_q[f]);
    used = std::max(used, static_cast<std::size_t>(c.form.pair_q[f]) + 1);
  };
  const double strong_limit = std::max(strong, threshold);
  const auto is_strong = [&](std::size_t f) {
    return c.importance[f] > strong_limit || c.importance[f] == most;
  };
  for (std::size_t f = 0; f < pairs; ++f)
    if (is_strong(f)) take(f);
  kept.n_precise = static_cast<std::int32_t>(kept.pair_p.size());
  kept.bias_shift.assign(n1, 0.0);
  const auto is_kept = [&](std::size_t f) { return c.importance[f] > threshold || threshold <= 0; };
  const auto is_faint = [&](std::size_t f) { return faint > 0 && !is_strong(f) && c.importance[f] <= faint; };
  for (std::size_t f = 0; f < pairs; ++f)
    if (!is_strong(f) && !is_faint(f) && is_kept(f)) take(f);
  kept.n_single = static_cast<std::int32_t>(kept.pair_p.size());
  for (std::size_t f = 0; f < pairs; ++f) {
    if (is_strong(f)) continue;
    if (is_kept(f)) {
      if (is_faint(f)) take(f);
    } else {
      for (std::size_t u = 0; u < n1; ++u) kept.bias_shift[u] += c.mean[f] * c.folded[f * n1 + u];
    }
  }
  if (n == 0) return kept;
  kept.n_rotated = static_cast<int>(used);
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = c.form.rotation.begin() + static_cast<std::ptrdiff_t>(i * n);
    kept.rotation.insert(kept.rotation.end(), row, row + static_cast<std::ptrdiff_t>(used));
  }
  kept.inverse.assign(c.form.inverse.begin(), c.form.inverse.begin() + static_cast<std::ptrdiff_t>(used * n));
  return kept;
}

}  // namespace nanoday
