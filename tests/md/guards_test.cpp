// Guards: a run that went wrong stops, and says where.
// SPDX-License-Identifier: Apache-2.0
#include "md/guards.hpp"

#include "in_process.hpp"
#include "io/temporary_folder.hpp"
#include "md/neighborhood.hpp"
#include "md/simulation.hpp"
#include "md/toy_backend.hpp"
#include "md/velocities.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace nanoday {
namespace {

struct Liquid {
  explicit Liquid(Box box = Box::orthorhombic(8, 8, 8), bool compressed = false)
      : backend(field()),
        evaluator(backend, toy::plan(3, compressed), box, start(), {1.0, 0}),
        simulation(evaluator, make_no_thermostat(), 5e-4, 87) {}

  static toy::Field field() {
    toy::Field field;
    field.repulsion = 0.5;
    return field;
  }
  static Atoms start() {
    Atoms atoms = toy::atoms(30, 8);
    draw_velocities(atoms, 300, 3);
    return atoms;
  }
  /// Memory index of an input atom.
  std::int64_t find(std::int64_t id) const {
    const auto& ids = evaluator.atoms().id;
    return std::find(ids.begin(), ids.end(), id) - ids.begin();
  }

  toy::ToyBackend backend;
  Evaluator evaluator;
  Simulation simulation;
};

std::string message_of_next_step(Simulation& simulation) {
  try {
    simulation.step({});
  } catch (const AtomError& error) {
    return error.what();
  }
  return "no error";
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Guards, a_force_that_is_not_a_number_stops_with_step_atom_and_element) {
  Liquid s;
  s.simulation.start({});
  s.simulation.step({});
  s.backend.poison(s.find(4));
  const std::string text = message_of_next_step(s.simulation);
  EXPECT_TRUE(says(text, "step 2, atom 5 (H): ")) << text;
}

TEST(Guards, an_exploding_atom_stops_the_run_before_it_moves) {
  Liquid s;
  s.simulation.start({});
  const std::int64_t atom = s.find(6);
  s.evaluator.atoms().velocity[atom].y = 2000;  // 1 Å per step
  const double before = s.evaluator.atoms().position[atom].y;
  const std::string text = message_of_next_step(s.simulation);
  EXPECT_TRUE(says(text, "atom 7 (O) moves")) << text;
  EXPECT_EQ(s.evaluator.atoms().position[atom].y, before);
}

TEST(Guards, an_atom_lost_in_open_space_stops_the_run) {
  Liquid s(Box::open());
  s.simulation.start({});
  s.evaluator.atoms().position[s.find(1)].z = 2e6;
  EXPECT_TRUE(says(message_of_next_step(s.simulation), "atom 2 (H) is more than"));
}

TEST(Guards, an_absurd_temperature_names_the_hottest_atom) {
  Liquid s;
  s.simulation.start({true, true, false, false});
  Observables o = s.simulation.observe();
  check_sound(o, s.evaluator);
  o.temperature = 2e6;
  s.evaluator.atoms().velocity[s.find(8)].x = 500;
  try {
    check_sound(o, s.evaluator);
    FAIL() << "no error";
  } catch (const AtomError& error) {
    EXPECT_EQ(error.atom(), s.find(8));
  }
  o.potential = std::nan("");
  EXPECT_THROW(check_sound(o, s.evaluator), RunError);
}

TEST(Guards, on_several_ranks_all_stop_and_name_the_hottest_atom) {
  for (const int n : {2, 5}) {
    std::vector<std::string> said(static_cast<std::size_t>(n));
    std::atomic<int> owners = 0;
    run_ranks(n, [&](Transport& transport) {
      const std::shared_ptr<Transport> ranks = transport.split(0);
      toy::ToyBackend backend(Liquid::field());
      Atoms atoms = Liquid::start();
      if (ranks->rank() > 0) atoms = {};  // the first rank has all, until they move to their owners
      Evaluator evaluator(backend, toy::plan(3), Box::orthorhombic(8, 8, 8), atoms, {1.0, 0}, ranks);
      Simulation simulation(evaluator, make_no_thermostat(), 5e-4, 87);
      simulation.start({true, true, false, false});
      Observables o = simulation.observe();
      EXPECT_NO_THROW(check_sound(o, evaluator));
      o.temperature = 2e6;
      for (std::int64_t i = 0; i < evaluator.atoms().nlocal; ++i)
        if (evaluator.atoms().id[i] == 8) evaluator.atoms().velocity[i].x = 500;
      try {
        check_sound(o, evaluator);
      } catch (const AtomError& error) {
        EXPECT_EQ(evaluator.atoms().id[error.atom()], 8);
        said[static_cast<std::size_t>(ranks->rank())] = error.what();
        ++owners;
      } catch (const RunError& error) {
        said[static_cast<std::size_t>(ranks->rank())] = error.what();
      }
    });
    EXPECT_EQ(owners, 1);
    for (const std::string& text : said) EXPECT_TRUE(says(text, "atom 9 (Na) is the hottest")) << text;
  }
}

TEST(Guards, a_neighbor_outside_a_compressed_models_table_stops_the_run) {
  Liquid s(Box::orthorhombic(8, 8, 8), true);
  s.simulation.start({});
  EvaluationCounts counts;
  counts.outside_table = 1;
  counts.first_outside_atom = s.find(9);
  counts.smallest_distance = 0.4321;
  s.backend.report(counts);
  const std::string text = message_of_next_step(s.simulation);
  EXPECT_TRUE(says(text, "step 1: atom 10 (O) has a neighbor at 0.4321")) << text;
}

TEST(Guards, a_neighbor_outside_the_table_of_a_model_with_its_net_goes_on) {
  Liquid s;
  s.simulation.start({});
  EvaluationCounts counts;
  counts.outside_table = 1;
  counts.first_outside_atom = 0;
  s.backend.report(counts);
  EXPECT_EQ(message_of_next_step(s.simulation), "no error");
}

TEST(Neighborhood, holds_periodic_images_nearest_first) {
  Liquid s;
  Atoms& atoms = s.evaluator.atoms();
  atoms.position[0] = {0.1, 4, 4, 0};
  atoms.position[1] = {7.9, 4, 4, 0};
  s.simulation.start({});
  const std::int64_t atom = s.find(0);
  const auto near = neighborhood(s.evaluator, atom, 3);
  ASSERT_FALSE(near.empty());
  for (std::size_t k = 1; k < near.size(); ++k) EXPECT_LE(near[k - 1].distance, near[k].distance);
  const auto image = std::find_if(near.begin(), near.end(),
                                  [&](const NearAtom& each) { return std::abs(each.distance - 0.2) < 1e-9; });
  ASSERT_NE(image, near.end());
  EXPECT_EQ(atoms.id[image->atom], 1);
  const std::string text = describe_neighborhood(s.evaluator, atom, 3);
  EXPECT_TRUE(says(text, "neighborhood of atom 1 (O)")) << text;
  EXPECT_TRUE(says(text, "atom 2 (H)")) << text;
  const std::string frame = neighborhood_extxyz(s.evaluator, atom, 3);
  EXPECT_EQ(std::count(frame.begin(), frame.end(), '\n'), static_cast<long>(near.size()) + 3);
  const test::TemporaryFolder folder;
  EXPECT_EQ(write_neighborhood(folder.file(""), s.evaluator, atom, 3), folder.file("neighborhood.extxyz"));
  EXPECT_EQ(folder.read("neighborhood.extxyz"), frame);
}

}  // namespace
}  // namespace nanoday
