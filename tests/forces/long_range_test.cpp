// The long-range term on small boxes of water: slopes, sums, machines, threads and refusals.
// SPDX-License-Identifier: Apache-2.0
#include "forces/long_range.hpp"

#include "core/error.hpp"
#include "machines.hpp"
#include "reference/differences.hpp"
#include "reference/dplr.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace nanoday {
namespace {

using namespace reference;

constexpr Vec3 k_field{0.3, -0.2, 0.5};  // [V/Å]

std::unique_ptr<Backend> cpu(int threads = 2, bool reproducible = false) {
  return make_backend({.device = "cpu", .threads = threads, .reproducible = reproducible});
}

std::shared_ptr<const Model> water_model() { return model_named("water_dplr.pb"); }

void expect_equal(const DplrResult& a, const DplrResult& b, double limit) {
  EXPECT_LT(relative_error({a.energy}, {b.energy}), limit);
  EXPECT_LT(relative_error({a.energy_long}, {b.energy_long}), limit);
  EXPECT_LT(relative_error(flat(a.force), flat(b.force)), limit);
  EXPECT_LT(relative_error(flat(a.virial), flat(b.virial)), limit);
  EXPECT_LT(relative_error(a.atom_energy, b.atom_energy), limit);
  EXPECT_LT(relative_error(flat(a.atom_virial), flat(b.atom_virial)), limit);
  EXPECT_LT(relative_error(flat(a.dipole), flat(b.dipole)), limit);
}

void expect_same_bits(const DplrResult& a, const DplrResult& b) {
  EXPECT_EQ(a.energy, b.energy);
  EXPECT_EQ(a.energy_long, b.energy_long);
  EXPECT_EQ(a.energy_field, b.energy_field);
  EXPECT_EQ(a.virial, b.virial);
  EXPECT_EQ(flat(a.force), flat(b.force));
  EXPECT_EQ(a.atom_energy, b.atom_energy);
  EXPECT_EQ(a.atom_virial, b.atom_virial);
  EXPECT_EQ(flat(a.dipole), flat(b.dipole));
}

/// What is differentiated: a structure, with or without a field.
struct Slopes {
  std::string name;
  System system;
  ElectricField field;
};

void PrintTo(const Slopes& slopes, std::ostream* out) { *out << slopes.name; }

class LongRangeSlopes : public testing::TestWithParam<Slopes> {
 protected:
  std::unique_ptr<Backend> backend = cpu(1);
  Plan plan = dplr_plan(water_model(), fine_direct(*water_model()), GetParam().field);
  DplrResult evaluated(const System& system) { return evaluate_dplr(*backend, plan, system); }
  Energy energy = [this](const System& system) { return evaluated(system).energy; };
};

INSTANTIATE_TEST_SUITE_P(water, LongRangeSlopes,
                         testing::Values(Slopes{"orthorhombic", small_water(), {}},
                                         Slopes{"triclinic", small_triclinic_water(), {}},
                                         Slopes{"orthorhombic_field", small_water(), {k_field, 0}},
                                         Slopes{"triclinic_field", small_triclinic_water(), {k_field, 0}}),
                         [](const auto& info) { return info.param.name; });

TEST_P(LongRangeSlopes, forces_are_slopes_of_the_energy) {
  const System& system = GetParam().system;
  const Numbers slopes = forces_by_differences(energy, system);
  EXPECT_LT(relative_error(flat(evaluated(system).force), slopes), tolerance::k_finite_difference);
}

TEST_P(LongRangeSlopes, the_virial_is_the_slope_under_strain) {
  const System& system = GetParam().system;
  const Numbers slopes = virial_by_differences(energy, system);
  EXPECT_LT(relative_error(flat(evaluated(system).virial), slopes), tolerance::k_finite_difference);
}

TEST_P(LongRangeSlopes, per_atom_parts_sum_to_the_whole) {
  const DplrResult result = evaluated(GetParam().system);
  double energy = 0;
  std::array<double, 9> virial{};
  for (const double e : result.atom_energy) energy += e;
  for (const auto& row : result.atom_virial)
    for (int k = 0; k < 9; ++k) virial[k] += row[k];
  EXPECT_LT(relative_error({energy}, {result.energy}), tolerance::k_symmetry);
  EXPECT_LT(relative_error(flat(virial), flat(result.virial)), tolerance::k_symmetry);
}

TEST_P(LongRangeSlopes, atoms_outside_the_box_feel_the_same) {
  System far = GetParam().system;
  for (std::size_t i = 0; i < far.position.size(); i += 3)  // whole molecules
    for (std::size_t k = i; k < i + 3; ++k) far.position[k] = far.position[k] + far.box.translation(-2, 1, 3);
  const DplrResult result = evaluated(far), near = evaluated(GetParam().system);
  EXPECT_LT(relative_error(flat(result.force), flat(near.force)), tolerance::k_symmetry);
  EXPECT_LT(relative_error({result.energy_long}, {near.energy_long}), tolerance::k_symmetry);
}

TEST_P(LongRangeSlopes, the_energy_has_three_parts) {
  const DplrResult result = evaluated(GetParam().system);
  Plan alone = with_dplr(*plan, nullptr);
  const double short_range = evaluate(*backend, alone, GetParam().system).energy;
  EXPECT_NEAR(result.energy_short(), short_range, tolerance::k_symmetry * std::fabs(short_range));
  EXPECT_GT(result.energy_long, 0);
  EXPECT_EQ(result.energy_field != 0, GetParam().field.any());
}

TEST_P(LongRangeSlopes, cpu_and_oracle_agree) {
  const auto oracle = make_backend({.device = "oracle"});
  expect_equal(evaluated(GetParam().system), evaluate_dplr(*oracle, plan, GetParam().system),
               tolerance::k_direct_sum);
}

TEST(LongRange, a_fine_mesh_gives_what_the_direct_sum_gives) {
  const auto backend = cpu();
  LongRangePlan fine = pppm_plan(*water_model(), 60);
  fine.order = 7;
  for (const System& system : {small_water(), small_triclinic_water()})
    expect_equal(evaluate_dplr(*backend, dplr_plan(water_model(), fine), system),
                 evaluate_dplr(*backend, dplr_plan(water_model(), fine_direct(*water_model())), system),
                 tolerance::k_mesh_converged);
}

/// Cutoffs of energy and Wannier net, either the larger one.
class TwoCutoffs : public testing::TestWithParam<std::array<double, 2>> {
 protected:
  std::shared_ptr<const Model> model = toy_dplr(GetParam());
  System system = small_triclinic_water();
  Plan plan = dplr_plan(model, fine_direct(*model));
};

INSTANTIATE_TEST_SUITE_P(nets, TwoCutoffs,
                         testing::Values(std::array{3.0, 5.5}, std::array{5.5, 3.0}, std::array{4.0, 4.0}));

TEST_P(TwoCutoffs, each_net_sees_its_own_neighbors_whatever_the_skin) {
  for (const char* machine : {"cpu", "oracle"}) {
    const auto backend = make_backend({.device = machine, .threads = 2});
    const double short_range = evaluate(*backend, exact_plan(model), system).energy;
    const Result dipoles = evaluate(*backend, exact_plan(model->dipole_charge->wannier), system);
    for (const double skin : {0.0, 0.3, 2.0}) {
      SCOPED_TRACE(testing::Message() << machine << ", skin " << skin);
      const DplrResult result = evaluate_dplr(*backend, plan, system, skin);
      EXPECT_NEAR(result.energy_short(), short_range, tolerance::k_symmetry * std::fabs(short_range));
      EXPECT_LT(relative_error(flat(result.dipole), flat(dipoles.dipole)), tolerance::k_symmetry);
    }
  }
}

TEST_P(TwoCutoffs, forces_are_slopes_of_the_energy) {
  const auto backend = cpu(1);
  const Numbers slopes = forces_by_differences(
      [&](const System& moved) { return evaluate_dplr(*backend, plan, moved).energy; }, system);
  EXPECT_LT(relative_error(flat(evaluate_dplr(*backend, plan, system).force), slopes),
            tolerance::k_finite_difference);
}

/// A solver with or without threads of its own.
struct Beside {
  LongRangeMethod method;
  int threads;
};

class LongRangeThreads : public testing::TestWithParam<Beside> {
 protected:
  /// On a machine with `threads`, of which at least one stays with the nets.
  LongRangePlan solver(int threads) const {
    const bool mesh = GetParam().method == LongRangeMethod::pppm;
    const LongRangePlan plan = mesh ? pppm_plan(*water_model(), 15) : fine_direct(*water_model());
    return beside_nets(plan, std::min(GetParam().threads, std::max(threads - 1, 1)));
  }
  DplrResult on_threads(int threads, bool reproducible, TableKind table = TableKind::net,
                        Precision precision = Precision::fp64) {
    const auto backend = cpu(threads, reproducible);
    const Plan plan = dplr_plan(water_model(), solver(threads), {k_field, 0}, table, precision);
    return evaluate_dplr(*backend, plan, water_box(Box::orthorhombic(9.3, 9.1, 9.5), 3, 11));
  }
};

INSTANTIATE_TEST_SUITE_P(solvers, LongRangeThreads,
                         testing::Values(Beside{LongRangeMethod::pppm, 0}, Beside{LongRangeMethod::pppm, 1},
                                         Beside{LongRangeMethod::pppm, 2}, Beside{LongRangeMethod::direct, 0},
                                         Beside{LongRangeMethod::direct, 1},
                                         Beside{LongRangeMethod::direct, 2}),
                         [](const auto& info) {
                           const bool mesh = info.param.method == LongRangeMethod::pppm;
                           return std::string(mesh ? "pppm" : "direct") +
                                  (info.param.threads > 0 ? fmt::format("_{}_beside_nets", info.param.threads)
                                                          : "_after_nets");
                         });

TEST_P(LongRangeThreads, one_two_three_and_seven_agree_bit_for_bit_when_reproducible) {
  for (const auto& [table, precision] :
       {std::pair(TableKind::net, Precision::fp64), std::pair(TableKind::quintic, Precision::mixed)}) {
    const DplrResult one = on_threads(1, true, table, precision);
    for (const int threads : {2, 3, 7}) {
      SCOPED_TRACE(threads);
      expect_same_bits(on_threads(threads, true, table, precision), one);
    }
  }
}

TEST_P(LongRangeThreads, the_same_threads_give_the_same_bits_every_time) {
  for (const int threads : {2, 3, 7}) {
    SCOPED_TRACE(threads);
    const DplrResult first = on_threads(threads, false);
    for (int again = 0; again < 4; ++again) expect_same_bits(on_threads(threads, false), first);
  }
}

TEST_P(LongRangeThreads, fixed_point_is_the_ordinary_result_within_its_resolution) {
  const DplrResult fixed_point = on_threads(3, true), ordinary = on_threads(3, false);
  EXPECT_LT(max_error(flat(fixed_point.force), flat(ordinary.force)), 1e-10);
  EXPECT_LT(relative_error({fixed_point.energy}, {ordinary.energy}), 1e-11);
  EXPECT_LT(relative_error(flat(fixed_point.virial), flat(ordinary.virial)), 1e-10);
}

TEST_P(LongRangeThreads, ordinary_results_differ_by_rounding_only) {
  const DplrResult one = on_threads(1, false);
  for (const int threads : {2, 3, 7}) {
    SCOPED_TRACE(threads);
    expect_equal(on_threads(threads, false), one, tolerance::k_symmetry);
  }
}

/// The model with something wrong that no file could say.
std::shared_ptr<const Model> with_charges(std::vector<double> ion) {
  auto model = std::make_shared<Model>(*water_model());
  model->dipole_charge->ion_charge = std::move(ion);
  return model;
}

TEST_P(LongRangeThreads, an_error_in_the_solver_comes_out_and_leaves_the_machine_usable) {
  const auto broken = with_charges({std::numeric_limits<double>::quiet_NaN(), 1});
  const System system = small_water();
  for (const int threads : {1, 2, 3}) {
    SCOPED_TRACE(threads);
    const auto backend = cpu(threads);
    EXPECT_THROW(evaluate_dplr(*backend, dplr_plan(broken, solver(threads)), system), RunError);
    const Plan sound = dplr_plan(water_model(), solver(threads));
    const auto other = cpu(threads);
    expect_same_bits(evaluate_dplr(*backend, sound, system), evaluate_dplr(*other, sound, system));
  }
}

TEST(LongRange, gives_the_same_whatever_else_is_asked_for) {
  for (const int beside : {0, 1}) {
    const auto backend = cpu(3);
    const Plan plan =
        dplr_plan(water_model(), beside_nets(pppm_plan(*water_model(), 15), beside), {k_field, 0});
    const System system = small_water();
    Evaluator evaluator(*backend, plan, system.box, atoms_of(system), {1.0, 0});
    evaluator.compute(k_everything);
    const DplrResult all = dplr_result_of(evaluator);
    evaluator.compute({});
    EXPECT_LT(relative_error(flat(dplr_result_of(evaluator).force), flat(all.force)), tolerance::k_symmetry);
    evaluator.compute({.energy = true, .virial = true});
    const DplrResult some = dplr_result_of(evaluator);
    EXPECT_TRUE(some.atom_energy.empty());
    EXPECT_LT(relative_error({some.energy}, {all.energy}), tolerance::k_symmetry);
    EXPECT_LT(relative_error({some.energy_long}, {all.energy_long}), tolerance::k_symmetry);
    EXPECT_LT(relative_error(flat(some.virial), flat(all.virial)), tolerance::k_symmetry);
  }
}

TEST(LongRange, refuses_to_leave_no_thread_for_the_nets) {
  const auto backend = cpu(2);
  const Plan plan = dplr_plan(water_model(), beside_nets(pppm_plan(*water_model(), 15), 2));
  EXPECT_THROW(evaluate_dplr(*backend, plan, small_water()), InputError);
}

TEST(ElectricField, acts_with_the_sine_of_the_time) {
  const auto backend = cpu();
  const System system = small_water();
  const auto at = [&](double period, double time) {
    const Plan plan = dplr_plan(water_model(), fine_direct(*water_model()), {k_field, period});
    Evaluator evaluator(*backend, plan, system.box, atoms_of(system), {1.0, 0});
    evaluator.set_time(time);
    evaluator.compute(k_everything);
    return dplr_result_of(evaluator);
  };
  const DplrResult constant = at(0, 0.7), crest = at(0.02, 0.005), start = at(0.02, 0);
  const double limit = tolerance::k_symmetry;
  EXPECT_EQ(start.energy_field, 0);
  EXPECT_LT(relative_error({crest.energy_field}, {constant.energy_field}), limit);
  EXPECT_LT(relative_error(flat(crest.force), flat(constant.force)), limit);
  EXPECT_LT(relative_error(flat(crest.virial), flat(constant.virial)), limit);
  EXPECT_LT(relative_error({at(0.02, 0.015).energy_field}, {-constant.energy_field}), limit);
  EXPECT_LT(relative_error({at(0.02, 0.02 / 12).energy_field}, {0.5 * constant.energy_field}), limit);
  EXPECT_GT(relative_error(flat(start.force), flat(constant.force)), 1e-3);
}

// Oxygens stand a few boxes away from their hydrogens, so that images of ions and centroids count.
TEST(ElectricField, acts_on_ions_and_centroids_at_unwrapped_positions) {
  const auto backend = cpu();
  System system = small_triclinic_water();
  for (std::size_t i = 0; i < system.position.size(); i += 3)
    system.position[i] = system.position[i] + system.box.translation(int(i) % 5 - 2, 1, -int(i) % 2);
  const Plan with = dplr_plan(water_model(), fine_direct(*water_model()), {k_field, 0});
  const Plan without = dplr_plan(water_model(), fine_direct(*water_model()));
  const DplrResult result = evaluate_dplr(*backend, with, system);
  double energy = 0;
  for (std::size_t i = 0; i < system.position.size(); ++i) {
    const bool oxygen = system.type[i] == 0;
    energy -= (oxygen ? 6 : 1) * dot(k_field, system.position[i]);
    if (oxygen) energy += 8 * dot(k_field, system.position[i] + result.dipole[i]);
  }
  const double zero = evaluate_dplr(*backend, without, system).energy;
  EXPECT_NEAR(result.energy_field, energy, tolerance::k_symmetry * std::fabs(energy));
  EXPECT_NEAR(result.energy - zero, energy, 1e-9);
  const Energy total = [&](const System& s) { return evaluate_dplr(*backend, with, s).energy; };
  EXPECT_LT(relative_error(flat(result.virial), virial_by_differences(total, system)),
            tolerance::k_finite_difference);
}

/// A centroid as far from its host as the caller likes.
std::shared_ptr<const Model> stretched(double factor) {
  auto wannier = std::make_shared<Model>(*water_model()->dipole_charge->wannier);
  for (FittingNet& net : wannier->fitting) {
    for (double& w : net.output.weight) w *= factor;
    for (double& b : net.output.bias) b *= factor;
  }
  auto model = std::make_shared<Model>(*water_model());
  model->dipole_charge->wannier = wannier;
  return model;
}

struct FarCentroid : testing::Test {
  System system = small_water();
  std::unique_ptr<Backend> backend = cpu();
  /// Largest displacement and the atom that has it, counted from one.
  std::pair<double, std::size_t> farthest(const System& of) {
    const Result result = evaluate(*backend, exact_plan(water_model()->dipole_charge->wannier), of);
    std::pair<double, std::size_t> found{0, 0};
    for (std::size_t i = 0; i < result.dipole.size(); ++i)
      found = std::max(found, {norm(result.dipole[i]), i + 1});
    return found;
  }
  /// Text of the error that compute() throws; empty when it is of another kind.
  template <class Kind>
  static std::string error_of(Evaluator& evaluator) {
    try {
      evaluator.compute({});
    } catch (const Kind& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(FarCentroid, is_bad_input_at_first_and_names_its_atom) {
  const auto [distance, atom] = farthest(system);
  const auto model = stretched(1.0001 / distance);
  Evaluator evaluator(*backend, dplr_plan(model, fine_direct(*model)), system.box, atoms_of(system),
                      {1.0, 0});
  const std::string text = error_of<InputError>(evaluator);
  EXPECT_NE(text.find("centroid of atom " + std::to_string(atom) + " "), std::string::npos) << text;
}

TEST_F(FarCentroid, stops_a_run_that_began_well) {
  const auto model = stretched(0.999 / farthest(system).first);
  System later = system;
  for (unsigned seed = 1; farthest(later).first < 1.01 * farthest(system).first; ++seed) {
    ASSERT_LT(seed, 50u);
    later = small_water(seed);
  }
  Evaluator evaluator(*backend, dplr_plan(model, fine_direct(*model)), system.box, atoms_of(system),
                      {1.0, 0});
  evaluator.compute({});
  for (std::int64_t k = 0; k < evaluator.atoms().nlocal; ++k)
    evaluator.atoms().position[k] = padded(later.position[static_cast<std::size_t>(evaluator.atoms().id[k])]);
  const std::string text = error_of<RunError>(evaluator);
  EXPECT_NE(text.find("the Wannier centroid of atom "), std::string::npos) << text;
}

}  // namespace
}  // namespace nanoday
