// Products on (emulated) tensor cores, and dense layers made of them, against plain loops.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/dense.hpp"

#include "cuda/activation.hpp"
#include "cuda/tensor_core.hpp"
#include "fitting_support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

using namespace nanoday;
using namespace nanoday::reference;

namespace {

enum class Way { fragments, shuffles, split, single_pass };

/// C (32, 24) = A (32, 8) · B (8, 24), all row-major in memory, by one warp.
template <class Real, Way way>
struct OneStep {
  static constexpr const char* k_name = "one_step";
  const Real *a, *b;
  Real* c;
  NANODAY_DEVICE void operator()(gpu::Block& block) const {
    const int g = block.lane() / 4, t = block.lane() % 4;
    Real x[2][4], y[3][2], z[2][3][4] = {};
    for (int m = 0; m < 2; ++m)
      for (int i = 0; i < 4; ++i) x[m][i] = a[(16 * m + g + 8 * (i & 1)) * 8 + t + 4 * (i >> 1)];
    for (int n = 0; n < 3; ++n)
      for (int j = 0; j < 2; ++j) y[n][j] = b[(t + 4 * j) * 24 + 8 * n + g];
    if constexpr (way == Way::fragments) gpu::multiply_fragments(block, x, y, z);
    if constexpr (way == Way::shuffles) gpu::multiply_by_shuffles(block, x, y, z);
    if constexpr (way == Way::split) gpu::multiply_tf32<true>(block, x, y, z);
    if constexpr (way == Way::single_pass) gpu::multiply_tf32<false>(block, x, y, z);
    for (int m = 0; m < 2; ++m)
      for (int n = 0; n < 3; ++n)
        for (int i = 0; i < 4; ++i)
          c[(16 * m + g + 8 * (i >> 1)) * 24 + 8 * n + 2 * t + (i & 1)] = z[m][n][i];
  }
};

template <class Real>
std::vector<Real> as(const Numbers& x) {
  return {x.begin(), x.end()};
}

/// Largest error of one step relative to the largest product.
template <class Real, Way way>
double one_step_error() {
  std::mt19937_64 random(3);
  const auto a = as<Real>(random_numbers(32 * 8, random)), b = as<Real>(random_numbers(8 * 24, random));
  gpu::Stream stream;
  gpu::DeviceArray<Real> da, db, dc(32 * 24);
  gpu::upload(stream, da, a);
  gpu::upload(stream, db, b);
  gpu::launch(stream, OneStep<Real, way>{da.data(), db.data(), dc.data()}, {1, 32, 0});
  std::vector<Real> c(32 * 24);
  gpu::download(stream, c.data(), dc, c.size());
  stream.synchronize();
  Numbers expected(c.size(), 0.0);
  for (int i = 0; i < 32; ++i)
    for (int j = 0; j < 24; ++j)
      for (int k = 0; k < 8; ++k)
        expected[i * 24 + j] += static_cast<double>(a[i * 8 + k]) * static_cast<double>(b[k * 24 + j]);
  return relative_error({c.begin(), c.end()}, expected);
}

/// A model whose nets are as wide as asked.
std::shared_ptr<const Model> model_with(std::vector<int> fitting, Activation activation = Activation::tanh,
                                        ModelKind kind = ModelKind::energy) {
  return shared(
      toy_model({.kind = kind, .activation = activation, .fitting = std::move(fitting), .idt = true}));
}

/// Layer 1 of every group alone, forward and back, on random numbers.
template <class Real>
struct LayerRun {
  LayerRun(std::vector<int> widths, gpu::DenseShape shape, gpu::Products products, RowDeal deal = {})
      : pass(plan_of(model_with(std::move(widths)), TableKind::net), deal) {
    const gpu::PassBuffers<Real> b = pass.buffers();
    const std::size_t size = pass.atoms.size() * b.width;
    std::mt19937_64 random(21);
    in = as<Real>(random_numbers(size, random));
    gpu::copy_to_device(pass.stream, b.hidden[0], in.data(), size * sizeof(Real));
    gpu::DenseTask<Real> task{pass.view(), b, gpu::DenseStep::layer, 1, true, true};
    dense(pass.stream, pass.model, task, products, shape);
    hidden = pass.fetched(b.hidden[1], size);
    slope = pass.fetched(b.slope[1], size);
    old_slope = as<Real>(random_numbers(size, random));
    gpu::copy_to_device(pass.stream, b.slope[1], in.data(), size * sizeof(Real));
    gpu::copy_to_device(pass.stream, b.slope[0], old_slope.data(), size * sizeof(Real));
    task.step = gpu::DenseStep::layer_back;
    dense(pass.stream, pass.model, task, products, shape);
    back = pass.fetched(b.slope[0], size);
  }

