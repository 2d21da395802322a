// Checkpoints of many ranks: back on as many, or on others, or not at all, but the same for all.
// SPDX-License-Identifier: Apache-2.0
#include "by_id.hpp"
#include "core/error.hpp"
#include "in_process.hpp"
#include "io/temporary_folder.hpp"
#include "md/checkpoint.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <mutex>

namespace nanoday {
namespace {

using test::message_of;
using test::TemporaryFolder;

constexpr int k_rank_counts[] = {1, 2, 3, 4, 5, 7, 8};

/// Which rank has an atom; with several ranks one of them has none.
int holder(std::int64_t id, int n) {
  const int rank = static_cast<int>((id * 13 + 5) % n);
  return n > 2 && rank == 1 ? 2 : rank;
}

/// A rank's part; atoms in an order that is not that of their ids.
Checkpoint part_of(std::int64_t natoms, const Transport& transport, std::int64_t step = 100) {
  Checkpoint c;
  c.step = step;
  c.model_hash = "abc";
  c.box = Box::orthorhombic(10, 11, 12);
  c.list.age = 3;
  c.analysis = transport.rank() == 0 ? "known to the first rank" : "";
  const int n = transport.size();
  for (std::int64_t id = natoms - 1; id >= 0; --id) {
    if (holder(id, n) != transport.rank()) continue;
    const auto x = static_cast<double>(id);
    c.atoms.position.push_back({x, 0.5 * x, 1, 0});
    c.atoms.velocity.push_back({-x, 2, 3, 0});
    c.atoms.image.push_back({static_cast<int>(id), 0, -1});
    c.atoms.type.push_back(static_cast<std::int32_t>(id % 3));
    c.atoms.id.push_back(id);
    c.atoms.mass.push_back(1 + x);
    c.list.reference.push_back({x + 0.25, 0, 0, 0});
    ++c.atoms.nlocal;
  }
  const IdShares shares(natoms, n);
  for (std::int64_t id = shares.first(transport.rank()); id < shares.first(transport.rank() + 1); ++id) {
    c.input_id.push_back(1000 - id);
    c.msd_origin.push_back({double(id), 7, 8});
  }
  return c;
}

/// Every atom of all ranks is there once, with all it had, and every rank has what it serves.
void expect_whole(std::int64_t natoms, const Checkpoint& c, Transport& transport) {
  std::vector<std::int64_t> seen(static_cast<std::size_t>(natoms), 0);
  ASSERT_EQ(c.list.reference.size(), static_cast<std::size_t>(c.atoms.nlocal));
  for (std::int64_t i = 0; i < c.atoms.nlocal; ++i) {
    const std::int64_t id = c.atoms.id[i];
    const auto x = static_cast<double>(id);
    ++seen.at(static_cast<std::size_t>(id));
    EXPECT_EQ(c.atoms.position[i].y, 0.5 * x);
    EXPECT_EQ(c.atoms.velocity[i].x, -x);
    EXPECT_EQ(c.atoms.image[i][0], id);
    EXPECT_EQ(c.atoms.type[i], id % 3);
    EXPECT_EQ(c.atoms.mass[i], 1 + x);
    EXPECT_EQ(c.list.reference[i].x, x + 0.25);
  }
  transport.all_reduce_sum(View<std::int64_t>(seen));
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), natoms);
  const IdShares shares(natoms, transport.size());
  const auto served = static_cast<std::size_t>(shares.count(transport.rank()));
  ASSERT_EQ(c.input_id.size(), served);
  ASSERT_EQ(c.msd_origin.size(), served);
  for (std::size_t k = 0; k < served; ++k) {
    const std::int64_t id = shares.first(transport.rank()) + static_cast<std::int64_t>(k);
    EXPECT_EQ(c.input_id[k], 1000 - id);
    EXPECT_EQ(c.msd_origin[k].x, double(id));
  }
}

void write_on(int n, const std::string& folder, std::int64_t natoms, std::int64_t step = 100) {
  run_ranks(n, [&](Transport& t) { write_checkpoint(folder, part_of(natoms, t, step), t); });
}

TEST(RankCheckpoint, as_many_ranks_get_their_own_atoms_in_their_order) {
  for (const int n : k_rank_counts)
    for (const std::int64_t natoms : {1, 4, 60}) {
      const TemporaryFolder folder;
      write_on(n, folder.file(""), natoms);
      run_ranks(n, [&](Transport& t) {
        const Checkpoint before = part_of(natoms, t);
        const Checkpoint after = find_checkpoint(folder.file(""), t).checkpoint;
        EXPECT_FALSE(after.dealt);
        EXPECT_EQ(after.atoms.id, before.atoms.id);
        EXPECT_EQ(after.analysis, "known to the first rank");
        EXPECT_EQ(static_cast<int>(after.node_of.size()), n);
        expect_whole(natoms, after, t);
      });
    }
}

TEST(RankCheckpoint, other_numbers_of_ranks_share_out_what_there_is) {
  for (const int writers : k_rank_counts)
    for (const int readers : k_rank_counts) {
      if (writers == readers) continue;
      SCOPED_TRACE(fmt::format("{} to {} ranks", writers, readers));
      const TemporaryFolder folder;
      write_on(writers, folder.file(""), 37);
      run_ranks(readers, [&](Transport& t) {
        const FoundCheckpoint found = find_checkpoint(folder.file(""), t);
        EXPECT_TRUE(found.checkpoint.dealt);
        EXPECT_EQ(found.warning, "");
        EXPECT_EQ(found.checkpoint.step, 100);
        expect_whole(37, found.checkpoint, t);
      });
    }
}

