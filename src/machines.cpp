// Machines by name: the only file that knows which ones this build holds.
// SPDX-License-Identifier: Apache-2.0
#include "machines.hpp"

#include "core/error.hpp"
#include "cpu/cpu_backend.hpp"
#include "oracle/oracle_backend.hpp"

namespace nanoday {

#ifdef NANODAY_CUDA
namespace cuda {  // cuda/cuda_backend.hpp
std::unique_ptr<Backend> make_cuda_backend(int local_rank, bool reproducible);
std::string gpu_name(int local_rank);
}  // namespace cuda
#endif

#ifdef NANODAY_SVE
namespace arm {  // arm/sve_backend.hpp
std::unique_ptr<Backend> make_sve_backend(const MachineOptions& options);
std::string why_not();
}  // namespace arm
#endif

namespace {

/// Why device 'sve' cannot be used; empty when it can.
std::string no_sve() {
#ifdef NANODAY_SVE
  return arm::why_not();
#else
  return "this build is not for 64-bit ARM";
#endif
}

/// True when `options` leave the choice to us, and SVE is the best there is or what its set belongs to.
bool prefers_sve(const MachineOptions& options) {
  return options.device == "auto" &&
         (options.isa.starts_with("sve") || (options.isa == "auto" && no_sve().empty()));
}

std::unique_ptr<Backend> make_sve([[maybe_unused]] const MachineOptions& options) {
  const std::string reason = no_sve();
  require(reason.empty(), "device 'sve' cannot be used ({}); use --device cpu", reason);
#ifdef NANODAY_SVE
  return arm::make_sve_backend(options);
#else
  return nullptr;
#endif
}

/// Name of the GPU this rank can use in this build, or an empty text and why there is none.
std::string usable_gpu([[maybe_unused]] int local_rank, std::string& why_not) {
#ifdef NANODAY_CUDA
  why_not = "no NVIDIA GPU answers here";
  return cuda::gpu_name(local_rank);
#else
  why_not = "this build has no CUDA part; build where nvcc is installed";
  return {};
#endif
}

std::unique_ptr<Backend> make_cuda(const MachineOptions& options) {
  std::string why_not;
  require(!usable_gpu(options.local_rank, why_not).empty(),
          "device 'cuda' cannot be used ({}); use --device cpu", why_not);
#ifdef NANODAY_CUDA
  return cuda::make_cuda_backend(options.local_rank, options.reproducible);
#else
  return nullptr;
#endif
}

}  // namespace

std::unique_ptr<Backend> make_backend(const MachineOptions& options) {
  const std::string& device = options.device;
  std::string why_not;
  if (device == "cuda" || (device == "auto" && !usable_gpu(options.local_rank, why_not).empty()))
    return make_cuda(options);
  if (device == "sve" || prefers_sve(options)) return make_sve(options);
  if (device == "auto" || device == "cpu") return make_cpu_backend(options);
  if (device == "oracle") {
    require(!options.reproducible,
            "the oracle has no reproducible mode (it sums in double, in one fixed order); "
            "leave --reproducible away or use --device cpu");
    return make_oracle_backend();
  }
  throw InputError(fmt::format(
      "device '{}' is unknown (there are auto, cpu, oracle, cuda, sve); choose one of these", device));
}

std::vector<std::pair<std::string, std::string>> available_devices() {
  std::string why_not;
  const std::string gpu = usable_gpu(0, why_not), sve = no_sve();
  return {{"cpu", make_cpu_backend({})->name()},
          {"sve", sve.empty() ? make_sve({.device = "sve"})->name() : "not usable: " + sve},
          {"cuda", gpu.empty() ? "not usable: " + why_not : gpu},
          {"oracle", "slow reference in double, straight from the equations, for checks"}};
}

}  // namespace nanoday
