// `nanoday estimate`: memory, time per step and its parts, before a job is queued.
// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include "app/estimate_inputs.hpp"
#include "app/json_output.hpp"
#include "core/error.hpp"
#include "core/quantity.hpp"
#include "estimate/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <unistd.h>

namespace nanoday {
namespace {

constexpr const char* k_examples = R"(Examples:
  nanoday estimate copper.pb copper.data --atoms 1e10 --machine summit
  nanoday estimate water.pb water.data --replicate 60 60 60 --machine fugaku --nodes 4560 --time 1ns
  nanoday estimate water.pb water.data --replicate 8 8 8 --machine this
Without --nodes: the fewest whose memory suffices. The plan is chosen, and the machine `this` measured, here
and now on STRUCTURE; others are known by published figures (the last lines of the output say which).)";

struct EstimateArguments {
  EngineArguments engine;
  EstimateQuestion question;
  std::string model, machine = "this", algorithm = "nanoday", dt = "0.5fs", time, json;
  int nodes = 0, gpus_per_node = 0, ranks_per_node = 0;
  double latency = 0, bandwidth = 0;
};

/// What is printed, with what it was made from.
struct Answer {
  EstimateInputs inputs;
  MachineModel machine;
  Layout layout;
  Estimate estimate;
  int needed = 0;   ///< nodes, for memory
  double dt = 0;    ///< [ps]
  double time = 0;  ///< wanted [ps], 0: none
  std::vector<std::string> notes;
  double seconds_for_time() const { return time / dt * estimate.step.total(); }
};

/// The computer this runs on; its network is anybody's guess.
MachineModel this_machine(const Backend& backend) {
  MachineModel m;
  m.name = "this";
  m.words = backend.name();
  m.gpu = m.words.rfind("cpu", 0) != 0;
  m.memory =
      m.gpu ? 0 : static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  m.efficiency_source = "measured here just now";
  m.latency = 2e-6;
  m.bandwidth = 12.5e9;
  m.inner_latency = 0.5e-6;
  m.inner_bandwidth = 10e9;
  return m;
}

Answer answer_of(const EstimateArguments& arguments) {
  const bool here = arguments.machine == "this";
  Answer answer;
  if (!here) answer.machine = find_machine(arguments.machine);
  answer.dt = parse_time(arguments.dt, "--dt");
  require(answer.dt > 0, "--dt is {} (a time step must be positive); give one such as 0.5fs", arguments.dt);
  if (!arguments.time.empty()) answer.time = parse_time(arguments.time, "--time");
  Engine engine = make_engine(arguments.engine, arguments.model);
  require(engine.model->kind == ModelKind::energy,
          "{} gives dipoles (no forces, so nothing can be stepped); give an energy model", arguments.model);
  EstimateQuestion question = arguments.question;
  question.algorithm = arguments.algorithm == "paper" ? Algorithm::paper : Algorithm::nanoday;
  question.measure = here;
  const bool paper = question.algorithm == Algorithm::paper;
  require(!paper || (!here && arguments.machine != "h200"),
          "the papers' programs are known on summit and fugaku only; use --machine summit or fugaku");
  answer.inputs = make_estimate_inputs(engine, question);
  MachineModel& machine = answer.machine;
  if (here) {
    machine = this_machine(*engine.backend);
    machine.measured = answer.inputs.measured;
  }
  if (arguments.gpus_per_node > 0) {
    machine.bandwidth *= double(arguments.gpus_per_node) / machine.devices_per_node;
    machine.devices_per_node = arguments.gpus_per_node;
  }
  if (arguments.latency > 0) machine.latency = 1e-6 * arguments.latency;
  if (arguments.bandwidth > 0) machine.bandwidth = 1e9 * arguments.bandwidth;

  const Workload& work = answer.inputs.work;
  const int usual =
      machine.devices_per_node * (paper ? machine.paper_ranks_per_device : machine.ranks_per_device);
  answer.layout.ranks_per_node = arguments.ranks_per_node > 0 ? arguments.ranks_per_node : usual;
  answer.layout.balanced = !paper && engine.config.balance != Balance::off;
  answer.needed = machine.memory > 0 ? fewest_nodes(work, machine, answer.layout.ranks_per_node) : 1;
  answer.layout.nodes = arguments.nodes > 0 ? arguments.nodes : std::max(1, answer.needed);
  answer.estimate = estimate_step(work, machine, answer.layout, question.algorithm);

  if (machine.measured.nets > 0) {
    if (answer.layout.nodes > 1)
      answer.notes.push_back(
          fmt::format("the network between such machines is assumed: {:.1f} µs, {:.1f} GB/s per node "
                      "(--latency, --bandwidth)",
                      1e6 * machine.latency, 1e-9 * machine.bandwidth));
  } else {
    answer.notes.push_back(fmt::format("nets run at {:.0f} % of the peak: {}", 100 * machine.efficiency,
                                       machine.efficiency_source));
  }
  if (question.structure.empty())
    answer.notes.push_back(fmt::format(
        "{} atoms per Å³ are assumed (--density), types in proportion to the model's sel", question.density));
  if (paper)
    answer.notes.push_back(
        "memory is that of nanoday; the papers' programs need about a hundred times as much per atom");
  return answer;
}

using Rows = std::vector<std::pair<const char*, double>>;

Rows memory_rows(const MemoryParts& m) {
  return {{"atoms", m.atoms}, {"ghosts", m.ghosts}, {"lists", m.lists},
          {"model", m.model}, {"mesh", m.mesh},     {"total", m.total()}};
}

Rows step_rows(const StepParts& s) {
  return {{"nets", s.nets}, {"imbalance", s.imbalance}, {"overhead", s.overhead},   {"neighbor", s.neighbor},
          {"halo", s.halo}, {"mesh", s.mesh},           {"integrate", s.integrate}, {"total", s.total()}};
}

std::string duration(double seconds) {
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.1f} min", seconds / 60);
  return seconds < 172800 ? fmt::format("{:.1f} h", seconds / 3600)
                          : fmt::format("{:.1f} days", seconds / 86400);
}

