// Reads model files: what kind of file it is, its bytes, its hash; the graph reader does the rest.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_file.hpp"

#include "core/error.hpp"
#include "model/graph_def.hpp"
#include "model/model_graph_reader.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>

namespace nanoday {
namespace {

constexpr std::uintmax_t k_max_bytes = 2'147'483'647;  // a graph is one protobuf message, less than 2 GiB

// Kind of a file that is not a graph, by its name; empty for .pb and unknown suffixes.
std::string_view kind_by_suffix(const std::filesystem::path& path) {
  const std::string suffix = path.extension().string();
  if (suffix == ".pth" || suffix == ".pt") return "a PyTorch model";
  if (suffix == ".pt2") return "a PyTorch export";
  if (suffix == ".dp" || suffix == ".hdf5" || suffix == ".h5") return "a native DeePMD-kit (HDF5) model";
  if (suffix == ".yaml" || suffix == ".yml") return "a native DeePMD-kit (YAML) model";
  if (suffix == ".json") return "a JSON file (a Paddle model or a training input)";
  return "";
}

// The same by its first bytes, for files under another name.
std::string_view kind_by_content(std::string_view bytes) {
  if (bytes.starts_with("PK\x03\x04")) return "a ZIP archive (a PyTorch model?)";
  if (bytes.starts_with("\x89HDF\r\n")) return "an HDF5 file (a native DeePMD-kit model?)";
  if (bytes.starts_with("{")) return "a JSON file";
  return "";
}

void require_graph_file(std::string_view kind, const std::string& source) {
  require(kind.empty(),
          "{}: is {} (only TensorFlow frozen graphs, .pb, are read at present); freeze or convert the "
          "model to .pb",
          source, kind);
}

// 64-bit FNV-1a.
std::string hash_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

std::string read_bytes(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  require(std::filesystem::exists(status), "{}: model file does not exist; check the path", path);
  require(std::filesystem::is_regular_file(status),
          "{}: is not a file (a model is one .pb file); check the path", path);
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  require(!error, "{}: cannot be read ({}); check the file", path, error.message());
  require(size > 0, "{}: is empty; copy the model again", path);
  require(size <= k_max_bytes, "{}: has {} bytes (a frozen graph has less than 2 GiB); it is not a model",
          path, size);
  std::string bytes(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  require(file.gcount() == static_cast<std::streamsize>(size), "{}: cannot be read; check its permissions",
          path);
  return bytes;
}

}  // namespace

Model read_model(const std::string& path) {
  const std::string bytes = read_bytes(path);
  require_graph_file(kind_by_suffix(path), path);
  return parse_graph_model(bytes, path);
}

Model parse_graph_model(std::string_view bytes, const std::string& source) {
  require_graph_file(kind_by_content(bytes), source);
  const Graph graph(bytes, source);
  Model model = read_graph_model(graph, "");
  model.hash = hash_of(bytes);
  read_modifier(graph, model);
  return model;
}

}  // namespace nanoday
