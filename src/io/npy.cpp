// Reads NumPy's .npy files.
// SPDX-License-Identifier: Apache-2.0
//
// Format: "\x93NUMPY", version (major, minor), length of the header (2 bytes little-endian, 4 from version 2
// on), a header {'descr': '<f8', 'fortran_order': False, 'shape': (10, 30), }, then the numbers.
#include "io/npy.hpp"

#include "core/error.hpp"
#include "io/text.hpp"

#include <bit>
#include <cstring>

namespace nanoday {
namespace {

static_assert(std::endian::native == std::endian::little, "npy data are copied as they are");

/// What follows "'key':" in the header.
std::string_view value_of(const std::string& name, std::string_view header, std::string_view key) {
  const std::size_t at = header.find(fmt::format("'{}'", key));
  const std::size_t colon = at == std::string_view::npos ? at : header.find(':', at);
  require(colon != std::string_view::npos, "{}: the npy header has no '{}' (damaged?); write the file again",
          name, key);
  return trim(header.substr(colon + 1));
}

std::vector<std::size_t> parse_shape(const std::string& name, std::string_view text) {
  const std::size_t end = text.find(')');
  require(text.starts_with("(") && end != std::string_view::npos,
          "{}: the npy header has no shape (damaged?); write the file again", name);
  std::string list(text.substr(1, end - 1));
  for (char& c : list)
    if (c == ',') c = ' ';
  std::vector<std::size_t> shape;
  for (const std::string_view field : split_fields(list)) {
    std::int64_t n = 0;
    require(parse_number(field, n) && n >= 0 && shape.size() < 8,
            "{}: the npy header has the shape ({}) (damaged?); write the file again", name, printable(list));
    shape.push_back(static_cast<std::size_t>(n));
  }
  return shape;
}

struct Layout {
  std::string_view header;
  std::size_t data_begin;
};

Layout find_header(const std::string& name, std::string_view bytes) {
  require(bytes.size() >= 12 && bytes.starts_with("\x93NUMPY"),
          "{}: is no npy file (wrong first bytes); check it", name);
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  const std::size_t version = byte(6);
  require(version >= 1 && version <= 3, "{}: npy version {} (1 to 3 are read); write it again with NumPy",
          name, version);
  const std::size_t begin = version == 1 ? 10 : 12;
  const std::size_t length =
      version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  require(length <= bytes.size() - begin, "{}: ends within its header (truncated?); get the whole file",
          name);
  return {bytes.substr(begin, length), begin + length};
}

template <class T>
void copy_numbers(std::string_view bytes, std::vector<double>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = value;
  }
}

}  // namespace

NpyArray parse_npy(const std::string& name, std::string_view bytes) {
  const Layout layout = find_header(name, bytes);
  const std::string_view type = value_of(name, layout.header, "descr");
  const bool is_double = type.starts_with("'<f8'");
  require(is_double || type.starts_with("'<f4'"),
          "{}: holds numbers of kind {} (little-endian float32 and float64 are read); convert it", name,
          printable(type.substr(0, type.find(','))));
  require(value_of(name, layout.header, "fortran_order").starts_with("False"),
          "{}: is in Fortran order (C order is read); save numpy.ascontiguousarray of it", name);

  NpyArray array;
  array.shape = parse_shape(name, value_of(name, layout.header, "shape"));
  const std::string_view data = bytes.substr(layout.data_begin);
  const std::size_t width = is_double ? 8 : 4;
  const std::size_t most = data.size() / width;
  std::size_t count = 1;
  for (const std::size_t n : array.shape) {
    require(n == 0 || count <= most / n, "{}: ends before its numbers do (truncated?); get the whole file",
            name);
    count *= n;
  }
  require(count * width == data.size(), "{}: has {} bytes of numbers, its shape needs {}; write it again",
          name, data.size(), count * width);
  array.data.resize(count);
  if (is_double)
    copy_numbers<double>(data, array.data);
  else
    copy_numbers<float>(data, array.data);
  return array;
}

}  // namespace nanoday
