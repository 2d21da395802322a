// Reading text line by line and number by number.
// SPDX-License-Identifier: Apache-2.0
#include "io/text.hpp"

#include "core/error.hpp"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace nanoday {

std::string read_bytes(const std::string& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  require(std::filesystem::exists(status), "{}: no such file; check the name", printable(path));
  require(!std::filesystem::is_directory(status), "{}: is a folder, not a file; name a file",
          printable(path));
  require(std::filesystem::is_regular_file(status) || std::filesystem::is_fifo(status),
          "{}: is neither a file nor a pipe; name a file", printable(path));
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  require(file != nullptr, "{}: cannot be read ({}); check its permissions", printable(path),
          std::strerror(errno));
  std::string bytes;
  std::vector<char> chunk(1 << 18);
  while (const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), file.get()))
    bytes.append(chunk.data(), n);
  require(!std::ferror(file.get()), "{}: reading stopped ({}); check the disk", printable(path),
          std::strerror(errno));
  return bytes;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

std::vector<std::string_view> split_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  std::size_t i = 0;
  while (i < line.size()) {
    while (i < line.size() && is_blank(line[i])) ++i;
    const std::size_t begin = i;
    while (i < line.size() && !is_blank(line[i])) ++i;
    if (i > begin) fields.push_back(line.substr(begin, i - begin));
  }
  return fields;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

template <class T>
static bool parse_whole(std::string_view field, T& value) {
  // from_chars does not take the "+" that some programs write.
  if (field.size() > 1 && field[0] == '+' && field[1] != '-') field.remove_prefix(1);
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  return error == std::errc{} && end == field.data() + field.size() && !field.empty();
}

bool parse_number(std::string_view field, double& value) {
  return parse_whole(field, value) && std::isfinite(value);
}

bool parse_number(std::string_view field, std::int64_t& value) { return parse_whole(field, value); }

bool LineReader::peek(std::string_view& line) const {
  if (at_end()) return false;
  const std::size_t end = std::min(text_.find('\n', begin_), text_.size());
  line = text_.substr(begin_, end - begin_);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return true;
}

bool LineReader::next(std::string_view& line) {
  if (!peek(line)) return false;
  begin_ = std::min(text_.find('\n', begin_), text_.size()) + 1;
  ++line_number_;
  return true;
}

std::string_view LineReader::need(std::string_view what) {
  std::string_view line;
  if (!next(line))
    fail(fmt::format("the file ends where {} should follow (truncated?); get the whole file", what));
  return line;
}

void LineReader::fail(const std::string& problem) const {
  throw InputError(fmt::format("{}:{}: {}", printable(name_), line_number_, problem));
}

double LineReader::real(std::string_view field, std::string_view what) const {
  double value = 0;
  if (!parse_number(field, value)) {
    fail(fmt::format("{} is '{}' (not a finite number); correct it", what, printable(field)));
  }
  return value;
}

std::int64_t LineReader::integer(std::string_view field, std::string_view what) const {
  std::int64_t value = 0;
  if (!parse_number(field, value)) {
    fail(fmt::format("{} is '{}' (not an integer); correct it", what, printable(field)));
  }
  return value;
}

}  // namespace nanoday
