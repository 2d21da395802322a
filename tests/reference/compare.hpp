// Errors between arrays of results, as the tolerances mean them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace nanoday::reference {

using Numbers = std::vector<double>;

inline Numbers flat(const std::vector<Vec3>& rows) {
  Numbers numbers;
  for (const Vec3& v : rows) numbers.insert(numbers.end(), {v.x, v.y, v.z});
  return numbers;
}
inline Numbers flat(const std::array<double, 9>& row) { return {row.begin(), row.end()}; }
inline Numbers flat(const std::vector<std::array<double, 9>>& rows) {
  Numbers numbers;
  for (const auto& row : rows) numbers.insert(numbers.end(), row.begin(), row.end());
  return numbers;
}

inline double largest(const Numbers& numbers) {
  double m = 0;
  for (const double x : numbers)
    m = std::isnan(x) ? std::numeric_limits<double>::infinity() : std::max(m, std::fabs(x));
  return m;
}

/// max |a − b|; infinite when the lengths differ or anything is NaN.
inline double max_error(const Numbers& a, const Numbers& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  Numbers difference(a.size());
  for (std::size_t k = 0; k < a.size(); ++k) difference[k] = a[k] - b[k];
  return largest(difference);
}

/// max |a − b| / max |b|; infinite when `b` is empty or zero, so that nothing passes by being absent.
inline double relative_error(const Numbers& a, const Numbers& b) {
  return largest(b) > 0 ? max_error(a, b) / largest(b) : std::numeric_limits<double>::infinity();
}

}  // namespace nanoday::reference
