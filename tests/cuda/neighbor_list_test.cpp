// Rebuilds on the device: wrapping, spatial order, ghosts and lists are those of the CPU.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/neighbor_list.hpp"

#include "core/error.hpp"
#include "cpu/neighbor_list.hpp"
#include "cuda/moving_atoms.hpp"
#include "periodic_images.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using namespace reference;

NeighborList cpu_list(const Atoms& atoms, double cutoff, bool by_id) {
  NeighborList list;
  cpu::build_neighbor_list({atoms.position, atoms.type, atoms.id, atoms.nlocal, 3, cutoff}, by_id, 1, list);
  return list;
}

struct HostList {
  std::vector<std::int64_t> offset;
  std::vector<std::int32_t> index;
};

HostList device_list(gpu::Stream& stream, gpu::RebuildWork& work, const gpu::DeviceAtoms& atoms,
                     double cutoff, bool by_id) {
  gpu::DeviceList list;
  gpu::build_list(stream, work, 3, cutoff, by_id, atoms, list);
  HostList host;
  host.offset = fetched(stream, list.offset, atoms.nlocal * 3 + 1);
  host.index = fetched(stream, list.index, host.offset.back());
  return host;
}

/// Same segments; same candidates in each, and in the same order when `ordered`.
void expect_same_list(HostList found, const NeighborList& expected, bool ordered) {
  ASSERT_EQ(found.offset.size(), expected.offset.size());
  for (std::size_t s = 0; s < found.offset.size(); ++s) ASSERT_EQ(found.offset[s], expected.offset[s]);
  std::vector<std::int32_t> wanted(expected.index.begin(), expected.index.begin() + expected.n_pairs());
  for (std::size_t s = 0; !ordered && s + 1 < found.offset.size(); ++s) {
    std::sort(found.index.begin() + found.offset[s], found.index.begin() + found.offset[s + 1]);
    std::sort(wanted.begin() + found.offset[s], wanted.begin() + found.offset[s + 1]);
  }
  EXPECT_EQ(found.index, wanted);
}

TEST(DeviceRebuild, wraps_atoms_as_the_cpu_does) {
  gpu::Stream stream;
  for (const BoxCase& c : box_cases()) {
    SCOPED_TRACE(c.name);
    Atoms atoms = random_atoms(c.box, c.n);
    gpu::DeviceAtoms device = on_device(stream, {atoms});
    gpu::wrap_atoms(stream, c.box, device);
    for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
      Vec3 x = xyz(atoms.position[i]);
      const auto image = wrap(c.box, x);
      atoms.position[i] = padded(x);
      for (int d = 0; d < 3; ++d) atoms.image[i][d] += image[d];
    }
    expect_same(fetched(stream, device.position, atoms.nlocal), atoms.position);
    const auto image = fetched(stream, device.image, atoms.nlocal);
    EXPECT_TRUE(std::equal(image.begin(), image.end(), atoms.image.begin()));
  }
}

TEST(DeviceRebuild, leaves_atoms_that_are_nowhere_alone) {
  gpu::Stream stream;
  const Box box = Box::orthorhombic(9, 9, 9);
  Atoms atoms = random_atoms(box, 3);
  atoms.position[1].y = std::nan("");
  atoms.position[2].z = 1e300;
  gpu::DeviceAtoms device = on_device(stream, {atoms});
  gpu::wrap_atoms(stream, box, device);
  EXPECT_EQ(fetched(stream, device.position, 3)[2].z, 1e300);
  EXPECT_EQ(fetched(stream, device.image, 3)[1][1], atoms.image[1][1]);
}

