// Numbers with units: one table of units per kind of quantity.
// SPDX-License-Identifier: Apache-2.0
#include "core/quantity.hpp"

#include "core/error.hpp"

#include <charconv>
#include <cmath>
#include <span>

namespace nanoday {
namespace {

struct Unit {
  std::string_view name;
  double factor;  ///< to the documented unit
};

constexpr Unit k_times[] = {{"", 1}, {"fs", 1e-3}, {"ps", 1}, {"ns", 1e3}, {"us", 1e6}};
constexpr Unit k_temperatures[] = {{"", 1}, {"K", 1}};
constexpr Unit k_lengths[] = {{"", 1}, {"A", 1}, {"Å", 1}, {"nm", 10}, {"pm", 0.01}};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Splits "0.5fs" into its number and the rest; false when it does not begin with a finite number.
bool split_number(std::string_view text, double& number, std::string_view& rest) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc{} || !std::isfinite(number)) return false;
  rest = trimmed(text.substr(result.ptr - text.data()));
  return true;
}

std::string known_units(std::span<const Unit> units) {
  std::string list;
  for (const Unit& unit : units.subspan(1)) list += (list.empty() ? "" : ", ") + std::string(unit.name);
  return list;
}

double parse_quantity(std::string_view text, std::string_view what, std::span<const Unit> units) {
  double number = 0;
  std::string_view rest;
  require(split_number(trimmed(text), number, rest),
          "{} is not a number with a unit ('{}'); write for example 0.5{}", what, text, units[1].name);
  for (const Unit& unit : units) {
    if (rest != unit.name) continue;
    // Dividing by the inverse of a decimal factor keeps 0.5fs the same double as 0.0005.
    const double value = unit.factor < 1 ? number / std::round(1 / unit.factor) : number * unit.factor;
    require(std::isfinite(value), "{} is too large ('{}'); give a finite value", what, text);
    return value;
  }
  throw InputError(fmt::format("{} has an unknown unit '{}' (in '{}'); use one of {}", what, rest, text,
                               known_units(units)));
}

}  // namespace

double parse_time(std::string_view text, std::string_view what) {
  return parse_quantity(text, what, k_times);
}

double parse_temperature(std::string_view text, std::string_view what) {
  return parse_quantity(text, what, k_temperatures);
}

double parse_length(std::string_view text, std::string_view what) {
  return parse_quantity(text, what, k_lengths);
}

double parse_number(std::string_view text, std::string_view what) {
  double number = 0;
  std::string_view rest;
  require(split_number(trimmed(text), number, rest) && rest.empty(), "{} is not a number ('{}'); give one",
          what, text);
  return number;
}

std::int64_t parse_count(std::string_view text, std::string_view what, std::int64_t lowest,
                         std::int64_t highest) {
  std::string_view body = trimmed(text);
  if (body.starts_with('+')) body.remove_prefix(1);
  std::int64_t number = 0;
  const auto result = std::from_chars(body.data(), body.data() + body.size(), number);
  require(result.ec == std::errc{} && result.ptr == body.data() + body.size(),
          "{} is not a whole number ('{}'); give one from {} to {}", what, text, lowest, highest);
  require(number >= lowest && number <= highest, "{} is out of range ({}); give a whole number from {} to {}",
          what, number, lowest, highest);
  return number;
}

}  // namespace nanoday
