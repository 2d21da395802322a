// Wannier centroid distances, molecular and total dipoles of arrangements whose values are known.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "io/temporary_folder.hpp"
#include "md/analysis/dplr_analysis.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace nanoday {
namespace {

constexpr double k_debye = 4.80320;
const TypeCharges k_water{{6, 1}, {-8, 0}};

const std::unique_ptr<Transport> k_self = make_self_transport();

Box tilted() { return Box::triclinic({Vec3{12, 0, 0}, Vec3{3, 11, 0}, Vec3{-4, 2, 10}}); }

/// Atoms with one W − R each (zero where the type has none).
struct Scene {
  Box box = tilted();
  Atoms atoms;
  Array<Vec4> displacement;

  void add(int type, Vec3 x, Vec3 to_centroid = {}) {
    const auto image = wrap(box, x);
    atoms.position.push_back(padded(x));
    atoms.type.push_back(type);
    atoms.id.push_back(atoms.nlocal++);
    atoms.mass.push_back(type == 0 ? 16 : 1);
    atoms.image.push_back({image[0], image[1], image[2]});
    displacement.push_back(padded(to_centroid));
  }
  /// O with two H at the given displacements.
  void add_water(Vec3 x, Vec3 h1, Vec3 h2, Vec3 to_centroid) {
    add(0, x, to_centroid);
    add(1, x + h1);
    add(1, x + h2);
  }
  /// The same atoms in another order in memory.
  Scene shuffled() const {
    Scene out = *this;
    const std::size_t n = displacement.size();
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t j = (7 * i + 3) % n;
      out.atoms.position[i] = atoms.position[j];
      out.atoms.type[i] = atoms.type[j];
      out.atoms.id[i] = atoms.id[j];
      out.atoms.mass[i] = atoms.mass[j];
      out.atoms.image[i] = atoms.image[j];
      out.displacement[i] = displacement[j];
    }
    return out;
  }
};

const Vec3 k_h1{0.76, 0.59, 0}, k_h2{-0.76, 0.59, 0}, k_to_centroid{0.01, 0.07, -0.02};

/// Waters on a grid, some broken by the faces of the box, with randomly varied centroids.
Scene liquid(unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, 0.01);
  Scene scene;
  for (int n = 0; n < 27; ++n)
    scene.add_water(scene.box.cartesian({n % 3 / 3.0, n / 3 % 3 / 3.0, n / 9 / 3.0}), k_h1, k_h2,
                    k_to_centroid + Vec3{normal(random), normal(random), normal(random)});
  return scene;
}

double area(const Distribution& d) {
  double sum = 0;
  for (const double value : d.density) sum += value * (d.middle[1] - d.middle[0]);
  return sum;
}

TEST(WannierDistance, has_mean_width_and_a_normalised_density) {
  WannierDistance distance;
  const Array<Vec4> first{{0.03, 0.04, 0}, {0, 0, 0.07}}, second{{0, -0.09, 0}};
  distance.sample(first);
  distance.sample(second);
  const Histogram& h = distance.histogram();
  EXPECT_EQ(h.count(), 3);
  EXPECT_NEAR(h.mean(), 0.07, 6e-14);   // summands are rounded to 2^-44
  EXPECT_NEAR(h.width(), 0.02, 5e-12);  // their squares too: 3 · 2^-45 / (2 · 2 · 0.02), and a little
  EXPECT_NEAR(h.smallest(), 0.05, 1e-15);
  EXPECT_NEAR(h.largest(), 0.09, 1e-15);
  const Distribution d = h.distribution();
  EXPECT_NEAR(area(d), 1, 1e-12);
  EXPECT_EQ(d.density.front(), 0);
  EXPECT_EQ(d.density.back(), 0);
  EXPECT_NEAR(d.middle[1] - d.middle[0], 0.001, 1e-12);
}

