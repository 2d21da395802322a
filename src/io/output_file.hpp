// Files written so that a full disk is noticed, a checkpoint is whole, and a resumed run continues exactly.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nanoday {

/// A file being written. Text is kept until there is enough of it or flush() is called; every write to the
/// system is checked and throws RunError with the path and the system's reason. Move-only.
class OutputFile {
 public:
  /// Starts a new file, or empties an old one. Throws RunError when it cannot be written.
  static OutputFile create(const std::string& path);
  /// Continues a file at `length` bytes, dropping what follows (written after the checkpoint that noted it).
  /// Throws RunError when the file is missing, shorter than that, or cannot be written.
  static OutputFile open_at(const std::string& path, std::int64_t length);
  /// Opens a file that another rank has made, as it is, for write_at(). Throws RunError when that is
  /// impossible.
  static OutputFile open(const std::string& path);

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) noexcept;
  /// Writes what is left; errors are lost here, so call close() where they matter.
  ~OutputFile();

  void write(std::string_view text);
  /// Writes at an offset, at once; length() and where write() goes on stay as they are.
  void write_at(std::int64_t offset, std::string_view bytes);
  /// Hands everything to the system.
  void flush();
  /// flush(), and waits until it is on the disk; to be called before a checkpoint notes length().
  void sync();
  /// sync() and end; further calls are errors.
  void close();

  /// Bytes in the file once everything is flushed.
  std::int64_t length() const { return length_; }
  const std::string& path() const { return path_; }

 private:
  OutputFile(std::string path, int descriptor, std::int64_t length)
      : path_(std::move(path)), descriptor_(descriptor), length_(length) {}

  std::string path_;
  int descriptor_ = -1;
  std::int64_t length_ = 0;
  std::string pending_;
};

/// Makes `path` hold exactly `bytes` or, on failure, what it held before: writes beside it, syncs, renames.
/// \param previous when not empty, the old content is kept under this name; at every moment `path` is whole.
/// Throws RunError.
void atomic_write(const std::string& path, std::string_view bytes, const std::string& previous = "");

/// Gives a finished temporary file its name; the old content is kept as `previous` (not when that is empty).
/// At every moment `path` is whole. Throws RunError; what `path` held is then still there.
void replace_file(const std::string& temporary, const std::string& path, const std::string& previous);

/// Removes a file that nobody needs; silent when there is none.
void discard_file(const std::string& path);

/// Makes a folder and its parents; fine when it exists. Throws RunError when that is impossible.
void make_folder(const std::string& path);

}  // namespace nanoday
