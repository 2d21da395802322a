// One file of many ranks: its bytes do not know how many wrote it, and a full disk is everybody's.
// SPDX-License-Identifier: Apache-2.0
#include "md/shared_file.hpp"

#include "core/error.hpp"
#include "in_process.hpp"
#include "io/temporary_folder.hpp"
#include "md/gather_frame.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nanoday {
namespace {

using test::TemporaryFolder;

constexpr int k_rank_counts[] = {1, 2, 3, 4, 5, 7, 8};

/// Lines first … last − 1 of a text whose lines have different lengths.
std::string lines(std::int64_t first, std::int64_t last) {
  std::string text;
  for (std::int64_t k = first; k < last; ++k)
    text += std::string(static_cast<std::size_t>(k % 5), 'x') + "\n";
  return text;
}

TEST(SharedFile, has_the_same_bytes_for_any_number_of_ranks) {
  constexpr std::int64_t k_lines = 6;
  for (const int n : k_rank_counts) {
    const TemporaryFolder folder;
    folder.write("a", "an older and longer file");
    run_ranks(n, [&](Transport& transport) {
      SharedFile file = SharedFile::create(transport, folder.file("a"));
      for (int frame = 0; frame < 3; ++frame) {
        const std::int64_t first = k_lines * transport.rank() / n,
                           last = k_lines * (transport.rank() + 1) / n;
        file.append(lines(first, last));
      }
      file.sync();
      EXPECT_EQ(file.length(), static_cast<std::int64_t>(3 * lines(0, k_lines).size()));
    });
    EXPECT_EQ(folder.read("a"), lines(0, k_lines) + lines(0, k_lines) + lines(0, k_lines));
  }
}

TEST(SharedFile, continues_on_other_ranks_where_a_checkpoint_noted_its_length) {
  const TemporaryFolder folder;
  folder.write("a", "noted, and lost");
  run_ranks(3, [&](Transport& transport) {
    SharedFile file = SharedFile::open_at(transport, folder.file("a"), 5);
    file.append(fmt::format(" {}", transport.rank()));
    EXPECT_EQ(file.length(), 11);
  });
  EXPECT_EQ(folder.read("a"), "noted 0 1 2");
  run_ranks(2, [&](Transport& transport) {
    EXPECT_THROW(SharedFile::open_at(transport, folder.file("a"), 12), RunError);
    EXPECT_THROW(SharedFile::open_at(transport, folder.file("none"), 0), RunError);
    EXPECT_THROW(SharedFile::create(transport, folder.file("none/a")), RunError);
  });
}

TEST(SharedFile, a_disk_that_is_full_for_one_rank_stops_all) {
  for (const int n : {2, 5}) {
    std::vector<std::string> said(static_cast<std::size_t>(n));
    run_ranks(n, [&](Transport& transport) {
      SharedFile file = SharedFile::create(transport, "/dev/full");
      // A rank with nothing to write does not meet the full disk.
      said[static_cast<std::size_t>(transport.rank())] =
          test::message_of<RunError>([&] { file.append(transport.rank() == 1 ? "text" : ""); });
      transport.barrier();
    });
    for (const std::string& text : said) EXPECT_NE(text.find("No space left"), std::string::npos) << text;
  }
}

TEST(GatherFrame, puts_atoms_into_input_order_and_into_the_box) {
  Atoms atoms;
  atoms.nlocal = 2;
  atoms.position = {padded({11, 2, 3}), padded({1, 2, -3})};
  atoms.velocity = {padded({1, 0, 0}), padded({0, 1, 0})};
  atoms.id = {1, 0};
  atoms.type = {4, 5};
  atoms.image = {{3, 0, 0}, {0, 0, 0}};
  Forces forces;
  forces.force = {padded({5, 0, 0}), padded({6, 0, 0})};
  const Frame frame =
      gather_frame(*make_self_transport(), 2, Box::orthorhombic(10, 10, 10), atoms, forces, {true, true});
  EXPECT_EQ(frame.natoms, 2);
  EXPECT_EQ(norm(frame.position[0] - Vec3{1, 2, 7}), 0);
  EXPECT_EQ(norm(frame.position[1] - Vec3{1, 2, 3}), 0);
  EXPECT_EQ(frame.species, (std::vector<std::int32_t>{5, 4}));
  EXPECT_EQ(frame.image[0], (std::array<int, 3>{0, 0, -1}));
  EXPECT_EQ(frame.image[1], (std::array<int, 3>{4, 0, 0}));
  EXPECT_EQ(frame.velocity[0].y, 1);
  EXPECT_EQ(frame.force[0].x, 6);
}

TEST(GatherFrame, gives_every_rank_its_share_and_the_extent_of_all) {
  constexpr std::int64_t k_atoms = 5;
  for (const int n : k_rank_counts)
    run_ranks(n, [&](Transport& transport) {
      Atoms atoms;
      for (std::int64_t id = k_atoms - 1; id >= 0; --id) {  // a rank has every n-th
        if (id % n != transport.rank()) continue;
        atoms.position.push_back({double(id), -double(id), id == 2 ? -0.0 : 0.0, 0});
        atoms.type.push_back(static_cast<std::int32_t>(id));
        atoms.id.push_back(id);
        atoms.image.push_back({});
        ++atoms.nlocal;
      }
      const Frame frame = gather_frame(transport, k_atoms, Box::open(), atoms, {}, {});
      EXPECT_EQ(frame.first, k_atoms * transport.rank() / n);
      for (std::size_t k = 0; k < frame.species.size(); ++k)
        EXPECT_EQ(frame.species[k], frame.first + static_cast<std::int64_t>(k));
      EXPECT_EQ(norm(frame.low - Vec3{0, -4, 0}), 0);
      EXPECT_EQ(norm(frame.high - Vec3{4, 0, 0}), 0);
      EXPECT_FALSE(std::signbit(frame.low.z) || std::signbit(frame.high.z));
      std::int64_t rows = static_cast<std::int64_t>(frame.position.size());
      transport.all_reduce_sum(View<std::int64_t>(&rows, 1));
      EXPECT_EQ(rows, k_atoms);
    });
}

}  // namespace
}  // namespace nanoday
