// From a to energies and dipoles and back to ∂E/∂a, against plain loops over plan and model.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/fitting.hpp"

#include "fitting_support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

using namespace nanoday;
using namespace nanoday::reference;

namespace {

using Plan = std::shared_ptr<const InferencePlan>;
using gpu::Products;

constexpr double k_nothing = 12345;  ///< what outputs hold before

struct Wanted {
  bool energy = true, dipole = true, cotangent = true, gradient = true;
};

/// One call of fitting() and what it left behind.
template <class Real>
struct FittingRun {
  FittingRun(const Plan& plan, Products products, RowDeal deal = {}, Wanted wanted = {})
      : pass(plan, deal), is_dipole(plan->model->kind == ModelKind::dipole) {
    std::mt19937_64 random(8);
    for (int i = 0; i < pass.n_atoms; ++i) {
      const Numbers c = random_numbers(3, random);
      cotangent.push_back({c[0], c[1], c[2], 0});
    }
    gpu::DeviceArray<double> energies;
    gpu::DeviceArray<Vec4> dipoles, cotangents;
    gpu::upload(pass.stream, energies, Numbers(pass.n_atoms, k_nothing));
    gpu::upload(pass.stream, dipoles, std::vector<Vec4>(pass.n_atoms, {k_nothing, 0, 0, 0}));
    gpu::upload(pass.stream, cotangents, cotangent);
    const auto before = gpu::device_counts().kernels;
    fitting(pass.stream, pass.model, pass.view(), pass.buffers(), products,
            {wanted.energy && !is_dipole ? energies.data() : nullptr,
             wanted.dipole && is_dipole ? dipoles.data() : nullptr,
             wanted.cotangent && is_dipole ? cotangents.data() : nullptr, wanted.gradient});
    kernels = static_cast<int>(gpu::device_counts().kernels - before);
    energy = pass.fetched(energies.data(), energies.size());
    dipole = pass.fetched(dipoles.data(), dipoles.size());
    gradient = pass.fetched_a();
  }

  struct Errors {
    double value = 0, gradient = 0;  ///< relative to the largest, energies without their shifts
  };
  Errors errors() const {
    Numbers value, expected, got, expected_gradient;
    pass.for_each_row([&](const gpu::Tile& tile, int r, int atom) {
      const int t = pass.type_of(tile);
      const InferencePlan& plan = pass.plan_of(tile);
      const Vec3 c = is_dipole ? xyz(cotangent[atom]) : Vec3{};
      const RowResult row = reference_row(plan, t, pass.a_of(tile, r), c);
      const Model& model = *plan.model;
      const double shift = model.bias_atom_e[t] * model.out_std[t] + model.out_bias[t];
      if (is_dipole) {
        value.insert(value.end(), {dipole[atom].x, dipole[atom].y, dipole[atom].z});
        expected.insert(expected.end(), row.dipole.begin(), row.dipole.end());
      } else {
        value.push_back(energy[atom] - shift);
        expected.push_back(row.energy - shift);
      }
      const Numbers da = pass.part(gradient, tile.a, r, tile);
      got.insert(got.end(), da.begin(), da.end());
      expected_gradient.insert(expected_gradient.end(), row.gradient.begin(), row.gradient.end());
    });
    return {relative_error(value, expected), relative_error(got, expected_gradient)};
  }

  Numbers gradient_of(int atom) const {
    Numbers out;
    pass.for_each_row([&](const gpu::Tile& tile, int r, int i) {
      if (i == atom) out = pass.part(gradient, tile.a, r, tile);
    });
    return out;
  }