std::string grouped(double value) {
  const std::string digits = fmt::format("{:.0f}", value);
  std::string text;
  for (std::size_t k = 0; k < digits.size(); ++k) {
    if (k > 0 && (digits.size() - k) % 3 == 0) text += ',';
    text += digits[k];
  }
  return text;
}

void print_memory(const Answer& answer) {
  const Estimate& e = answer.estimate;
  fmt::print("memory of a rank");
  if (answer.machine.memory > 0) fmt::print(", which has {:.1f} GB for it", 1e-9 * e.memory_limit);
  fmt::print("\n");
  for (const auto& [name, bytes] : memory_rows(e.memory))
    if (bytes > 0) fmt::print("  {:<10} {:>12.3f} MB\n", name, 1e-6 * bytes);
  fmt::print("  {:<10} {:>12.0f} bytes per atom\n", "",
             (e.memory.atoms + e.memory.ghosts + e.memory.lists) / e.divisions.rank.atoms);
  if (answer.machine.memory > 0 && e.memory.total() >= e.memory_limit)
    fmt::print("  DOES NOT FIT: {}\n", answer.needed > 0
                                           ? fmt::format("{} nodes are needed", grouped(answer.needed))
                                           : std::string("no machine has enough nodes"));
}

void print_step(const Answer& answer) {
  const Estimate& e = answer.estimate;
  fmt::print("time of a step\n");
  const double total = e.step.total();
  for (const auto& [name, seconds] : step_rows(e.step))
    if (seconds > 0)
      fmt::print("  {:<10} {:>12.4f} ms {:>6.1f} %\n", name, 1e3 * seconds, 100 * seconds / total);
  if (e.mesh_hidden > 0)
    fmt::print("  {:<10} {:>12.4f} ms of the mesh ({} transform) are hidden behind the nets\n", "",
               1e3 * e.mesh_hidden, e.mesh_method);
  fmt::print("{:.4g} ns/day at {} · {:.3g} s/step/atom", ns_per_day(total, answer.dt),
             fmt::format("{:g} fs", 1e3 * answer.dt), total / static_cast<double>(answer.inputs.work.atoms));
  if (answer.time > 0) fmt::print(" · {:g} ps take {}", answer.time, duration(answer.seconds_for_time()));
  fmt::print("\n");
}

void print_answer(const EstimateArguments& arguments, const Answer& answer) {
  const Workload& work = answer.inputs.work;
  const Division& rank = answer.estimate.divisions.rank;
  const Division& node = answer.estimate.divisions.node;
  fmt::print("{} · {} atoms · {}\n", arguments.model, grouped(static_cast<double>(work.atoms)),
             answer.inputs.plan);
  const int per_node = answer.layout.ranks_per_node;
  fmt::print("{} node{} of {} rank{} · {}\n", grouped(answer.layout.nodes),
             answer.layout.nodes > 1 ? "s" : "", per_node, per_node > 1 ? "s" : "", answer.machine.words);
  fmt::print("{:.0f} neighbors, {:.2f} M multiply-adds per atom\n", work.neighbors,
             1e-6 * work.multiply_adds);
  fmt::print("ranks {} × {} × {}, each {:.1f} × {:.1f} × {:.1f} Å with {} atoms and {} ghosts\n",
             rank.grid[0], rank.grid[1], rank.grid[2], rank.edge[0], rank.edge[1], rank.edge[2],
             grouped(rank.atoms), grouped(rank.ghosts));
  if (answer.layout.nodes > 1)
    fmt::print("halo of a node: {:.0f} messages and {:.3f} MB per step, with {:.0f} others\n",
               answer.estimate.halo_messages, 1e-6 * answer.estimate.halo_bytes, node.neighbors);
  print_memory(answer);
  print_step(answer);
  for (const std::string& note : answer.notes) fmt::print("note: {}\n", note);
}

