// The influence function on a half spectrum: one thread per mode, formulas of math/influence_function.hpp.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/influence_table.hpp"

namespace nanoday::NANODAY_GPU {
namespace {

struct MakeInfluence {
  static constexpr const char* k_name = "make_influence";
  InfluenceModes influence;         ///< tables in device memory
  double *green, *edge_difference;  ///< (modes); the second is null where mirrors are equal
  std::uint32_t* differs;           ///< set where edge_difference is not 0 everywhere
  std::int64_t modes;

  NANODAY_DEVICE void operator()(Block& block) const {
    const auto& n = influence.mesh;
    const std::int64_t row = n[2] / 2 + 1;
    for (std::int64_t m = block.global(); m < modes; m += block.stride()) {
      const std::int64_t b_and_a = m / row;
      const HalfModeWeight weight = half_mode_weight(influence,
                                                     {mesh_frequency(static_cast<int>(b_and_a / n[1]), n[0]),
                                                      mesh_frequency(static_cast<int>(b_and_a % n[1]), n[1]),
                                                      mesh_frequency(static_cast<int>(m % row), n[2])},
                                                     edge_difference == nullptr);
      green[m] = weight.green;
      if (edge_difference != nullptr) edge_difference[m] = weight.edge_difference;
      if (weight.edge_difference != 0) *differs = 1;
    }
  }
};

}  // namespace

// ------------------------------------------------------------------------------------------------------

InfluenceTable make_influence_table(Stream& stream, const LongRangePlan& plan,
                                    const InfluenceFunction& influence) {
  const auto modes = static_cast<std::int64_t>(plan.mesh[0]) * plan.mesh[1] * (plan.mesh[2] / 2 + 1);
  InfluenceTable table;
  table.green.resize(static_cast<std::size_t>(modes));
  if (!plan.box.is_orthorhombic()) table.edge_difference.resize(static_cast<std::size_t>(modes));
  MakeInfluence make{influence.modes(), table.green.data(), table.edge_difference.data(), nullptr, modes};
  std::array<DeviceArray<double>, 6> along;  // tables along a, b, c
  for (int d = 0; d < 3; ++d) {
    upload(stream, along[2 * d], influence.u_squared(d));
    upload(stream, along[2 * d + 1], influence.alias_sum(d));
    make.influence.u_squared[d] = along[2 * d].data();
    make.influence.alias_sum[d] = along[2 * d + 1].data();
  }
  DeviceArray<std::uint32_t> differs(1);
  fill_zero(stream, differs.data(), sizeof(std::uint32_t));
  make.differs = differs.data();
  launch(stream, make, grid_for(modes, 128));
  std::uint32_t any = 0;
  download(stream, &any, differs, 1);
  stream.synchronize();
  if (any == 0) table.edge_difference = {};
  return table;
}

}  // namespace nanoday::NANODAY_GPU