TEST(WannierDistance, beyond_the_last_bin_still_counts) {
  WannierDistance distance;
  const Array<Vec4> vectors{{0.5, 0, 0}, {0, 1.5, 0}};
  distance.sample(vectors);
  EXPECT_EQ(distance.histogram().count(), 2);
  EXPECT_NEAR(distance.histogram().mean(), 1, 6e-14);
  EXPECT_NEAR(area(distance.histogram().distribution()), 0.5, 1e-12);
}

TEST(WannierDistance, does_not_depend_on_the_order_and_continues_from_its_state) {
  std::mt19937 random(4);
  std::normal_distribution<double> normal(0, 0.05);
  Array<Vec4> vectors;
  for (int k = 0; k < 100; ++k) vectors.push_back({normal(random), normal(random), normal(random)});
  const Array<Vec4> reversed(vectors.rbegin(), vectors.rend());
  WannierDistance a, b;
  a.sample(vectors);
  b.restore(a.save());
  a.sample(vectors);
  b.sample(reversed);
  EXPECT_EQ(a.save(), b.save());
  EXPECT_EQ(b.histogram().count(), 200);
  EXPECT_THROW(b.restore("nonsense"), InputError);
  EXPECT_THROW(b.restore(a.save() + "x"), InputError);
}

TEST(WannierDistance, is_written_as_a_table) {
  const test::TemporaryFolder folder;
  WannierDistance distance;
  const Array<Vec4> vectors{{0.0715, 0, 0}};
  distance.sample(vectors);
  write_wannier_distance(folder.file("wannier.csv"), distance, NumberFormat::eight_digits);
  EXPECT_EQ(folder.read("wannier.csv"), "distance[A],density[1/A]\n0.0705,0\n0.0715,1000\n0.0725,0\n");
}

TEST(DipoleDistribution, of_a_molecule_broken_by_the_box_is_that_of_the_whole_one) {
  const double expected = k_debye * norm(k_h1 + k_h2 + -8.0 * k_to_centroid);
  for (const Vec3 corner : {Vec3{5, 5, 5}, Vec3{0.1, 0.2, 0.1}, Vec3{-3.9, 2.1, 9.95}}) {
    Scene scene;
    scene.add_water(corner, k_h1, k_h2, k_to_centroid);
    DipoleDistribution dipoles(k_water);
    dipoles.sample(*k_self, scene.box, scene.atoms, scene.displacement);
    EXPECT_EQ(dipoles.histogram().count(), 1);
    EXPECT_EQ(dipoles.charged_groups(), 0);
    EXPECT_NEAR(dipoles.histogram().mean(), expected, 1e-4 * expected);
    EXPECT_NEAR(area(dipoles.histogram().distribution()), 1, 1e-12);
  }
}

TEST(DipoleDistribution, leaves_charged_groups_out_and_lone_ions_alone) {
  const TypeCharges with_sodium{{6, 1, 1}, {-8, 0, 0}};
  Scene scene;
  scene.add_water({2, 2, 2}, k_h1, k_h2, k_to_centroid);
  scene.add_water({6, 6, 5}, k_h1, k_h2, k_to_centroid);
  scene.add(1, {6, 5, 5});  // hydronium
  scene.add(0, {1, 8, 7});  // hydroxide
  scene.add(1, {1.97, 8, 7});
  scene.add(2, {2, -0.3, 2});  // 2.3 Å from the first O: not a part of that molecule
  DipoleDistribution dipoles(with_sodium);
  dipoles.sample(*k_self, scene.box, scene.atoms, scene.displacement);
  EXPECT_EQ(dipoles.histogram().count(), 1);
  EXPECT_EQ(dipoles.charged_groups(), 2);
}

