// What one rank cannot go on with, none does: errors of single ranks become errors of all.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.hpp"
#include "transport.hpp"

#include <exception>
#include <string>

namespace nanoday {

/// Collective: the text of the first rank that has one; on all ranks, empty when none has.
std::string first_text(Transport& transport, const std::string& mine);

/// Collective: throws when `mine` (what this rank caught; null: nothing) or another rank's is an error. A
/// rank that failed throws its own error again, the others one with the text and the exit code of the first.
void agree(Transport& transport, const std::exception_ptr& mine);

/// Collective: calls work() on every rank; all go on, or all throw as agree() does. work() itself may be
/// collective as long as no rank can fail alone before the others wait for it.
template <class Work>
void together(Transport& transport, Work&& work) {
  std::exception_ptr mine;
  try {
    work();
  } catch (const Error&) {
    mine = std::current_exception();
  }
  agree(transport, mine);
}

}  // namespace nanoday
