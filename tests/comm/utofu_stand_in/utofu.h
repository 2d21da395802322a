// A stand-in for the uTofu header, so that comm/tofu.cpp compiles and runs in tests on any machine.
// SPDX-License-Identifier: Apache-2.0
//
// NOT the vendor's header: only what comm/tofu.cpp uses, with the documented names, types and values. Its
// functions (utofu_stand_in.cpp) simulate gates among threads of one process, each thread being a process of
// the real system.
#pragma once

#include <cstddef>
#include <cstdint>

#define UTOFU_VBG_ID_NULL (static_cast<utofu_vbg_id_t>(-1))
#define UTOFU_PATH_COORD_NULL (static_cast<std::uint8_t>(-1))
#define UTOFU_BARRIER_CAP_REDUCE_OP_SUM (1UL << 7)

using utofu_tni_id_t = std::uint16_t;
using utofu_vbg_id_t = std::uint64_t;

enum utofu_return_code {
  UTOFU_SUCCESS = 0,
  UTOFU_ERR_NOT_FOUND = -1,
  UTOFU_ERR_BUSY = -4,
  UTOFU_ERR_BARRIER_MISMATCH = -257,
  UTOFU_ERR_INVALID_VBG_ID = -523,
  UTOFU_ERR_INVALID_NUMBER = -530,
};
enum utofu_reduce_op { UTOFU_REDUCE_OP_SUM = 7 };

struct utofu_barrier_caps {
  unsigned long int flags;
  unsigned long int reduce_ops;
  std::size_t max_uint64_reduction;
  std::size_t max_double_reduction;
};
struct utofu_vbg_setting {
  utofu_vbg_id_t vbg_id;
  utofu_vbg_id_t src_lcl_vbg_id;
  utofu_vbg_id_t src_rmt_vbg_id;
  utofu_vbg_id_t dst_lcl_vbg_id;
  utofu_vbg_id_t dst_rmt_vbg_id;
  std::uint8_t dst_path_coords[3];
};

extern "C" {
int utofu_get_barrier_tnis(utofu_tni_id_t** tni_ids, std::size_t* num_tnis);
int utofu_query_barrier_caps(utofu_tni_id_t tni_id, utofu_barrier_caps** tni_caps);
int utofu_alloc_vbg(utofu_tni_id_t tni_id, std::size_t num_vbgs, unsigned long int flags,
                    utofu_vbg_id_t vbg_ids[]);
int utofu_free_vbg(utofu_vbg_id_t vbg_ids[], std::size_t num_vbgs);
int utofu_set_vbg(utofu_vbg_setting vbg_settings[], std::size_t num_vbg_settings);
int utofu_reduce_uint64(utofu_vbg_id_t vbg_id, utofu_reduce_op op, std::uint64_t data[], std::size_t num_data,
                        unsigned long int flags);
int utofu_poll_reduce_uint64(utofu_vbg_id_t vbg_id, unsigned long int flags, std::uint64_t data[]);
}

/// For tests: words that the simulated gates take per operation, and gates allocated now.
extern std::size_t utofu_stand_in_words;
std::size_t utofu_stand_in_gates();