TEST(DeviceRebuild, sorts_atoms_along_the_curve_of_the_cpu) {
  gpu::Stream stream;
  in_both_orders([&] {
    for (const BoxCase& c : box_cases()) {
      SCOPED_TRACE(c.name);
      for (const double cell : {0.4, 2.0, 1e-7}) {
        const Atoms atoms = random_atoms(c.box, c.n);
        const auto order = cpu::spatial_order(atoms.position, cell);
        gpu::DeviceAtoms device = on_device(stream, {atoms});
        gpu::RebuildWork work;
        gpu::sort_atoms(stream, work, cell, device);
        const auto position = fetched(stream, device.position, c.n);
        const auto velocity = fetched(stream, device.velocity, c.n);
        const auto type = fetched(stream, device.type, c.n);
        const auto id = fetched(stream, device.id, c.n);
        const auto mass = fetched(stream, device.mass, c.n);
        const auto image = fetched(stream, device.image, c.n);
        for (int k = 0; k < c.n; ++k) {
          ASSERT_EQ(id[k], atoms.id[order[k]]) << "place " << k;
          EXPECT_TRUE(same(position[k], atoms.position[order[k]]));
          EXPECT_TRUE(same(velocity[k], atoms.velocity[order[k]]));
          EXPECT_EQ(type[k], atoms.type[order[k]]);
          EXPECT_EQ(mass[k], atoms.mass[order[k]]);
          EXPECT_EQ(image[k], atoms.image[order[k]]);
        }
      }
    }
  });
}

TEST(DeviceRebuild, keeps_the_order_of_atoms_in_one_cell) {
  gpu::Stream stream;
  Atoms atoms = random_atoms(Box::open(), 700);
  for (std::size_t i = 0; i < 700; ++i) atoms.position[i] = {i % 3 * 5.0, 0, 0, 0};
  const auto order = cpu::spatial_order(atoms.position, 2);
  gpu::DeviceAtoms device = on_device(stream, {atoms});
  gpu::RebuildWork work;
  gpu::sort_atoms(stream, work, 2, device);
  const auto id = fetched(stream, device.id, 700);
  for (int k = 0; k < 700; ++k) ASSERT_EQ(id[k], atoms.id[order[k]]);
}

TEST(DeviceRebuild, sorts_replicas_one_behind_the_other) {
  gpu::Stream stream;
  const Atoms first = random_atoms(Box::open(), 90);
  Atoms second = first;  // equal bounds, another order in memory
  std::reverse(second.position.begin(), second.position.end());
  gpu::DeviceAtoms device = on_device(stream, {first, second, first});
  gpu::RebuildWork work;
  gpu::sort_atoms(stream, work, 2, device);
  const auto replica = fetched(stream, device.replica, 270);
  EXPECT_TRUE(std::is_sorted(replica.begin(), replica.end()));
  const auto position = fetched(stream, device.position, 270);
  const auto order = cpu::spatial_order(second.position, 2);
  for (int k = 0; k < 90; ++k) ASSERT_TRUE(same(position[90 + k], second.position[order[k]]));
}

TEST(DeviceRebuild, makes_the_ghosts_of_the_halo_in_its_order) {
  gpu::Stream stream;
  in_both_orders([&] {
    gpu::RebuildWork work;
    for (const BoxCase& c : box_cases()) {
      SCOPED_TRACE(c.name);
      Atoms atoms = wrapped_atoms(c.box, c.n);
      gpu::DeviceAtoms device = on_device(stream, {atoms});
      gpu::build_ghosts(stream, work, c.box, c.cutoff, device);
      PeriodicImages halo;
      halo.build(c.box, c.cutoff, atoms);
      ASSERT_EQ(device.nghost, atoms.nghost);
      expect_same(fetched(stream, device.position, atoms.nall()), atoms.position);
      const auto type = fetched(stream, device.type, atoms.nall());
      const auto id = fetched(stream, device.id, atoms.nall());
      EXPECT_TRUE(std::equal(type.begin(), type.end(), atoms.type.begin()));
      EXPECT_TRUE(std::equal(id.begin(), id.end(), atoms.id.begin()));
    }
  });
}