TEST(RankCheckpoint, as_many_ranks_on_other_nodes_are_told_that_domains_differ) {
  const TemporaryFolder folder;
  write_on(4, folder.file(""), 20);
  run_ranks(
      4,
      [&](Transport& t) {
        const Checkpoint found = find_checkpoint(folder.file(""), t).checkpoint;
        EXPECT_TRUE(found.dealt);
        expect_whole(20, found, t);
      },
      2);
}

TEST(RankCheckpoint, what_a_structure_lacks_stays_empty) {
  const TemporaryFolder folder;
  run_ranks(3, [&](Transport& t) {
    Checkpoint c = part_of(9, t);
    c.input_id.clear();
    write_checkpoint(folder.file(""), c, t);
  });
  run_ranks(2, [&](Transport& t) {
    const Checkpoint found = find_checkpoint(folder.file(""), t).checkpoint;
    EXPECT_TRUE(found.input_id.empty());
    EXPECT_EQ(found.msd_origin.size(), static_cast<std::size_t>(IdShares(9, 2).count(t.rank())));
  });
}

TEST(RankCheckpoint, a_damaged_block_of_any_rank_sends_all_to_the_one_before) {
  const TemporaryFolder folder;
  write_on(4, folder.file(""), 50, 100);
  write_on(4, folder.file(""), 50, 200);
  const std::string good = folder.read(k_checkpoint_file);
  const std::size_t blocks = 50 * (80 + 24 + 8 + 24);  // behind the header, about
  for (const double part : {0.05, 0.3, 0.55, 0.8, 0.999}) {
    std::string damaged = good;
    char& byte =
        damaged[good.size() - static_cast<std::size_t>((1 - part) * static_cast<double>(blocks)) - 1];
    byte = static_cast<char>(byte ^ 1);
    folder.write(k_checkpoint_file, damaged);
    for (const int readers : {1, 3, 4}) {
      std::vector<std::string> warning(static_cast<std::size_t>(readers));
      run_ranks(readers, [&](Transport& t) {
        const FoundCheckpoint found = find_checkpoint(folder.file(""), t);
        EXPECT_EQ(found.checkpoint.step, 100);
        warning[static_cast<std::size_t>(t.rank())] = found.warning;
        expect_whole(50, found.checkpoint, t);
      });
      EXPECT_NE(warning[0].find("the checksum of block"), std::string::npos) << warning[0];
      EXPECT_NE(warning[0].find(k_previous_checkpoint_file), std::string::npos);
      EXPECT_EQ(std::count(warning.begin(), warning.end(), warning[0]), readers);
    }
  }
  folder.write(k_previous_checkpoint_file, "nonsense");
  run_ranks(3, [&](Transport& t) {
    const auto text = message_of<InputError>([&] { find_checkpoint(folder.file(""), t); });
    EXPECT_NE(text.find("and the one before"), std::string::npos) << text;
  });
}

TEST(RankCheckpoint, any_truncation_is_noticed_by_all) {
  const TemporaryFolder folder;
  write_on(3, folder.file(""), 10);
  const std::string good = folder.read(k_checkpoint_file);
  for (std::size_t length = 0; length < good.size(); length += 97) {
    folder.write(k_checkpoint_file, good.substr(0, length));
    run_ranks(2, [&](Transport& t) { EXPECT_THROW(find_checkpoint(folder.file(""), t), InputError); });
  }
  folder.write(k_checkpoint_file, good + "x");
  run_ranks(3, [&](Transport& t) { EXPECT_THROW(find_checkpoint(folder.file(""), t), InputError); });
}

TEST(RankCheckpoint, a_folder_without_a_run_is_an_error_of_all) {
  const TemporaryFolder folder;
  run_ranks(3, [&](Transport& t) {
    EXPECT_THROW(find_checkpoint(folder.file(""), t), InputError);
    EXPECT_THROW(find_checkpoint(folder.file("absent"), t), InputError);
  });
}

// A limit on file sizes refuses the ranks whose blocks lie beyond it, and only them.
TEST(RankCheckpoint, a_disk_that_is_full_for_some_ranks_leaves_the_old_files_to_all) {
  const TemporaryFolder folder;
  write_on(4, folder.file(""), 50, 100);
  const auto size = std::filesystem::file_size(folder.file(k_checkpoint_file));
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{size - 100, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  std::vector<std::string> said(4);
  run_ranks(4, [&](Transport& t) {
    said[static_cast<std::size_t>(t.rank())] =
        message_of<RunError>([&] { write_checkpoint(folder.file(""), part_of(50, t, 200), t); });
    t.barrier();
  });
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  for (const std::string& text : said) EXPECT_NE(text.find("too large"), std::string::npos) << text;
  EXPECT_FALSE(std::filesystem::exists(folder.file(std::string(k_checkpoint_file) + ".tmp")));
  run_ranks(4, [&](Transport& t) {
    const FoundCheckpoint found = find_checkpoint(folder.file(""), t);
    EXPECT_EQ(found.checkpoint.step, 100);
    EXPECT_EQ(found.warning, "");
  });
}

}  // namespace
}  // namespace nanoday