TEST(DipoleDistribution, gives_an_ion_to_the_nearest_host) {
  Scene scene;  // 2.4 Å apart, with one hydrogen of the first between them
  scene.add_water({2, 2, 2}, {0.97, 0, 0}, {-0.2, 0.95, 0}, {});
  scene.add_water({4.4, 2, 2}, {0.3, 0.9, 0}, {0.3, -0.9, 0}, {});
  DipoleDistribution dipoles(k_water);
  dipoles.sample(*k_self, scene.box, scene.atoms, scene.displacement);
  const double first = k_debye * norm({0.77, 0.95, 0}), second = k_debye * 0.6;
  EXPECT_EQ(dipoles.histogram().count(), 2);
  EXPECT_NEAR(dipoles.histogram().smallest(), second, 1e-4);
  EXPECT_NEAR(dipoles.histogram().largest(), first, 1e-4);
}

TEST(DipoleDistribution, does_not_depend_on_the_order_in_memory_and_continues_from_its_state) {
  const Scene scene = liquid(1), shuffled = liquid(2).shuffled(), later = liquid(2);
  DipoleDistribution a(k_water), b(k_water);
  a.sample(*k_self, scene.box, scene.atoms, scene.displacement);
  b.restore(a.save());
  a.sample(*k_self, later.box, later.atoms, later.displacement);
  b.sample(*k_self, shuffled.box, shuffled.atoms, shuffled.displacement);
  EXPECT_EQ(b.histogram().count(), 54);
  EXPECT_GT(b.histogram().width(), 0.1);
  EXPECT_EQ(a.save(), b.save());
  EXPECT_THROW(b.restore("nonsense"), InputError);
  EXPECT_THROW(b.restore(a.save() + "x"), InputError);
}

TEST(TotalDipole, is_the_sum_of_the_molecules_and_does_not_jump_when_atoms_are_wrapped) {
  Scene scene;
  scene.add_water({0.1, 0.2, 0.1}, k_h1, k_h2, k_to_centroid);
  scene.add_water({-3.9, 2.1, 9.95}, k_h1, k_h2, k_to_centroid);
  const Vec3 expected = 2.0 * (k_h1 + k_h2 + -8.0 * k_to_centroid);
  const Vec3 total = total_dipole(*k_self, scene.box, scene.atoms, k_water, scene.displacement);
  EXPECT_NEAR(norm(total - expected), 0, 1e-12);
  for (int step = 1; step < 40; ++step) {  // a walk through several boxes
    Scene moved;
    const Vec3 shift = 0.7 * step * Vec3{1, -0.5, 0.8};
    moved.add_water(Vec3{0.1, 0.2, 0.1} + shift, k_h1, k_h2, k_to_centroid);
    moved.add_water(Vec3{-3.9, 2.1, 9.95} - shift, k_h1, k_h2, k_to_centroid);
    const Vec3 now = total_dipole(*k_self, moved.box, moved.atoms, k_water, moved.displacement);
    EXPECT_NEAR(norm(now - expected), 0, 1e-10);
  }
  const Scene mixed = liquid(3), shuffled = mixed.shuffled();
  const Vec3 a = total_dipole(*k_self, mixed.box, mixed.atoms, k_water, mixed.displacement);
  const Vec3 b = total_dipole(*k_self, shuffled.box, shuffled.atoms, k_water, shuffled.displacement);
  EXPECT_EQ(norm(a - b), 0);
}

TEST(DipoleStatistics, fluctuate_about_the_mean) {
  DipoleStatistics statistics;
  for (const double x : {9.0, 11.0}) {
    statistics.add({x, 0, 5});
    statistics.add({10, x - 10, 5});
  }
  EXPECT_NEAR(norm(statistics.mean - Vec3{10, 0, 5}), 0, 1e-12);
  EXPECT_NEAR(statistics.fluctuation(), 1, 1e-12);
}

