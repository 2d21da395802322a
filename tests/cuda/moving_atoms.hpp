// For tests of kernels that move atoms: systems, their way to the device and back, both orders of threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "core/box.hpp"
#include "cuda/atoms.hpp"
#include "cuda/host/host_launch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace nanoday::reference {

namespace gpu = nanoday::NANODAY_GPU;

/// Runs a test with threads in ascending and in descending order.
template <class Body>
void in_both_orders(Body&& body) {
  for (const bool reversed : {false, true}) {
    SCOPED_TRACE(reversed ? "threads reversed" : "threads in order");
    gpu::set_thread_order(reversed);
    body();
  }
  gpu::set_thread_order(false);
}

struct BoxCase {
  std::string name;
  Box box;
  double cutoff;
  int n;  ///< atoms
};

inline Box periodic_along(bool a, bool b, bool c) {
  Box box = Box::triclinic({Vec3{5, 0, 0}, Vec3{1.5, 6, 0}, Vec3{0.5, -1, 7}});
  box.periodic = {a, b, c};
  return box;
}

inline std::vector<BoxCase> box_cases() {
  Box left = Box::triclinic({Vec3{0, 6.1, 0.4}, Vec3{5.3, 0.3, 0}, Vec3{-0.5, 0.2, 4.9}});
  left.origin = {-3, 2, 7};
  return {{"orthorhombic", Box::orthorhombic(14, 15, 16), 3.7, 300},
          {"triclinic", Box::triclinic({Vec3{8, 0, 0}, Vec3{3, 7, 0}, Vec3{-2, 2.5, 9}}), 4.5, 60},
          {"left-handed", left, 4, 40},
          {"3 Å", Box::orthorhombic(3, 3, 3), 8, 3},
          {"small and skewed", Box::triclinic({Vec3{1.9, 0, 0}, Vec3{0.6, 1.7, 0}, Vec3{0, 0.5, 2.1}}), 5, 2},
          {"cutoff equal to the height", Box::orthorhombic(4, 4, 4), 4, 20},
          {"slab", periodic_along(true, true, false), 6, 50},
          {"wire", periodic_along(false, false, true), 6, 50},
          {"open", Box::open(), 6, 130},
          {"one atom", Box::orthorhombic(5, 5, 5), 6, 1},
          {"one atom in open space", Box::open(), 6, 1},
          {"no atoms", Box::orthorhombic(9, 9, 9), 6, 0},
          {"no atoms in open space", Box::open(), 6, 0}};
}

/// Random atoms inside and around the box, of three types, with everything a run has.
inline Atoms random_atoms(const Box& box, int n, unsigned seed = 7) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-0.6, 1.7);
  std::normal_distribution<double> normal(0, 3);
  Atoms atoms;
  atoms.nlocal = n;
  for (int i = 0; i < n; ++i) {
    const Vec3 f{uniform(random), uniform(random), uniform(random)};
    atoms.position.push_back(padded(box.volume() > 0 ? box.cartesian(f) : 9.0 * f));
    atoms.velocity.push_back({normal(random), normal(random), normal(random), 0});
    atoms.type.push_back(i % 3);
    atoms.mass.push_back(1 + 15.0 * (i % 3));
    atoms.id.push_back((i * 7919) % 100003);
    atoms.image.push_back({i % 2, 0, -i % 3});
  }
  return atoms;
}

inline Atoms wrapped_atoms(const Box& box, int n, unsigned seed = 7) {
  Atoms atoms = random_atoms(box, n, seed);
  for (Vec4& x : atoms.position) {
    Vec3 inside = xyz(x);
    wrap(box, inside);
    x = padded(inside);
  }
  return atoms;
}

/// Local atoms of several systems, one behind the other, as replicas.
inline gpu::DeviceAtoms on_device(gpu::Stream& stream, const std::vector<Atoms>& systems) {
  Atoms all;
  std::vector<std::int32_t> replica;
  for (std::size_t r = 0; r < systems.size(); ++r) {
    const Atoms& s = systems[r];
    const auto append = [&](auto& to, const auto& from) {
      to.insert(to.end(), from.begin(), from.begin() + s.nlocal);
    };
    append(all.position, s.position);
    append(all.velocity, s.velocity);
    append(all.type, s.type);
    append(all.mass, s.mass);
    append(all.id, s.id);
    append(all.image, s.image);
    replica.insert(replica.end(), s.nlocal, static_cast<std::int32_t>(r));
    all.nlocal += s.nlocal;
  }
  gpu::DeviceAtoms atoms;
  atoms.nlocal = all.nlocal;
  atoms.n_replicas = static_cast<int>(systems.size());
  upload(stream, atoms.position, all.position);
  upload(stream, atoms.velocity, all.velocity);
  upload(stream, atoms.type, all.type);
  upload(stream, atoms.mass, all.mass);
  upload(stream, atoms.id, all.id);
  upload(stream, atoms.image, all.image);
  upload(stream, atoms.replica, replica);
  stream.synchronize();
  return atoms;
}

template <class T>
std::vector<T> fetched(gpu::Stream& stream, const gpu::DeviceArray<T>& from, std::int64_t n) {
  EXPECT_GE(static_cast<std::int64_t>(from.size()), n);
  std::vector<T> values(n);
  download(stream, values.data(), from, n);
  stream.synchronize();
  return values;
}

inline bool same(const Vec4& a, const Vec4& b) {
  return a.x == b.x && a.y == b.y && a.z == b.z && a.w == 0 && b.w == 0;
}

inline void expect_same(const std::vector<Vec4>& found, View<const Vec4> expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_TRUE(same(found[i], expected[i])) << "row " << i;
}

}  // namespace nanoday::reference