  /// Largest error of hidden and of ∂E/∂z of the layer below, each relative to its largest.
  double error() const {
    const Model& model = *pass.model.plan().model;
    Numbers got, expected, got_back, expected_back;
    for (const gpu::Tile& tile : pass.tiles) {
      const FittingNet& net = model.fitting[pass.type_of(tile)];
      const DenseLayer& layer = net.layers[1];
      const bool residual = layer.n_in == layer.n_out;
      for (int r = 0; r < gpu::k_tile_rows; ++r) {
        const std::size_t at = std::size_t(tile.row + r) * pass.model.max_width();
        const Numbers x(in.begin() + at, in.begin() + at + layer.n_in);
        const Numbers y(in.begin() + at, in.begin() + at + layer.n_out);
        const Numbers z = times(x, layer.weight, layer.n_out),
                      dx = times_transposed(y, layer.weight, layer.n_in);
        for (int o = 0; o < layer.n_out; ++o) {
          expected.push_back(layer.idt[o] * activate(net.activation, z[o] + layer.bias[o]).value +
                             (residual ? x[o] : 0));
          got.push_back(hidden[at + o]);
        }
        for (int i = 0; i < layer.n_in; ++i) {
          expected_back.push_back((dx[i] + (residual ? net.output.weight[i] : 0)) * old_slope[at + i]);
          got_back.push_back(back[at + i]);
        }
      }
    }
    return std::max(relative_error(got, expected), relative_error(got_back, expected_back));
  }

  NetPass<Real> pass;
  std::vector<Real> in, hidden, slope, old_slope, back;
};

/// Bits, so that NaN equals NaN where nothing is written.
template <class Real>
bool same_bits(const std::vector<Real>& a, const std::vector<Real>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(Real)) == 0;
}

const std::vector<std::vector<int>> k_widths{{1, 1},   {10, 24},   {24, 31}, {31, 31},
                                             {31, 10}, {240, 240}, {5, 240}};

}  // namespace

TEST(Dense, a_fragment_product_is_a_product_of_matrices) {
  EXPECT_LE((one_step_error<double, Way::fragments>()), 1e-15);  // measured: 0
  EXPECT_LE((one_step_error<double, Way::shuffles>()), 1e-15);
  EXPECT_LE((one_step_error<float, Way::fragments>()), 5e-7);  // measured: 3e-8 and 7e-8
  EXPECT_LE((one_step_error<float, Way::shuffles>()), 5e-7);
}

TEST(Dense, three_tf32_products_are_as_good_as_float_and_one_is_not) {
  EXPECT_LE((one_step_error<float, Way::split>()), 5e-7);  // measured: 7e-8
  const double one = one_step_error<float, Way::single_pass>();
  EXPECT_LE(one, 1e-3);  // measured: 4e-4
  EXPECT_GE(one, 1e-5);
}

TEST(Dense, tf32_keeps_ten_bits_and_rounds_ties_away_from_zero) {
  EXPECT_EQ(gpu::round_to_tf32(1.0f), 1.0f);
  EXPECT_EQ(gpu::round_to_tf32(1.0f + 0x1p-10f), 1.0f + 0x1p-10f);
  EXPECT_EQ(gpu::round_to_tf32(1.0f + 0x1p-11f), 1.0f + 0x1p-10f);
  EXPECT_EQ(gpu::round_to_tf32(-1.0f - 0x1p-11f), -1.0f - 0x1p-10f);
  EXPECT_EQ(gpu::round_to_tf32(1.0f + 0x1.ffp-12f), 1.0f);
  EXPECT_EQ(gpu::round_to_tf32(0x1.fffp0f), 2.0f);
  EXPECT_TRUE(std::isinf(gpu::round_to_tf32(INFINITY)));
  EXPECT_TRUE(std::isnan(gpu::round_to_tf32(NAN)));
}

