// Tables are measured again as a run goes, and chosen again where they no longer hold.
// SPDX-License-Identifier: Apache-2.0
#include "md/table_watch.hpp"

#include "core/error.hpp"
#include "in_process.hpp"
#include "io/temporary_folder.hpp"
#include "machines.hpp"
#include "md/gas_run.hpp"
#include "md/run.hpp"
#include "reference/model_variants.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

const MakeBackend k_cpu = [](const RunConfig& c) {
  return make_backend({.device = "cpu", .threads = 1, .reproducible = c.reproducible});
};

TEST(TablesDue, at_doubling_distances_from_their_choice) {
  TableRecord record;
  std::vector<std::int64_t> due;
  for (std::int64_t step = 0; step <= 2000; ++step)
    if (tables_due(record, step)) due.push_back(step);
  EXPECT_EQ(due, (std::vector<std::int64_t>{50, 100, 200, 400, 800, 1600}));
  record.chosen_at = 400;
  EXPECT_FALSE(tables_due(record, 400));
  EXPECT_TRUE(tables_due(record, 450));
  EXPECT_FALSE(tables_due(record, 550));
}

class TableWatch : public testing::Test {
 protected:
  TableWatch() { folder_.write("gas.xyz", test::thin_gas()); }

  RunConfig config(const std::string& out, std::int64_t steps, bool dplr = false) const {
    RunConfig c = test::gas_run(folder_.file("gas.xyz"), folder_.file(out), dplr);
    c.steps = steps;
    c.checkpoint_every = 150;
    c.device = "cpu";
    c.threads = 1;
    return c;
  }
  static long count(const std::string& text, const std::string& part) {
    long n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
  }
  void expect_same(const std::string& a, const std::string& b) const {
    for (const char* name : {"thermo.csv", "trajectory.extxyz", "msd.csv", "rdf.csv"})
      EXPECT_EQ(folder_.read(a + "/" + name), folder_.read(b + "/" + name)) << name;
  }
  static int run_on(int n, const RunConfig& config) {
    int result = -1;
    run_ranks(n, [&](Transport& transport) {
      const int mine = run(config, k_cpu, transport.split(0));
      if (transport.rank() == 0) result = mine;
    });
    return result;
  }

  test::TemporaryFolder folder_;
};

TEST_F(TableWatch, chooses_again_where_molecules_meet_and_goes_on) {
  ASSERT_EQ(run_on(1, config("one", 450)), 0);
  const std::string text = folder_.read("one/log.txt");
  for (const int step : {50, 100, 150}) {
    EXPECT_EQ(count(text, fmt::format("warning: step {}: tables have a force error", step)), 1) << text;
    EXPECT_EQ(count(text, fmt::format("continued at step {}", step)), 1);
  }
  EXPECT_EQ(count(text, "chosen again where the atoms are now"), 3) << text;
  EXPECT_EQ(count(text, "eV/Å (quintic)"), 1) << "low-rank ones failed three times";
  EXPECT_EQ(count(text, "(measured 6 times as it went); chosen again 3 times"), 1) << text;
  EXPECT_EQ(count(text, "finished 450 steps"), 1);
}

TEST_F(TableWatch, gives_any_number_of_ranks_the_same_tables) {
  ASSERT_EQ(run_on(1, config("on1", 300)), 0);
  for (const int n : {2, 3}) {
    const std::string out = fmt::format("on{}", n);
    ASSERT_EQ(run_on(n, config(out, 300)), 0);
    expect_same("on1", out);
    const std::string text = folder_.read(out + "/log.txt");
    EXPECT_EQ(count(text, ": tables have a force error"), 5) << "each look is told once: " << text;
    EXPECT_EQ(count(text, "step 250: tables have a force error"), 1) << text;
  }
}

