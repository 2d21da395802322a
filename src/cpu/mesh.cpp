// How the mesh of the long-range solver lies in memory, and whether it fits.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/mesh.hpp"

#include "core/error.hpp"

#include <fstream>
#include <limits>
#include <string>

namespace nanoday::cpu {

namespace {

/// Smallest multiple of `line` numbers ≥ n with an odd number of lines: columns of a power-of-two mesh would
/// otherwise fall into the same few cache sets.
int odd_lines(int n, int line) {
  const int lines = (n + line - 1) / line;
  return (lines % 2 == 1 ? lines : lines + 1) * line;
}

/// Bytes the kernel can hand out without swapping; the largest number where nothing tells.
double available_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  while (file >> word) {
    double kilobytes = 0;
    if (word == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
  }
  return std::numeric_limits<double>::max();
}

/// Arrays of the solver at their largest: three fields and one half spectrum each, influence and virial
/// tables, each thread's plane and block.
double solver_bytes(std::array<int, 3> mesh, int threads) {
  const double na = mesh[0], nb = mesh[1], nc = mesh[2];
  const double real = na * nb * (nc + 16) * 8, half = na * (nb / 2 + 1) * (nc + 8) * 16;
  const double tables = na * (nb / 2 + 1) * nc * 8 * 11;
  const double own = (nb * (nc + 16) * 16 + nb * (nc + 2) * 16) + 2 * na * (nc + 8) * 16;
  return 4 * (real + half) + tables + threads * own;
}

}  // namespace

MeshLayout mesh_layout(std::array<int, 3> mesh) {
  return {mesh, odd_lines(mesh[2] + k_weight_row - 1, 8), odd_lines(mesh[2], 4), (mesh[2] + 1) / 2};
}

void check_mesh_memory(std::array<int, 3> mesh, int threads) {
  constexpr double k_most_points = 1 << 30;
  const double needed = solver_bytes(mesh, threads), free = available_bytes();
  const double widest = static_cast<double>(mesh[1]) * (mesh[2] + 16.0);
  const double columns = static_cast<double>(mesh[0]) * (mesh[2] + 8.0), rows = 1.0 * mesh[0] * mesh[1];
  require(widest < k_most_points && columns < k_most_points && rows < k_most_points && needed < free,
          "the mesh {} × {} × {} does not fit into memory (it needs {:.3g} GiB, {:.3g} GiB are free); use "
          "fewer mesh "
          "points",
          mesh[0], mesh[1], mesh[2], needed / 0x1p30, free / 0x1p30);
}

}  // namespace nanoday::cpu
