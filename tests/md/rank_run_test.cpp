// Whole runs on ranks: the files of one rank, and continuations on any other number of ranks.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "in_process.hpp"
#include "io/temporary_folder.hpp"
#include "machines.hpp"
#include "md/checkpoint.hpp"
#include "md/run.hpp"
#include "md/water_run.hpp"
#include "reference/dplr.hpp"
#include "reference/structure_text.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>
#include <filesystem>

namespace nanoday {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t k_steps = 48, k_part = 27;  // g(r) and the like are sampled every 20 steps
const MakeBackend k_cpu = [](const RunConfig& c) {
  return make_backend({.device = "cpu", .threads = 1, .reproducible = c.reproducible});
};

class RankRun : public testing::Test {
 protected:
  RankRun() { folder_.write("water.xyz", reference::extxyz_text(reference::small_water(), {"O", "H"})); }

  RunConfig config(const std::string& out, bool dplr = false) const {
    RunConfig c = test::water_run(folder_.file("water.xyz"), folder_.file(out), dplr);
    c.thermostat = ThermostatKind::langevin;
    c.steps = k_steps;
    c.device = "cpu";
    c.threads = 1;
    return c;
  }

  static int run_on(int n, const RunConfig& config, int ranks_per_node = 0) {
    int result = -1;
    const auto body = [&](Transport& transport) {
      const int mine = run(config, k_cpu, transport.split(0));
      if (transport.rank() == 0) result = mine;
    };
    run_ranks(n, body, ranks_per_node);
    return result;
  }
  static int resume_on(int n, const std::string& folder, std::int64_t steps = k_steps,
                       int ranks_per_node = 0) {
    ResumeConfig c;
    c.folder = folder;
    c.steps = steps;
    int result = -1;
    run_ranks(
        n,
        [&](Transport& transport) {
          const int mine = resume(c, k_cpu, transport.split(0));
          if (transport.rank() == 0) result = mine;
        },
        ranks_per_node);
    return result;
  }

  static std::vector<std::string> results(bool dplr = false) {
    std::vector<std::string> names{"thermo.csv", "trajectory.extxyz", "msd.csv", "rdf.csv"};
    if (dplr) names.insert(names.end(), {"wannier.csv", "dipole.csv", "infrared.csv"});
    return names;
  }
  void expect_same(const std::string& a, const std::string& b, const std::vector<std::string>& names) const {
    for (const std::string& name : names) {
      const std::string expected = folder_.read(a + "/" + name);
      EXPECT_GT(expected.size(), 30u) << name;
      EXPECT_EQ(expected, folder_.read(b + "/" + name)) << name;
    }
  }

