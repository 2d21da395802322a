// Makes and guards the folder of a run.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_folder.hpp"

#include "core/error.hpp"
#include "io/output_file.hpp"
#include "md/run_file.hpp"

#include <filesystem>

namespace nanoday {
namespace {

namespace fs = std::filesystem;

// All a run may leave behind; --overwrite removes these and nothing else.
constexpr const char* k_run_files[] = {
    "thermo.csv",          "trajectory.extxyz", "trajectory.dump", "checkpoint.bin", "checkpoint.prev.bin",
    "run.resolved.toml",   "log.txt",           "rdf.csv",         "msd.csv",        "report.html",
    "neighborhood.extxyz", "wannier.csv",       "dipole.csv",      "infrared.csv",   "checkpoint.bin.tmp"};

}  // namespace

std::string resolved_path(const std::string& folder) {
  return (fs::path(folder) / "run.resolved.toml").string();
}

void require_fresh_folder(const RunConfig& config) {
  const std::string folder = config.folder();
  std::error_code problem;
  if (!fs::exists(folder, problem)) return;
  require(fs::is_directory(folder, problem), "{} is not a folder (results go into one); give another --out",
          folder);
  require(config.overwrite || fs::is_empty(folder, problem),
          "{} holds files already (results are not mixed with "
          "others); give another --out, add --overwrite, or continue with: nanoday resume {}",
          folder, folder);
}

void prepare_folder(const RunConfig& config) {
  const std::string folder = config.folder();
  make_folder(folder);
  for (const char* name : k_run_files) {
    std::error_code problem;
    fs::remove(fs::path(folder) / name, problem);
    require_run(!problem, "{}/{} cannot be removed ({}); look at the folder's permissions", folder, name,
                problem.message());
  }
  atomic_write(resolved_path(folder), resolved_toml(config));
}

}  // namespace nanoday
