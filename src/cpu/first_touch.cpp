// Places new memory beside the threads that will use it.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/first_touch.hpp"

#include <exception>
#include <mutex>

namespace nanoday::cpu {

void on_each_thread(int threads, const std::function<void(int)>& make) {
  std::exception_ptr error;
  std::mutex lock;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int t = 0; t < threads; ++t) {
    try {
      make(t);
    } catch (...) {
      const std::lock_guard guard(lock);
      error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

void touch_parts(void* memory, const std::vector<std::size_t>& offset) {
  constexpr std::size_t k_page = 4096;  // the smallest there is: a larger page is touched more than once
  volatile char* const bytes = static_cast<char*>(memory);
  on_each_thread(static_cast<int>(offset.size()) - 1, [&](int t) {
    for (std::size_t at = offset[t]; at < offset[t + 1]; at += k_page) bytes[at] = 0;
  });
}

}  // namespace nanoday::cpu
