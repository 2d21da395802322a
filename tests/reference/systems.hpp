// Small random systems for tests, from fixed seeds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reference/evaluate.hpp"

#include <random>

namespace nanoday::reference {

/// n atoms at random, none closer to another (or an image) than `spacing`, each third of type 0, others 1.
/// The box is filled by trial; spacing must leave room. Open boxes use a cube of 8 Å.
inline System random_system(const Box& box, int n, double spacing, unsigned seed) {
  System system;
  system.box = box;
  const Box region = box.volume() > 0 ? box : Box::orthorhombic(8, 8, 8);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto too_close = [&](Vec3 x) {
    for (const Vec3& y : system.position)
      for (int a = -1; a <= 1; ++a)
        for (int b = -1; b <= 1; ++b)
          for (int c = -1; c <= 1; ++c)
            if (norm(x - y + region.translation(a, b, c)) < spacing) return true;
    return false;
  };
  while (static_cast<int>(system.position.size()) < n) {
    const Vec3 f{uniform(random), uniform(random), uniform(random)};
    const Vec3 x = region.cartesian(f);
    if (too_close(x)) continue;
    system.type.push_back(system.position.size() % 3 == 0 ? 0 : 1);
    system.position.push_back(x);
  }
  return system;
}

/// A skewed box a little larger than 5 Å: smaller than any cutoff the tests use.
inline Box small_triclinic() {
  return Box::triclinic({Vec3{5.4, 0, 0}, Vec3{0.7, 5.1, 0}, Vec3{-0.4, 0.9, 5.3}});
}

}  // namespace nanoday::reference
