// Written files: full disks are noticed, resumed files continue at their length, replacements are atomic.
// SPDX-License-Identifier: Apache-2.0
#include "io/output_file.hpp"

#include "core/error.hpp"
#include "io/temporary_folder.hpp"
#include "io/thermo_log.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using test::message_of;
using test::TemporaryFolder;

TEST(OutputFile, a_full_disk_is_an_error_with_the_path) {
  OutputFile file = OutputFile::create("/dev/full");
  file.write("some text");
  const std::string text = message_of<RunError>([&] { file.flush(); });
  EXPECT_NE(text.find("/dev/full"), std::string::npos);
  EXPECT_NE(text.find("No space left"), std::string::npos);
}

TEST(OutputFile, a_full_disk_is_noticed_without_flushing_once_there_is_enough_text) {
  OutputFile file = OutputFile::create("/dev/full");
  EXPECT_THROW(file.write(std::string(1 << 20, 'x')), RunError);
}

TEST(OutputFile, places_that_cannot_be_written_are_errors) {
  const TemporaryFolder folder;
  EXPECT_NE(message_of<RunError>([&] { OutputFile::create(folder.file("none/a.txt")); }).find("No such file"),
            std::string::npos);
  EXPECT_THROW(OutputFile::create(folder.file(".")), RunError);
  folder.write("file", "");
  EXPECT_THROW(make_folder(folder.file("file/below")), RunError);
  EXPECT_NO_THROW(make_folder(folder.file("a/b/c")));
  EXPECT_NO_THROW(make_folder(folder.file("a/b/c")));
}

TEST(OutputFile, continues_exactly_at_the_noted_length) {
  const TemporaryFolder folder;
  std::int64_t noted = 0;
  {
    OutputFile file = OutputFile::create(folder.file("a.txt"));
    file.write("one\ntwo\n");
    file.sync();
    noted = file.length();
    file.write("three\nfour, lost");
  }
  EXPECT_EQ(folder.read("a.txt"), "one\ntwo\nthree\nfour, lost");
  OutputFile file = OutputFile::open_at(folder.file("a.txt"), noted);
  EXPECT_EQ(file.length(), 8);
  file.write("three\n");
  file.close();
  EXPECT_EQ(file.length(), 14);
  EXPECT_EQ(folder.read("a.txt"), "one\ntwo\nthree\n");
}

TEST(OutputFile, pieces_go_where_they_belong_in_any_order) {
  const TemporaryFolder folder;
  folder.write("a.txt", "head");
  OutputFile last = OutputFile::open(folder.file("a.txt")), first = OutputFile::open(folder.file("a.txt"));
  last.write_at(8, "last");
  first.write_at(4, "1st ");
  EXPECT_EQ(folder.read("a.txt"), "head1st last");
  EXPECT_THROW(OutputFile::open(folder.file("none.txt")), RunError);
  OutputFile full = OutputFile::open("/dev/full");
  const std::string text = message_of<RunError>([&] { full.write_at(1000, "x"); });
  EXPECT_NE(text.find("No space left"), std::string::npos);
}

TEST(OutputFile, refuses_to_continue_a_missing_or_shortened_file) {
  const TemporaryFolder folder;
  folder.write("short.txt", "abc");
  EXPECT_NE(message_of<RunError>([&] { OutputFile::open_at(folder.file("short.txt"), 4); }).find("3 bytes"),
            std::string::npos);
  EXPECT_THROW(OutputFile::open_at(folder.file("none.txt"), 0), RunError);
}

TEST(OutputFile, can_be_moved_and_then_writes_once) {
  const TemporaryFolder folder;
  {
    OutputFile a = OutputFile::create(folder.file("a.txt"));
    a.write("x");
    OutputFile b = std::move(a);
    b.write("y");
    OutputFile c = OutputFile::create(folder.file("c.txt"));
    c = std::move(b);
    c.write("z");
  }
  EXPECT_EQ(folder.read("a.txt"), "xyz");
  EXPECT_EQ(folder.read("c.txt"), "");
}

TEST(AtomicWrite, replaces_and_keeps_the_previous_content) {
  const TemporaryFolder folder;
  const std::string now = folder.file("state"), before = folder.file("state.previous");
  atomic_write(now, "first", before);
  EXPECT_FALSE(std::filesystem::exists(before));
  atomic_write(now, "second", before);
  atomic_write(now, "third", before);
  EXPECT_EQ(folder.read("state"), "third");
  EXPECT_EQ(folder.read("state.previous"), "second");
  EXPECT_FALSE(std::filesystem::exists(now + ".tmp"));
}

TEST(AtomicWrite, leaves_the_old_content_when_it_fails) {
  const TemporaryFolder folder;
  folder.write("state", "old");
  // The temporary file's name is taken by a link to a full device.
  std::filesystem::create_symlink("/dev/full", folder.file("state.tmp"));
  EXPECT_THROW(atomic_write(folder.file("state"), "new"), RunError);
  EXPECT_EQ(folder.read("state"), "old");
}

TEST(ThermoLog, writes_header_rows_and_empty_fields) {
  const TemporaryFolder folder;
  {
    ThermoLog log(OutputFile::create(folder.file("thermo.csv")), NumberFormat::twelve_digits);
    log.write({0, 0, 330.5, -29947.91234567, 8.25, -29939.6623, -29939.5, 1.25, 1000.0});
    log.write({20, 0.01, 331, -1, 2, 1, 1, std::nullopt, std::nullopt});
    log.file().close();
  }
  EXPECT_EQ(folder.read("thermo.csv"),
            "step,time[ps],temperature[K],potential[eV],kinetic[eV],total[eV],conserved[eV],pressure[bar],"
            "volume[A3]\n"
            "0,0,330.5,-29947.9123457,8.25,-29939.6623,-29939.5,1.25,1000\n"
            "20,0.01,331,-1,2,1,1,,\n");
}

TEST(ThermoLog, a_continued_file_gets_no_second_header) {
  const TemporaryFolder folder;
  std::int64_t length = 0;
  {
    ThermoLog log(OutputFile::create(folder.file("t.csv")), NumberFormat::round_trip);
    log.write({1, 0.1, 1.0 / 3, 0, 0, 0, 0, 0.0, 0.0});
    length = log.file().length();
    log.write({2, 0.2, 0, 0, 0, 0, 0, 0.0, 0.0});
  }
  const std::string whole = folder.read("t.csv");
  EXPECT_NE(whole.find("0.3333333333333333,"), std::string::npos);
  {
    ThermoLog log(OutputFile::open_at(folder.file("t.csv"), length), NumberFormat::round_trip);
    log.write({2, 0.2, 0, 0, 0, 0, 0, 0.0, 0.0});
  }
  EXPECT_EQ(folder.read("t.csv"), whole);
}

}  // namespace
}  // namespace nanoday
