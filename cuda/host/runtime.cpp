// The device as host code sees it, played by the CPU: work is done when it is queued, or when its graph is.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime.hpp"

#include "core/error.hpp"
#include "cuda/host/host_launch.hpp"
#include "cuda/host/host_memory.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

namespace nanoday::cuda_host {
namespace {

DeviceCounts counts;

/// What a device tells apart when it compares two graphs.
enum class NodeKind { kernel, call, copy_to_device, copy_to_host, copy_on_device, fill, join, timer };

/// What a graph holds, and the streams that take part while it is recorded.
struct Recording {
  std::vector<std::function<void()>> operations;
  std::vector<NodeKind> kinds;  ///< of the operations, and where streams wait for each other
  int kernels = 0;
  std::int64_t bytes_to_host = 0, bytes_to_device = 0;
  std::int64_t allocations = 0;
  std::vector<Stream::Handle*> streams;
};

thread_local Recording* recording = nullptr;

}  // namespace

struct Stream::Handle {
  Recording* joined = nullptr;  ///< the recording this stream takes part in
  bool ahead = false;           ///< has recorded something that nobody has waited for
};

struct Graph::State {
  Recording recorded;
  bool empty = true, expired = false;
};

namespace {

/// True when work on this stream is to be recorded instead of done.
bool records(Stream& stream) {
  if (recording == nullptr) return false;
  if (stream.handle().joined != recording) {
    throw std::logic_error(
        "work is queued on a stream outside the graph being recorded; join it with wait_for()");
  }
  stream.handle().ahead = true;
  return true;
}

void submit(Stream& stream, NodeKind kind, std::function<void()> operation) {
  if (records(stream)) {
    recording->operations.push_back(std::move(operation));
    recording->kinds.push_back(kind);
  } else {
    operation();
  }
}

}  // namespace

const DeviceCounts& device_counts() { return counts; }
std::string open_device(int) { return "CPU in place of a GPU"; }
std::string device_key() { return {}; }
std::size_t most_shared_bytes() { return std::size_t{227} * 1024; }

Stream::Stream(bool) : handle_(std::make_unique<Handle>()) {}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

void Stream::synchronize() {
  if (recording != nullptr) throw std::logic_error("the host waits for a stream while a graph is recorded");
}

void Stream::wait_for(Stream& other) {
  if (recording == nullptr) return;
  Handle& theirs = other.handle();
  if (theirs.joined != recording) {
    throw std::logic_error(
        "a recorded stream waits for one outside the graph; let that one wait for it first");
  }
  if (handle_->joined != recording) {
    handle_->joined = recording;
    recording->streams.push_back(handle_.get());
  }
  recording->kinds.push_back(NodeKind::join);
  handle_->ahead = true;
  theirs.ahead = false;
}

void* native_stream(Stream& stream) { return &stream; }

void submit_kernel(Stream& stream, std::function<void()> run) {
  if (recording != nullptr) {
    ++recording->kernels;
  } else {
    atomic_add(&counts.kernels, 1);
  }
  submit(stream, NodeKind::kernel, std::move(run));
}

void* allocate_bytes(std::size_t bytes) {
  if (recording != nullptr) throw std::logic_error("device memory is asked for while a graph is recorded");
  if (bytes == 0) return nullptr;
  atomic_add(&counts.allocations, 1);
  return allocate_guarded(bytes, MemoryKind::device);
}

void release_bytes(void* p, std::size_t bytes) noexcept { release_guarded(p, bytes, MemoryKind::device); }
void* allocate_pinned(std::size_t bytes) { return allocate_guarded(bytes, MemoryKind::pinned); }
void release_pinned(void* p) noexcept { release_guarded(p, 0, MemoryKind::pinned); }

void copy_to_device(Stream& stream, void* to, const void* from, std::size_t bytes) {
  require_reachable(to, bytes, "copy_to_device writes");
  atomic_add(recording != nullptr ? &recording->bytes_to_device : &counts.bytes_to_device,
             static_cast<std::int64_t>(bytes));
  submit(stream, NodeKind::copy_to_device, [=] { std::memcpy(to, from, bytes); });
}

void copy_to_host(Stream& stream, void* to, const void* from, std::size_t bytes) {
  require_reachable(from, bytes, "copy_to_host reads");
  atomic_add(recording != nullptr ? &recording->bytes_to_host : &counts.bytes_to_host,
             static_cast<std::int64_t>(bytes));
  submit(stream, NodeKind::copy_to_host, [=] { std::memcpy(to, from, bytes); });
}

void copy_on_device(Stream& stream, void* to, const void* from, std::size_t bytes) {
  require_reachable(to, bytes, "copy_on_device writes");
  require_reachable(from, bytes, "copy_on_device reads");
  submit(stream, NodeKind::copy_on_device, [=] { std::memmove(to, from, bytes); });
}

void fill_zero(Stream& stream, void* to, std::size_t bytes) {
  require_reachable(to, bytes, "fill_zero writes");
  submit(stream, NodeKind::fill, [=] {
    if (bytes > 0) std::memset(to, 0, bytes);
  });
}

void submit_call(Stream& stream, std::function<void()> call) {
  submit(stream, NodeKind::call, std::move(call));
}

Graph::Graph() : state_(std::make_unique<State>()) {}
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;

namespace {

/// Ends a recording whatever happens.
struct RecordingScope {
  explicit RecordingScope(Recording& now) { recording = &now; }
  ~RecordingScope() {
    for (Stream::Handle* stream : recording->streams) *stream = {};
    recording = nullptr;
  }
};

}  // namespace

void Graph::record(Stream& stream, const std::function<void()>& body) {
  if (recording != nullptr) throw std::logic_error("a graph is recorded inside another one");
  Recording fresh;
  const bool had = !std::exchange(state_->empty, true);
  {
    const RecordingScope scope(fresh);
    stream.handle().joined = &fresh;
    fresh.streams.push_back(&stream.handle());
    body();
    for (Stream::Handle* joined : fresh.streams) {
      if (joined != &stream.handle() && joined->ahead) {
        throw std::logic_error(
            "a stream of a graph is not joined back; let the recording stream wait for it");
      }
    }
  }
  fresh.allocations = counts.allocations;
  fresh.streams.clear();
  const bool alike = had && fresh.kinds == state_->recorded.kinds;
  atomic_add(alike ? &counts.graph_updates : &counts.graph_makings, 1);
  state_->recorded = std::move(fresh);
  state_->empty = state_->expired = false;
}

void Graph::launch(Stream& stream) {
  if (recording != nullptr) throw std::logic_error("a graph is launched while another one is recorded");
  require_run(!state_->empty, "a graph without a recording was launched; record it first");
  static_cast<void>(stream);
  const Recording& recorded = state_->recorded;
  for (const auto& operation : recorded.operations) operation();
  atomic_add(&counts.graph_launches, 1);
  atomic_add(&counts.graph_nodes, static_cast<std::int64_t>(recorded.operations.size()));
  atomic_add(&counts.bytes_to_host, recorded.bytes_to_host);
  atomic_add(&counts.bytes_to_device, recorded.bytes_to_device);
}

bool Graph::empty() const { return state_->empty; }
int Graph::kernels() const { return state_->empty ? 0 : state_->recorded.kernels; }
void Graph::expire() { state_->expired = true; }
bool Graph::fresh() const {
  return !state_->empty && !state_->expired && state_->recorded.allocations == counts.allocations;
}

struct Mark::State {};
Mark::Mark() : state_(std::make_unique<State>()) {}
Mark::~Mark() = default;
void Mark::set(Stream&) {
  if (recording != nullptr) throw std::logic_error("a mark for the host is set while a graph is recorded");
}
void Mark::wait() {}
bool Mark::done() { return true; }

Range::Range(const char*) {}
Range::~Range() = default;

struct DeviceTimer::State {
  std::chrono::steady_clock::time_point begin, end;
};
DeviceTimer::DeviceTimer() : state_(std::make_unique<State>()) {}
DeviceTimer::~DeviceTimer() = default;
void DeviceTimer::start(Stream& stream) {
  submit(stream, NodeKind::timer,
         [state = state_.get()] { state->begin = std::chrono::steady_clock::now(); });
}
void DeviceTimer::stop(Stream& stream) {
  submit(stream, NodeKind::timer, [state = state_.get()] { state->end = std::chrono::steady_clock::now(); });
}
double DeviceTimer::seconds() { return std::chrono::duration<double>(state_->end - state_->begin).count(); }

}  // namespace nanoday::cuda_host