  NetPass<Real> pass;
  bool is_dipole;
  std::vector<Vec4> cotangent, dipole;
  Numbers energy;
  std::vector<Real> gradient;
  int kernels = 0;
};

Model scaled(ToyOptions options) {
  Model model = toy_model(options);
  model.out_std = {1.7, 0.6};
  model.out_bias = {3, -2};
  return model;
}

Plan energy_plan(std::vector<int> fitting, Activation activation = Activation::tanh) {
  return lowrank_plan(shared(scaled({.activation = activation, .fitting = std::move(fitting), .idt = true})));
}
Plan dipole_plan(std::vector<int> fitting, bool lowrank) {
  const auto model = shared(toy_model({.kind = ModelKind::dipole, .fitting = std::move(fitting)}));
  return lowrank ? lowrank_plan(model) : plan_of(model, TableKind::net);
}

const RowDeal k_both{.rows = {70, 130}, .exact = {65, 3}, .taken = 9};

template <class Real>
void expect_errors(const Plan& plan, Products products, double tolerance, RowDeal deal = k_both) {
  const auto errors = FittingRun<Real>(plan, products, deal).errors();
  EXPECT_LE(errors.value, tolerance);
  EXPECT_LE(errors.gradient, tolerance);
}

// Measured: 1.2e-15, 5.4e-7, 9e-4.
constexpr double k_double = 1e-13, k_split = 4e-6, k_single_pass = 1e-2;

}  // namespace

TEST(Fitting, energies_and_gradients_agree_with_plain_loops_for_nets_of_odd_sizes) {
  for (const std::vector<int>& widths : {std::vector<int>{1}, {10, 24}, {24, 24, 31}, {31, 31, 31}}) {
    expect_errors<double>(energy_plan(widths), Products::fp64, k_double);
    expect_errors<float>(energy_plan(widths), Products::split, k_split);
    expect_errors<float>(energy_plan(widths), Products::single_pass, k_single_pass);
  }
}

TEST(Fitting, nets_of_the_usual_width_agree_too) {
  expect_errors<double>(energy_plan({240, 240, 240}), Products::fp64, k_double);
  expect_errors<float>(energy_plan({240, 240, 240}), Products::split, k_split);
}

TEST(Fitting, other_activations_agree) {
  for (const Activation kind : {Activation::gelu, Activation::softplus, Activation::silu})
    expect_errors<double>(energy_plan({9, 9}, kind), Products::fp64, k_double);
}

TEST(Fitting, dipoles_and_their_gradients_agree_with_plain_loops) {
  for (const bool lowrank : {false, true})
    for (const std::vector<int>& widths : {std::vector<int>{10}, {24, 24, 24}, {31, 10}}) {
      expect_errors<double>(dipole_plan(widths, lowrank), Products::fp64, k_double);
      expect_errors<float>(dipole_plan(widths, lowrank), Products::split, k_split);
    }
}

TEST(Fitting, dipoles_without_a_cotangent_leave_a_alone) {
  const FittingRun<double> run(dipole_plan({24, 24}, true), Products::fp64, k_both, {.cotangent = false});
  EXPECT_LE(run.errors().value, k_double);
  run.pass.for_each_row([&](const gpu::Tile& tile, int r, int) {
    EXPECT_EQ(run.pass.part(run.gradient, tile.a, r, tile), run.pass.a_of(tile, r));
  });
}

TEST(Fitting, gradients_of_dipoles_come_without_dipoles) {
  const FittingRun<double> run(dipole_plan({24, 24}, true), Products::fp64, k_both, {.dipole = false});
  EXPECT_LE(run.errors().gradient, k_double);
  EXPECT_TRUE(
      std::all_of(run.dipole.begin(), run.dipole.end(), [](const Vec4& v) { return v.x == k_nothing; }));
}

TEST(Fitting, nets_of_two_types_may_differ_in_depth_and_width) {
  Model model = scaled({.fitting = {10, 10, 10}});
  const Model other = toy_model({.fitting = {31}, .seed = 9});
  model.fitting[1] = other.fitting[1];
  expect_errors<double>(lowrank_plan(shared(model)), Products::fp64, k_double);
}

