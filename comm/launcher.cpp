// The environment variables by which MPI launchers make themselves known.
// SPDX-License-Identifier: Apache-2.0
#include "launcher.hpp"

#include "core/error.hpp"

#include <charconv>
#include <cstring>

namespace nanoday {
namespace {

// The launcher nearest to the process comes first: under Slurm, mpirun's daemons are a step of srun's, and
// their environment is inherited. SLURM_NTASKS is no sign: a batch script's own shell has it.
constexpr const char* k_sizes[] = {
    "OMPI_COMM_WORLD_SIZE",  // Open MPI, Spectrum MPI (jsrun), Fujitsu MPI
    "MV2_COMM_WORLD_SIZE",   // MVAPICH2
    "PMI_SIZE",              // MPICH, Intel MPI, Cray MPICH
    "JSM_NAMESPACE_SIZE",    // jsrun
    "SLURM_STEP_NUM_TASKS",  // srun
};
constexpr const char* k_signs[] = {"PMIX_RANK", "PMI_RANK", "PMI_FD", "PMI_PORT", "PALS_RANKID"};

}  // namespace

Launch find_launcher(const std::function<const char*(const char*)>& variable) {
  for (const char* name : k_sizes) {
    const char* const text = variable(name);
    int size = 0;
    if (text && std::from_chars(text, text + std::strlen(text), size).ec == std::errc() && size > 0)
      return {true, size};
  }
  for (const char* name : k_signs)
    if (variable(name)) return {true, 0};
  return {};
}

void check_launch(const Launch& launch, int mpi_size, bool with_mpi) {
  if (launch.size <= 1 || mpi_size > 1) return;
  require(
      with_mpi,
      "started as {} processes, but this build cannot talk MPI (they would all do the same run and write the "
      "same files); start one process, or build on a machine with MPI",
      launch.size);
  require(
      false,
      "started as {} processes by a launcher of another MPI than this program was built with (each is alone, "
      "and all would write the same files); use the mpirun of the MPI it was built with",
      launch.size);
}

}  // namespace nanoday
