// Three- and four-component vectors of doubles.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/host_device.hpp"

#include <cmath>

namespace nanoday {

/// A vector in space.
struct Vec3 {
  double x = 0, y = 0, z = 0;
};

NANODAY_HD inline Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
NANODAY_HD inline Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
NANODAY_HD inline Vec3 operator*(double s, Vec3 a) { return {s * a.x, s * a.y, s * a.z}; }
NANODAY_HD inline double dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
NANODAY_HD inline double norm(Vec3 a) { return std::sqrt(dot(a, a)); }
NANODAY_HD inline Vec3 cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/// A vector padded to 32 bytes so that one SIMD load fetches an atom; `w` is always zero.
struct alignas(32) Vec4 {
  double x = 0, y = 0, z = 0, w = 0;
};

NANODAY_HD inline Vec3 xyz(const Vec4& a) { return {a.x, a.y, a.z}; }
NANODAY_HD inline Vec4 padded(Vec3 a) { return {a.x, a.y, a.z, 0}; }

}  // namespace nanoday