TEST(DeviceRebuild, gives_each_replica_its_own_ghosts) {
  gpu::Stream stream;
  const Box box = Box::triclinic({Vec3{8, 0, 0}, Vec3{3, 7, 0}, Vec3{-2, 2.5, 9}});
  std::vector<Atoms> systems{wrapped_atoms(box, 70, 1), wrapped_atoms(box, 70, 2)};
  gpu::DeviceAtoms device = on_device(stream, systems);
  gpu::RebuildWork work;
  gpu::build_ghosts(stream, work, box, 4.5, device);
  const auto position = fetched(stream, device.position, device.nall());
  const auto replica = fetched(stream, device.replica, device.nall());
  for (int r = 0; r < 2; ++r) {
    PeriodicImages().build(box, 4.5, systems[r]);
    std::vector<Vec4> mine;
    for (std::int64_t i = 0; i < device.nall(); ++i)
      if (replica[i] == r) mine.push_back(position[i]);
    expect_same(mine, systems[r].position);
  }
}

TEST(DeviceRebuild, refuses_boxes_that_would_need_billions_of_images) {
  gpu::Stream stream;
  gpu::RebuildWork work;
  gpu::DeviceAtoms device = on_device(stream, {wrapped_atoms(Box::orthorhombic(1, 1, 1), 5)});
  EXPECT_THROW(gpu::build_ghosts(stream, work, Box::orthorhombic(1e-3, 1e-3, 1e-3), 8, device), InputError);
  EXPECT_THROW(gpu::build_ghosts(stream, work, Box::orthorhombic(5, 5, 0), 8, device), InputError);
}

TEST(DeviceRebuild, lists_the_neighbors_the_cpu_lists) {
  gpu::Stream stream;
  in_both_orders([&] {
    gpu::RebuildWork work;
    for (const BoxCase& c : box_cases()) {
      SCOPED_TRACE(c.name);
      Atoms atoms = wrapped_atoms(c.box, c.n);
      gpu::DeviceAtoms device = on_device(stream, {atoms});
      gpu::build_ghosts(stream, work, c.box, c.cutoff, device);
      PeriodicImages().build(c.box, c.cutoff, atoms);
      for (const bool by_id : {false, true}) {
        const HostList found = device_list(stream, work, device, c.cutoff, by_id);
        expect_same_list(found, cpu_list(atoms, c.cutoff, by_id), true);
      }
    }
  });
}

TEST(DeviceRebuild, lists_neighbors_in_sparse_and_in_long_systems) {
  gpu::Stream stream;
  gpu::RebuildWork work;
  for (const Vec3& stretch : {Vec3{4000, 3000, 5000}, Vec3{30000, 3, 3}, Vec3{1, 800, 0}}) {
    Atoms atoms = random_atoms(Box::open(), 400);
    for (Vec4& x : atoms.position) x = {stretch.x * x.x, stretch.y * x.y, stretch.z * x.z, 0};
    for (int i = 0; i < 100; ++i) {  // some pairs in the emptiness
      atoms.position[i + 100] = atoms.position[i];
      atoms.position[i + 100].y += 1 + 0.05 * i;
    }
    const gpu::DeviceAtoms device = on_device(stream, {atoms});
    const HostList found = device_list(stream, work, device, 4, false);
    EXPECT_GT(found.index.size(), 50u);
    expect_same_list(found, cpu_list(atoms, 4, false), false);
  }
}

TEST(DeviceRebuild, orders_long_segments_by_id) {
  gpu::Stream stream;
  gpu::RebuildWork work;
  Atoms atoms = random_atoms(Box::open(), 1500);  // a segment has 500 candidates: more than are staged
  for (std::size_t i = 0; i < 1500; ++i) {
    atoms.position[i] = {0.1 * atoms.position[i].x, 0.1 * atoms.position[i].y, 0.1 * atoms.position[i].z, 0};
    atoms.id[i] = (i * 37) % 11;  // many equal ids: positions decide
  }
  atoms.nlocal = 4;
  gpu::DeviceAtoms device = on_device(stream, {atoms});
  upload(stream, device.position, atoms.position);
  upload(stream, device.type, atoms.type);
  upload(stream, device.id, atoms.id);
  device.nghost = 1496;
  in_both_orders(
      [&] { expect_same_list(device_list(stream, work, device, 6, true), cpu_list(atoms, 6, true), true); });
}

