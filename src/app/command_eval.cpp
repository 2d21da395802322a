// `nanoday eval`: energy, forces, virial or dipoles of every frame of every structure.
// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include "app/json_output.hpp"
#include "app/sample.hpp"
#include "core/units.hpp"
#include "md/analysis/total_dipole.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace nanoday {
namespace {

constexpr const char* k_examples = R"(Examples:
  nanoday eval water.pb water.data --json result.json
  nanoday eval water.pb frames.extxyz --table net --json /dev/stdout
  nanoday eval water-dw.pb POSCAR
The JSON holds, per frame and in the order of the input: energy [eV], forces [eV/A],
virial = -dE/dstrain [eV], atom_energy [eV], atom_virial [eV]; for dipole models: the dipoles [A] of the
atoms that carry one.)";

struct EvalArguments {
  EngineArguments engine;
  std::string model;
  std::vector<std::string> structures;
  std::string json;
};

Json json_of(const Vec3& v) { return Json::array({v.x, v.y, v.z}); }

Json json_of(const std::vector<Vec3>& vectors) {
  Json rows = Json::array();
  for (const Vec3& v : vectors) rows.push_back(json_of(v));
  return rows;
}

/// Dipoles of the atoms whose type carries one, input order.
Json selected_dipoles(const Sample& sample, const BoundSystem& system, const Model& model) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < sample.dipole.size(); ++i) {
    if (model.selected[system.atoms.type[i]]) rows.push_back(json_of(sample.dipole[i]));
  }
  return rows;
}

/// Parts of the energy, Wannier centroids and the dipole of a DPLR model.
void add_long_range(const Sample& sample, const BoundSystem& system, const Model& model, Json& frame) {
  const Model& wannier = *model.dipole_charge->wannier;
  frame["energy_short"] = sample.energy - sample.energy_long - sample.energy_field;
  frame["energy_long"] = sample.energy_long;
  if (sample.energy_field != 0) frame["energy_field"] = sample.energy_field;
  frame["dipoles"] = selected_dipoles(sample, system, wannier);
  Json& centroids = frame["wannier_centroids"] = Json::array();
  for (std::size_t i = 0; i < sample.dipole.size(); ++i)
    if (wannier.selected[system.atoms.type[i]])
      centroids.push_back(json_of(xyz(system.atoms.position[i]) + sample.dipole[i]));
  Array<Vec4> displacement;
  for (const Vec3& mu : sample.dipole) displacement.push_back(padded(mu));
  const DipoleCharge& charges = *model.dipole_charge;
  const TypeCharges of_types{charges.ion_charge, charges.wannier_charge};
  frame["total_dipole"] =
      json_of(total_dipole(*make_self_transport(), system.box, system.atoms, of_types, displacement));
}

Json frame_json(const Sample& sample, const BoundSystem& system, const Model& model) {
  Json frame;
  if (model.kind == ModelKind::energy) {
    frame["energy"] = sample.energy;
    frame["forces"] = json_of(sample.force);
    frame["virial"] = sample.virial;
    frame["atom_energy"] = sample.atom_energy;
    frame["atom_virial"] = sample.atom_virial;
    if (model.dipole_charge) add_long_range(sample, system, model, frame);
  } else {
    frame["dipoles"] = selected_dipoles(sample, system, model);
  }
  frame["outside_table"] = sample.counts.outside_table;
  frame["sel_overflow"] = sample.counts.sel_overflow;
  return frame;
}

double largest(const std::vector<Vec3>& vectors) {
  double found = 0;
  for (const Vec3& v : vectors) found = std::max(found, norm(v));
  return found;
}

/// Virial part of the pressure [bar], or "-" when the box has no volume.
std::string virial_pressure(const Sample& sample, const Box& box) {
  if (!(box.volume() > 0)) return "-";
  const double trace = sample.virial[0] + sample.virial[4] + sample.virial[8];
  return fmt::format("{:.1f}", trace / (3 * box.volume()) * units::k_pressure_bar);
}

