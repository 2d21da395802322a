// What this machine's vectors do in ways of their own; to be included before any kernel of src/cpu.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arm/address.hpp"
#include "arm/descriptor.hpp"
#include "arm/environment.hpp"
#include "arm/isa.hpp"
#include "arm/pack.hpp"
#include "arm/pairs.hpp"
#include "arm/tanh.hpp"
