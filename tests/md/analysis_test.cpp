// g(r) and mean squared displacement have the values theory gives for simple systems.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "io/temporary_folder.hpp"
#include "md/analysis/msd.hpp"
#include "md/analysis/near_pairs.hpp"
#include "md/analysis/rdf.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace nanoday {
namespace {

const std::unique_ptr<Transport> k_self = make_self_transport();

Atoms make(const std::vector<Vec3>& position, const std::vector<std::int32_t>& type) {
  Atoms atoms;
  atoms.nlocal = static_cast<std::int64_t>(position.size());
  for (std::size_t i = 0; i < position.size(); ++i) {
    atoms.position.push_back(padded(position[i]));
    atoms.type.push_back(type[i]);
    atoms.id.push_back(static_cast<std::int64_t>(i));
    atoms.mass.push_back(type[i] == 0 ? 16 : 1);
    atoms.image.push_back({0, 0, 0});
  }
  return atoms;
}

Atoms ideal_gas(const Box& box, int natoms, std::mt19937& random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<Vec3> position;
  std::vector<std::int32_t> type;
  for (int i = 0; i < natoms; ++i) {
    position.push_back(box.cartesian({uniform(random), uniform(random), uniform(random)}));
    type.push_back(i % 3 == 0 ? 0 : 1);
  }
  return make(position, type);
}

Box tilted(double scale) {
  return Box::triclinic(
      {Vec3{10 * scale, 0, 0}, Vec3{3 * scale, 9 * scale, 0}, Vec3{-4 * scale, 2 * scale, 8 * scale}});
}

TEST(Rdf, of_an_ideal_gas_is_one_in_a_tilted_box) {
  std::mt19937 random(3);
  const Box box = tilted(1);
  Rdf rdf(*k_self, box, {"O", "H"}, ideal_gas(box, 240, random));
  for (int k = 0; k < 300; ++k) rdf.sample(box, ideal_gas(box, 240, random));
  const RdfTable table = rdf.table();
  EXPECT_EQ(table.pair, (std::vector<std::string>{"O-O", "O-H", "H-H"}));
  for (std::size_t p = 0; p < table.pair.size(); ++p) {
    double mean = 0, weight = 0;  // weighted by shell volume: this is counts over expected counts
    for (std::size_t k = 0; k < table.r.size(); ++k) {
      mean += table.g[p][k] * table.r[k] * table.r[k];
      weight += table.r[k] * table.r[k];
    }
    EXPECT_NEAR(mean / weight, 1, 0.005) << table.pair[p];  // 1/√counts is 0.001 for O-O
    double outer = 0;
    for (std::size_t k = table.r.size() - 10; k < table.r.size(); ++k) outer += table.g[p][k] / 10;
    EXPECT_NEAR(outer, 1, 0.03) << table.pair[p];
  }
}

TEST(Rdf, of_fcc_has_twelve_six_and_twentyfour_neighbors_at_their_distances) {
  const double a = 3.6;
  std::vector<Vec3> position;
  const Vec3 basis[] = {{0, 0, 0}, {0, a / 2, a / 2}, {a / 2, 0, a / 2}, {a / 2, a / 2, 0}};
  for (int n = 0; n < 216; ++n)
    for (const Vec3& b : basis) position.push_back(Vec3{a * (n % 6), a * (n / 6 % 6), a * (n / 36)} + b);
  const Box box = Box::orthorhombic(6 * a, 6 * a, 6 * a);
  const Atoms atoms = make(position, std::vector<std::int32_t>(position.size(), 0));
  Rdf rdf(*k_self, box, {"Cu", "Ni"}, atoms, 5.0);
  rdf.sample(box, atoms);
  const RdfTable table = rdf.table();
  ASSERT_EQ(table.pair, (std::vector<std::string>{"Cu-Cu"}));
  const double width = table.r[1] - table.r[0];
  const double density = double(position.size() - 1) / box.volume();
  const auto neighbors = [&](double from, double to) {
    double count = 0;
    for (std::size_t k = 0; k < table.r.size(); ++k) {
      const double low = table.r[k] - width / 2, high = table.r[k] + width / 2;
      if (low >= from && high <= to)
        count +=
            table.g[0][k] * density * 4.0 / 3.0 * std::numbers::pi * (std::pow(high, 3) - std::pow(low, 3));
    }
    return count;
  };
  EXPECT_NEAR(neighbors(a / std::sqrt(2.0) - 0.05, a / std::sqrt(2.0) + 0.05), 12, 1e-9);
  EXPECT_NEAR(neighbors(a - 0.05, a + 0.05), 6, 1e-9);
  EXPECT_NEAR(neighbors(a * std::sqrt(1.5) - 0.05, a * std::sqrt(1.5) + 0.05), 24, 1e-9);
  EXPECT_NEAR(neighbors(0, 5), 42, 1e-9);
}

TEST(NearPairs, cells_and_all_images_agree) {
  std::mt19937 random(11);
  const Box box = tilted(4);  // heights above 3 r_max, atoms enough for cells
  Atoms atoms = ideal_gas(box, 2100, random);
  for (std::size_t i = 0; i < 500; ++i) {
    const Vec3 shift = box.translation(int(i % 3) - 1, 2, -1);
    atoms.position[i] = padded(xyz(atoms.position[i]) + shift);
  }
  const double r_max = 7;
  std::int64_t found = 0, expected = 0;
  double found_sum = 0, expected_sum = 0;
  std::vector<Vec3> position;
  for (const Vec4& x : atoms.position) position.push_back(xyz(x));
  for_each_near_pair(box, position, r_max, [&](std::size_t, std::size_t, double distance2) {
    ++found;
    found_sum += distance2;
  });
  std::vector<Vec3> inside;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    inside.push_back(xyz(atoms.position[i]));
    wrap(box, inside.back());
  }
  for (std::size_t i = 0; i < inside.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      for (int n = 0; n < 27; ++n) {
        const Vec3 d = inside[i] - inside[j] + box.translation(n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1);
        if (dot(d, d) >= r_max * r_max) continue;
        ++expected;
        expected_sum += dot(d, d);
      }
  EXPECT_EQ(found, expected);
  EXPECT_GT(found, 10000);
  EXPECT_NEAR(found_sum, expected_sum, 1e-6);
}

TEST(Rdf, refuses_open_boxes_and_distances_beyond_half_the_box) {
  const Atoms atoms = make({{0, 0, 0}, {1, 0, 0}}, {0, 0});
  EXPECT_THROW(Rdf(*k_self, Box::open(), {"O"}, atoms), InputError);
  EXPECT_THROW(Rdf(*k_self, Box::orthorhombic(10, 8, 10), {"O"}, atoms, 4.1), InputError);
  EXPECT_NEAR(Rdf(*k_self, Box::orthorhombic(10, 8, 10), {"O"}, atoms).r_max(), 4, 1e-12);
  EXPECT_NEAR(Rdf(*k_self, Box::orthorhombic(50, 50, 50), {"O"}, atoms).r_max(), 8, 1e-12);
  Rdf rdf(*k_self, Box::orthorhombic(10, 8, 10), {"O"}, atoms);
  EXPECT_THROW(rdf.sample(Box::orthorhombic(10, 7.9, 10), atoms), RunError);
}

TEST(Rdf, continues_from_its_state) {
  std::mt19937 random(5);
  const Box box = tilted(1);
  const Atoms a = ideal_gas(box, 60, random), b = ideal_gas(box, 60, random);
  Rdf whole(*k_self, box, {"O", "H"}, a), second(*k_self, box, {"O", "H"}, a);
  whole.sample(box, a);
  second.restore(whole.save());
  whole.sample(box, b);
  second.sample(box, b);
  EXPECT_EQ(second.samples(), 2);
  EXPECT_EQ(whole.table().g, second.table().g);
  EXPECT_EQ(whole.save(), second.save());
  EXPECT_THROW(second.restore("nonsense"), InputError);
  Rdf other(*k_self, box, {"O", "H"}, a, 2);
  EXPECT_THROW(other.restore(whole.save()), InputError);
}

TEST(Rdf, is_written_as_a_table) {
  const test::TemporaryFolder folder;
  write_rdf(folder.file("rdf.csv"), {{"O-O", "O-H"}, {0.01, 0.03}, {{0, 1.5}, {0.25, 1}}},
            NumberFormat::eight_digits);
  EXPECT_EQ(folder.read("rdf.csv"), "r[A],O-O,O-H\n0.01,0,0.25\n0.03,1.5,1\n");
  EXPECT_THROW(write_rdf(folder.file("none/rdf.csv"), {}, NumberFormat::eight_digits), RunError);
}

TEST(Msd, of_uniform_motion_is_zero_and_of_relative_motion_quadratic) {
  const Box box = Box::orthorhombic(10, 10, 10);
  const std::vector<Vec3> start{{1, 1, 1}, {5, 5, 5}, {9, 9, 9}};
  Atoms atoms = make(start, {0, 1, 1});
  Msd msd(*k_self, {"O", "H", "Na"}, atoms);
  EXPECT_EQ(msd.elements(), (std::vector<std::string>{"O", "H"}));
  EXPECT_EQ(msd.sample(0, box, atoms).msd, (std::vector<double>{0, 0}));
  // All drift by (3, 0, 0) per time; hydrogens also part by ±(0, 2, 0), which leaves the center where it is.
  for (int t = 1; t <= 5; ++t) {
    for (std::size_t i = 0; i < 3; ++i) {
      const double apart = i == 0 ? 0 : i == 1 ? 2 : -2;
      Vec3 x = start[i] + Vec3{3.0 * t, apart * t, 0};
      const auto image = wrap(box, x);
      atoms.position[i] = padded(x);
      atoms.image[i] = {image[0], image[1], image[2]};
    }
    const MsdRow row = msd.sample(t, box, atoms);
    EXPECT_NEAR(row.msd[0], 0, 1e-20);
    EXPECT_NEAR(row.msd[1], 4.0 * t * t, 1e-10);
  }
}

TEST(Msd, does_not_depend_on_the_order_in_memory_and_continues_from_its_state) {
  std::mt19937 random(9);
  const Box box = tilted(1);
  const Atoms first = ideal_gas(box, 50, random);
  Atoms later = ideal_gas(box, 50, random);
  Atoms shuffled = later;
  for (std::size_t i = 0; i < 50; ++i) {
    const std::size_t j = (i * 7 + 3) % 50;
    shuffled.position[i] = later.position[j];
    shuffled.type[i] = later.type[j];
    shuffled.id[i] = later.id[j];
    shuffled.mass[i] = later.mass[j];
  }
  Msd a(*k_self, {"O", "H"}, first), b(*k_self, {"O", "H"}, first);
  a.sample(0, box, first);
  b.restore(a.origin());
  const MsdRow one = a.sample(1, box, later), two = b.sample(1, box, shuffled);
  EXPECT_EQ(one.msd, two.msd);
  EXPECT_GT(one.msd[0], 1);
  Msd other(*k_self, {"O", "H"}, make({{0, 0, 0}}, {0}));
  EXPECT_THROW(other.restore(a.origin()), InputError);
}

TEST(MsdLog, writes_header_and_rows) {
  const test::TemporaryFolder folder;
  {
    MsdLog log(OutputFile::create(folder.file("msd.csv")), {"O", "H"}, NumberFormat::eight_digits);
    log.write({0, {0, 0}});
    log.write({0.02, {0.125, 1.0 / 3}});
  }
  EXPECT_EQ(folder.read("msd.csv"), "time[ps],O[A2],H[A2]\n0,0,0\n0.02,0.125,0.33333333\n");
}

}  // namespace
}  // namespace nanoday