/// Prints the readable table, unless standard output carries JSON.
class Table {
 public:
  Table(bool silent, ModelKind kind) : silent_(silent), kind_(kind) {}

  void heading(const std::string& path, const Engine& engine, const ChosenPlan& chosen) const {
    if (silent_) return;
    fmt::print("{} · {} · {} · {}\n", path, engine.backend->name(), table_name(chosen.plan->table),
               precision_name(chosen.plan->precision));
    const MeasuredError& error = chosen.error;
    fmt::print("force error against the net in double: rms {:.1e}, max {:.1e} eV/Å ({} atoms, {} copies)\n",
               error.force_rms, error.force_max, error.atoms, error.copies);
    if (kind_ == ModelKind::energy) {
      fmt::print("{:>6} {:>9} {:>20} {:>16} {:>14} {:>16}\n", "frame", "atoms", "energy [eV]",
                 "per atom [eV]", "max |F| [eV/Å]", "virial [bar]");
    } else {
      fmt::print("{:>6} {:>9} {:>20}\n", "frame", "atoms", "largest |dipole| [Å]");
    }
  }

  void row(std::size_t index, const Sample& sample, const BoundSystem& system) const {
    if (silent_) return;
    const std::int64_t n = system.atoms.nlocal;
    if (kind_ == ModelKind::energy) {
      fmt::print("{:>6} {:>9} {:>20.8f} {:>16.8f} {:>14.6f} {:>16}\n", index, n, sample.energy,
                 sample.energy / static_cast<double>(n), largest(sample.force),
                 virial_pressure(sample, system.box));
    } else {
      fmt::print("{:>6} {:>9} {:>20.6f}\n", index, n, largest(sample.dipole));
    }
  }

 private:
  bool silent_;
  ModelKind kind_;
};

/// Evaluates the frames of one file and appends them to `frames`.
void eval_file(const Engine& engine, const std::string& path, const Table& table, Json& frames) {
  const std::vector<Structure> structures = read_frames(engine, path);
  const BoundSystem first = bind(engine, structures.front());
  const ChosenPlan chosen =
      choose_plan(*engine.backend, engine.model, first.box, first.atoms, engine.plan_options);
  table.heading(path, engine, chosen);
  for (std::size_t i = 0; i < structures.size(); ++i) {
    const BoundSystem system = bind(engine, structures[i]);
    const Sample sample = evaluate(*engine.backend, chosen.plan, system);
    for (const std::string& warning : warnings_of(sample.counts, *engine.model)) {
      fmt::print(stderr, "nanoday: warning: {} frame {}: {}\n", path, i, warning);
    }
    table.row(i, sample, system);
    frames.push_back(frame_json(sample, system, *engine.model));
  }
}

int eval(const EvalArguments& arguments) {
  const Engine engine = make_engine(arguments.engine, arguments.model);
  const Table table(is_stdout(arguments.json), engine.model->kind);
  Json frames = Json::array();
  for (const std::string& path : arguments.structures) eval_file(engine, path, table, frames);
  if (arguments.json.empty()) return 0;
  Json document;
  document["model"] = arguments.model;
  document["precision"] = precision_name(engine.config.precision);
  document["table"] = table_name(engine.config.table);
  document["units"] = {{"length", "A"}, {"energy", "eV"}};
  document["frames"] = std::move(frames);
  write_json(arguments.json, document);
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("eval", "energy, forces, virial, atomic energies or dipoles of structures");
  command->footer(k_examples);
  auto arguments = std::make_shared<EvalArguments>();
  command->add_option("MODEL", arguments->model, "model file (.pb)")->required();
  command->add_option("STRUCTURE", arguments->structures, "structure files; every frame is evaluated")
      ->required();
  command->add_option("--json", arguments->json,
                      "write everything to this file (/dev/stdout: and nothing else there)");
  add_engine_arguments(*command, arguments->engine);
  command->callback([arguments, &action] { action = [arguments] { return eval(*arguments); }; });
}

}  // namespace nanoday
