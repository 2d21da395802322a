// Which vector lengths this processor runs.
// SPDX-License-Identifier: Apache-2.0
#include "tests/arm/lanes.hpp"

namespace nanoday::test {

#if defined(__aarch64__)
namespace sve512 {
extern const Lanes k_lanes_to_test;
}
namespace sve256 {
extern const Lanes k_lanes_to_test;
}
namespace sve128 {
extern const Lanes k_lanes_to_test;
}
#else
namespace generic {
extern const Lanes k_lanes_to_test;
}
#endif

std::vector<const Lanes*> available_lanes() {
#if defined(__aarch64__)
  std::vector<const Lanes*> available;
  for (const Lanes* lanes : {&sve512::k_lanes_to_test, &sve256::k_lanes_to_test, &sve128::k_lanes_to_test})
    if (lanes->bits == arm::vector_bits()) available.push_back(lanes);
  return available;
#else
  return {&generic::k_lanes_to_test};
#endif
}

}  // namespace nanoday::test
