// A run whose low-rank tables cease to hold: molecules of a thin gas that soon collide.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/water_run.hpp"

#include <fmt/format.h>

#include <string>

namespace nanoday::test {

/// Eight molecules of water, too far apart to see each other, as extended XYZ.
inline std::string thin_gas() {
  constexpr double k_apart = 6.1;  // Å; the cutoff is 5
  std::string rows;
  for (int m = 0; m < 8; ++m) {
    const double x = k_apart * (m % 2), y = k_apart * (m / 2 % 2), z = k_apart * (m / 4);
    rows += fmt::format("O {} {} {}\nH {} {} {}\nH {} {} {}\n", x, y, z, x + 0.757, y + 0.586, z, x - 0.757,
                        y + 0.586, z);
  }
  return fmt::format("24\nLattice=\"{0} 0 0 0 {0} 0 0 0 {0}\" Properties=species:S:1:pos:R:3\n{1}",
                     2 * k_apart, rows);
}

/// Its run: so fast that some have met when tables are measured again.
inline RunConfig gas_run(const std::string& structure, const std::string& out, bool dplr = false) {
  RunConfig c = water_run(structure, out, dplr);
  c.table = TableKind::lowrank;
  c.ensemble = Ensemble::nve;
  c.temperature = 3000;
  c.every = 0.04;
  c.thermo_every = 20;
  c.checkpoint_every = 150;
  c.skin = 1;
  return c;
}

}  // namespace nanoday::test
