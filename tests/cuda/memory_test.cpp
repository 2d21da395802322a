// How much device memory an atom takes, without running anything: what a resident system holds of it.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/evaluation.hpp"
#include "cuda/model_engine.hpp"
#include "cuda/moving_atoms.hpp"
#include "cuda/neighbor_list.hpp"
#include "reference/models.hpp"
#include "reference/plans.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace nanoday {
namespace {

using namespace reference;

constexpr double k_cutoff = 8;         // 6 Å and a skin of 2 Å
constexpr double k_density = 0.1003;   // atoms of water [1/Å³]
constexpr std::int64_t k_chunk = 512;  // buffers of a chunk do not grow with the system

struct Footprint {
  double bytes, candidates;
};

/// Of n atoms at the density of water in open space: without ghosts, whose share vanishes in large systems.
Footprint footprint(int n) {
  const std::size_t before = gpu::device_bytes();
  gpu::Stream stream;
  const double length = std::cbrt(n / k_density);
  Atoms host = random_atoms(Box::orthorhombic(length, length, length), n);
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(0, length);
  for (Vec4& x : host.position) x = {uniform(random), uniform(random), uniform(random), 0};
  for (std::int32_t& type : host.type) type = type == 0 ? 0 : 1;

  gpu::DeviceAtoms atoms = on_device(stream, {host});
  atoms.replica = {};
  atoms.force.resize(n);
  atoms.reference.resize(n);
  gpu::RebuildWork work;
  gpu::DeviceList list;
  gpu::wrap_atoms(stream, Box::open(), atoms);
  gpu::sort_atoms(stream, work, k_cutoff / 2, atoms);
  gpu::build_ghosts(stream, work, Box::open(), k_cutoff, atoms);
  gpu::build_list(stream, work, 2, k_cutoff, false, atoms, list);
  const auto plan = plan_of(model_named("water_sea.pb"), TableKind::lowrank, Precision::fp64);
  const auto engine = gpu::make_engine(stream, {plan}, k_chunk);
  engine->deal(stream, work, atoms.type.data(), n);
  gpu::DeviceArray<std::array<std::int64_t, 4>> force(n);
  gpu::DeviceArray<double> energy(n);
  gpu::DeviceArray<gpu::FixedSum> virial(std::size_t{9} * gpu::virial_slots(n));
  return {static_cast<double>(gpu::device_bytes() - before), static_cast<double>(list.index.size())};
}

TEST(DeviceMemory, of_an_atom_of_water_is_at_most_1200_bytes_virials_included) {
  constexpr int k_few = 1024, k_many = 3072;
  const Footprint few = footprint(k_few), many = footprint(k_many);
  constexpr double k_candidate = 4 * (1 + 1.0 / 64);  // the list keeps a little room
  const double own =
      (many.bytes - few.bytes - k_candidate * (many.candidates - few.candidates)) / (k_many - k_few);
  const double in_bulk = k_density * 4 / 3 * M_PI * k_cutoff * k_cutoff * k_cutoff;
  RecordProperty("own_bytes", static_cast<int>(own));
  EXPECT_GT(own, 200) << "positions, velocities and forces alone are that much";
  EXPECT_LE(own + k_candidate * in_bulk, 1200);
}

}  // namespace
}  // namespace nanoday
