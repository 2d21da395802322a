// NCCL's calls, each checked.
// SPDX-License-Identifier: Apache-2.0
#include "nccl.hpp"

#include "core/error.hpp"

#include <nccl.h>

#include <exception>

namespace nanoday {
namespace {

void check_nccl(ncclResult_t result, const char* doing) {
  require_run(result == ncclSuccess || result == ncclInProgress, "NCCL failed while {} ({})", doing,
              ncclGetErrorString(result));
}

}  // namespace

struct NcclWorld::State {
  ncclComm_t comm = nullptr;
};

NcclWorld::NcclWorld(Transport& ranks) : state_(std::make_unique<State>()) {
  ncclUniqueId id;
  if (ranks.rank() == 0) check_nccl(ncclGetUniqueId(&id), "starting");
  ranks.broadcast(0, writable_bytes_of(View<ncclUniqueId>(&id, 1)));
  check_nccl(ncclCommInitRank(&state_->comm, ranks.size(), id, ranks.rank()), "connecting the GPUs");
}

// ncclCommDestroy() waits for the others, who may not come when an exception is on its way.
NcclWorld::~NcclWorld() {
  if (std::uncaught_exceptions() == 0)
    ncclCommDestroy(state_->comm);
  else
    ncclCommAbort(state_->comm);
}

void NcclWorld::all_reduce_sum(View<std::uint64_t> values, Stream stream) {
  check_nccl(
      ncclAllReduce(values.data(), values.data(), values.size(), ncclUint64, ncclSum, state_->comm, stream),
      "summing");
}

void NcclWorld::send_and_receive(const std::vector<Outgoing>& sent, const std::vector<Incoming>& received,
                                 Stream stream) {
  check_nccl(ncclGroupStart(), "opening a group of messages");
  ncclResult_t result = ncclSuccess;
  const auto keep_first = [&](ncclResult_t next) {
    if (result == ncclSuccess) result = next;
  };
  for (const auto& [rank, bytes] : sent)
    keep_first(ncclSend(bytes.data(), bytes.size(), ncclUint8, rank, state_->comm, stream));
  for (const auto& [rank, bytes] : received)
    keep_first(ncclRecv(bytes.data(), bytes.size(), ncclUint8, rank, state_->comm, stream));
  keep_first(ncclGroupEnd());
  check_nccl(result, "sending and receiving");
}

void NcclWorld::check() const {
  ncclResult_t result = ncclSuccess;
  check_nccl(ncclCommGetAsyncError(state_->comm, &result), "asking for errors");
  check_nccl(result, "working on the GPU");
}

}  // namespace nanoday
