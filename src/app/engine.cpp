// What eval, check and bench share: engine options, the model, the machine, and structures bound to the
// model. SPDX-License-Identifier: Apache-2.0
#include "app/engine.hpp"

#include "core/error.hpp"
#include "forces/system_setup.hpp"
#include "io/structure_file.hpp"
#include "io/virtual_atoms.hpp"
#include "md/configured_model.hpp"
#include "md/rank_threads.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace nanoday {

void add_isa_option(CLI::App& app, std::string& isa) {
  app.add_option("--isa", isa,
                 "instruction set: auto; cpu: avx512bf16, avx512, avx2, baseline; sve: sve512fp16, sve512, "
                 "sve256fp16, …")
      ->group("");
}

void add_engine_arguments(CLI::App& app, EngineArguments& arguments) {
  add_engine_options(app, arguments.typed);
  app.add_option("--interval", arguments.interval, "piece width of --table quintic (default 0.01)")
      ->check(CLI::Range(1e-4, 1.0));
  add_isa_option(app, arguments.isa);
}

std::unique_ptr<Backend> machine_of(const RunConfig& config, const std::string& isa) {
  MachineOptions options;
  options.device = config.device;
  options.threads = config.threads;
  options.reproducible = config.reproducible;
  options.isa = isa;
  options.local_rank = config.local_rank;
  return make_backend(options);
}

Engine make_engine(const EngineArguments& arguments, const std::string& model_path, const Transport* ranks) {
  Engine engine;
  engine.config = make_engine_config(arguments.typed);
  engine.plan_options = plan_options(engine.config);
  engine.plan_options.interval = arguments.interval;
  engine.model = read_configured_model(engine.config, model_path);
  if (engine.model->compressed && engine.config.table == TableKind::net)
    fmt::print(stderr, "nanoday: note: {}\n", k_no_net_note);
  engine.backend =
      machine_of(ranks != nullptr ? on_this_rank(engine.config, *ranks) : engine.config, arguments.isa);
  return engine;
}

std::vector<Structure> read_frames(const Engine& engine, const std::string& path) {
  std::vector<Structure> frames = read_structures(path, engine.config.types);
  require(!frames.empty(), "{} holds no structure; give a file with at least one frame", path);
  for (Structure& frame : frames) frame = prepare_for(*engine.model, std::move(frame));
  const auto [nx, ny, nz] = engine.config.replicate;
  if (nx * ny * nz == 1) return frames;
  for (Structure& frame : frames) frame = replicate(frame, nx, ny, nz);
  return frames;
}

BoundSystem bind(const Engine& engine, const Structure& frame) {
  return {frame.box, make_atoms(frame, bind_types(frame, engine.model->type_map))};
}

std::string table_name(TableKind table) {
  switch (table) {
    case TableKind::net:
      return "net";
    case TableKind::quintic:
      return "quintic";
    case TableKind::lowrank:
      break;
  }
  return "lowrank";
}

}  // namespace nanoday
