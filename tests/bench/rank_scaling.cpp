// Steps water on ranks as threads, 192 atoms per rank, for benchmarks/rank_scaling.py to count instructions.
// SPDX-License-Identifier: Apache-2.0
#include "by_id.hpp"
#include "core/error.hpp"
#include "in_process.hpp"
#include "io/structure_file.hpp"
#include "machines.hpp"
#include "md/run_structure.hpp"
#include "md/simulation.hpp"
#include "md/velocities.hpp"
#include "model/model_file.hpp"

#include <cstdio>
#include <cstdlib>

namespace nanoday {
namespace {

/// Copies along a, b, c for 1, 2, 4, 8 ranks.
std::array<int, 3> copies_for(int ranks) {
  return {ranks >= 2 ? 2 : 1, ranks >= 4 ? 2 : 1, ranks >= 8 ? 2 : 1};
}

/// Prints atoms, ghosts and bytes of the halo's plan, the largest of all ranks.
void step_water(int n_ranks, std::int64_t steps) {
  const std::string root = NANODAY_SOURCE_DIR "/examples/";
  const auto model = std::make_shared<const Model>(read_model(root + "models/water.pb"));
  PlanOptions options;
  options.table = TableKind::quintic;
  const auto plan = make_direct_plan(model, options);
  RunConfig config;
  config.structure = root + "structures/water192.data";
  config.replicate = copies_for(n_ranks);
  std::vector<std::string> notes;
  const RunStructure structure(config, *model, notes);
  run_ranks(n_ranks, [&](Transport& transport) {
    const std::shared_ptr<Transport> ranks = transport.split(0);
    const auto backend = make_backend({.device = "cpu", .threads = 1, .reproducible = true, .isa = "avx2"});
    const IdShares shares(structure.natoms(), n_ranks);
    Atoms atoms = structure.atoms(shares.first(ranks->rank()), shares.first(ranks->rank() + 1));
    draw_velocities(atoms, 330, 1, *ranks);
    Evaluator evaluator(*backend, plan, structure.box(), std::move(atoms), {2.0, 50}, ranks);
    Simulation simulation(evaluator, make_no_thermostat(), 0.0005, 3.0 * double(structure.natoms()) - 3);
    simulation.start({});
    for (std::int64_t step = 0; step < steps; ++step) simulation.step({});
    const Atoms& now = evaluator.atoms();
    std::array<double, 2> most{double(now.nlocal), double(now.nghost)};
    ranks->all_reduce_max(View<double>(most.data(), most.size()));
    if (ranks->rank() == 0)
      std::printf("{\"atoms\": %lld, \"most_atoms\": %.0f, \"most_ghosts\": %.0f}\n",
                  static_cast<long long>(structure.natoms()), most[0], most[1]);
  });
}

}  // namespace
}  // namespace nanoday

int main(int argc, char** argv) {
  const int ranks = argc > 1 ? std::atoi(argv[1]) : 0;
  if (argc != 3 || (ranks != 1 && ranks != 2 && ranks != 4 && ranks != 8)) {
    std::fprintf(stderr, "usage: nanoday_rank_scaling 1|2|4|8 STEPS\n");
    return 2;
  }
  try {
    nanoday::step_water(ranks, std::atoll(argv[2]));
  } catch (const nanoday::Error& error) {
    std::fprintf(stderr, "nanoday_rank_scaling: %s\n", error.what());
    return 1;
  }
  return 0;
}
