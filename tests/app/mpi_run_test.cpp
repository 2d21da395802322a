// A run under mpirun, from the command line to its files: the same bytes on any number of processes.
// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"

#include <vector>

namespace nanoday::testing {
namespace {

/// Eight water molecules on a lattice, with element names: small enough for an emulated processor.
std::string small_water() {
  std::string text =
      "24\nLattice=\"6.22 0 0 0 6.22 0 0 0 6.22\" Properties=species:S:1:pos:R:3 pbc=\"T T T\"\n";
  for (int k = 0; k < 8; ++k) {
    const double x = 3.11 * (k & 1) + 0.3, y = 3.11 * (k >> 1 & 1) + 0.5, z = 3.11 * (k >> 2 & 1) + 0.7;
    const double tilt = k % 2 == 0 ? 0.59 : -0.59;
    const auto row = [&](const char* element, double dx, double dy) {
      text += std::string(element) + ' ' + std::to_string(x + dx) + ' ' + std::to_string(y + dy) + ' ' +
              std::to_string(z) + '\n';
    };
    row("O", 0, 0);
    row("H", 0.76, tilt);
    row("H", -0.76, tilt);
  }
  return text;
}

/// Reproducible steps into `folder`. \param launch  "mpirun -n 2", or nothing
void run_steps(const std::string& inputs, const std::string& folder, const std::string& launch) {
  const Outcome outcome = run_program("run " + inputs +
                                          " --nve --temperature 330 --dt 0.2fs --steps 6 --every 0.4fs"
                                          " --thermo-every 1 --skin 0.1 --threads 1 --reproducible"
                                          " --table quintic --out " +
                                          folder,
                                      launch);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
}

void expect_same_bytes(const std::string& model, const std::string& options, const std::vector<int>& ranks) {
  const Folder folder;
  write_text(folder / "water.xyz", small_water());
  const std::string inputs =
      NANODAY_SOURCE_DIR "/tests/data/" + model + " " + (folder / "water.xyz") + " " + options;
  run_steps(inputs, folder / "one", "");
  for (const int n : ranks) {
    const std::string many = std::to_string(n);
    run_steps(inputs, folder / many, NANODAY_MPIRUN " " + many);
    for (const std::string file : {"thermo.csv", "trajectory.extxyz"}) {
      const std::string bytes = read_text(folder / ("one/" + file));
      EXPECT_GT(bytes.size(), 500u) << file;
      EXPECT_EQ(bytes, read_text(folder / (many + "/" + file))) << file << " of " << n << " ranks";
    }
  }
}

TEST(MpiRun, leaves_the_same_bytes_on_one_two_and_four_ranks) {
  expect_same_bytes("water_sea.pb", "", {1, 2, 4});
}

TEST(MpiRun, leaves_the_same_bytes_with_long_range_forces) {
  expect_same_bytes("water_dplr.pb", "--solver pppm --mesh 12 12 12", {2});
}

}  // namespace
}  // namespace nanoday::testing
