// What is packed is what the plan holds, in the order the kernels want.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/packed_model.hpp"

#include "core/error.hpp"
#include "fitting_support.hpp"
#include "model/embedding_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

using namespace nanoday;
using namespace nanoday::reference;

namespace {

struct Packed {
  explicit Packed(std::shared_ptr<const InferencePlan> plan) : model(stream, {std::move(plan)}) {}
  explicit Packed(gpu::Plans plans) : model(stream, std::move(plans)) {}
  const gpu::GroupView<double>& group(int g) const { return model.groups()[g]; }
  gpu::Stream stream;
  gpu::PackedModel<double> model;  // device memory is host memory here: pointers may be followed
};

std::string refusal(Model model) {
  gpu::Stream stream;
  try {
    const gpu::PackedModel<float> packed(stream, {plan_of(shared(std::move(model)), TableKind::net)});
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was refused";
}

}  // namespace

TEST(PackedModel, tables_come_piece_by_piece_and_column_by_column) {
  const auto plan = plan_of(shared(toy_model()), TableKind::quintic);
  const Packed packed(plan);
  const PieceTable& from = plan->tables[1];
  const gpu::TableView<double>& to = packed.model.view().tables[1];
  ASSERT_EQ(to.columns, from.columns);
  ASSERT_EQ(to.n_pieces, from.n_pieces);
  for (const int piece : {0, 3, from.n_pieces - 1})
    for (int m = 0; m < from.columns; ++m)
      for (int power = 0; power < 6; ++power)
        EXPECT_EQ(to.coefficients[(piece * from.columns + m) * 6 + power],
                  from.coefficients[(static_cast<std::size_t>(piece) * 6 + power) * from.columns + m]);
  EXPECT_EQ(to.n_layers, 2);  // the net is asked outside
  EXPECT_EQ(to.inverse0, 1 / from.stride0);
}

TEST(PackedModel, groups_of_the_exact_plan_follow_with_tables_of_their_own) {
  const auto plan = lowrank_plan(shared(toy_model({.one_sided = false})));
  const Packed packed(plan);
  EXPECT_EQ(packed.model.view().n_groups, 4);
  EXPECT_EQ(packed.group(1).table[0], 2);
  EXPECT_EQ(packed.group(3).table[0], 6);
  EXPECT_EQ(packed.model.view().tables[2].n_layers, 0);
  EXPECT_GT(packed.model.view().tables[2].n_pieces, 0);
  EXPECT_EQ(packed.model.view().tables[6].n_layers, 2);
  EXPECT_EQ(packed.model.view().tables[6].n_pieces, 0);
  EXPECT_EQ(packed.group(0).n_columns, plan->centres[0].n_columns);
  EXPECT_EQ(packed.group(2).n_columns, 8);
  EXPECT_EQ(packed.group(0).n_rotated, 7);
  EXPECT_EQ(packed.model.max_rotated(false), 7);
  EXPECT_EQ(packed.model.max_columns(true), 8);
  EXPECT_EQ(packed.model.max_features(true), 24);
  EXPECT_EQ(packed.model.max_layers(), 2);
  EXPECT_EQ(packed.model.max_width(), 8);  // 7, rounded up
}

TEST(PackedModel, centres_of_several_models_stand_side_by_side_before_those_of_their_exact_plans) {
  const auto one = lowrank_plan(shared(toy_model({.one_sided = false, .seed = 2})));
  const auto other = lowrank_plan(shared(toy_model({.one_sided = false, .seed = 3})), {.rank = 4});
  const Packed both({one, other}), alone(other);
  EXPECT_EQ(both.model.view().n_types, 2);
  EXPECT_EQ(both.model.view().n_centres, 4);
  EXPECT_EQ(both.model.view().n_groups, 8);
  for (int t = 0; t < 2; ++t)
    for (const bool exact : {false, true}) {
      SCOPED_TRACE(exact);
      const auto& g = both.group((exact ? 4 : 0) + 2 + t);
      const auto& expected = alone.group((exact ? 2 : 0) + t);
      EXPECT_EQ(g.n_columns, expected.n_columns);
      EXPECT_EQ(g.energy_shift, expected.energy_shift);
      for (int f = 0; f < expected.n_features; ++f)
        EXPECT_EQ(g.layer[0].weight[f], expected.layer[0].weight[f]);
      const auto& table = both.model.view().tables[g.table[1]];
      const auto& expected_table = alone.model.view().tables[expected.table[1]];
      ASSERT_EQ(table.n_pieces, expected_table.n_pieces);
      ASSERT_EQ(table.n_layers, expected_table.n_layers);
      if (exact)
        EXPECT_EQ(table.layer[0].weight[0], expected_table.layer[0].weight[0]);
      else
        EXPECT_EQ(table.coefficients[6], expected_table.coefficients[6]);
    }
  EXPECT_EQ(both.model.max_columns(false), std::max(one->centres[0].n_columns, other->centres[0].n_columns));
}

TEST(PackedModel, plans_of_different_kinds_are_refused) {
  const auto quintic = plan_of(shared(toy_model()), TableKind::quintic);
  EXPECT_THROW(Packed({quintic, plan_of(shared(toy_model()), TableKind::net)}), InputError);
  EXPECT_THROW(Packed({quintic, plan_of(shared(toy_model()), TableKind::quintic, Precision::mixed)}),
               InputError);
}

TEST(PackedModel, features_are_sorted_with_their_weights_and_filled_up_to_a_multiple_of_four) {
  const auto plan = lowrank_plan(shared(toy_model()));
  const Packed packed(plan);
  for (int t = 0; t < 2; ++t) {
    const gpu::GroupView<double>& g = packed.group(t);
    const CentrePlan& from = plan->centres[t];
    const int n = static_cast<int>(from.pair_p.size());
    EXPECT_EQ(g.n_features, (n + 3) / 4 * 4);
    EXPECT_EQ(g.layer[0].n_in, g.n_features);
    std::multiset<std::vector<double>> expected, got;
    for (int f = 0; f < n; ++f) {
      std::vector<double> row{double(from.pair_p[f]), double(from.pair_q[f])};
      row.insert(row.end(), from.weight.begin() + f * 7, from.weight.begin() + (f + 1) * 7);
      expected.insert(row);
    }
    for (int f = 0; f < g.n_features; ++f) {
      if (f > 0) {
        EXPECT_LE(std::pair(g.pair_p[f - 1], g.pair_q[f - 1]), std::pair(g.pair_p[f], g.pair_q[f]));
      }
      std::vector<double> row{double(g.pair_p[f]), double(g.pair_q[f])};
      row.insert(row.end(), g.layer[0].weight + f * 7, g.layer[0].weight + (f + 1) * 7);
      if (f < n) got.insert(row);
      if (f >= n) {
        EXPECT_TRUE(std::all_of(row.begin() + 2, row.end(), [](double w) { return w == 0; }));
      }
    }
    EXPECT_EQ(got, expected);
  }
}

TEST(PackedModel, every_product_is_listed_with_both_of_its_columns) {
  const auto plan = plan_of(shared(toy_model({.embedding = {8, 64}, .m2 = 5})), TableKind::net);
  const Packed packed(plan);
  const gpu::GroupView<double>& g = packed.group(0);
  ASSERT_GT(g.n_features, 2 * gpu::k_feature_chunk);
  std::vector<int> met(g.n_features, 0);
  for (int begin = 0, chunk = 0; begin < g.n_features; begin += gpu::k_feature_chunk, ++chunk)
    for (int p = 0; p < g.n_rotated; ++p) {
      const std::int32_t* first = g.column_first + chunk * (g.n_rotated + 1) + p;
      for (int e = first[0]; e < first[1]; ++e) {
        const int f = begin + g.column_pair[e].feature, other = g.column_pair[e].other;
        ++met[f];
        EXPECT_TRUE((g.pair_p[f] == p && g.pair_q[f] == other) || (g.pair_q[f] == p && g.pair_p[f] == other));
      }
    }
  EXPECT_EQ(met, std::vector<int>(g.n_features, 2));
}

TEST(PackedModel, padding_has_the_nets_own_value_in_the_columns_of_its_type) {
  const auto model = shared(toy_model({.one_sided = false, .exclude_00 = true}));
  const auto plan = lowrank_plan(model);
  const Packed packed(plan);
  for (int t = 0; t < 2; ++t) {
    const gpu::GroupView<double>& g = packed.group(t);
    for (int n = 0; n < 2; ++n) {
      Numbers expected(g.n_columns, 0.0);
      EXPECT_EQ(g.table[n], t == 0 && n == 0 ? -1 : 2 * t + n);
      if (g.table[n] >= 0) {
        const auto& basis = plan->choice.basis[2 * t + n];
        const auto value =
            evaluate_net(model->embedding[2 * t + n], -model->avg[t][0] / model->std[t][0]).value;
        for (int p = 0; p < basis.rank; ++p)
          for (int m = 0; m < model->m1; ++m)
            expected[g.first_column[n] + p] += value[m] * basis.project[m * basis.rank + p];
      }
      const Numbers got(g.pad_value + n * g.n_columns, g.pad_value + (n + 1) * g.n_columns);
      EXPECT_LE(max_error(got, expected), 1e-14);  // sums of eight in the same order; measured: 0
    }
  }
}

TEST(PackedModel, types_without_output_are_not_active) {
  const Packed packed(plan_of(shared(toy_model({.kind = ModelKind::dipole})), TableKind::net));
  EXPECT_TRUE(packed.group(0).active);
  EXPECT_FALSE(packed.group(1).active);
  EXPECT_EQ(packed.group(0).output.n_out, 8);
  EXPECT_EQ(packed.group(1).n_features, 0);
}

TEST(PackedModel, layers_say_where_a_shortcut_is_and_idt_is_one_where_there_is_none) {
  const Packed packed(plan_of(
      shared(toy_model({.embedding = {3, 6, 6, 9}, .fitting = {7, 5, 5}, .idt = true})), TableKind::net));
  const gpu::GroupView<double>& g = packed.group(0);
  EXPECT_FALSE(g.layer[0].residual);
  EXPECT_FALSE(g.layer[1].residual);
  EXPECT_TRUE(g.layer[2].residual);
  EXPECT_EQ(g.layer[0].idt[3], 1.0);
  EXPECT_NE(g.layer[1].idt[3], 1.0);
  const gpu::TableView<double>& t = packed.model.view().tables[0];
  EXPECT_EQ(t.layer[0].idt, nullptr);  // 1 → 3 has no shortcut
  EXPECT_NE(t.layer[1].idt, nullptr);
  EXPECT_NE(t.layer[2].idt, nullptr);
  EXPECT_EQ(t.layer[3].idt, nullptr);
}

TEST(PackedModel, what_the_kernels_have_no_room_for_is_refused_by_name) {
  EXPECT_NE(refusal(toy_model({.fitting = std::vector<int>(9, 3)})).find("a fitting net has 9 layers"),
            std::string::npos);
  EXPECT_NE(refusal(toy_model({.embedding = std::vector<int>(9, 3)})).find("an embedding net has 9 layers"),
            std::string::npos);
  EXPECT_NE(refusal(toy_model({.embedding = {4, 1025}, .m2 = 1})).find("a layer of 1025 outputs"),
            std::string::npos);
  Model model = toy_model();
  model.sel.resize(65, 1);
  InferencePlan plan;
  plan.model = shared(std::move(model));
  gpu::Stream stream;
  const auto pack = [&] { gpu::PackedModel<double>(stream, {std::make_shared<const InferencePlan>(plan)}); };
  EXPECT_THROW(pack(), InputError);
}
