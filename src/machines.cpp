// Machines by name: the only file that knows which ones this build holds.
// SPDX-License-Identifier: Apache-2.0
#include "machines.hpp"

#include "core/error.hpp"
#include "cpu/cpu_backend.hpp"
#include "oracle/oracle_backend.hpp"

namespace nanoday {

std::unique_ptr<Backend> make_backend(const MachineOptions& options) {
  const std::string& device = options.device;
  if (device == "auto" || device == "cpu") return make_cpu_backend(options);
  if (device == "oracle") {
    require(!options.reproducible,
            "the oracle has no reproducible mode (it sums in double, in one fixed order); "
            "leave --reproducible away or use --device cpu");
    return make_oracle_backend();
  }
  require(device != "cuda" && device != "sve",
          "device '{}' is not in this build (it holds the CPU machine only); use --device cpu", device);
  throw InputError(fmt::format(
      "device '{}' is unknown (there are auto, cpu, oracle, cuda, sve); choose one of these", device));
}

std::vector<std::pair<std::string, std::string>> available_devices() {
  return {{"cpu", make_cpu_backend({})->name()},
          {"oracle", "slow reference in double, straight from the equations, for checks"}};
}

}  // namespace nanoday
