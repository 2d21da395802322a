// Files of many ranks: offsets from sizes, then everybody writes where his piece belongs.
// SPDX-License-Identifier: Apache-2.0
#include "md/shared_file.hpp"

#include "agreement.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <vector>

namespace nanoday {

PieceOffset piece_offset(Transport& ranks, std::int64_t mine) {
  std::vector<std::int64_t> size(static_cast<std::size_t>(ranks.size()), 0);
  size[static_cast<std::size_t>(ranks.rank())] = mine;
  ranks.all_reduce_sum(View<std::int64_t>(size));
  PieceOffset offset;
  for (int r = 0; r < ranks.size(); ++r) {
    if (r == ranks.rank()) offset.before = offset.all;
    offset.all += size[static_cast<std::size_t>(r)];
  }
  return offset;
}

/// What the file system calls the file behind a path; 0 when it does not say.
std::uint64_t file_number(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

/// The first rank makes or cuts the file, then the others open what is there.
template <class OpenFirst>
SharedFile::SharedFile(Transport& ranks, const std::string& path, std::int64_t length, OpenFirst&& open_first)
    : ranks_(ranks), length_(length) {
  const bool first = ranks.rank() == 0;
  together(ranks, [&] {
    if (first) file_.emplace(open_first());
  });
  std::uint64_t number = first ? file_number(path) : 0;
  ranks.broadcast(0, writable_bytes_of(View<std::uint64_t>(&number, 1)));
  together(ranks, [&] {
    if (first) return;
    file_.emplace(OutputFile::open(path));
    // A network file system may still show the file that had this name before: a good checkpoint, perhaps.
    require_run(file_number(path) == number,
                "rank {} sees another file {} than rank 0 has just made (its file system shows old names); "
                "resume, and write to a file system that all nodes see alike",
                ranks.rank(), path);
  });
}

SharedFile SharedFile::create(Transport& ranks, const std::string& path) {
  return SharedFile(ranks, path, 0, [&] { return OutputFile::create(path); });
}

SharedFile SharedFile::open_at(Transport& ranks, const std::string& path, std::int64_t length) {
  return SharedFile(ranks, path, length, [&] { return OutputFile::open_at(path, length); });
}

void SharedFile::append(std::string_view mine) {
  const PieceOffset offset = piece_offset(ranks_, static_cast<std::int64_t>(mine.size()));
  together(ranks_, [&] { file_->write_at(length_ + offset.before, mine); });
  length_ += offset.all;
}

void SharedFile::sync() {
  together(ranks_, [&] { file_->sync(); });
}

}  // namespace nanoday
