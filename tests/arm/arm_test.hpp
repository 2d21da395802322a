// Tests that need vectors of arm/: skipped, visibly, where the processor has none that kernels were compiled
// for. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/arm/lanes.hpp"

#include <gtest/gtest.h>

namespace nanoday::test {

class ArmTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = arm::why_not(); !why.empty()) GTEST_SKIP() << why;
  }
};

}  // namespace nanoday::test
