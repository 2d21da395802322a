// Chooses the mesh of the long-range solver for a wanted force error, as LAMMPS does.
// SPDX-License-Identifier: Apache-2.0
#include "forces/mesh_choice.hpp"

#include "core/error.hpp"
#include "math/mesh_estimate.hpp"

#include <algorithm>
#include <vector>

namespace nanoday {
namespace {

/// Points along one axis beyond which a request is taken for a mistake: 2048³ complex numbers are 137 GB.
constexpr int k_max_points = 2048;
/// e^{−k²/2β²} of waves left out of the "ad" estimate, beside 1 for the longest waves.
constexpr double k_negligible = 1e-40;

void check(const MeshProblem& problem) {
  const auto& periodic = problem.box.periodic;
  require(
      periodic[0] && periodic[1] && periodic[2] && problem.box.volume() > 0,
      "a long-range mesh needs a box that repeats along a, b and c (this one does not); give a periodic box");
  require(problem.beta > 0, "ewald beta is {} 1/Å (must be positive); correct it", problem.beta);
  require(problem.order >= 3 && problem.order <= k_max_assignment_order,
          "assignment order {} is not available (3 to 7 are); choose one of them", problem.order);
  require(problem.n_charges > 0 && problem.sum_q2 > 0,
          "no charges to choose a long-range mesh for ({} charges, sum of squares {}); give --mesh",
          problem.n_charges, problem.sum_q2);
  require(problem.differentiation == Differentiation::ik || problem.box.is_orthorhombic(),
          "differentiation \"ad\" needs an orthorhombic box (its self-force correction holds only there); "
          "use \"ik\"");
}

double ik_error(const MeshProblem& problem, double spacing, double length) {
  return ik_force_error(spacing, length, problem.beta, problem.coulomb * problem.sum_q2,
                        static_cast<double>(problem.n_charges), problem.order);
}

/// The cell turned so that a lies along x and b in the x-y plane: xx, yy, zz, |xy|, |xz|, |yz| [Å].
std::array<double, 6> turned_cell(const Box& box) {
  const auto& [a, b, c] = box.cell;
  const double xx = norm(a), xy = dot(b, a) / xx, xz = dot(c, a) / xx;
  const double yy = norm(cross(a, b)) / xx;
  const double yz = (dot(b, c) - xy * xz) / yy;
  return {xx, yy, box.volume() / (xx * yy), std::fabs(xy), std::fabs(xz), std::fabs(yz)};
}

[[noreturn]] void refuse(double mesh_error) {
  throw InputError(
      fmt::format("mesh error {} needs more than {} mesh points along an axis (it is the force "
                  "error in units of 14.4 eV/Å); ask for a larger one or a higher order",
                  mesh_error, k_max_points));
}

/// One axis: LAMMPS tests the error of the mesh before the last increment, so the result may be one larger
/// than needed. Kept, so that both programs choose the same mesh.
int ik_points(const MeshProblem& problem, double length, double target) {
  int n = static_cast<int>(std::min(length * problem.beta, 1e6)) + 1;
  double h = 1 / problem.beta, error = ik_error(problem, h, length);
  while (error > target && n <= k_max_points) {
    error = ik_error(problem, h, length);
    h = length / ++n;
  }
  return n;
}

std::array<int, 3> ik_mesh(const MeshProblem& problem, double target) {
  const auto h = turned_cell(problem.box);
  std::array<int, 3> n{};
  for (int d = 0; d < 3; ++d) n[d] = ik_points(problem, h[d], target);
  if (problem.box.is_orthorhombic()) return n;
  // Points per length along x, y, z → points along a, b, c.
  const double x = n[0] / h[0], y = n[1] / h[1], z = n[2] / h[2];
  return {static_cast<int>(h[0] * x) + 1, static_cast<int>(h[3] * x + h[1] * y) + 1,
          static_cast<int>(h[4] * x + h[5] * y + h[2] * z) + 1};
}

int largest(const std::array<int, 3>& mesh) { return *std::max_element(mesh.begin(), mesh.end()); }

std::array<double, 3> lengths(const Box& box) {
  return {norm(box.cell[0]), norm(box.cell[1]), norm(box.cell[2])};
}

/// LAMMPS lowers h from 4/β by 5 % until the error is below the target. It falls with every mesh, so the
/// first such mesh is found by halving the list.
std::array<int, 3> ad_mesh(const MeshProblem& problem, double target) {
  const auto length = lengths(problem.box);
  std::vector<std::array<int, 3>> meshes;
  for (double h = 4 / problem.beta; meshes.empty() || largest(meshes.back()) <= k_max_points; h *= 0.95) {
    std::array<int, 3> n{};
    for (int d = 0; d < 3; ++d) n[d] = std::max(2, static_cast<int>(std::min(length[d] / h, 1e6)));
    meshes.push_back(n);
  }
  const auto too_coarse = [&](const std::array<int, 3>& n) {
    return estimate_mesh_error(problem, n) > target;
  };
  return *std::partition_point(meshes.begin(), meshes.end() - 1, too_coarse);
}

/// q_opt/(4π)²: sum over the frequencies 0 … N/2 of each axis, which stand for their mirror images too.
double ad_optimum(const MeshProblem& problem, const std::array<int, 3>& mesh) {
  const auto length = lengths(problem.box);
  std::array<std::vector<AdAliases>, 3> axis;
  for (int d = 0; d < 3; ++d)
    for (int n = 0; n <= mesh[d] / 2; ++n)
      axis[d].push_back(ad_aliases(n, mesh[d], length[d], problem.beta, problem.order));
  const auto copies = [&](int d, std::size_t n) {
    return n == 0 || 2 * n == std::size_t(mesh[d]) ? 1.0 : 2.0;
  };
  double sum = 0;
  for (std::size_t i = 0; i < axis[0].size(); ++i)
    for (std::size_t j = 0; j < axis[1].size(); ++j) {
      double line = 0;
      for (std::size_t k = i + j == 0 ? 1 : 0; k < axis[2].size(); ++k) {
        // Beyond this length waves carry nothing, on any mesh.
        if (axis[0][i].gauss[2] * axis[1][j].gauss[2] * axis[2][k].gauss[2] < k_negligible) break;
        line += copies(2, k) * ad_optimum_term(axis[0][i], axis[1][j], axis[2][k]);
      }
      sum += copies(0, i) * copies(1, j) * line;
    }
  return sum;
}

}  // namespace

double estimate_mesh_error(const MeshProblem& problem, const std::array<int, 3>& mesh) {
  check(problem);
  for (const int n : mesh) require(n >= 2, "mesh of {} points (at least 2 are needed); give a finer one", n);
  const double n_charges = static_cast<double>(problem.n_charges);
  if (problem.differentiation == Differentiation::ad) {
    constexpr double four_pi = 12.566370614359172;
    return four_pi * std::sqrt(ad_optimum(problem, mesh) / n_charges) * problem.coulomb * problem.sum_q2 /
           problem.box.volume();
  }
  const Vec3 heights = problem.box.heights();
  double sum = 0;
  for (const auto& [height, points] :
       {std::pair{heights.x, mesh[0]}, {heights.y, mesh[1]}, {heights.z, mesh[2]}}) {
    const double error = ik_error(problem, height / points, height);
    sum += error * error;
  }
  return std::sqrt(sum / 3);
}

MeshChoice choose_mesh(const MeshProblem& problem, double mesh_error) {
  check(problem);
  require(mesh_error > 0, "mesh error {} must be positive; give for example 1e-5", mesh_error);
  MeshChoice choice;
  choice.target = mesh_error * problem.coulomb;
  const bool ik = problem.differentiation == Differentiation::ik;
  choice.mesh = ik ? ik_mesh(problem, choice.target) : ad_mesh(problem, choice.target);
  for (int& n : choice.mesh) {
    if (n > k_max_points) refuse(mesh_error);
    n = next_smooth(n);
  }
  choice.estimate = estimate_mesh_error(problem, choice.mesh);
  return choice;
}

}  // namespace nanoday
