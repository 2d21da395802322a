// Identities the physics demands of any model: derivatives and symmetries.
// SPDX-License-Identifier: Apache-2.0
#include "app/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

namespace nanoday {
namespace {

constexpr int k_difference_atoms = 10;  // atoms whose forces are compared with differences
// Fourth-order differences: truncation and rounding are both near 1e-9 eV/Å at this step [Å].
constexpr double k_difference_step = 1e-3;
constexpr double k_strain_step = 1e-4;  // moves pairs 6 Å apart by 6e-4 Å
constexpr double k_derivative_bound = 1e-6;
// The pieces of a table rounded to single precision do not join: the model itself jumps a little.
constexpr double k_rounded_table_bound = 2e-5;
constexpr double k_force_bound = 1e-9;    // [eV/Å] rounding of double positions and sums, with room to spare
constexpr double k_energy_bound = 1e-10;  // [eV/atom]

using Matrix = std::array<Vec3, 3>;  // rows

Vec3 apply(const Matrix& m, Vec3 v) { return {dot(m[0], v), dot(m[1], v), dot(m[2], v)}; }

/// Energy of b less that of a, atom by atom: the rounding of large totals cancels.
double energy_difference(const Sample& b, const Sample& a) {
  double sum = 0;
  for (std::size_t i = 0; i < a.atom_energy.size(); ++i) sum += b.atom_energy[i] - a.atom_energy[i];
  return sum;
}

/// dE/dt at t = 0 by the four-point rule, error O(h⁴).
double derivative(const Probe& probe, const std::function<BoundSystem(double)>& at, double h) {
  const double near = energy_difference(probe(at(h)), probe(at(-h)));
  const double far = energy_difference(probe(at(2 * h)), probe(at(-2 * h)));
  return (8 * near - far) / (12 * h);
}

/// The system after x → m·x, box included.
BoundSystem transformed(const BoundSystem& system, const Matrix& m) {
  BoundSystem out = system;
  for (Vec3& a : out.box.cell) a = apply(m, a);
  out.box.origin = apply(m, out.box.origin);
  for (Vec4& x : out.atoms.position) x = padded(apply(m, xyz(x)));
  return out;
}

BoundSystem strained(const BoundSystem& system, int a, int b, double strain) {
  Matrix m{Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}};
  double* row[] = {&m[a].x, &m[a].y, &m[a].z};
  *row[b] += strain;
  return transformed(system, m);
}

BoundSystem displaced(const BoundSystem& system, std::int64_t atom, int axis, double distance) {
  BoundSystem out = system;
  Vec4& x = out.atoms.position[atom];
  double* component[] = {&x.x, &x.y, &x.z};
  *component[axis] += distance;
  return out;
}

double derivative_bound(const Model& model) {
  return model.float32 && model.compressed ? k_rounded_table_bound : k_derivative_bound;
}

CheckRow check_forces(const Probe& probe, const BoundSystem& system, const Sample& here) {
  const std::int64_t n = system.atoms.nlocal, count = std::min<std::int64_t>(n, k_difference_atoms);
  double worst = 0;
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int64_t atom = k * n / count;
    const double force[] = {here.force[atom].x, here.force[atom].y, here.force[atom].z};
    for (int axis = 0; axis < 3; ++axis) {
      const auto at = [&](double t) { return displaced(system, atom, axis, t); };
      worst = std::max(worst, std::abs(force[axis] + derivative(probe, at, k_difference_step)));
    }
  }
  return {fmt::format("forces against finite differences ({} atoms)", count), "eV/Å", worst,
          derivative_bound(*probe.plan->model), ""};
}

CheckRow check_virial(const Probe& probe, const BoundSystem& system, const Sample& here) {
  double worst = 0, largest = 1;  // [eV]; virials below 1 eV are compared absolutely
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      const auto at = [&](double t) { return strained(system, a, b, t); };
      worst = std::max(worst, std::abs(here.virial[3 * a + b] + derivative(probe, at, k_strain_step)));
      largest = std::max(largest, std::abs(here.virial[3 * a + b]));
    }
  }
  return {"virial against strain (9 components)", "relative", worst / largest,
          derivative_bound(*probe.plan->model), ""};
}

void compare(CheckRows& rows, const std::string& name, const Sample& expected, const Sample& found) {
  const double n = static_cast<double>(expected.force.size());
  rows.push_back(
      {name + ": energy", "eV/atom", std::abs(energy_difference(found, expected)) / n, k_energy_bound, ""});
  rows.push_back(
      {name + ": forces", "eV/Å", largest_difference(expected.force, found.force), k_force_bound, ""});
}

/// A rotation about no special axis: Rz(0.7)·Ry(−0.4)·Rx(1.1).
Matrix some_rotation() {
  const double ca = std::cos(0.7), sa = std::sin(0.7), cb = std::cos(-0.4), sb = std::sin(-0.4);
  const double cc = std::cos(1.1), sc = std::sin(1.1);
  return {Vec3{ca * cb, ca * sb * sc - sa * cc, ca * sb * cc + sa * sc},
          Vec3{sa * cb, sa * sb * sc + ca * cc, sa * sb * cc - ca * sc}, Vec3{-sb, cb * sc, cb * cc}};
}

void check_translation(CheckRows& rows, const Probe& probe, const BoundSystem& system, const Sample& here) {
  BoundSystem moved = system;
  for (Vec4& x : moved.atoms.position) x = padded(xyz(x) + Vec3{0.37, -1.21, 2.93});
  compare(rows, "translation", here, probe(moved));
}

void check_rotation(CheckRows& rows, Probe probe, const BoundSystem& system, Sample here) {
  const Matrix rotation = some_rotation();
  for (Vec3& w : probe.weight) w = apply(rotation, w);
  for (Vec3& f : here.force) f = apply(rotation, f);
  compare(rows, "rotation", here, probe(transformed(system, rotation)));
}

void check_permutation(CheckRows& rows, Probe probe, const BoundSystem& system, Sample here) {
  BoundSystem reversed = system;
  std::reverse(reversed.atoms.position.begin(), reversed.atoms.position.end());
  std::reverse(reversed.atoms.type.begin(), reversed.atoms.type.end());
  std::reverse(probe.weight.begin(), probe.weight.end());
  std::reverse(here.force.begin(), here.force.end());
  std::reverse(here.atom_energy.begin(), here.atom_energy.end());
  compare(rows, "permutation", here, probe(reversed));
}

CheckRow check_total_force(const Sample& here) {
  Vec3 total;
  for (const Vec3& f : here.force) total = total + f;
  const double per_atom = norm(total) / static_cast<double>(here.force.size());
  return {"sum of forces", "eV/Å/atom", per_atom, k_force_bound, ""};
}

}  // namespace

CheckRows check_derivatives(const Probe& probe, const BoundSystem& system) {
  const Sample here = probe(system);
  return {check_forces(probe, system, here), check_virial(probe, system, here)};
}

CheckRows check_symmetries(const Probe& probe, const BoundSystem& system) {
  const Sample here = probe(system);
  CheckRows rows;
  check_translation(rows, probe, system, here);
  check_rotation(rows, probe, system, here);
  check_permutation(rows, probe, system, here);
  rows.push_back(check_total_force(here));
  return rows;
}

}  // namespace nanoday
