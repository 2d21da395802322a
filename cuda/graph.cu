// Recorded sequences of work on a GPU: CUDA graphs captured from streams.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cuda/cuda_check.hpp"
#include "cuda/runtime.hpp"

#include <exception>
#include <stdexcept>
#include <vector>

namespace nanoday::cuda {

struct Graph::State {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  Recorded recorded;
  int kernels = 0, nodes = 0;
  std::int64_t allocations = 0;
  bool expired = false;

  ~State() { clear(); }
  void clear() noexcept {
    drop_executable();
    if (graph != nullptr) static_cast<void>(cudaGraphDestroy(graph));
    graph = nullptr;
  }
  void drop_executable() noexcept {
    // One that still runs is destroyed when it has finished.
    if (executable != nullptr) static_cast<void>(cudaGraphExecDestroy(executable));
    executable = nullptr;
  }
  /// Gives the executable the new graph's arguments. False, and none is left, where the two differ in more.
  bool update() {
    if (executable == nullptr) return false;
    cudaGraphExecUpdateResultInfo info;
    if (cudaGraphExecUpdate(executable, graph, &info) == cudaSuccess) return true;
    static_cast<void>(cudaGetLastError());
    drop_executable();
    return false;
  }
  void make(Stream& stream) {
    // Nodes keep the priority of the stream they were recorded on: the mesh goes before the nets.
    check(cudaGraphInstantiate(&executable, graph, cudaGraphInstantiateFlagUseNodePriority),
          "preparing a graph");
    // Uploaded now, so that its first launch takes no longer than later ones.
    check(cudaGraphUpload(executable, stream.handle().stream), "uploading a graph");
  }
};

namespace {

/// Sets how many nodes a graph has, and how many of them are kernels.
void count_nodes(cudaGraph_t graph, int& nodes, int& kernels) {
  std::size_t n = 0;
  check(cudaGraphGetNodes(graph, nullptr, &n), "counting what a graph holds");
  std::vector<cudaGraphNode_t> all(n);
  check(cudaGraphGetNodes(graph, all.data(), &n), "counting what a graph holds");
  nodes = static_cast<int>(n);
  kernels = 0;
  for (const cudaGraphNode_t node : all) {
    cudaGraphNodeType type;
    check(cudaGraphNodeGetType(node, &type), "counting what a graph holds");
    if (type == cudaGraphNodeTypeKernel) ++kernels;
  }
}

/// Runs `body` between begin and end of the capture. Whatever happens, the capture is over afterwards.
cudaGraph_t capture(Stream& stream, const std::function<void()>& body, Recorded& recorded) {
  const cudaStream_t origin = stream.handle().stream;
  check(cudaStreamBeginCapture(origin, cudaStreamCaptureModeThreadLocal), "beginning to record a graph");
  recording() = &recorded;
  std::exception_ptr failure;
  try {
    body();
  } catch (...) {
    failure = std::current_exception();
  }
  recording() = nullptr;
  cudaGraph_t graph = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(origin, &graph);
  if (failure) {
    static_cast<void>(cudaGetLastError());
    if (graph != nullptr) static_cast<void>(cudaGraphDestroy(graph));
    std::rethrow_exception(failure);
  }
  check(ended, "recording a graph");
  return graph;
}

}  // namespace

Graph::Graph() : state_(std::make_unique<State>()) {}
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;

void Graph::record(Stream& stream, const std::function<void()>& body) {
  if (recording() != nullptr) throw std::logic_error("a graph is recorded inside another one");
  State& state = *state_;
  try {
    Recorded recorded;
    cudaGraph_t graph = capture(stream, body, recorded);
    if (state.graph != nullptr) static_cast<void>(cudaGraphDestroy(state.graph));
    state.graph = graph;
    state.recorded = recorded;
    count_nodes(state.graph, state.nodes, state.kernels);
    const bool updated = state.update();
    if (!updated) state.make(stream);
    count(updated ? counts().graph_updates : counts().graph_makings);
  } catch (...) {
    state.clear();
    throw;
  }
  state.allocations = counts().allocations;
  state.expired = false;
}

void Graph::launch(Stream& stream) {
  require_run(!empty(), "a graph without a recording was launched; record it first");
  check(cudaGraphLaunch(state_->executable, stream.handle().stream), "launching a graph");
  count(counts().graph_launches);
  count(counts().graph_nodes, state_->nodes);
  count(counts().bytes_to_host, state_->recorded.bytes_to_host);
  count(counts().bytes_to_device, state_->recorded.bytes_to_device);
}

bool Graph::empty() const { return state_->executable == nullptr; }
int Graph::kernels() const { return empty() ? 0 : state_->kernels; }
void Graph::expire() { state_->expired = true; }
bool Graph::fresh() const {
  return !empty() && !state_->expired && state_->allocations == counts().allocations;
}

}  // namespace nanoday::cuda
