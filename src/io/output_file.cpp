// Files written so that a full disk is noticed.
// SPDX-License-Identifier: Apache-2.0
#include "io/output_file.hpp"

#include "core/error.hpp"
#include "io/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace nanoday {
namespace {

/// Text kept before it goes to the system [bytes].
constexpr std::size_t k_most_pending = 1 << 18;

[[noreturn]] void fail(const std::string& path, int error) {
  const char* advice = error == ENOSPC || error == EDQUOT
                           ? "make room on the disk, then go on with `nanoday resume`"
                           : "check the folder and its permissions";
  throw RunError(
      fmt::format("{}: cannot be written ({}); {}", printable(path), std::strerror(error), advice));
}

int open_or_fail(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_WRONLY | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(path, errno);
  return descriptor;
}

/// \param write_some (bytes) how many the system took, as ::write()
template <class WriteSome>
void write_all(const std::string& path, std::string_view bytes, WriteSome&& write_some) {
  while (!bytes.empty()) {
    const ssize_t n = write_some(bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// Devices and pipes have nothing to sync and say so by EINVAL or EROFS.
void sync_or_fail(const std::string& path, int descriptor) {
  if (::fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP) fail(path, errno);
}

/// Makes a rename last; file systems that cannot sync folders are taken as they are.
void sync_folder_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const int descriptor = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

void rename_or_fail(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) fail(to, errno);
}

/// Gives the file a second name without a moment in which either name is missing.
void keep_as(const std::string& path, const std::string& previous) {
  const std::string link = previous + ".tmp";
  ::unlink(link.c_str());
  if (::link(path.c_str(), link.c_str()) == 0) return rename_or_fail(link, previous);
  if (errno == ENOENT) return;     // nothing to keep yet
  rename_or_fail(path, previous);  // file systems without hard links
}

}  // namespace

OutputFile OutputFile::create(const std::string& path) {
  return OutputFile(path, open_or_fail(path, O_CREAT | O_TRUNC), 0);
}

OutputFile OutputFile::open_at(const std::string& path, std::int64_t length) {
  OutputFile file(path, open_or_fail(path, 0), length);
  struct stat status {};
  if (::fstat(file.descriptor_, &status) != 0) fail(path, errno);
  require_run(
      length >= 0 && status.st_size >= length,
      "{}: has {} bytes but the checkpoint counts {} (shortened since?); put the file back or start anew",
      printable(path), status.st_size, length);
  if (::ftruncate(file.descriptor_, length) != 0) fail(path, errno);
  if (::lseek(file.descriptor_, length, SEEK_SET) < 0) fail(path, errno);
  return file;
}

OutputFile OutputFile::open(const std::string& path) { return OutputFile(path, open_or_fail(path, 0), 0); }

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      length_(other.length_),
      pending_(std::move(other.pending_)) {}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(length_, other.length_);
  std::swap(pending_, other.pending_);
  return *this;
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  try {
    flush();
  } catch (const RunError&) {
    // Destructors must not throw; whoever needs to know calls close().
  }
  ::close(descriptor_);
}

void OutputFile::write(std::string_view text) {
  pending_ += text;
  length_ += static_cast<std::int64_t>(text.size());
  if (pending_.size() > k_most_pending) flush();
}

void OutputFile::flush() {
  const std::string bytes = std::exchange(pending_, {});
  write_all(path_, bytes,
            [&](std::string_view rest) { return ::write(descriptor_, rest.data(), rest.size()); });
}

void OutputFile::write_at(std::int64_t offset, std::string_view bytes) {
  write_all(path_, bytes, [&](std::string_view rest) {
    const auto done = static_cast<std::int64_t>(bytes.size() - rest.size());
    return ::pwrite(descriptor_, rest.data(), rest.size(), offset + done);
  });
}

void OutputFile::sync() {
  flush();
  sync_or_fail(path_, descriptor_);
}

void OutputFile::close() {
  sync();
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(path_, errno);
}

void atomic_write(const std::string& path, std::string_view bytes, const std::string& previous) {
  const std::string temporary = path + ".tmp";
  try {
    OutputFile file = OutputFile::create(temporary);
    file.write(bytes);
    file.close();
    replace_file(temporary, path, previous);
  } catch (const RunError&) {
    discard_file(temporary);
    throw;
  }
}

void replace_file(const std::string& temporary, const std::string& path, const std::string& previous) {
  if (!previous.empty()) keep_as(path, previous);
  rename_or_fail(temporary, path);
  sync_folder_of(path);
}

void discard_file(const std::string& path) { ::unlink(path.c_str()); }

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail(path, error.value());
}

}  // namespace nanoday
