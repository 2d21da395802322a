// Fourier transforms of real meshes against the sums that define them.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/fft.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>
#include <random>
#include <vector>

namespace gpu = nanoday::NANODAY_GPU;

namespace {

using Size = std::array<int, 3>;
using Spectrum = std::vector<std::complex<double>>;

std::vector<double> random_mesh(Size n, int batch = 1) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<double> mesh(static_cast<std::size_t>(n[0]) * n[1] * n[2] * batch);
  for (double& value : mesh) value = uniform(random);
  return mesh;
}

std::complex<double> wave(Size n, Size a, Size b) {
  double turns = 0;
  for (int d = 0; d < 3; ++d) turns += static_cast<double>(a[d]) * b[d] / n[d];
  return std::polar(1.0, -2 * std::numbers::pi * turns);
}

/// Σ_x f(x) e^{−ikx} for k in the half spectrum, as written.
Spectrum direct_sum(Size n, const std::vector<double>& mesh) {
  Spectrum spectrum;
  for (int k0 = 0; k0 < n[0]; ++k0) {
    for (int k1 = 0; k1 < n[1]; ++k1) {
      for (int k2 = 0; k2 <= n[2] / 2; ++k2) {
        std::complex<double> sum = 0;
        for (int x = 0; x < static_cast<int>(mesh.size()); ++x) {
          sum += mesh[x] * wave(n, {k0, k1, k2}, {x / n[2] / n[1], x / n[2] % n[1], x % n[2]});
        }
        spectrum.push_back(sum);
      }
    }
  }
  return spectrum;
}

Spectrum transformed(gpu::Stream& stream, gpu::MeshFft& fft, const std::vector<double>& mesh) {
  gpu::DeviceArray<double> real;
  gpu::DeviceArray<gpu::Complex> spectrum(fft.spectrum_size());
  gpu::upload(stream, real, mesh);
  fft.forward(stream, real.data(), spectrum.data());
  std::vector<gpu::Complex> values(fft.spectrum_size());
  gpu::download(stream, values.data(), spectrum, values.size());
  stream.synchronize();
  Spectrum result;
  for (const auto& value : values) result.emplace_back(value.re, value.im);
  return result;
}

double worst(const Spectrum& a, const Spectrum& b) {
  double difference = 0;
  for (std::size_t k = 0; k < a.size(); ++k) difference = std::max(difference, std::abs(a[k] - b[k]));
  return difference;
}

}  // namespace

TEST(MeshFft, forward_is_the_sum_it_stands_for_on_odd_and_even_meshes) {
  for (const Size n : {Size{3, 5, 7}, Size{4, 6, 9}, Size{5, 4, 8}, Size{1, 1, 2}, Size{7, 1, 5}}) {
    gpu::Stream stream;
    gpu::MeshFft fft(n, 1);
    const auto mesh = random_mesh(n);
    const Spectrum expected = direct_sum(n, mesh);
    ASSERT_EQ(fft.real_size(), mesh.size());
    ASSERT_EQ(fft.spectrum_size(), expected.size());
    // Rounding of up to 216 terms of size 1, most of it in the direct sum; 4.0e-14 was measured.
    EXPECT_LT(worst(transformed(stream, fft, mesh), expected), 3e-13);
  }
}

TEST(MeshFft, inverse_undoes_forward_up_to_the_number_of_points_for_all_systems_and_channels) {
  const Size n{6, 5, 9};
  constexpr int k_channels = 3, k_systems = 2;
  gpu::Stream stream;
  gpu::MeshFft fft(n, k_channels, k_systems);
  const std::size_t group = k_systems * fft.real_size(), modes = k_systems * fft.spectrum_size();
  const auto meshes = random_mesh(n, k_channels * k_systems);
  for (const int channels : {1, k_channels}) {
    gpu::DeviceArray<double> real;
    gpu::DeviceArray<gpu::Complex> spectrum(k_channels * modes);
    gpu::upload(stream, real, meshes);
    for (int c = 0; c < channels; ++c)
      fft.forward(stream, real.data() + c * group, spectrum.data() + c * modes);
    gpu::fill_zero(stream, real.data(), real.size() * sizeof(double));
    fft.inverse(stream, spectrum.data(), real.data(), channels);
    std::vector<double> back(meshes.size());
    gpu::download(stream, back.data(), real, back.size());
    stream.synchronize();
    const double points = static_cast<double>(fft.real_size());
    for (std::size_t k = 0; k < back.size(); ++k) {
      const double expected = k < channels * group ? meshes[k] : 0;
      EXPECT_NEAR(back[k] / points, expected, 1e-14) << channels;  // 6.7e-16 was measured
    }
  }
}

TEST(MeshFft, takes_part_in_graphs) {
  const Size n{4, 3, 5};
  gpu::Stream stream;
  gpu::MeshFft fft(n, 1);
  gpu::DeviceArray<double> real(fft.real_size());
  gpu::DeviceArray<gpu::Complex> spectrum(fft.spectrum_size());
  gpu::Graph graph;
  graph.record(stream, [&] { fft.forward(stream, real.data(), spectrum.data()); });
  gpu::upload(stream, real, std::vector<double>(fft.real_size(), 0.5));
  graph.launch(stream);
  gpu::Complex sum{};
  gpu::download(stream, &sum, spectrum, 1);
  stream.synchronize();
  EXPECT_NEAR(sum.re, 30, 1e-13);
  EXPECT_NEAR(sum.im, 0, 1e-13);
}
