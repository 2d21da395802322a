// Simulated barrier gates: the functions of the stand-in for utofu.h.
// SPDX-License-Identifier: Apache-2.0
//
// A gate has up to two inputs, a signal of a gate of the same process and interface and a packet of another
// process. When all inputs that are set have arrived, their data are added and sent on to the outputs that
// are set. The first gate of an allocation starts and ends operations: its own data go to its outputs, and
// its inputs end the operation.
#include "utofu.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

std::size_t utofu_stand_in_words = 6;

namespace {

using Words = std::vector<std::uint64_t>;

struct Gate {
  std::thread::id process;
  utofu_tni_id_t interface;
  bool starts;
  utofu_vbg_setting setting{};
  std::optional<Words> signal, packet, result;
  bool busy = false;
};

std::mutex mutex;
std::map<utofu_vbg_id_t, Gate> gates;
utofu_vbg_id_t next_id = 1000;
bool mismatch = false;  // something arrived where it was not expected

void emit(utofu_vbg_id_t from, const Words& words);

void arrive(utofu_vbg_id_t from, utofu_vbg_id_t at, bool as_signal, const Words& words) {
  const auto found = gates.find(at);
  if (found == gates.end()) {
    mismatch = true;
    return;
  }
  Gate& gate = found->second;
  auto& input = as_signal ? gate.signal : gate.packet;
  const utofu_vbg_id_t expected = as_signal ? gate.setting.src_lcl_vbg_id : gate.setting.src_rmt_vbg_id;
  if (input || from != expected) mismatch = true;
  input = words;
  const bool waits_signal = gate.setting.src_lcl_vbg_id != UTOFU_VBG_ID_NULL && !gate.signal;
  const bool waits_packet = gate.setting.src_rmt_vbg_id != UTOFU_VBG_ID_NULL && !gate.packet;
  if (waits_signal || waits_packet) return;
  Words sum(words.size());
  for (auto* part : {&gate.signal, &gate.packet}) {
    if (!*part) continue;
    if ((*part)->size() != sum.size()) mismatch = true;
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += (**part)[k];
    part->reset();
  }
  if (gate.starts)
    gate.result = sum;
  else
    emit(at, sum);
}

void emit(utofu_vbg_id_t from, const Words& words) {
  const utofu_vbg_setting out = gates.at(from).setting;
  if (out.dst_lcl_vbg_id != UTOFU_VBG_ID_NULL) arrive(from, out.dst_lcl_vbg_id, true, words);
  if (out.dst_rmt_vbg_id != UTOFU_VBG_ID_NULL) arrive(from, out.dst_rmt_vbg_id, false, words);
}

/// True for no gate, and for one of this process on the given interface.
bool local(utofu_vbg_id_t id, utofu_tni_id_t interface) {
  if (id == UTOFU_VBG_ID_NULL) return true;
  const auto found = gates.find(id);
  return found != gates.end() && found->second.process == std::this_thread::get_id() &&
         found->second.interface == interface;
}

}  // namespace

std::size_t utofu_stand_in_gates() {
  const std::lock_guard lock(mutex);
  return gates.size();
}

int utofu_get_barrier_tnis(utofu_tni_id_t** tni_ids, std::size_t* num_tnis) {
  *num_tnis = 6;
  *tni_ids = static_cast<utofu_tni_id_t*>(std::malloc(6 * sizeof(utofu_tni_id_t)));
  for (utofu_tni_id_t k = 0; k < 6; ++k) (*tni_ids)[k] = k;
  return UTOFU_SUCCESS;
}

int utofu_query_barrier_caps(utofu_tni_id_t, utofu_barrier_caps** tni_caps) {
  static thread_local utofu_barrier_caps caps;
  caps = {0, UTOFU_BARRIER_CAP_REDUCE_OP_SUM, utofu_stand_in_words, 3};
  *tni_caps = &caps;
  return UTOFU_SUCCESS;
}

int utofu_alloc_vbg(utofu_tni_id_t tni_id, std::size_t num_vbgs, unsigned long int,
                    utofu_vbg_id_t vbg_ids[]) {
  const std::lock_guard lock(mutex);
  for (std::size_t k = 0; k < num_vbgs; ++k) {
    vbg_ids[k] = next_id++;
    gates[vbg_ids[k]] = {std::this_thread::get_id(), tni_id, k == 0, {}, {}, {}, {}};
  }
  return UTOFU_SUCCESS;
}

int utofu_free_vbg(utofu_vbg_id_t vbg_ids[], std::size_t num_vbgs) {
  const std::lock_guard lock(mutex);
  for (std::size_t k = 0; k < num_vbgs; ++k) gates.erase(vbg_ids[k]);
  return UTOFU_SUCCESS;
}

int utofu_set_vbg(utofu_vbg_setting vbg_settings[], std::size_t num_vbg_settings) {
  const std::lock_guard lock(mutex);
  for (std::size_t k = 0; k < num_vbg_settings; ++k) {
    const utofu_vbg_setting& setting = vbg_settings[k];
    const auto found = gates.find(setting.vbg_id);
    if (found == gates.end()) return UTOFU_ERR_INVALID_VBG_ID;
    Gate& gate = found->second;
    const bool all_local = local(setting.vbg_id, gate.interface) &&
                           local(setting.src_lcl_vbg_id, gate.interface) &&
                           local(setting.dst_lcl_vbg_id, gate.interface);
    if (!all_local) return UTOFU_ERR_INVALID_VBG_ID;
    gate.setting = setting;
  }
  return UTOFU_SUCCESS;
}

int utofu_reduce_uint64(utofu_vbg_id_t vbg_id, utofu_reduce_op, std::uint64_t data[], std::size_t num_data,
                        unsigned long int) {
  const std::lock_guard lock(mutex);
  Gate& gate = gates.at(vbg_id);
  if (num_data < 1 || num_data > utofu_stand_in_words) return UTOFU_ERR_INVALID_NUMBER;
  if (!gate.starts) return UTOFU_ERR_INVALID_VBG_ID;
  if (gate.busy) return UTOFU_ERR_BUSY;
  gate.busy = true;
  emit(vbg_id, Words(data, data + num_data));
  return mismatch ? UTOFU_ERR_BARRIER_MISMATCH : UTOFU_SUCCESS;
}

int utofu_poll_reduce_uint64(utofu_vbg_id_t vbg_id, unsigned long int, std::uint64_t data[]) {
  {
    const std::lock_guard lock(mutex);
    Gate& gate = gates.at(vbg_id);
    if (mismatch) return UTOFU_ERR_BARRIER_MISMATCH;
    if (gate.result) {
      for (std::size_t k = 0; k < gate.result->size(); ++k) data[k] = (*gate.result)[k];
      gate.result.reset();
      gate.busy = false;
      return UTOFU_SUCCESS;
    }
  }
  std::this_thread::yield();
  return UTOFU_ERR_NOT_FOUND;
}
