// Fills the files of a run.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_output.hpp"

#include "core/error.hpp"
#include "io/frame.hpp"
#include "md/bytes.hpp"
#include "md/guards.hpp"

#include <filesystem>
#include <utility>

namespace nanoday {
namespace {

constexpr const char* k_thermo = "thermo.csv";
constexpr const char* k_msd = "msd.csv";
constexpr const char* k_rdf = "rdf.csv";

OutputFile open_file(const RunConfig& config, const std::string& name, const Checkpoint* from) {
  const std::string path = run_path(config, name);
  if (from == nullptr) return OutputFile::create(path);
  for (const FileLength& file : from->files)
    if (file.name == name) return OutputFile::open_at(path, static_cast<std::int64_t>(file.length));
  throw InputError(
      fmt::format("the checkpoint in {} knows no {} (another trajectory format or --every was set); "
                  "restore run.resolved.toml",
                  config.folder(), name));
}

NumberFormat digits(const RunConfig& config, NumberFormat usual) {
  return config.reproducible ? NumberFormat::round_trip : usual;
}

TrajectoryAtoms trajectory_atoms(const RunSystem& system) {
  const Atoms& atoms = system.evaluator->atoms();
  TrajectoryAtoms described;
  described.species_name = species_names(*system.model);
  described.id = system.input_id;
  described.species.resize(static_cast<std::size_t>(atoms.nlocal));
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) described.species[atoms.id[i]] = atoms.type[i];
  return described;
}

std::unique_ptr<TrajectoryWriter> open_trajectory(const RunConfig& config, const RunSystem& system,
                                                  const Checkpoint* from) {
  if (config.trajectory_stride() == 0) return nullptr;
  const char* format = config.trajectory == TrajectoryFormat::dump ? "dump" : "extxyz";
  return make_trajectory_writer(format, open_file(config, trajectory_name(config), from),
                                trajectory_atoms(system), digits(config, NumberFormat::eight_digits));
}

std::optional<Rdf> make_rdf(const RunSystem& system) {
  const Box& box = system.evaluator->box();
  if (!rdf_possible(box)) return std::nullopt;
  return Rdf(box, species_names(*system.model), system.evaluator->atoms());
}

std::optional<DplrAnalysis> make_dplr(const RunConfig& config, const RunSystem& system) {
  if (!system.model->dipole_charge) return std::nullopt;
  const DipoleCharge& charges = *system.model->dipole_charge;
  return DplrAnalysis({charges.ion_charge, charges.wannier_charge}, config.dt);
}

}  // namespace

std::string run_path(const RunConfig& config, const std::string& name) {
  return (std::filesystem::path(config.folder()) / name).string();
}

std::string trajectory_name(const RunConfig& config) {
  return config.trajectory == TrajectoryFormat::dump ? "trajectory.dump" : "trajectory.extxyz";
}

std::vector<std::string> species_names(const Model& model) {
  std::vector<std::string> names(static_cast<std::size_t>(model.n_types()));
  for (std::size_t t = 0; t < names.size(); ++t) {
    if (t < model.type_map.size()) names[t] = model.type_map[t];
    if (names[t].empty()) names[t] = fmt::format("X{}", t);
  }
  return names;
}

RunOutput::RunOutput(const RunConfig& config, const RunSystem& system, const Checkpoint* from)
    : config_(config),
      thermo_(open_file(config, k_thermo, from), digits(config, NumberFormat::twelve_digits)),
      trajectory_(open_trajectory(config, system, from)),
      rdf_(make_rdf(system)),
      msd_(species_names(*system.model), system.evaluator->atoms()),
      msd_log_(std::make_unique<MsdLog>(open_file(config, k_msd, from), msd_.elements(),
                                        digits(config, NumberFormat::eight_digits))),
      dplr_(make_dplr(config, system)) {
  if (system.simulation->resident() != nullptr) {
    queue_ = std::make_unique<WorkQueue>();
    system.simulation->before_arrays([queue = queue_.get()] { queue->drain(); });
  }
  if (from == nullptr) return;
  statistics_ = from->statistics;
  checkpointed_step_ = from->step;
  restore_analysis(from->analysis);
}

Needs RunOutput::needs(std::int64_t step) const {
  Needs needs;
  needs.virial = due(step, config_.thermo_every);
  needs.energy = needs.virial || due(step, config_.trajectory_stride());
  return needs;
}

