// The vector operations that loops of arm/ are written in: by SVE, or for any compiler.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arm/isa.hpp"

#if defined(NANODAY_OWN_VECTORS)
#include "arm/pack_sve.hpp"
#else
#include "arm/pack_generic.hpp"
#endif
