// Machines are found by name, and absent ones are refused with a sentence.
// SPDX-License-Identifier: Apache-2.0
#include "machines.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

bool usable(const std::string& device) {
  for (const auto& [name, sentence] : available_devices())
    if (name == device) return sentence.rfind("not usable", 0) != 0;
  return false;
}

TEST(Machines, auto_is_the_gpu_where_there_is_one_then_sve_and_else_the_processor) {
  EXPECT_EQ(make_backend({.device = "auto"})->name(), make_backend({.device = usable("cuda")  ? "cuda"
                                                                              : usable("sve") ? "sve"
                                                                                              : "cpu"})
                                                          ->name());
  EXPECT_NE(make_backend({.device = "cpu"})->name().find("cpu"), std::string::npos);
}

TEST(Machines, auto_with_an_instruction_set_of_the_processor_is_the_processor) {
  EXPECT_EQ(make_backend({.device = "auto", .isa = "baseline"})->name(),
            make_backend({.device = usable("cuda") ? "cuda" : "cpu", .isa = "baseline"})->name());
}

TEST(Machines, the_processor_knows_whether_it_is_reproducible) {
  EXPECT_FALSE(make_backend({.device = "cpu"})->reproducible());
  EXPECT_TRUE(make_backend({.device = "cpu", .reproducible = true})->reproducible());
}

TEST(Machines, the_oracle_has_no_reproducible_mode) {
  EXPECT_FALSE(make_backend({.device = "oracle"})->reproducible());
  EXPECT_THROW(make_backend({.device = "oracle", .reproducible = true}), InputError);
}

TEST(Machines, absent_and_unknown_ones_are_refused_by_name) {
  for (const std::string name : {"cuda", "sve", "abacus", ""}) {
    if (usable(name)) continue;
    try {
      make_backend({.device = name});
      FAIL() << name << " was accepted";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("'" + name + "'"), std::string::npos) << error.what();
    }
  }
}

TEST(Machines, every_device_listed_can_be_made_or_says_why_not) {
  const auto devices = available_devices();
  EXPECT_GE(devices.size(), 2u);
  for (const auto& [name, sentence] : devices) {
    if (usable(name))
      EXPECT_NO_THROW(make_backend({.device = name})) << name;
    else
      EXPECT_THROW(make_backend({.device = name}), InputError) << name;
    EXPECT_FALSE(sentence.empty());
  }
}

TEST(Machines, an_unknown_instruction_set_is_refused) {
  EXPECT_THROW(make_backend({.device = "cpu", .isa = "avx1024"}), InputError);
}

}  // namespace
}  // namespace nanoday
