// A crystal is a crystal however its box is drawn: copies, other lattice vectors, fewer periodic directions.
// SPDX-License-Identifier: Apache-2.0
#include "reference/compare.hpp"
#include "reference/evaluate.hpp"
#include "reference/subjects.hpp"
#include "reference/systems.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using namespace reference;

class BoxImages : public SubjectTest {
 protected:
  /// Energies per atom, per-atom energies, forces and virials per atom agree; `copies` of `one` make `many`.
  void expect_same(const System& one, const System& many, std::size_t copies) {
    const Result a = evaluate(*backend, plan, one), b = evaluate(*backend, plan, many);
    ASSERT_EQ(a.counts.sel_overflow, 0);
    EXPECT_LT(relative_error({b.energy}, {a.energy * double(copies)}), tolerance::k_symmetry);
    Numbers virial = flat(b.virial), forces, energies;
    for (double& w : virial) w /= double(copies);
    EXPECT_LT(relative_error(virial, flat(a.virial)), tolerance::k_symmetry);
    for (std::size_t c = 0; c < copies; ++c) {
      const Numbers f = flat(a.force);
      forces.insert(forces.end(), f.begin(), f.end());
      energies.insert(energies.end(), a.atom_energy.begin(), a.atom_energy.end());
    }
    EXPECT_LT(relative_error(flat(b.force), forces), tolerance::k_symmetry);
    EXPECT_LT(relative_error(b.atom_energy, energies), tolerance::k_symmetry);
  }
};

INSTANTIATE_TEST_SUITE_P(all, BoxImages, testing::ValuesIn(subjects({"toy_two_sided", "water_sea.pb"})),
                         subject_name);

System copied(const System& one, int nx, int ny, int nz) {
  System many{one.box, {}, {}};
  many.box.cell = {double(nx) * one.box.cell[0], double(ny) * one.box.cell[1], double(nz) * one.box.cell[2]};
  for (int a = 0; a < nx; ++a)
    for (int b = 0; b < ny; ++b)
      for (int c = 0; c < nz; ++c) {
        for (const Vec3& x : one.position) many.position.push_back(x + one.box.translation(a, b, c));
        many.type.insert(many.type.end(), one.type.begin(), one.type.end());
      }
  return many;
}

/// Four atoms in a cell of about 3.5 Å, far smaller than any cutoff.
System tiny() {
  const Box box = Box::triclinic({Vec3{3.6, 0, 0}, Vec3{0.5, 3.3, 0}, Vec3{-0.3, 0.4, 3.9}});
  return random_system(box, 4, 1.2, 8);
}

TEST_P(BoxImages, a_box_smaller_than_the_cutoff_equals_its_copies_side_by_side) {
  expect_same(tiny(), copied(tiny(), 3, 2, 4), 24);
}

TEST_P(BoxImages, lattice_vectors_may_be_left_handed_or_skewed_by_each_other) {
  System left = tiny();
  std::swap(left.box.cell[0], left.box.cell[1]);
  expect_same(tiny(), left, 1);
  System skewed = tiny();
  skewed.box.cell[2] = skewed.box.cell[2] + 2.0 * skewed.box.cell[0] - skewed.box.cell[1];
  expect_same(tiny(), skewed, 1);
}

TEST_P(BoxImages, the_origin_of_the_box_does_not_matter) {
  System shifted = tiny();
  shifted.box.origin = {-17.3, 4.4, 0.9};
  expect_same(tiny(), shifted, 1);
}

TEST_P(BoxImages, a_direction_that_does_not_repeat_equals_one_with_much_vacuum) {
  for (int d = 0; d < 3; ++d) {
    SCOPED_TRACE(d);
    System slab = random_system(small_triclinic(), 10, 1.1, 4);
    System vacuum = slab;
    vacuum.box.cell[d] = 12.0 * vacuum.box.cell[d];
    slab.box.periodic[d] = false;
    expect_same(vacuum, slab, 1);
  }
}

TEST_P(BoxImages, an_open_box_equals_one_with_vacuum_all_around) {
  const System open = random_system(Box::open(), 15, 1.1, 2);
  System vacuum = open;
  vacuum.box = Box::orthorhombic(40, 50, 60);
  expect_same(vacuum, open, 1);
}

TEST_P(BoxImages, the_skin_does_not_matter) {
  const System system = random_system(small_triclinic(), 12, 1.1, 1);
  const Result reference = evaluate(*backend, plan, system, 0.5);
  for (const double skin : {0.0, 0.1, 3.0}) {
    const Result result = evaluate(*backend, plan, system, skin);
    EXPECT_LT(relative_error(flat(result.force), flat(reference.force)), tolerance::k_symmetry) << skin;
    EXPECT_LT(relative_error({result.energy}, {reference.energy}), tolerance::k_symmetry) << skin;
  }
}

}  // namespace
}  // namespace nanoday
