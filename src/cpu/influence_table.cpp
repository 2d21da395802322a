// The influence function of a plan on the reciprocal mesh points that matter.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/influence_table.hpp"

#include "math/influence_function.hpp"

namespace nanoday::cpu {

namespace {

template <class Function>  // called with (index in the table, mode)
void for_each_mode(const InfluenceTable& table, Function&& function) {
  const auto& n = table.mesh;
  for (int block = 0; block < table.blocks; ++block) {
    const int rows = table.rows(block);
    for (int i = 0; i < n[2]; ++i)
      for (int r = 0; r < rows; ++r)
        function(table.mode_first[block] + static_cast<std::size_t>(i) * rows + r,
                 {mesh_frequency(table.row_a[table.row_first[block] + r], n[0]), mesh_frequency(block, n[1]),
                  mesh_frequency(i, n[2])});
  }
}

/// In a skewed cell a mode with a frequency −N/2 may be short where the wave it also stands for is long.
bool matters(const InfluenceFunction& influence, const InfluenceFunction::Mode& mode) {
  if (influence.significance(mode) > k_negligible_mode) return true;
  return influence.on_edge(mode) && influence.significance(influence.mirrored(mode)) > k_negligible_mode;
}

/// Finds the kept rows; all fields but the tables.
InfluenceTable find_rows(const LongRangePlan& plan, const InfluenceFunction& influence) {
  InfluenceTable table;
  table.mesh = plan.mesh;
  table.row_first = {0};
  table.mode_first = {0};
  const auto& n = plan.mesh;
  int last = 0;
  for (int b = 0; b <= n[1] / 2; ++b) {
    for (int a = 0; a < n[0]; ++a) {
      bool keep = false;
      for (int c = 0; c < n[2] && !keep; ++c)
        keep =
            matters(influence, {mesh_frequency(a, n[0]), mesh_frequency(b, n[1]), mesh_frequency(c, n[2])});
      if (keep) table.row_a.push_back(a);
    }
    const std::size_t rows = table.row_a.size() - table.row_first.back();
    if (rows > 0) last = b;
    table.row_first.push_back(static_cast<int>(table.row_a.size()));
    table.mode_first.push_back(table.mode_first.back() + (rows * n[2] + 3) / 4 * 4);
  }
  table.blocks = last + 1;
  table.row_first.resize(table.blocks + 1);
  table.mode_first.resize(table.blocks + 1);
  return table;
}

}  // namespace

double mode_green(const InfluenceFunction& influence, const InfluenceFunction::Mode& mode) {
  const double green = influence.value(mode);
  return influence.on_edge(mode) ? (green + influence.value(influence.mirrored(mode))) / 2 : green;
}

double mode_slope(const InfluenceFunction& influence, const InfluenceFunction::Mode& mode, int d,
                  double green) {
  if (!influence.on_edge(mode)) return mode[d] * green;
  const auto other = influence.mirrored(mode);
  return (mode[d] * influence.value(mode) - other[d] * influence.value(other)) / 2;
}

std::array<double, 6> mode_virial(const InfluenceFunction& influence, const InfluenceFunction::Mode& mode,
                                  double beta, double green) {
  if (mode == InfluenceFunction::Mode{0, 0, 0}) return {};
  const auto other = influence.mirrored(mode);
  const auto factor = virial_factor(influence.wave_vector(mode), beta);
  const auto mirror = virial_factor(influence.wave_vector(other), beta);
  const bool edge = influence.on_edge(mode);
  const double here = edge ? influence.value(mode) / 2 : green, there = edge ? influence.value(other) / 2 : 0;
  std::array<double, 6> virial{};
  for (int c = 0; c < 6; ++c) virial[c] = here * factor[c] + there * mirror[c];
  return virial;
}

InfluenceTable make_influence_table(const LongRangePlan& plan, const InfluenceFunction& influence) {
  InfluenceTable table = find_rows(plan, influence);
  table.green.resize(table.modes());
  for_each_mode(table, [&](std::size_t at, const InfluenceFunction::Mode& mode) {
    table.green[at] = mode_green(influence, mode);
    if (!influence.on_edge(mode)) return;
    const double difference = influence.significance(mode) - influence.significance(influence.mirrored(mode));
    if (std::fabs(difference) > k_negligible_mode) table.separable = false;
  });
  for (int d = table.separable ? 2 : 0; d < 3; ++d) {
    table.slope[d].resize(table.modes());
    for_each_mode(table, [&](std::size_t at, const InfluenceFunction::Mode& mode) {
      table.slope[d][at] = mode_slope(influence, mode, d, table.green[at]);
    });
  }
  return table;
}

std::array<Array<double>, 6> make_virial_tables(const InfluenceTable& table,
                                                const InfluenceFunction& influence, double beta) {
  std::array<Array<double>, 6> virial;
  for (auto& component : virial) component.resize(table.modes());
  for_each_mode(table, [&](std::size_t at, const InfluenceFunction::Mode& mode) {
    const auto of_mode = mode_virial(influence, mode, beta, table.green[at]);
    for (int c = 0; c < 6; ++c) virial[c][at] = of_mode[c];
  });
  return virial;
}

}  // namespace nanoday::cpu
