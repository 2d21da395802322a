// `nanoday estimate` from outside: what it prints, the plan for ten billion atoms, and what it refuses.
// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"

#include <nlohmann/json.hpp>

namespace nanoday::testing {
namespace {

using Json = nlohmann::ordered_json;

std::string copper() { return example("models/copper.pb") + " " + example("structures/copper256.data"); }
std::string water() { return example("models/water.pb") + " " + example("structures/water192.data"); }

Json estimate(const std::string& arguments) {
  const Outcome outcome = run_program("estimate " + arguments + " --json /dev/stdout");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return Json::parse(outcome.out);
}

TEST(Estimate, plans_ten_billion_copper_atoms) {
  const Json plan = estimate(copper() + " --atoms 1e10 --machine summit --dt 1fs --time 1ns");
  EXPECT_NEAR(plan["atoms"].get<double>(), 1e10, 1e8);
  EXPECT_EQ(plan["nodes"], plan["nodes_needed_for_memory"]);
  EXPECT_LT(plan["nodes"].get<int>(), 4560);
  const Json& memory = plan["memory_bytes_per_rank"];
  EXPECT_LT(memory["total"].get<double>(), plan["memory_limit_per_rank"].get<double>());
  EXPECT_LT(memory["total"].get<double>() / plan["atoms_per_rank"].get<double>(), 2500) << "bytes per atom";
  const Json& step = plan["seconds_per_step"];
  double sum = 0;
  for (const auto& part : step.items())
    if (part.key() != "total") sum += part.value().get<double>();
  EXPECT_NEAR(sum, step["total"].get<double>(), 1e-12);
  EXPECT_NEAR(plan["seconds_for_time"].get<double>(), 1e6 * sum, 1e-6 * sum * 1e6);
  EXPECT_NEAR(plan["ns_per_day"].get<double>(), 86400 / (1e6 * sum), 1e-9 * 86400 / (1e6 * sum));
}

TEST(Estimate, measures_the_machine_it_runs_on) {
  const Json here = estimate(water() + " --replicate 4 4 4 --device cpu --threads 1 --table quintic");
  EXPECT_EQ(here["machine"], "this");
  EXPECT_EQ(here["atoms"], 192 * 64);
  EXPECT_EQ(here["grid"], Json::parse("[1, 1, 1]"));
  EXPECT_GT(here["seconds_per_step"]["nets"].get<double>(), 0);
  EXPECT_GT(here["seconds_per_step"]["neighbor"].get<double>(), 0);
  EXPECT_EQ(here["seconds_per_step"]["imbalance"], 0.0);
}

TEST(Estimate, knows_the_papers_programs) {
  const Json paper =
      estimate(water() + " --replicate 60 60 60 --machine summit --nodes 4560 --algorithm paper");
  EXPECT_EQ(paper["atoms"], 41472000);
  EXPECT_EQ(paper["ranks_per_node"], 6);
  EXPECT_NEAR(paper["multiply_adds_per_atom"].get<double>(), 1.53e6, 0.05e6);
  EXPECT_NEAR(paper["ns_per_day"].get<double>(), 6.0, 1.5);  // as tests/estimate/paper_figures_test.cpp
}

TEST(Estimate, does_with_a_model_alone) {
  const Json alone = estimate(example("models/copper.pb") + " --atoms 1e8 --machine h200 --density 0.0848");
  EXPECT_EQ(alone["atoms"], 100000000);
  EXPECT_NEAR(alone["neighbors_per_atom"].get<double>(), 182, 1);
  EXPECT_NEAR(alone["multiply_adds_per_atom"].get<double>(), 1.84e6, 0.02e6);
}

TEST(Estimate, tells_people_what_does_not_fit_and_what_is_assumed) {
  const Outcome outcome = run_program("estimate " + copper() + " --atoms 1e10 --machine h200 --nodes 2");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("DOES NOT FIT"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("an assumption: no GPU has been measured"), std::string::npos);
  EXPECT_NE(outcome.out.find("ns/day at 0.5 fs"), std::string::npos);
}

TEST(Estimate, a_long_range_model_has_a_mesh) {
  const Json dplr = estimate(example("models/water-dplr.pb") + " " + example("structures/water188.data") +
                             " --replicate 4 4 4 --machine fugaku --nodes 96 --table quintic");
  EXPECT_EQ(dplr["mesh"].size(), 3u);
  EXPECT_GT(dplr["memory_bytes_per_rank"]["mesh"].get<double>(), 0);
  EXPECT_GT(dplr["mesh_seconds_hidden"].get<double>(), 0);
}

TEST(Estimate, refuses_what_it_cannot_answer) {
  const std::pair<std::string, const char*> wrong[] = {
      {copper() + " --machine frontier", "is unknown"},
      {example("models/copper.pb"), "STRUCTURE or --atoms N"},
      {example("models/copper.pb") + " --atoms 1e6", "is measured on a structure"},
      {copper() + " --machine h200 --algorithm paper", "summit and fugaku only"},
      {copper() + " --machine h200 --dt 0", "must be positive"},
      {example("models/water-dw.pb") + " --atoms 10 --machine h200", "gives dipoles"},
      {copper() + " --nodes 0", "--nodes"}};
  for (const auto& [arguments, says] : wrong) {
    const Outcome outcome = run_program("estimate " + arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_NE(outcome.err.find(says), std::string::npos) << arguments << ": " << outcome.err;
  }
}

}  // namespace
}  // namespace nanoday::testing