  test::TemporaryFolder folder_;
};

TEST_F(RankRun, leaves_the_files_of_one_rank) {
  ASSERT_EQ(run_on(1, config("one")), 0);
  for (const int n : {2, 3, 4, 5, 7, 8}) {
    SCOPED_TRACE(n);
    const std::string out = fmt::format("on{}", n);
    ASSERT_EQ(run_on(n, config(out)), 0);
    expect_same("one", out, results());
    EXPECT_TRUE(fs::exists(folder_.file(out + "/report.html")));
  }
  ASSERT_EQ(run_on(6, config("nodes"), 2), 0);
  expect_same("one", "nodes", results());
}

TEST_F(RankRun, leaves_the_files_of_one_rank_with_a_long_range_part) {
  ASSERT_EQ(run_on(1, config("one", true)), 0);
  for (const int n : {2, 3, 5, 8}) {
    SCOPED_TRACE(n);
    const std::string out = fmt::format("on{}", n);
    ASSERT_EQ(run_on(n, config(out, true)), 0);
    expect_same("one", out, results(true));
  }
}

TEST_F(RankRun, writes_a_dump_of_open_space_as_one_rank_does) {
  std::string drop = folder_.read("water.xyz");
  const std::size_t comment = drop.find('\n') + 1;
  drop.replace(comment, drop.find('\n', comment) - comment, "Properties=species:S:1:pos:R:3");
  folder_.write("drop.xyz", drop);
  for (const int n : {1, 3, 8}) {
    RunConfig c = config(fmt::format("on{}", n));
    c.structure = folder_.file("drop.xyz");
    c.trajectory = TrajectoryFormat::dump;
    ASSERT_EQ(run_on(n, c), 0);
    expect_same("on1", fmt::format("on{}", n), {"thermo.csv", "trajectory.dump", "msd.csv"});
  }
}

TEST_F(RankRun, continues_on_any_number_of_ranks) {
  for (const bool dplr : {false, true}) {
    const std::string whole = dplr ? "whole-dplr" : "whole";
    ASSERT_EQ(run_on(1, config(whole, dplr)), 0);
    for (const auto& [from, to] : {std::pair{1, 4}, {4, 1}, {3, 8}, {7, 2}, {5, 5}}) {
      SCOPED_TRACE(fmt::format("from {} to {} ranks", from, to));
      const std::string out = fmt::format("part{}-{}-{}", from, to, dplr);
      RunConfig part = config(out, dplr);
      part.steps = k_part;
      ASSERT_EQ(run_on(from, part), 0);
      ASSERT_EQ(resume_on(to, folder_.file(out)), 0);
      expect_same(whole, out, results(dplr));
    }
  }
}

TEST_F(RankRun, continues_bit_for_bit_on_as_many_ranks_also_without_fixed_point_sums) {
  RunConfig whole = config("whole");
  whole.reproducible = false;
  RunConfig part = whole;
  part.out = folder_.file("part");
  part.steps = k_part;
  ASSERT_EQ(run_on(4, whole), 0);
  ASSERT_EQ(run_on(4, part), 0);
  ASSERT_EQ(resume_on(4, folder_.file("part")), 0);
  expect_same("whole", "part", results());
  expect_same("whole", "part", {k_checkpoint_file});
}

/// What was chosen when it began stays, although what is measured now could say something else.
TEST_F(RankRun, continues_the_way_that_ghosts_travelled_and_the_mesh_was_shared) {
  RunConfig whole = config("whole", true);
  whole.reproducible = false;
  whole.halo = HaloRoute::staged;
  whole.long_range.fft = FftMethod::pencil;
  RunConfig part = whole;
  part.out = folder_.file("part");
  part.steps = k_part;
  ASSERT_EQ(run_on(4, whole, 1), 0);
  ASSERT_EQ(run_on(4, part, 1), 0);
  std::string settings = folder_.read("part/run.resolved.toml");
  for (const std::string name : {"halo", "fft"}) {
    const std::size_t at = settings.find("\n" + name + " = ");
    ASSERT_NE(at, std::string::npos);
    settings.erase(at, settings.find('\n', at + 1) - at);
  }
  folder_.write("part/run.resolved.toml", settings);
  ASSERT_EQ(resume_on(4, folder_.file("part"), k_steps, 1), 0);
  expect_same("whole", "part", results(true));
  expect_same("whole", "part", {k_checkpoint_file});
}

// How fast the solver is was measured when the run began: those who go on from its checkpoint divide work
// alike.
TEST_F(RankRun, two_continuations_with_one_mesh_per_node_are_the_same_bit_for_bit_without_fixed_point_sums) {
  RunConfig part = config("first", true);
  part.reproducible = false;
  part.long_range.fft = FftMethod::replicated;
  part.steps = k_part;
  ASSERT_EQ(run_on(4, part), 0);
  fs::copy(folder_.file("first"), folder_.file("second"), fs::copy_options::recursive);
  for (const char* const folder : {"first", "second"}) ASSERT_EQ(resume_on(4, folder_.file(folder)), 0);
  expect_same("first", "second", results(true));
  expect_same("first", "second", {k_checkpoint_file});
}

TEST_F(RankRun, goes_on_from_the_checkpoint_before_when_a_block_is_damaged) {
  ASSERT_EQ(run_on(1, config("whole")), 0);
  RunConfig part = config("part");
  part.steps = 34;
  ASSERT_EQ(run_on(3, part), 0);
  std::string bytes = folder_.read(std::string("part/") + k_checkpoint_file);
  bytes[bytes.size() - 40] = static_cast<char>(bytes[bytes.size() - 40] ^ 1);
  folder_.write(std::string("part/") + k_checkpoint_file, bytes);
  ASSERT_EQ(resume_on(2, folder_.file("part")), 0);
  expect_same("whole", "part", results());
  EXPECT_NE(folder_.read("part/log.txt").find("the checksum of block 3"), std::string::npos);
}

TEST_F(RankRun, a_disk_that_is_full_for_some_ranks_stops_all_with_the_checkpoint_intact) {
  ASSERT_EQ(run_on(1, config("whole")), 0);
  const auto full = fs::file_size(folder_.file("whole/trajectory.extxyz"));
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{full / 2 + full / 30, old.rlim_max};  // in the middle of a frame
  setrlimit(RLIMIT_FSIZE, &small);
  std::vector<std::string> said(4);
  run_ranks(4, [&](Transport& transport) {
    said[static_cast<std::size_t>(transport.rank())] =
        test::message_of<RunError>([&] { run(config("part"), k_cpu, transport.split(0)); });
  });
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  for (const std::string& text : said) EXPECT_NE(text.find("trajectory.extxyz"), std::string::npos) << text;
  ASSERT_EQ(resume_on(3, folder_.file("part")), 0);
  expect_same("whole", "part", results());
}

TEST_F(RankRun, a_folder_with_results_is_refused_by_all) {
  RunConfig c = config("a");
  c.steps = 2;
  ASSERT_EQ(run_on(2, c), 0);
  run_ranks(3, [&](Transport& transport) { EXPECT_THROW(run(c, k_cpu, transport.split(0)), InputError); });
}

TEST_F(RankRun, continues_on_ranks_that_have_fewer_threads_than_the_solver_had) {
  const MakeBackend as_told = [](const RunConfig& c) {
    return make_backend({.device = "cpu", .threads = c.threads, .reproducible = c.reproducible});
  };
  ASSERT_EQ(run_on(1, config("whole", true)), 0);
  RunConfig part = config("part", true);
  part.threads = 4;
  part.long_range.cores = 2;
  part.steps = k_part;
  run_ranks(1, [&](Transport& transport) { EXPECT_EQ(run(part, as_told, transport.split(0)), 0); });
  ResumeConfig rest;
  rest.folder = folder_.file("part");
  rest.steps = k_steps;
  rest.threads = 1;
  run_ranks(
      2, [&](Transport& transport) { EXPECT_EQ(resume(rest, as_told, transport.split(0)), 0); }, 2);
  expect_same("whole", "part", results(true));
}

TEST_F(RankRun, ranks_with_different_machines_are_refused_by_all) {
  run_ranks(2, [&](Transport& transport) {
    const bool odd = transport.rank() == 1;
    const MakeBackend mixed = [odd](const RunConfig& c) {
      return make_backend(
          {.device = "cpu", .threads = 1, .reproducible = c.reproducible, .isa = odd ? "baseline" : "auto"});
    };
    const std::string said =
        test::message_of<InputError>([&] { run(config("mixed"), mixed, transport.split(0)); });
    EXPECT_NE(said.find("different machines"), std::string::npos) << said;
  });
}

}  // namespace
}  // namespace nanoday
