// What has been asked of the device, for tests and reports outside cuda/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nanoday {

/// Totals since the program began.
struct DeviceTraffic {
  std::int64_t bytes_to_host = 0, bytes_to_device = 0;
  std::int64_t kernels = 0;  ///< launched one by one (not those inside graphs)
  std::int64_t graph_launches = 0;
  std::int64_t graph_nodes = 0;  ///< kernels, copies and fills inside launched graphs
  std::int64_t allocations = 0;
  std::int64_t graph_makings = 0, graph_updates = 0;  ///< recordings that made a new executable, or did not
};

namespace cuda {
DeviceTraffic device_traffic();
}
namespace cuda_host {
DeviceTraffic device_traffic();
}

#if defined(NANODAY_CUDA_HOST)
using cuda_host::device_traffic;
#else
using cuda::device_traffic;
#endif

}  // namespace nanoday