Json json_of(const Rows& rows) {
  Json out = Json::object();
  for (const auto& [name, value] : rows) out[name] = value;
  return out;
}

Json answer_json(const EstimateArguments& arguments, const Answer& answer) {
  const Workload& work = answer.inputs.work;
  const Estimate& e = answer.estimate;
  Json out;
  out["model"] = arguments.model;
  out["machine"] = answer.machine.name;
  out["algorithm"] = arguments.algorithm;
  out["plan"] = answer.inputs.plan;
  out["atoms"] = work.atoms;
  out["nodes"] = answer.layout.nodes;
  out["ranks_per_node"] = answer.layout.ranks_per_node;
  out["neighbors_per_atom"] = work.neighbors;
  out["multiply_adds_per_atom"] = work.multiply_adds;
  out["grid"] = e.divisions.rank.grid;
  out["atoms_per_rank"] = e.divisions.rank.atoms;
  out["ghosts_per_rank"] = e.divisions.rank.ghosts;
  out["fullest_rank_over_mean"] = e.fullest;
  out["halo_messages_per_node"] = e.halo_messages;
  out["halo_bytes_per_node"] = e.halo_bytes;
  out["memory_bytes_per_rank"] = json_of(memory_rows(e.memory));
  out["memory_limit_per_rank"] = e.memory_limit;
  if (answer.machine.memory > 0) out["nodes_needed_for_memory"] = answer.needed;
  out["seconds_per_step"] = json_of(step_rows(e.step));
  if (!e.mesh_method.empty()) {
    out["mesh"] = work.mesh.points;
    out["transform"] = e.mesh_method;
    out["mesh_seconds_hidden"] = e.mesh_hidden;
  }
  out["ns_per_day"] = ns_per_day(e.step.total(), answer.dt);
  if (answer.time > 0) out["seconds_for_time"] = answer.seconds_for_time();
  out["notes"] = answer.notes;
  return out;
}

int estimate(const EstimateArguments& arguments) {
  const Answer answer = answer_of(arguments);
  if (!is_stdout(arguments.json)) print_answer(arguments, answer);
  if (!arguments.json.empty()) write_json(arguments.json, answer_json(arguments, answer));
  return 0;
}

}  // namespace

void add_estimate_command(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("estimate", "memory and time per step on many nodes, before the queue");
  command->footer(k_examples);
  auto arguments = std::make_shared<EstimateArguments>();
  command->add_option("MODEL", arguments->model, "model file (.pb)")->required();
  command->add_option("STRUCTURE", arguments->question.structure,
                      "structure file; its last frame, in --replicate copies or as many as --atoms takes");
  command->add_option("--atoms", arguments->question.atoms, "number of atoms, as 13.5e6 or 10000000000")
      ->check(CLI::Range(1.0, 1e15))
      ->type_name("N");
  command->add_option("--machine", arguments->machine, "this (default), summit, fugaku, h200")
      ->type_name("NAME");
  command->add_option("--nodes", arguments->nodes, "number of nodes (default: the fewest with enough memory)")
      ->check(CLI::Range(1, k_most_nodes))
      ->type_name("N");
  command
      ->add_option("--gpus-per-node", arguments->gpus_per_node, "devices per node (default: the machine's)")
      ->check(CLI::Range(1, 64))
      ->type_name("G");
  command
      ->add_option("--ranks-per-node", arguments->ranks_per_node, "ranks per node (default: the machine's)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command->add_option("--dt", arguments->dt, "time step (default 0.5fs)")->type_name("0.5fs");
  command->add_option("--time", arguments->time, "time to be simulated; how long that takes")
      ->type_name("1ns");
  command
      ->add_option("--density", arguments->question.density, "atoms per Å³ where no structure is given (0.1)")
      ->check(CLI::Range(1e-6, 10.0))
      ->type_name("D");
  command
      ->add_option("--algorithm", arguments->algorithm,
                   "nanoday (default), or paper: the papers' own programs")
      ->check(CLI::IsMember({"nanoday", "paper"}));
  command->add_option("--latency", arguments->latency, "of the network, µs (default: the machine's)")
      ->check(CLI::Range(1e-3, 1e6))
      ->type_name("US");
  command
      ->add_option("--bandwidth", arguments->bandwidth,
                   "of a node into the network, GB/s (default: the machine's)")
      ->check(CLI::Range(1e-3, 1e6))
      ->type_name("GBS");
  command->add_option("--json", arguments->json,
                      "write the result to this file (/dev/stdout: and nothing else there)");
  add_engine_arguments(*command, arguments->engine);
  command->callback([arguments, &action] { action = [arguments] { return estimate(*arguments); }; });
}

}  // namespace nanoday
