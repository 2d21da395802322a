// The fifth-order table of a compressed model, evaluated as its producer does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "oracle/nets.hpp"

namespace nanoday::oracle {

/// G(x) and its slope from the table in the file (spec 3): two segments, linear continuation on both ends.
ValueAndSlope look_up(const CompressedTable& table, double x);

/// True when look_up() continues the table rather than reads it.
inline bool outside(const CompressedTable& table, double x) { return x < table.lower || x >= table.max; }

}  // namespace nanoday::oracle