TEST_F(TableWatch, chooses_tables_of_both_nets_of_a_long_range_model) {
  const RunConfig one = config("on1", 120, true);
  ASSERT_EQ(run_on(1, one), 0);
  const std::string text = folder_.read("on1/log.txt");
  EXPECT_GE(count(text, "chosen again where the atoms are now"), 1) << text;
  EXPECT_EQ(count(text, "finished 120 steps"), 1);
  ASSERT_EQ(run_on(2, config("on2", 120, true)), 0);
  expect_same("on1", "on2");
}

TEST_F(TableWatch, continues_as_if_it_had_not_stopped) {
  ASSERT_EQ(run_on(1, config("whole", 420)), 0);
  for (const std::int64_t part : {50, 70, 150, 300}) {
    const std::string out = fmt::format("after{}", part);
    ASSERT_EQ(run_on(1, config(out, part)), 0);
    ResumeConfig more;
    more.folder = folder_.file(out);
    more.steps = 420;
    ASSERT_EQ(resume(more, k_cpu), 0);
    expect_same("whole", out);
  }
}

TEST_F(TableWatch, reports_the_whole_run_and_not_its_last_part) {
  ASSERT_EQ(run_on(1, config("one", 220)), 0);
  const std::string text = folder_.read("one/log.txt");
  EXPECT_EQ(count(text, "(220 steps in "), 1) << text;
  EXPECT_EQ(count(text, "velocities drawn at 3000 K"), 4) << "said at the start of each part";
}

TEST_F(TableWatch, gives_replicas_of_a_model_what_holds_for_all_of_them) {
  RunConfig c = config("replicas", 120);
  c.replicas = 3;
  ASSERT_EQ(run_on(1, c), 0);
  for (const char* replica : {"replica-001", "replica-002", "replica-003"}) {
    const std::string text = folder_.read(fmt::format("replicas/{}/log.txt", replica));
    EXPECT_EQ(count(text, "the largest of 3 replicas"), 2) << text;
    EXPECT_GE(count(text, "chosen again where the atoms are now"), 1) << text;
  }
}

TEST_F(TableWatch, evaluates_replicas_of_several_models_in_one_way) {
  const std::string other = folder_.file("other.pb");
  reference::write_with_weights_times("water_sea.pb", 1.01, other);
  RunConfig c = config("models", 160);
  c.replicas = 2;
  c.models = {c.model, other};
  ASSERT_EQ(run_on(1, c), 0);
  std::vector<TableKind> tables;
  for (const char* replica : {"replica-001", "replica-002"}) {
    const auto found =
        find_checkpoint(folder_.file(fmt::format("models/{}", replica)), *make_self_transport());
    tables.push_back(found.checkpoint.table);
  }
  EXPECT_EQ(tables[0], TableKind::quintic);
  EXPECT_EQ(tables[1], TableKind::quintic);
}

TEST_F(TableWatch, only_tells_where_there_is_nothing_to_choose) {
  RunConfig c = config("quintic", 200);
  c.table = TableKind::quintic;
  c.precision = Precision::mixed;
  std::vector<RunSystem> systems = start_systems({c}, k_cpu, make_self_transport());
  RunSystem& system = systems[0];
  system.simulation->start({});
  EXPECT_EQ(watch_tables(c, {&system}).outcome, TableVerdict::Outcome::holds);
  c.force_error = system.error.force_rms = 1e-9;  // less than single precision gives
  const auto plan = system.plan;
  const TableVerdict verdict = watch_tables(c, {&system});
  EXPECT_EQ(verdict.outcome, TableVerdict::Outcome::too_large);
  EXPECT_EQ(count(verdict.text, "or use --precision double"), 1) << verdict.text;
  EXPECT_EQ(system.plan, plan);
  EXPECT_EQ(system.tables.measured, 2);
  EXPECT_EQ(system.tables.raised, 0);
}

TEST_F(TableWatch, leaves_nets_in_double_alone) {
  RunConfig c = config("net", 200);
  c.table = TableKind::net;
  ASSERT_EQ(run_on(1, c), 0);
  EXPECT_EQ(count(folder_.read("net/log.txt"), "tables"), 0);
}

}  // namespace
}  // namespace nanoday
