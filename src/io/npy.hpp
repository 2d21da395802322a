// Reads NumPy's .npy files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// An array of numbers in C order.
struct NpyArray {
  std::vector<std::size_t> shape;
  std::vector<double> data;  ///< product of shape
};

/// Array in the bytes of a version 1, 2 or 3 file of little-endian float32 or float64, C order.
/// \param name for messages. Throws InputError on anything else, and when size and shape disagree.
NpyArray parse_npy(const std::string& name, std::string_view bytes);

}  // namespace nanoday
