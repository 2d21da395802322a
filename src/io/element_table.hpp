// The chemical elements: names and masses, both ways.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// Standard atomic weight [u]; nothing when `name` is not an element's symbol.
std::optional<double> find_element_mass(std::string_view name);

/// Standard atomic weight [u]. Throws InputError when `name` is not an element's symbol.
double element_mass(std::string_view name);

/// Symbols of all elements whose weight is within 0.05 u of `mass`.
std::vector<std::string> elements_near_mass(double mass);

/// The element whose weight is within 0.05 u of `mass`, when exactly one is.
std::optional<std::string> element_of_mass(double mass);

/// Symbol of an atomic number 1…118; throws InputError for any other.
std::string element_symbol(int atomic_number);

}  // namespace nanoday
