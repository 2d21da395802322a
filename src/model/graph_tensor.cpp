// Decoding of constants: shape and bytes of a TensorProto into numbers.
// SPDX-License-Identifier: Apache-2.0
#include "model/graph_tensor.hpp"

#include "core/error.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace nanoday {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor_content is little-endian");

constexpr int k_max_rank = 8;
constexpr std::int64_t k_max_elements = std::int64_t{1} << 28;

std::int64_t element_count(const std::vector<std::int64_t>& shape, const std::string& where) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    // Dividing instead of multiplying: the product of two large sizes would overflow.
    require(size == 0 || count <= k_max_elements / size,
            "{} claims more than {} elements; the file is damaged", where, k_max_elements);
    count *= size;
  }
  return count;
}

// Elements of type Stored from tensor_content.
template <class Stored, class Value>
std::vector<Value> from_content(const std::string& content, std::int64_t count, const std::string& where) {
  require(content.size() == static_cast<std::uint64_t>(count) * sizeof(Stored),
          "{} holds {} bytes where its shape needs {}; the file is damaged", where, content.size(),
          static_cast<std::uint64_t>(count) * sizeof(Stored));
  std::vector<Value> values(count);
  for (std::int64_t i = 0; i < count; ++i) {
    Stored stored;
    std::memcpy(&stored, content.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = static_cast<Value>(stored);
  }
  return values;
}

template <class Value, class List>
std::vector<Value> from_list(const List& list, std::int64_t count, const std::string& where,
                             std::int64_t& fill_budget) {
  require(list.size() <= count, "{} holds {} values where its shape has room for {}; the file is damaged",
          where, list.size(), count);
  const std::int64_t filled = count - list.size();
  require(filled <= fill_budget,
          "{} has {} elements but only {} values; such expansion is bounded, the file is damaged", where,
          count, list.size());
  fill_budget -= filled;
  std::vector<Value> values(list.begin(), list.end());
  values.resize(count, values.empty() ? Value{0} : values.back());
  return values;
}

template <class Stored, class Value, class List>
std::vector<Value> decode(const graph::TensorProto& tensor, const List& list, const std::string& where,
                          std::int64_t& fill_budget) {
  const std::int64_t count = element_count(tensor_shape(tensor, where), where);
  if (!tensor.tensor_content().empty())
    return from_content<Stored, Value>(tensor.tensor_content(), count, where);
  return from_list<Value>(list, count, where, fill_budget);
}

}  // namespace

std::string wire_type_name(int dtype) {
  switch (static_cast<WireType>(dtype)) {
    case WireType::float32:
      return "float32";
    case WireType::float64:
      return "float64";
    case WireType::int32:
      return "int32";
    case WireType::string:
      return "string";
    case WireType::int64:
      return "int64";
    case WireType::bool8:
      return "bool";
    case WireType::float16:
      return "float16";
  }
  return fmt::format("type {}", dtype);
}

std::vector<std::int64_t> tensor_shape(const graph::TensorProto& tensor, const std::string& where) {
  const graph::TensorShapeProto& shape = tensor.tensor_shape();
  require(!shape.unknown_rank() && shape.dim_size() <= k_max_rank,
          "{} has no usable shape (at most {} dimensions); the file is damaged", where, k_max_rank);
  std::vector<std::int64_t> sizes;
  for (const auto& dim : shape.dim()) {
    require(dim.size() >= 0, "{} has a dimension of {}; the file is damaged", where, dim.size());
    sizes.push_back(dim.size());
  }
  return sizes;
}

std::vector<double> tensor_reals(const graph::TensorProto& tensor, const std::string& where,
                                 std::int64_t& fill_budget) {
  const auto type = static_cast<WireType>(tensor.dtype());
  require(type == WireType::float32 || type == WireType::float64,
          "{} is of {} (float32 or float64 is needed); such a model is not supported", where,
          wire_type_name(tensor.dtype()));
  std::vector<double> values = type == WireType::float32
                                   ? decode<float, double>(tensor, tensor.float_val(), where, fill_budget)
                                   : decode<double, double>(tensor, tensor.double_val(), where, fill_budget);
  for (const double value : values) {
    require(std::isfinite(value),
            "{} holds a value that is not finite; the model is damaged or diverged in training", where);
  }
  return values;
}

std::vector<std::int64_t> tensor_integers(const graph::TensorProto& tensor, const std::string& where,
                                          std::int64_t& fill_budget) {
  const auto type = static_cast<WireType>(tensor.dtype());
  require(type == WireType::int32 || type == WireType::int64,
          "{} is of {} (int32 or int64 is needed); the file is damaged", where,
          wire_type_name(tensor.dtype()));
  if (type == WireType::int32) {
    return decode<std::int32_t, std::int64_t>(tensor, tensor.int_val(), where, fill_budget);
  }
  return decode<std::int64_t, std::int64_t>(tensor, tensor.int64_val(), where, fill_budget);
}

}  // namespace nanoday
