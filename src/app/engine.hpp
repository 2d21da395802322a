// What eval, check and bench share: engine options, the model, the machine, and structures bound to the
// model. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "atoms/structure.hpp"
#include "backend/backend.hpp"
#include "forces/plan_search.hpp"
#include "machines.hpp"
#include "md/run_options.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

namespace nanoday {

/// Engine options as typed; add_engine_arguments() binds them to a subcommand.
struct EngineArguments {
  RunArguments typed;
  double interval = 0.01;    ///< piece width of --table quintic
  std::string isa = "auto";  ///< instruction set of the cpu machine, for tests and timings
};

/// `arguments` must outlive the parsing.
void add_engine_arguments(CLI::App& app, EngineArguments& arguments);
/// Adds only --isa, which is left out of the help. `isa` must outlive the parsing.
void add_isa_option(CLI::App& app, std::string& isa);

/// A machine as the config says, on the given instruction set. Throws InputError.
std::unique_ptr<Backend> machine_of(const RunConfig& config, const std::string& isa);

/// One structure in the terms of a model: atoms in input order.
struct BoundSystem {
  Box box;
  Atoms atoms;
};

/// A model on a machine.
struct Engine {
  RunConfig config;
  PlanOptions plan_options;
  std::shared_ptr<const Model> model;
  std::unique_ptr<Backend> backend;
};

/// Reads the model and makes the machine. \param ranks  that share the cores; null: one. Throws InputError.
Engine make_engine(const EngineArguments& arguments, const std::string& model_path,
                   const Transport* ranks = nullptr);

/// Every frame of a structure file, replicated as asked. Throws InputError; never returns none.
std::vector<Structure> read_frames(const Engine& engine, const std::string& path);

/// The frame's atoms with the model's types. Throws InputError.
BoundSystem bind(const Engine& engine, const Structure& frame);

/// "lowrank", "quintic", "net".
std::string table_name(TableKind table);

}  // namespace nanoday
