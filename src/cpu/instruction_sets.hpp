// Which instruction sets this processor has, for whoever chooses among kernels compiled for several.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace nanoday::cpu {

/// True when this processor runs kernels compiled for `set`: "avx512bf16" (avx512 and
/// products of bfloat16), "avx512" (x86-64-v4), "avx2" (x86-64-v3),
/// "baseline".
bool processor_has(std::string_view set);

/// True when kernels of `set` serve someone who asks for `isa` ("auto": whatever the processor has).
bool serves(std::string_view set, std::string_view isa);

/// Throws InputError unless the kernels that run everywhere serve `isa`.
void require_baseline(std::string_view isa);

}  // namespace nanoday::cpu
