// Marks functions that run on the host and, under nvcc, on the device too.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__CUDACC__)
#define NANODAY_HD __host__ __device__
#else
#define NANODAY_HD
#endif
