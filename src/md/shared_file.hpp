// A file that all ranks write together, each its own piece.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/output_file.hpp"
#include "transport.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace nanoday {

/// One file of many ranks. All methods are collective but length(); when a rank fails, all throw.
class SharedFile {
 public:
  /// Starts a new file, or empties an old one.
  static SharedFile create(Transport& ranks, const std::string& path);
  /// Continues at `length` bytes, dropping what follows, as OutputFile::open_at().
  static SharedFile open_at(Transport& ranks, const std::string& path, std::int64_t length);

  /// Appends every rank's text, in the order of ranks, and hands it to the system.
  void append(std::string_view mine);
  /// Waits until everything is on the disk.
  void sync();
  /// Bytes in the file; the same on all ranks.
  std::int64_t length() const { return length_; }

 private:
  template <class OpenFirst>
  SharedFile(Transport& ranks, const std::string& path, std::int64_t length, OpenFirst&& open_first);

  Transport& ranks_;
  std::optional<OutputFile> file_;  ///< always there but while it is being opened
  std::int64_t length_;
};

/// Bytes that the ranks before this one have, and all ranks have.
struct PieceOffset {
  std::int64_t before = 0, all = 0;
};

/// Collective. \param mine bytes of this rank
PieceOffset piece_offset(Transport& ranks, std::int64_t mine);

}  // namespace nanoday
