// The influence function made on the device is that of the host, mode by mode.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/influence_table.hpp"

#include "cuda/machine.hpp"
#include "reference/long_range_cases.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace nanoday {
namespace {

using namespace reference;
namespace gpu = nanoday::NANODAY_GPU;

std::vector<double> fetched(gpu::Stream& stream, const gpu::DeviceArray<double>& from) {
  std::vector<double> values(from.size());
  gpu::download(stream, values.data(), from, from.size());
  stream.synchronize();
  return values;
}

class InfluenceTables : public testing::TestWithParam<MeshCase> {
 protected:
  void SetUp() override { NANODAY_NEEDS_DEVICE(); }
};
INSTANTIATE_TEST_SUITE_P(boxes, InfluenceTables, testing::ValuesIn(coarse_meshes()),
                         [](const auto& info) { return info.param.name; });

// Relative to the largest mode. On the CPU both are the same code: equal to the last bit; a GPU's exponential
// and its fused sums may differ by some units of the last place.
TEST_P(InfluenceTables, hold_what_the_host_finds_for_every_mode) {
  const MeshCase& c = GetParam();
  for (const int order : {3, 5}) {
    const LongRangePlan plan = mesh_plan(c.box, c.beta, c.mesh, order, c.differentiation);
    const InfluenceFunction influence(plan);
    gpu::Stream stream;
    const gpu::InfluenceTable table = gpu::make_influence_table(stream, plan, influence);
    const std::vector<double> green = fetched(stream, table.green);
    const std::vector<double> difference = fetched(stream, table.edge_difference);
    const bool mirrors = plan.box.is_orthorhombic();
    const double limit = 1e-14 * *std::max_element(green.begin(), green.end());
    const auto& n = plan.mesh;
    std::size_t at = 0;
    bool any = false;
    for (int a = 0; a < n[0]; ++a)
      for (int b = 0; b < n[1]; ++b)
        for (int k = 0; k <= n[2] / 2; ++k, ++at) {
          const HalfModeWeight expected = half_mode_weight(
              influence.modes(), {mesh_frequency(a, n[0]), mesh_frequency(b, n[1]), mesh_frequency(k, n[2])},
              mirrors);
          ASSERT_LT(at, green.size());
          EXPECT_NEAR(green[at], expected.green, limit);
          EXPECT_NEAR(difference.empty() ? 0 : difference.at(at), expected.edge_difference, limit);
          any = any || expected.edge_difference != 0;
        }
    EXPECT_EQ(at, green.size());
    EXPECT_EQ(any, !difference.empty());
  }
}

}  // namespace
}  // namespace nanoday
