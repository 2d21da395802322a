// The fifth-order table of a compressed model, evaluated as its producer does.
// SPDX-License-Identifier: Apache-2.0
#include "oracle/stored_table.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday::oracle {
namespace {

/// Which row, how far into it, and how far beyond the table.
struct Place {
  int row = 0;
  double t = 0;
  double beyond = 0;
};

Place place_of(const CompressedTable& table, double x) {
  if (x < table.lower) return {0, 0, x - table.lower};
  const int n_first = static_cast<int>((table.upper - table.lower) / table.stride0);
  if (x < table.upper) {
    const int i = static_cast<int>((x - table.lower) / table.stride0);
    return {i, x - (i * table.stride0 + table.lower), 0};
  }
  const double inside = x < table.max ? x : std::nextafter(table.max, table.upper);
  // The quotient of the last point may round up to one row too many.
  const int last = table.n_rows - 1 - n_first;
  const int i = std::min(static_cast<int>((inside - table.upper) / table.stride1), last);
  const double start = i * table.stride1 + table.upper;
  return {n_first + i, std::min(x, table.max) - start, std::max(0.0, x - table.max)};
}

}  // namespace

ValueAndSlope look_up(const CompressedTable& table, double x) {
  const auto [row, t, beyond] = place_of(table, x);
  ValueAndSlope g{std::vector<double>(table.n_outputs), std::vector<double>(table.n_outputs)};
  for (int m = 0; m < table.n_outputs; ++m) {
    const double* a = &table.coefficients[(static_cast<std::size_t>(row) * table.n_outputs + m) * 6];
    const double value = a[0] + t * (a[1] + t * (a[2] + t * (a[3] + t * (a[4] + t * a[5]))));
    const double slope = a[1] + t * (2 * a[2] + t * (3 * a[3] + t * (4 * a[4] + t * 5 * a[5])));
    g.value[m] = value + slope * beyond;
    g.slope[m] = slope;
  }
  return g;
}

}  // namespace nanoday::oracle