/// Feeds waters whose centroids swing along y at 1500 cm⁻¹, from one step to another.
void feed(DplrAnalysis& analysis, std::int64_t from, std::int64_t to, double dt) {
  Scene scene = liquid(5);
  const Array<Vec4> rest = scene.displacement;
  const double omega = 2 * std::numbers::pi * 299792458e-10 * 1500;  // [1/ps]
  for (std::int64_t step = from; step < to; ++step) {
    if (step % analysis.dipole_stride() != 0) continue;
    for (std::size_t i = 0; i < rest.size(); ++i)
      if (scene.atoms.type[i] == 0)
        scene.displacement[i].y = rest[i].y + 0.01 * std::sin(omega * static_cast<double>(step) * dt);
    analysis.sample_dipole(scene.box, scene.atoms, scene.displacement);
    if (step % 40 == 0) analysis.sample_molecules(scene.box, scene.atoms, scene.displacement);
  }
}

TEST(DplrAnalysis, fills_three_files_and_three_figures) {
  const test::TemporaryFolder folder;
  const SampleConditions conditions{1320, 330};
  DplrAnalysis analysis(*k_self, k_water, 0.5e-3);
  EXPECT_EQ(analysis.dipole_stride(), 4);
  feed(analysis, 0, 20000, 0.5e-3);
  analysis.write_files(folder.file(""), conditions, NumberFormat::eight_digits);
  EXPECT_EQ(folder.read("wannier.csv").rfind("distance[A],density[1/A]\n", 0), 0u);
  EXPECT_EQ(folder.read("dipole.csv").rfind("dipole[D],density[1/D]\n", 0), 0u);
  EXPECT_EQ(folder.read("infrared.csv").rfind("wavenumber[1/cm],n_alpha[1/cm]\n", 0), 0u);

  ReportData report;
  analysis.add_to(report, conditions);
  const auto& ir = report.infrared;
  EXPECT_NEAR(ir.x[std::max_element(ir.y.begin(), ir.y.end()) - ir.y.begin()], 1500, 5);
  EXPECT_NE(ir.caption.find("resolution 38 cm⁻¹, statistical error 14 %"), std::string::npos) << ir.caption;
  EXPECT_TRUE(report.warnings.empty() && report.notes.empty());
  const std::string html = report_html(report);
  for (const char* heading : {"Wannier centroid distances", "Molecular dipoles", "Infrared spectrum"})
    EXPECT_NE(html.find(heading), std::string::npos) << heading;
  EXPECT_EQ(analysis.facts(conditions).size(), 4u);
}

TEST(DplrAnalysis, says_when_a_run_is_too_short_or_sampled_too_coarsely) {
  const SampleConditions conditions{1320, 330};
  DplrAnalysis brief(*k_self, k_water, 0.5e-3), coarse(*k_self, k_water, 3e-3);
  feed(brief, 0, 2000, 0.5e-3);
  feed(coarse, 0, 2000, 3e-3);
  ReportData of_brief, of_coarse;
  brief.add_to(of_brief, conditions);
  coarse.add_to(of_coarse, conditions);
  EXPECT_TRUE(of_brief.infrared.x.empty());
  ASSERT_EQ(of_brief.notes.size(), 1u);
  EXPECT_NE(of_brief.notes[0].find("needs 2 ps"), std::string::npos);
  ASSERT_EQ(of_coarse.warnings.size(), 1u);
  EXPECT_NE(of_coarse.warnings[0].find("every 3 fs"), std::string::npos);
}

TEST(DplrAnalysis, continues_from_its_state) {
  DplrAnalysis whole(*k_self, k_water, 0.5e-3), second(*k_self, k_water, 0.5e-3);
  feed(whole, 0, 3000, 0.5e-3);
  second.restore(whole.save());
  feed(whole, 3000, 6000, 0.5e-3);
  feed(second, 3000, 6000, 0.5e-3);
  EXPECT_EQ(whole.save(), second.save());
  EXPECT_THROW(second.restore("nonsense"), InputError);
  DplrAnalysis other(*k_self, k_water, 0.3e-3);
  EXPECT_THROW(other.restore(whole.save()), InputError);
}

}  // namespace
}  // namespace nanoday
