// Small dense factorisations through LAPACK.
// SPDX-License-Identifier: Apache-2.0
#include "model/linear_algebra.hpp"

#include "core/error.hpp"

#include <algorithm>

extern "C" {
void dsyev_(const char*, const char*, const int*, double*, const int*, double*, double*, const int*, int*);
void dgesvd_(const char*, const char*, const int*, const int*, double*, const int*, double*, double*,
             const int*, double*, const int*, double*, const int*, int*);
// Present in OpenBLAS only; a reference BLAS has one thread anyway.
void openblas_set_num_threads(int) __attribute__((weak));
}

namespace nanoday {
namespace {

void use_one_thread() {
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

}  // namespace

SymmetricEigen symmetric_eigen(std::vector<double> matrix, int n) {
  use_one_thread();
  std::vector<double> values(n), work(1);
  int info = 0, size = -1;
  dsyev_("V", "U", &n, matrix.data(), &n, values.data(), work.data(), &size, &info);
  size = static_cast<int>(work[0]);
  work.resize(size);
  dsyev_("V", "U", &n, matrix.data(), &n, values.data(), work.data(), &size, &info);
  require_run(info == 0, "the eigenvalues of a {}x{} matrix did not converge (LAPACK dsyev info {})", n, n,
              info);
  // LAPACK: ascending, eigenvector k in column k of a column-major matrix = row k of ours.
  SymmetricEigen out{{values.rbegin(), values.rend()}, std::vector<double>(matrix.size())};
  for (int k = 0; k < n; ++k)
    for (int i = 0; i < n; ++i)
      out.vectors[static_cast<std::size_t>(i) * n + k] = matrix[static_cast<std::size_t>(n - 1 - k) * n + i];
  return out;
}

std::vector<double> right_singular_vectors(const std::vector<double>& matrix, int rows, int n) {
  use_one_thread();
  // Our row-major (rows, n) is LAPACK's (n, rows): its left singular vectors are our right ones.
  std::vector<double> a = matrix, u(static_cast<std::size_t>(n) * n), s(n), work(1);
  double none = 0;
  int info = 0, size = -1, one = 1;
  dgesvd_("A", "N", &n, &rows, a.data(), &n, s.data(), u.data(), &n, &none, &one, work.data(), &size, &info);
  size = static_cast<int>(work[0]);
  work.resize(size);
  dgesvd_("A", "N", &n, &rows, a.data(), &n, s.data(), u.data(), &n, &none, &one, work.data(), &size, &info);
  require_run(info == 0, "the singular values of a {}x{} matrix did not converge (LAPACK dgesvd info {})",
              rows, n, info);
  return u;  // column k of a column-major matrix = row k of ours
}

std::vector<double> matrix_product(const std::vector<double>& a, const std::vector<double>& b, int rows,
                                   int inner, int columns) {
  std::vector<double> out(static_cast<std::size_t>(rows) * columns, 0.0);
  for (int i = 0; i < rows; ++i)
    for (int k = 0; k < inner; ++k) {
      const double x = a[static_cast<std::size_t>(i) * inner + k];
      if (x == 0) continue;
      const double* from = b.data() + static_cast<std::size_t>(k) * columns;
      double* to = out.data() + static_cast<std::size_t>(i) * columns;
      for (int j = 0; j < columns; ++j) to[j] += x * from[j];
    }
  return out;
}

}  // namespace nanoday
