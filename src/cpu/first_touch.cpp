// Places new memory beside the threads that will use it.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/first_touch.hpp"

namespace nanoday::cpu {

void touch_parts(void* memory, const std::vector<std::size_t>& offset) {
  constexpr std::size_t k_page = 4096;  // the smallest there is: a larger page is touched more than once
  volatile char* const bytes = static_cast<char*>(memory);
  const int threads = static_cast<int>(offset.size()) - 1;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int t = 0; t < threads; ++t)
    for (std::size_t at = offset[t]; at < offset[t + 1]; at += k_page) bytes[at] = 0;
}

}  // namespace nanoday::cpu
