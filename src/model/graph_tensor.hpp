// Decoding of constants: shape and bytes of a TensorProto into numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph.pb.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nanoday {

/// DataType values of the wire format that a model may hold.
enum class WireType { float32 = 1, float64 = 2, int32 = 3, string = 7, int64 = 9, bool8 = 10, float16 = 19 };

/// "float32", "int64", … or "type 14" for one we do not know.
std::string wire_type_name(int dtype);

/// Shape of a tensor, outermost first; empty for a scalar.
/// Throws InputError naming `where` for an unknown rank, more than 8 dimensions or a negative one.
std::vector<std::int64_t> tensor_shape(const graph::TensorProto& tensor, const std::string& where);

/// Numbers of a float32 or float64 tensor as doubles, row-major. A value list shorter than the shape repeats
/// its last value (none: zeros), which costs `fill_budget` elements; anything else must be present in full.
/// Throws InputError naming `where`, also for NaN and infinity.
std::vector<double> tensor_reals(const graph::TensorProto& tensor, const std::string& where,
                                 std::int64_t& fill_budget);

/// Elements of an int32 or int64 tensor; rules as for tensor_reals.
std::vector<std::int64_t> tensor_integers(const graph::TensorProto& tensor, const std::string& where,
                                          std::int64_t& fill_budget);

}  // namespace nanoday
