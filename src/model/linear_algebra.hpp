// Small dense factorisations through LAPACK, single-threaded so that results do not depend on the core count.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace nanoday {

/// Eigenvalues (descending) and eigenvectors (columns of `vectors`, row-major (n, n)) of a symmetric matrix.
struct SymmetricEigen {
  std::vector<double> values;
  std::vector<double> vectors;
};

/// \param matrix (n, n) symmetric. Throws RunError when LAPACK does not converge.
SymmetricEigen symmetric_eigen(std::vector<double> matrix, int n);

/// Right singular vectors of a (rows, n) matrix, rows ≥ n: result (n, n), row k belongs to the k-th largest.
std::vector<double> right_singular_vectors(const std::vector<double>& matrix, int rows, int n);

/// (rows, inner) · (inner, columns), row-major.
std::vector<double> matrix_product(const std::vector<double>& a, const std::vector<double>& b, int rows,
                                   int inner, int columns);

}  // namespace nanoday