void RunOutput::write(const RunSystem& system) {
  const Trace trace(system.backend->times(), Stage::output);
  const Moment moment = look(system);
  if (!moment.any()) return;
  if (queue_)
    queue_->push([this, &system, moment] { put(system, moment); });
  else
    put(system, moment);
}

RunOutput::Moment RunOutput::look(const RunSystem& system) {
  Moment now;
  now.step = system.simulation->step_count();
  now.time = system.simulation->time();
  now.energy = system.evaluator->forces().energy;
  if (due(now.step, config_.thermo_every)) now.row = thermo_row(system);
  now.frame = due(now.step, config_.trajectory_stride());
  now.dipole = dplr_ && due(now.step, dplr_->dipole_stride());
  now.analysis = due(now.step, config_.analysis_stride());
  if (!now.arrays()) return now;
  system.simulation->show();
  return now;
}

void RunOutput::put(const RunSystem& system, const Moment& moment) {
  const Evaluator& evaluator = *system.evaluator;
  if (moment.row) thermo_.write(*moment.row);
  if (moment.frame) write_frame(system, moment);
  if (moment.dipole) dplr_->sample_dipole(evaluator.box(), evaluator.atoms(), evaluator.dipoles());
  if (moment.analysis) analyse(system, moment);
}

ThermoRow RunOutput::thermo_row(const RunSystem& system) {
  const Observables now = system.simulation->observe();
  check_sound(now, *system.evaluator);
  statistics_.add(now);
  ThermoRow row{now.step, now.time, now.temperature, now.potential, now.kinetic, now.total, now.conserved,
                {},       {}};
  if (rdf_possible(system.evaluator->box())) {
    row.pressure = now.pressure;
    row.volume = system.evaluator->box().volume();
  }
  return row;
}

void RunOutput::write_frame(const RunSystem& system, const Moment& moment) {
  const Evaluator& evaluator = *system.evaluator;
  Frame frame = gather_frame(evaluator.box(), evaluator.atoms(), evaluator.forces(), {true, false});
  frame.step = moment.step;
  frame.time = moment.time;
  frame.energy = moment.energy;
  trajectory_->write(frame);
}

void RunOutput::analyse(const RunSystem& system, const Moment& moment) {
  const Evaluator& evaluator = *system.evaluator;
  if (rdf_) rdf_->sample(evaluator.box(), evaluator.atoms());
  if (dplr_) dplr_->sample_molecules(evaluator.box(), evaluator.atoms(), evaluator.dipoles());
  msd_log_->write(msd_.sample(moment.time, evaluator.box(), evaluator.atoms()));
}

void RunOutput::checkpoint(const RunSystem& system) {
  const Trace trace(system.backend->times(), Stage::output);
  if (system.simulation->step_count() == checkpointed_step_) return;
  if (queue_) queue_->drain();
  system.simulation->show();
  Checkpoint c = checkpoint_of(system, config_);
  c.statistics = statistics_;
  c.analysis = save_analysis();
  const auto note = [&](const std::string& name, OutputFile& file) {
    file.sync();
    c.files.push_back({name, static_cast<std::uint64_t>(file.length())});
  };
  note(k_thermo, thermo_.file());
  note(k_msd, msd_log_->file());
  if (trajectory_) note(trajectory_name(config_), trajectory_->file());
  if (rdf_) write_rdf(run_path(config_, k_rdf), rdf_->table(), digits(config_, NumberFormat::eight_digits));
  if (dplr_)
    dplr_->write_files(config_.folder(), conditions(system), digits(config_, NumberFormat::eight_digits));
  write_checkpoint(config_.folder(), c);
  checkpointed_step_ = c.step;
}

std::optional<RdfTable> RunOutput::rdf() const {
  if (!rdf_) return std::nullopt;
  return rdf_->table();
}

SampleConditions RunOutput::conditions(const RunSystem& system) const {
  return {system.evaluator->box().volume(), statistics_.mean_temperature};
}

std::string RunOutput::save_analysis() const {
  ByteWriter out;
  out.put_text(rdf_ ? rdf_->save() : "");
  out.put_text(msd_.save());
  out.put_text(dplr_ ? dplr_->save() : "");
  return out.bytes();
}

void RunOutput::restore_analysis(const std::string& state) {
  ByteReader in(state, "the checkpoint's analysis");
  const std::string rdf = in.get_text();
  if (rdf_) rdf_->restore(rdf);
  msd_.restore(in.get_text());
  const std::string dplr = in.get_text();
  if (dplr_) dplr_->restore(dplr);
}

}  // namespace nanoday
