// main() of tests that need a GPU: without one they end with 77, which CTest counts as skipped.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cuda/runtime.hpp"

#include <gtest/gtest.h>

#include <iostream>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  try {
    std::cout << nanoday::cuda::open_device() << '\n';
  } catch (const nanoday::InputError& error) {
    std::cout << "skipped: " << error.what() << '\n';
    return 77;
  }
  return RUN_ALL_TESTS();
}
