// Barrier gates of the Tofu interconnect through the uTofu interface.
// SPDX-License-Identifier: Apache-2.0
//
// Names, types and return codes: uTofu API (the header utofu.h and the uTofu User's Guide of the Development
// Studio). A virtual barrier gate (VBG) waits for a signal from a gate of its own interface and for a packet
// from another node, whichever of the two are set, combines their data, and passes the result on in the same
// two ways. Gates need no VCQ: those are for one-sided communication.
//
// On each interface a rank has three gates, and the ring is used as a chain there and back:
//
//   rank       0              1                    P − 1
//   up         up ──────────> up ──────> … ──────> up        each adds its own start gate's words
//               ^              ^                    ^ │
//   start/end  start ─┐       start ─┐             start│
//               ^      (local) ^                    ^   v
//   down       down <──────── down <──── … <────── down      each ends its own start gate's operation
#include "tofu.hpp"

#include "core/error.hpp"

#include <utofu.h>

#include <array>
#include <cstdlib>
#include <vector>

namespace nanoday {
namespace {

enum Role : std::size_t { k_start, k_up, k_down, k_roles };
using GateIds = std::array<utofu_vbg_id_t, k_roles>;

void check(int code, const char* call) {
  require_run(code == UTOFU_SUCCESS, "{} failed (uTofu's return code {}); use --fft pencil or replicated",
              call, code);
}

/// Interfaces with barrier gates that can do what is needed.
std::vector<utofu_tni_id_t> barrier_interfaces() {
  utofu_tni_id_t* listed = nullptr;
  std::size_t n = 0;
  check(utofu_get_barrier_tnis(&listed, &n), "utofu_get_barrier_tnis");
  std::vector<utofu_tni_id_t> interfaces(listed, listed + n);
  std::free(listed);
  require_run(!interfaces.empty(), "no network interface has barrier gates; use --fft pencil or replicated");
  for (const utofu_tni_id_t tni : interfaces) {
    utofu_barrier_caps* caps = nullptr;
    check(utofu_query_barrier_caps(tni, &caps), "utofu_query_barrier_caps");
    require_run(
        caps->max_uint64_reduction >= BarrierGates::k_words &&
            (caps->reduce_ops & UTOFU_BARRIER_CAP_REDUCE_OP_SUM) != 0,
        "the barrier gates of interface {} cannot sum {} integers at once; use --fft pencil or replicated",
        tni, BarrierGates::k_words);
  }
  return interfaces;
}

/// The gates of a neighbor on one interface.
GateIds neighbor_gates(Transport& ring, int neighbor, int tag) {
  GateIds ids;
  ring.wait(ring.post_receive(neighbor, tag, {reinterpret_cast<std::byte*>(ids.data()), sizeof ids}));
  return ids;
}

utofu_vbg_setting gate(utofu_vbg_id_t id) {
  utofu_vbg_setting setting{};
  setting.vbg_id = id;
  setting.src_lcl_vbg_id = setting.src_rmt_vbg_id = UTOFU_VBG_ID_NULL;
  setting.dst_lcl_vbg_id = setting.dst_rmt_vbg_id = UTOFU_VBG_ID_NULL;
  for (auto& coordinate : setting.dst_path_coords) coordinate = UTOFU_PATH_COORD_NULL;  // the default route
  return setting;
}

/// One rank's three gates of the chain; \param before, after null at its ends.
std::array<utofu_vbg_setting, k_roles> chain_link(const GateIds& own, const GateIds* before,
                                                  const GateIds* after) {
  std::array<utofu_vbg_setting, k_roles> link{gate(own[k_start]), gate(own[k_up]), gate(own[k_down])};
  link[k_start].dst_lcl_vbg_id = own[k_up];
  link[k_up].src_lcl_vbg_id = own[k_start];
  link[k_down].dst_lcl_vbg_id = own[k_start];
  link[k_start].src_lcl_vbg_id = own[k_down];
  if (before != nullptr) {
    link[k_up].src_rmt_vbg_id = (*before)[k_up];
    link[k_down].dst_rmt_vbg_id = (*before)[k_down];
  }
  if (after != nullptr) {
    link[k_up].dst_rmt_vbg_id = (*after)[k_up];
    link[k_down].src_rmt_vbg_id = (*after)[k_down];
  } else {
    link[k_up].dst_lcl_vbg_id = own[k_down];
    link[k_down].src_lcl_vbg_id = own[k_up];
  }
  return link;
}

class TofuGates final : public BarrierGates {
 public:
  explicit TofuGates(Transport& ring) {
    for (const utofu_tni_id_t tni : barrier_interfaces()) {
      GateIds ids;
      check(utofu_alloc_vbg(tni, ids.size(), 0, ids.data()), "utofu_alloc_vbg");
      gates_.push_back(ids);
    }
    sent_.resize(gates_.size());
    for (std::size_t i = 0; i < gates_.size(); ++i) join(ring, static_cast<int>(i));
    ring.barrier();  // no packet may reach a gate that is not set
  }
  ~TofuGates() override {
    for (GateIds& ids : gates_) utofu_free_vbg(ids.data(), ids.size());
  }
  TofuGates(const TofuGates&) = delete;
  TofuGates& operator=(const TofuGates&) = delete;

  int interfaces() const override { return static_cast<int>(gates_.size()); }

  void start(int interface, View<const std::uint64_t> words) override {
    auto& sent = sent_[static_cast<std::size_t>(interface)];
    for (std::size_t k = 0; k < words.size(); ++k) sent[k] = words[k];
    check(utofu_reduce_uint64(start_gate(interface), UTOFU_REDUCE_OP_SUM, sent.data(), words.size(), 0),
          "utofu_reduce_uint64");
  }

  void finish(int interface, View<std::uint64_t> words) override {
    int code;
    do {
      code = utofu_poll_reduce_uint64(start_gate(interface), 0, words.data());
    } while (code == UTOFU_ERR_NOT_FOUND);
    check(code, "utofu_poll_reduce_uint64");
  }

 private:
  void join(Transport& ring, int interface) {
    GateIds& own = gates_[static_cast<std::size_t>(interface)];
    const int before = ring.rank() - 1, after = ring.rank() + 1;
    const View<const std::byte> name(reinterpret_cast<const std::byte*>(own.data()), sizeof own);
    std::vector<Transport::Request> sends;
    if (before >= 0) sends.push_back(ring.post_send(before, interface, name));
    if (after < ring.size()) sends.push_back(ring.post_send(after, interface, name));
    GateIds left, right;
    if (before >= 0) left = neighbor_gates(ring, before, interface);
    if (after < ring.size()) right = neighbor_gates(ring, after, interface);
    for (const auto send : sends) ring.wait(send);
    auto link = chain_link(own, before >= 0 ? &left : nullptr, after < ring.size() ? &right : nullptr);
    check(utofu_set_vbg(link.data(), link.size()), "utofu_set_vbg");
  }

  utofu_vbg_id_t start_gate(int interface) const {
    return gates_[static_cast<std::size_t>(interface)][k_start];
  }

  std::vector<GateIds> gates_;                            ///< (interfaces)
  std::vector<std::array<std::uint64_t, k_words>> sent_;  ///< (interfaces) words of the operation under way
};

}  // namespace

std::unique_ptr<BarrierGates> make_tofu_gates(Transport& ring) { return std::make_unique<TofuGates>(ring); }

}  // namespace nanoday