TEST(DeviceRebuild, keeps_replicas_apart) {
  gpu::Stream stream;
  gpu::RebuildWork work;
  const Box box = Box::orthorhombic(9, 8, 7);
  std::vector<Atoms> systems{wrapped_atoms(box, 60, 1), wrapped_atoms(box, 60, 2), wrapped_atoms(box, 60, 3)};
  gpu::DeviceAtoms device = on_device(stream, systems);
  gpu::build_ghosts(stream, work, box, 5, device);
  const HostList found = device_list(stream, work, device, 5, false);
  const auto position = fetched(stream, device.position, device.nall());
  const auto replica = fetched(stream, device.replica, device.nall());
  for (int r = 0; r < 3; ++r) {
    PeriodicImages().build(box, 5, systems[r]);
    const NeighborList alone = cpu_list(systems[r], 5, false);
    std::vector<std::int64_t> place;  // of this replica's atoms among all
    for (std::int64_t i = 0; i < device.nall(); ++i)
      if (replica[i] == r) place.push_back(i);
    for (std::int64_t s = 0; s < 60 * 3; ++s) {
      const std::int64_t there = r * 60 * 3 + s;
      std::vector<std::int64_t> mine(found.index.begin() + found.offset[there],
                                     found.index.begin() + found.offset[there + 1]);
      std::vector<std::int64_t> wanted;
      for (std::int64_t k = alone.offset[s]; k < alone.offset[s + 1]; ++k)
        wanted.push_back(place[alone.index[k]]);
      std::sort(mine.begin(), mine.end());
      std::sort(wanted.begin(), wanted.end());
      ASSERT_EQ(mine, wanted) << "segment " << s << " of replica " << r;
    }
  }
}

TEST(DeviceRebuild, rebuilds_after_systems_have_grown_and_shrunk) {
  gpu::Stream stream;
  gpu::RebuildWork work;
  gpu::DeviceList list;
  const Box box = Box::orthorhombic(10, 10, 10);
  for (const int n : {40, 200, 10, 201}) {
    Atoms atoms = wrapped_atoms(box, n);
    gpu::DeviceAtoms device = on_device(stream, {atoms});
    gpu::build_ghosts(stream, work, box, 4, device);
    gpu::build_ghosts(stream, work, box, 4, device);  // the old ghosts are replaced
    PeriodicImages().build(box, 4, atoms);
    ASSERT_EQ(device.nghost, atoms.nghost);
    gpu::build_list(stream, work, 3, 4, false, device, list);
    HostList found{fetched(stream, list.offset, n * 3 + 1), {}};
    found.index = fetched(stream, list.index, found.offset.back());
    expect_same_list(found, cpu_list(atoms, 4, false), true);
  }
}

TEST(DeviceRebuild, needs_little_memory_beside_the_list) {
  gpu::Stream stream;
  gpu::RebuildWork work;
  const Box box = Box::orthorhombic(20, 20, 20);
  gpu::DeviceAtoms device = on_device(stream, {wrapped_atoms(box, 800)});  // 0.1 atoms per Å³, as water
  gpu::sort_atoms(stream, work, 4, device);
  gpu::build_ghosts(stream, work, box, 8, device);
  gpu::DeviceList list;
  gpu::build_list(stream, work, 3, 8, false, device, list);
  const std::size_t bytes = 8 * (work.key.capacity() + work.key_sorted.capacity() + work.count.capacity() +
                                 work.cell_begin.capacity() + work.bounds.capacity()) +
                            4 * (work.order.capacity() + work.order_sorted.capacity()) +
                            work.spare.capacity();
  // Keys and orders twice (24), positions in cell order (32), cells; arrays grow by an eighth more than
  // asked.
  EXPECT_LT(static_cast<double>(bytes), 80.0 * static_cast<double>(device.nall()));
}

}  // namespace
}  // namespace nanoday
