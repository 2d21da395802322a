// What the long-range term says of centroids that are nowhere: trouble, absurd forces, virials that are none.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/dplr.hpp"
#include "cuda/moving_atoms.hpp"
#include "reference/dplr.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace nanoday {
namespace {

using namespace reference;

constexpr int k_oxygen = 3;  // the atom whose centroid is lost; it is the first of a molecule

class DplrKernels : public testing::Test {
 protected:
  DplrKernels()
      : water_(small_water()),
        model_(model_named("water_dplr.pb")),
        term_(stream_, {dplr_plan(model_, pppm_plan(*model_, 12), {}, TableKind::quintic)}, water_.box, 1) {
    Atoms host = atoms_of(water_);
    host.image.resize(static_cast<std::size_t>(host.nlocal));
    host.velocity.resize(static_cast<std::size_t>(host.nlocal));
    atoms_ = on_device(stream_, {host});
    const auto n = static_cast<std::size_t>(host.nlocal);
    force_.resize(n);
    virial_.resize(9);
    gpu::fill_zero(stream_, force_.data(), n * sizeof(Force));
    gpu::fill_zero(stream_, virial_.data(), 9 * sizeof(gpu::FixedSum));
    upload(stream_, state_, std::vector<gpu::SystemState>(1));
    term_.deal(stream_, atoms_, atoms_.type.data());
    term_.prepare({false, true, false, false});
  }

  using Force = std::array<std::int64_t, 4>;

  /// Evaluates the term; the centroid of k_oxygen stands this far from it.
  gpu::Signals evaluate(double displacement, gpu::Signals before = {}) {
    std::vector<Vec4> dipole(static_cast<std::size_t>(atoms_.nlocal));
    dipole[k_oxygen] = {displacement, 0, 0, 0};
    upload(stream_, dipole_, dipole);
    upload(stream_, signals_, std::vector<gpu::Signals>{before});
    term_.place(stream_, atoms_, dipole_.data(), signals_.data());
    term_.solve(stream_, {false, true, false, false}, nullptr);
    term_.come_home(stream_, atoms_, dipole_.data(), state_.data(), 0, 0,
                    {force_.data(), nullptr, {virial_.data(), nullptr, 1}});
    return fetched(stream_, signals_, 1)[0];
  }

  System water_;
  std::shared_ptr<const Model> model_;
  gpu::Stream stream_;
  gpu::DplrTerm term_;
  gpu::DeviceAtoms atoms_;
  gpu::DeviceArray<Force> force_;
  gpu::DeviceArray<gpu::FixedSum> virial_;
  gpu::DeviceArray<gpu::SystemState> state_;
  gpu::DeviceArray<gpu::Signals> signals_;
  gpu::DeviceArray<Vec4> dipole_;
};

TEST_F(DplrKernels, have_finite_sums_where_centroids_are_near_their_atoms) {
  EXPECT_EQ(evaluate(0.1).trouble, 0u);
  for (const Force& f : fetched(stream_, force_, atoms_.nlocal))
    for (int c = 0; c < 3; ++c) EXPECT_LT(std::abs(f[c]), std::int64_t{1} << 61);
  for (const gpu::FixedSum& w : fetched(stream_, virial_, 9)) EXPECT_TRUE(std::isfinite(gpu::value_of(w)));
}

TEST_F(DplrKernels, report_a_centroid_far_from_its_atom) {
  EXPECT_EQ(evaluate(1.5).trouble, 1u);
  EXPECT_EQ(evaluate(1.5, {0, 0, 1}).trouble, 0u) << "an evaluation in vain has nothing to say";
}

TEST_F(DplrKernels, make_forces_absurd_and_virials_no_numbers_where_a_charge_has_no_place) {
  EXPECT_EQ(evaluate(1e30).trouble, 1u);
  const auto force = fetched(stream_, force_, atoms_.nlocal);
  EXPECT_GT(force[k_oxygen][0], std::int64_t{1} << 61) << "what ends an evaluation must see it";
  EXPECT_TRUE(std::isnan(gpu::value_of(fetched(stream_, virial_, 9)[0])));
}

}  // namespace
}  // namespace nanoday
