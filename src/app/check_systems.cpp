// What the checks are made on: weights of a probe, cut-outs and shaken copies of a structure.
// SPDX-License-Identifier: Apache-2.0
#include "app/checks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace nanoday {
namespace {

/// Uniform in (−1, 1), the same on every computer (std distributions differ between libraries).
double uniform(std::mt19937_64& generator) {
  return 2.0 * static_cast<double>(generator() >> 11) / 9007199254740992.0 - 1.0;
}

/// Displacement from a to b, nearest image in a box larger than the distances of interest.
Vec3 nearest_image(const Box& box, Vec3 a, Vec3 b) {
  if (box.is_open()) return b - a;
  Vec3 f = box.fractional(b) - box.fractional(a);
  if (box.periodic[0]) f.x -= std::round(f.x);
  if (box.periodic[1]) f.y -= std::round(f.y);
  if (box.periodic[2]) f.z -= std::round(f.z);
  return f.x * box.cell[0] + f.y * box.cell[1] + f.z * box.cell[2];
}

}  // namespace

std::vector<Vec3> probe_weights(const Model& model, std::int64_t natoms) {
  if (model.kind == ModelKind::energy) return {};
  std::mt19937_64 generator(20240607);
  std::vector<Vec3> weight(static_cast<std::size_t>(natoms));
  for (Vec3& w : weight) w = {uniform(generator), uniform(generator), uniform(generator)};
  return weight;
}

BoundSystem cut_out(const BoundSystem& system, std::int64_t most) {
  const std::int64_t n = system.atoms.nlocal;
  if (n <= most) return system;
  std::vector<Vec3> from_first(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    from_first[i] = nearest_image(system.box, xyz(system.atoms.position[0]), xyz(system.atoms.position[i]));
  }
  std::vector<std::int64_t> order(from_first.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return norm(from_first[a]) < norm(from_first[b]); });

  BoundSystem cluster;
  cluster.box = Box::open();
  Atoms& atoms = cluster.atoms;
  atoms.nlocal = most;
  for (std::int64_t k = 0; k < most; ++k) {
    atoms.position.push_back(padded(from_first[order[k]]));
    atoms.type.push_back(system.atoms.type[order[k]]);
    atoms.id.push_back(k);
    atoms.mass.push_back(system.atoms.mass[order[k]]);
  }
  atoms.velocity.resize(static_cast<std::size_t>(most));
  atoms.image.resize(static_cast<std::size_t>(most));
  return cluster;
}

BoundSystem shaken(const BoundSystem& system, double distance) {
  BoundSystem moved = system;
  std::mt19937_64 generator(5);
  for (Vec4& x : moved.atoms.position) {
    const Vec3 step{uniform(generator), uniform(generator), uniform(generator)};
    x = padded(xyz(x) + distance * step);
  }
  return moved;
}

double largest_difference(const std::vector<Vec3>& a, const std::vector<Vec3>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Vec3 d = a[i] - b[i];
    const double here = std::max({std::abs(d.x), std::abs(d.y), std::abs(d.z)});
    if (!std::isfinite(d.x + d.y + d.z)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, here);
  }
  return largest;
}

}  // namespace nanoday