TEST(Fitting, energies_alone_and_gradients_alone_are_the_same_numbers) {
  const Plan plan = energy_plan({24, 24});
  const FittingRun<double> both(plan, Products::fp64, k_both);
  const FittingRun<double> energy(plan, Products::fp64, k_both, {.gradient = false});
  const FittingRun<double> gradient(plan, Products::fp64, k_both, {.energy = false});
  EXPECT_EQ(both.energy, energy.energy);
  both.pass.for_each_row([&](const gpu::Tile& tile, int r, int) {
    EXPECT_EQ(both.pass.part(both.gradient, tile.a, r, tile),
              both.pass.part(gradient.gradient, tile.a, r, tile));
  });
  EXPECT_TRUE(
      std::all_of(gradient.energy.begin(), gradient.energy.end(), [](double e) { return e == k_nothing; }));
}

TEST(Fitting, atoms_taken_over_are_written_by_the_exact_plan_only) {
  const FittingRun<double> run(energy_plan({24}), Products::fp64,
                               {.rows = {70, 3}, .exact = {0, 0}, .taken = 4});
  std::vector<char> written(run.energy.size(), 0);
  run.pass.for_each_row([&](const gpu::Tile&, int, int atom) { written[atom] = 1; });
  ASSERT_GT(std::count(written.begin(), written.end(), 0), 0);
  for (std::size_t i = 0; i < written.size(); ++i)
    EXPECT_EQ(run.energy[i] != k_nothing, written[i] != 0) << i;
}

TEST(Fitting, more_rows_asked_for_than_there_is_room_do_no_harm) {
  RowDeal deal{.rows = {70, 3}, .exact = {500, 1}, .exact_tiles = 1};
  const FittingRun<double> run(energy_plan({24}), Products::fp64, deal);
  const auto errors = run.errors();
  EXPECT_LE(errors.value, k_double);
  EXPECT_LE(errors.gradient, k_double);
}

TEST(Fitting, a_rows_numbers_do_not_depend_on_its_place) {
  // The same atoms, and so the same a, in other rows, beside many more of another type.
  const Plan plan = energy_plan({24, 24});
  const FittingRun<float> few(plan, Products::split, {.rows = {40, 0}, .gap = 0});
  const FittingRun<float> many(plan, Products::split, {.rows = {46, 9000}, .gap = 0, .taken = 0});
  const FittingRun<float> shifted(plan, Products::split, {.rows = {50, 3}, .gap = 3});
  for (const auto* other : {&many, &shifted})  // `many` goes through blocks of the other shape
    for (int i = 0; i < 30; ++i) {
      EXPECT_EQ(few.energy[i], other->energy[i]) << i;
      EXPECT_EQ(few.gradient_of(i), other->gradient_of(i)) << i;
    }
}

TEST(Fitting, threads_in_reverse_order_give_the_same_bits) {
  for (const Plan& plan : {energy_plan({24, 24}), dipole_plan({24, 24}, true)}) {
    const FittingRun<double> forward(plan, Products::fp64, k_both);
    gpu::set_thread_order(true);
    const FittingRun<double> reversed(plan, Products::fp64, k_both);
    gpu::set_thread_order(false);
    EXPECT_EQ(forward.energy, reversed.energy);
    EXPECT_EQ(
        std::memcmp(forward.dipole.data(), reversed.dipole.data(), forward.dipole.size() * sizeof(Vec4)), 0);
    forward.pass.for_each_row([&](const gpu::Tile& tile, int r, int) {
      EXPECT_EQ(forward.pass.part(forward.gradient, tile.a, r, tile),
                reversed.pass.part(reversed.gradient, tile.a, r, tile));
    });
  }
}

TEST(Fitting, a_net_of_three_layers_takes_at_most_nine_launches) {
  const Plan plan = energy_plan({10, 10, 10});
  EXPECT_EQ(FittingRun<double>(plan, Products::fp64).kernels, 9);
  EXPECT_EQ(FittingRun<double>(plan, Products::fp64, {}, {.energy = false}).kernels, 8);
  EXPECT_EQ(FittingRun<double>(plan, Products::fp64, {}, {.gradient = false}).kernels, 5);
  EXPECT_EQ(FittingRun<double>(plan, Products::fp64, {}, {.energy = false, .gradient = false}).kernels, 0);
  EXPECT_EQ(FittingRun<double>(dipole_plan({10, 10, 10}, true), Products::fp64).kernels, 11);
}
