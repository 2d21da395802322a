// Ranks agree on errors: one small reduction when all is well.
// SPDX-License-Identifier: Apache-2.0
#include "agreement.hpp"

namespace nanoday {
namespace {

constexpr char k_input = 'i', k_run = 'r';

/// Exit code as one letter, then the text; empty for no error.
std::string described(const std::exception_ptr& error) {
  if (!error) return "";
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    return (e.code() == ExitCode::bad_input ? k_input : k_run) + std::string(e.what());
  }
}

}  // namespace

std::string first_text(Transport& transport, const std::string& mine) {
  const int n = transport.size();
  double found = mine.empty() ? 0 : n - transport.rank();  // the first rank has the largest
  transport.all_reduce_max(View<double>(&found, 1));
  if (found == 0) return "";
  const int first = n - static_cast<int>(found);
  auto length = static_cast<std::int64_t>(mine.size());
  transport.broadcast(first, writable_bytes_of(View<std::int64_t>(&length, 1)));
  std::string text = transport.rank() == first ? mine : std::string(static_cast<std::size_t>(length), ' ');
  transport.broadcast(first, writable_bytes_of(View<char>(text.data(), text.size())));
  return text;
}

void agree(Transport& transport, const std::exception_ptr& mine) {
  const std::string first = transport.size() > 1 ? first_text(transport, described(mine)) : "";
  if (mine) std::rethrow_exception(mine);
  if (first.empty()) return;
  if (first.front() == k_input) throw InputError(first.substr(1));
  throw RunError(first.substr(1));
}

}  // namespace nanoday
