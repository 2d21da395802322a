// Several ranks with a device each: the same bits as with another number of ranks, and the CPU's trajectory.
// SPDX-License-Identifier: Apache-2.0
#include "machine.hpp"
#include "machines.hpp"
#include "md/rank_trail.hpp"
#include "reference/dplr.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using namespace ranks;

void compare(const Case& c) {
  NANODAY_NEEDS_DEVICE();
  const auto cpu = [] { return make_backend({.device = "cpu", .threads = 1, .reproducible = true}); };
  const Trail host = trail_of(c, cpu, 1);
  const Trail two = trail_of(c, device_machine, 2), three = trail_of(c, device_machine, 3, 2);
  expect_same(two, three);
  for (std::size_t i = 0; i < host.position.size(); ++i)
    EXPECT_LT(norm(host.position[i] - two.position[i]), 1e-9) << "atom " << i;
  for (std::size_t k = 0; k < host.observed.size(); ++k)
    EXPECT_NEAR(host.observed[k], two.observed[k], 1e-9 * std::abs(host.observed[k]) + 1e-9) << k;
}

TEST(DeviceRanks, follow_one_trajectory) {
  compare({"water", reference::small_water(),
           reference::plan_of(reference::model_named("water_sea.pb"), TableKind::quintic),
           BathKind::nose_hoover, 0.1, 10});
}

TEST(DeviceRanks, follow_one_trajectory_with_a_long_range_part) {
  const auto model = reference::model_named("water_dplr.pb");
  compare({"dplr", reference::small_water(),
           reference::dplr_plan(model, reference::pppm_plan(*model, 12), {}, TableKind::quintic),
           BathKind::none, 0.1, 5});
}

}  // namespace
}  // namespace nanoday
