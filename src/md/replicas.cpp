// Runs of several replicas: their folders, seeds, temperatures, models, and checkpoints that belong together.
// SPDX-License-Identifier: Apache-2.0
#include "md/replicas.hpp"

#include "core/error.hpp"
#include "md/progress.hpp"

#include <algorithm>
#include <filesystem>

namespace nanoday {

namespace fs = std::filesystem;

std::vector<RunConfig> replica_configs(const RunConfig& config) {
  if (config.replicas == 1) return {config};
  std::vector<RunConfig> configs;
  for (int r = 0; r < config.replicas; ++r) {
    RunConfig one = config;
    one.replicas = 1;
    one.temperatures.clear();
    one.models.clear();
    one.seed = config.seed + static_cast<std::uint64_t>(r);
    if (!config.temperatures.empty()) one.target = config.temperatures[static_cast<std::size_t>(r)];
    if (!config.models.empty()) one.model = config.models[static_cast<std::size_t>(r) % config.models.size()];
    one.out = (fs::path(config.folder()) / fmt::format("replica-{:03}", r + 1)).string();
    configs.push_back(std::move(one));
  }
  return configs;
}

std::vector<FoundCheckpoint> checkpoints_of_one_step(const std::vector<RunConfig>& configs,
                                                     Transport& ranks) {
  std::vector<FoundCheckpoint> found;
  for (const RunConfig& config : configs) found.push_back(find_checkpoint(config.folder(), ranks));
  const auto earlier = [](const auto& a, const auto& b) { return a.checkpoint.step < b.checkpoint.step; };
  const std::int64_t step = std::min_element(found.begin(), found.end(), earlier)->checkpoint.step;
  for (std::size_t r = 0; r < found.size(); ++r) {
    if (found[r].checkpoint.step == step) continue;
    found[r] = read_checkpoint((fs::path(configs[r].folder()) / k_previous_checkpoint_file).string(), ranks);
    require(
        found[r].checkpoint.step == step,
        "{} has no checkpoint of step {}, which other replicas stand at (they continue together); continue "
        "the replicas one by one",
        configs[r].folder(), step);
  }
  return found;
}

std::string replicas_text(const RunConfig& config, const Pace& pace) {
  const double each = ns_per_day(pace.steps, config.dt, pace.seconds);
  return fmt::format("{} replicas: {:.4g} ns/day each, {:.4g} ns/day together, {:.4g} ms per step of all",
                     config.replicas, each, each * config.replicas,
                     pace.steps > 0 ? 1e3 * pace.seconds / static_cast<double>(pace.steps) : 0.0);
}

}  // namespace nanoday
