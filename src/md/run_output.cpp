// Fills the files of a run.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_output.hpp"

#include "agreement.hpp"
#include "core/error.hpp"
#include "md/bytes.hpp"
#include "md/gather_frame.hpp"
#include "md/guards.hpp"

#include <filesystem>
#include <utility>

namespace nanoday {
namespace {

constexpr const char* k_thermo = "thermo.csv";
constexpr const char* k_msd = "msd.csv";
constexpr const char* k_rdf = "rdf.csv";

/// Length a checkpoint noted for a file.
std::int64_t noted_length(const RunConfig& config, const std::string& name, const Checkpoint& from) {
  for (const FileLength& file : from.files)
    if (file.name == name) return static_cast<std::int64_t>(file.length);
  throw InputError(
      fmt::format("the checkpoint in {} knows no {} (another trajectory format or --every was set); "
                  "restore run.resolved.toml",
                  config.folder(), name));
}

OutputFile open_file(const RunConfig& config, const std::string& name, const Checkpoint* from) {
  const std::string path = run_path(config, name);
  if (from == nullptr) return OutputFile::create(path);
  return OutputFile::open_at(path, noted_length(config, name, *from));
}

SharedFile open_shared(Transport& ranks, const RunConfig& config, const std::string& name,
                       const Checkpoint* from) {
  const std::string path = run_path(config, name);
  if (from == nullptr) return SharedFile::create(ranks, path);
  return SharedFile::open_at(ranks, path, noted_length(config, name, *from));
}

NumberFormat digits(const RunConfig& config, NumberFormat usual) {
  return config.reproducible ? NumberFormat::round_trip : usual;
}

std::optional<Rdf> make_rdf(const RunSystem& system) {
  const Box& box = system.evaluator->box();
  if (!rdf_possible(box)) return std::nullopt;
  return Rdf(system.evaluator->ranks(), box, species_names(*system.model), system.evaluator->atoms());
}

std::optional<DplrAnalysis> make_dplr(const RunConfig& config, const RunSystem& system) {
  if (!system.model->dipole_charge) return std::nullopt;
  const DipoleCharge& charges = *system.model->dipole_charge;
  return DplrAnalysis(system.evaluator->ranks(), {charges.ion_charge, charges.wannier_charge}, config.dt);
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
      ranks_(system.evaluator->ranks()),
      rdf_(make_rdf(system)),
      msd_(ranks_, species_names(*system.model), system.evaluator->atoms()),
      dplr_(make_dplr(config, system)) {
  open_files(system, from);
  // Ranks write together, and only one thread of each may talk to the others.
  if (system.simulation->resident() != nullptr && ranks_.size() == 1) {
    queue_ = std::make_unique<WorkQueue>();
    system.simulation->before_arrays([queue = queue_.get()] { queue->drain(); });
  }
  if (from != nullptr) restore(*from);
}

template <class Work>
void RunOutput::on_first_rank(Work&& work) {
  together(ranks_, [&] {
    if (ranks_.rank() == 0) work();
  });
}

void RunOutput::open_files(const RunSystem& system, const Checkpoint* from) {
  on_first_rank([&] {
    thermo_.emplace(open_file(config_, k_thermo, from), digits(config_, NumberFormat::twelve_digits));
    msd_log_.emplace(open_file(config_, k_msd, from), msd_.elements(),
                     digits(config_, NumberFormat::eight_digits));
  });
  if (config_.trajectory_stride() == 0) return;
  formatter_ = make_trajectory_formatter(config_.trajectory == TrajectoryFormat::dump ? "dump" : "extxyz",
                                         {species_names(*system.model), system.input_id},
                                         digits(config_, NumberFormat::eight_digits));
  trajectory_.emplace(open_shared(ranks_, config_, trajectory_name(config_), from));
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
  if (moment.row) on_first_rank([&] { thermo_->write(*moment.row); });
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
  Frame frame = gather_frame(ranks_, evaluator.natoms(), evaluator.box(), evaluator.atoms(),
                             evaluator.forces(), {true, false});
  frame.step = moment.step;
  frame.time = moment.time;
  frame.energy = moment.energy;
  fmt::memory_buffer text;
  if (ranks_.rank() == 0) formatter_->append_head(text, frame);
  formatter_->append_rows(text, frame);
  trajectory_->append({text.data(), text.size()});
}

void RunOutput::analyse(const RunSystem& system, const Moment& moment) {
  const Evaluator& evaluator = *system.evaluator;
  if (rdf_) rdf_->sample(evaluator.box(), evaluator.atoms());
  if (dplr_) dplr_->sample_molecules(evaluator.box(), evaluator.atoms(), evaluator.dipoles());
  const MsdRow row = msd_.sample(moment.time, evaluator.box(), evaluator.atoms());
  on_first_rank([&] { msd_log_->write(row); });
}

void RunOutput::checkpoint(const RunSystem& system) {
  const Trace trace(system.backend->times(), Stage::output);
  if (system.simulation->step_count() == checkpointed_step_) return;
  if (queue_) queue_->drain();
  system.simulation->show();
  if (rdf_) rdf_->gather();
  if (dplr_) dplr_->gather();
  Checkpoint c = checkpoint_of(system, config_);
  c.statistics = statistics_;
  c.analysis = save_analysis();
  c.msd_origin = msd_.origin();
  c.files = sync_files(system);
  write_checkpoint(config_.folder(), c, ranks_);
  checkpointed_step_ = c.step;
}

/// Brings all files to the disk and up to date. The first rank has the lengths.
std::vector<FileLength> RunOutput::sync_files(const RunSystem& system) {
  std::vector<FileLength> files;
  const auto note = [&](const std::string& name, std::int64_t length) {
    files.push_back({name, static_cast<std::uint64_t>(length)});
  };
  if (trajectory_) trajectory_->sync();
  on_first_rank([&] {
    thermo_->file().sync();
    note(k_thermo, thermo_->file().length());
    msd_log_->file().sync();
    note(k_msd, msd_log_->file().length());
    if (trajectory_) note(trajectory_name(config_), trajectory_->length());
    const NumberFormat numbers = digits(config_, NumberFormat::eight_digits);
    if (rdf_) write_rdf(run_path(config_, k_rdf), rdf_->table(), numbers);
    if (dplr_) dplr_->write_files(config_.folder(), conditions(system), numbers);
  });
  return files;
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
  out.put_text(dplr_ ? dplr_->save() : "");
  return out.bytes();
}

void RunOutput::restore(const Checkpoint& from) {
  statistics_ = from.statistics;
  checkpointed_step_ = from.step;
  ByteReader in(from.analysis, "the checkpoint's analysis");
  const std::string rdf = in.get_text();
  if (rdf_) rdf_->restore(rdf);
  const std::string dplr = in.get_text();
  if (dplr_) dplr_->restore(dplr);
  msd_.restore(from.msd_origin);
}

}  // namespace nanoday