TEST(Dense, activations_and_slopes_are_those_of_the_formulas) {
  for (const Activation kind :
       {Activation::tanh, Activation::gelu, Activation::relu, Activation::relu6, Activation::softplus,
        Activation::sigmoid, Activation::silu, Activation::linear})
    for (double x = -30; x <= 30; x += 0.0371) {
      const auto xf = static_cast<float>(x);
      const ActivationValue y = activate(kind, x), z = activate(kind, static_cast<double>(xf));
      const auto d = gpu::activate_as<double>(kind, x);
      const auto f = gpu::activate_as<float>(kind, xf);
      // Relative to 1, or to x where it is larger. Single precision loses most in gelu's slope.
      EXPECT_NEAR(d.value, y.value, 2e-15 * std::max(1.0, std::fabs(x)))
          << static_cast<int>(kind) << " " << x;
      EXPECT_NEAR(d.slope, y.slope, 2e-15 * std::max(1.0, std::fabs(x)))
          << static_cast<int>(kind) << " " << x;
      EXPECT_NEAR(f.value, z.value, (kind == Activation::tanh ? 1e-7 : 2e-7) * std::max(1.0, std::fabs(x)))
          << static_cast<int>(kind) << " " << x;
      EXPECT_NEAR(f.slope, z.slope, kind == Activation::tanh ? 1.2e-7 : 1.5e-6)
          << static_cast<int>(kind) << " " << x;
    }
}

TEST(Dense, layers_of_odd_sizes_agree_with_plain_loops_in_double) {
  for (const auto& widths : k_widths)
    for (const auto shape : {gpu::DenseShape::small, gpu::DenseShape::large}) {
      const double error = LayerRun<double>(widths, shape, gpu::Products::fp64).error();
      EXPECT_LE(error, 1e-13) << widths[0] << " x " << widths[1];  // measured: 5e-16
    }
}

TEST(Dense, split_products_have_the_error_of_float_and_single_ones_that_of_tf32) {
  for (const auto& widths : k_widths) {
    const double split = LayerRun<float>(widths, gpu::DenseShape::small, gpu::Products::split).error();
    const double single = LayerRun<float>(widths, gpu::DenseShape::small, gpu::Products::single_pass).error();
    EXPECT_LE(split, 2e-6) << widths[0] << " x " << widths[1];   // measured: 2.7e-7
    EXPECT_LE(single, 5e-3) << widths[0] << " x " << widths[1];  // measured: 7e-4
  }
}

TEST(Dense, numbers_do_not_depend_on_how_the_work_is_cut) {
  const RowDeal deal{.rows = {70, 300}};
  const std::vector<int> widths{47, 130};
  const LayerRun<double> small(widths, gpu::DenseShape::small, gpu::Products::fp64, deal);
  const LayerRun<double> large(widths, gpu::DenseShape::large, gpu::Products::fp64, deal);
  EXPECT_TRUE(same_bits(small.hidden, large.hidden));
  EXPECT_TRUE(same_bits(small.back, large.back));
  const LayerRun<float> few(widths, gpu::DenseShape::small, gpu::Products::split, deal);
  const LayerRun<float> many(widths, gpu::DenseShape::large, gpu::Products::split, deal);
  EXPECT_TRUE(same_bits(few.hidden, many.hidden));
  EXPECT_TRUE(same_bits(few.slope, many.slope));
  EXPECT_TRUE(same_bits(few.back, many.back));
}

TEST(Dense, threads_in_reverse_order_give_the_same_bits) {
  for (const auto shape : {gpu::DenseShape::small, gpu::DenseShape::large}) {
    const LayerRun<float> forward({47, 130}, shape, gpu::Products::split);
    gpu::set_thread_order(true);
    const LayerRun<float> reversed({47, 130}, shape, gpu::Products::split);
    gpu::set_thread_order(false);
    EXPECT_TRUE(same_bits(forward.hidden, reversed.hidden));
    EXPECT_TRUE(same_bits(forward.back, reversed.back));
  }
}

TEST(Dense, shapes_change_with_the_number_of_tiles) {
  EXPECT_EQ(gpu::dense_shape(9), gpu::DenseShape::small);
  EXPECT_EQ(gpu::dense_shape(512), gpu::DenseShape::large);
}
