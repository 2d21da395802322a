// Models over all local atoms: chunk by chunk through descriptor, fitting net and back.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/model_engine.hpp"

#include "cuda/rebuild.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace nanoday::NANODAY_GPU {
namespace {

struct NumberCentres {
  static constexpr const char* k_name = "number_centres";
  const std::int32_t *type, *replica, *model;
  std::int32_t* centre;
  std::int64_t n;
  int n_types;
  NANODAY_DEVICE void operator()(Block& block) const {
    for (long i = block.global(); i < n; i += block.stride())
      centre[i] = model[replica[i]] * n_types + type[i];
  }
};

/// Sorting by this puts atoms of a chunk and centre together, in memory order.
struct DealKey {
  static constexpr const char* k_name = "deal_key";
  const std::int32_t* centre;
  std::uint64_t* key;
  std::int32_t* order;
  std::int64_t n, chunk_rows;
  int n_centres;
  NANODAY_DEVICE void operator()(Block& block) const {
    for (long i = block.global(); i < n; i += block.stride()) {
      key[i] = static_cast<std::uint64_t>(i / chunk_rows) * n_centres + centre[i];
      order[i] = static_cast<std::int32_t>(i);
    }
  }
};

/// begin[k] = first sorted atom whose key is at least k.
struct DealBegin {
  static constexpr const char* k_name = "deal_begin";
  const std::uint64_t* key;
  std::int64_t* begin;
  std::int64_t n, n_keys;
  NANODAY_DEVICE void operator()(Block& block) const {
    for (long k = block.global(); k <= n_keys; k += block.stride()) {
      std::int64_t low = 0, high = n;
      while (low < high) {
        const std::int64_t middle = (low + high) / 2;
        if (key[middle] < static_cast<std::uint64_t>(k))
          low = middle + 1;
        else
          high = middle;
      }
      begin[k] = low;
    }
  }
};

/// Puts every atom into its row; rows of centres without output (first_row < 0) do not exist.
struct DealScatter {
  static constexpr const char* k_name = "deal_scatter";
  const std::uint64_t* key;
  const std::int32_t* order;
  const std::int64_t *begin, *first_row;
  std::int32_t* atom;
  std::int64_t n;
  NANODAY_DEVICE void operator()(Block& block) const {
    for (long s = block.global(); s < n; s += block.stride()) {
      const std::uint64_t k = key[s];
      if (first_row[k] >= 0) atom[first_row[k] + s - begin[k]] = order[s];
    }
  }
};

struct FillRows {
  static constexpr const char* k_name = "deal_clear";
  std::int32_t* atom;
  std::int64_t n;
  NANODAY_DEVICE void operator()(Block& block) const {
    for (long i = block.global(); i < n; i += block.stride()) atom[i] = -1;
  }
};

/// Before an evaluation, where nothing else clears them.
struct ClearExact {
  static constexpr const char* k_name = "clear_exact";
  ExactRows rows;
  NANODAY_DEVICE void operator()(Block& block) const { rows.clear(block.global(), block.stride()); }
};

std::int64_t tiles_for(std::int64_t rows) { return (rows + k_tile_rows - 1) / k_tile_rows; }

}  // namespace

// ---------------------------------------------------------------------------------------------------------

template <class Real>
ModelEngine<Real>::ModelEngine(Stream& stream, Plans plans, Products products, std::int64_t chunk_rows)
    : model_(stream, std::move(plans)),
      products_(products),
      chunk_rows_(chunk_rows),
      exact_tiles_per_group_(model_.has_exact() ? 1 : 0) {
  counts_.resize(k_counts_kinds);
  reset_counts(stream);
}

template <class Real>
std::int32_t ModelEngine<Real>::exact_tiles() const {
  return static_cast<std::int32_t>(exact_tiles_per_group_) * model_.view().n_centres;
}

template <class Real>
void ModelEngine<Real>::make_room(std::int64_t rows) {
  if (model_.has_exact()) exact_tiles_per_group_ = std::max(exact_tiles_per_group_, tiles_for(rows));
}

template <class Real>
void ModelEngine<Real>::deal(Stream& stream, RebuildWork& work, const std::int32_t* centre,
                             std::int64_t nlocal) {
  nlocal_ = nlocal;
  chunks_.clear();
  if (nlocal == 0) return;
  const int n_centres = model_.view().n_centres;
  const std::int64_t n_chunks = (nlocal + chunk_rows_ - 1) / chunk_rows_, n_keys = n_chunks * n_centres;
  size_orders(work, nlocal);
  begin_device_.resize(n_keys + 1);
  launch(stream, DealKey{centre, work.key.data(), work.order.data(), nlocal, chunk_rows_, n_centres},
         grid_for(nlocal));
  sort_pairs(stream, work.scratch, work.key.data(), work.key_sorted.data(), work.order.data(),
             work.order_sorted.data(), nlocal, std::bit_width(static_cast<std::uint64_t>(n_keys)));
  launch(stream, DealBegin{work.key_sorted.data(), begin_device_.data(), nlocal, n_keys},
         grid_for(n_keys + 1));
  std::vector<std::int64_t> begin(n_keys + 1);
  download(stream, begin.data(), begin_device_, begin.size());
  stream.synchronize();
  lay_out(begin);
  size_buffers(stream);
  scatter(stream, work, nlocal);
  stream.synchronize();  // host tables may change now
}

/// Tiles of every chunk: the plans' groups by centre, then room for the exact plans.
template <class Real>
void ModelEngine<Real>::lay_out(const std::vector<std::int64_t>& begin) {
  const int n_centres = model_.view().n_centres;
  const std::size_t n_chunks = (begin.size() - 1) / n_centres;
  const auto& groups = model_.groups();
  host_tiles_.clear();
  first_row_.assign(n_chunks * n_centres, -1);
  a_size_ = rotated_size_ = features_size_ = rows_ = 0;
  std::int64_t row = 0, taken = 0;
  for (std::size_t c = 0; c < n_chunks; ++c) {
    Chunk chunk{row, taken, static_cast<std::int64_t>(host_tiles_.size()), 0};
    Tile next;
    const auto add = [&](int group) {
      next.group = group;
      host_tiles_.push_back(next);
      const GroupView<Real>& g = groups[group];
      next.row += k_tile_rows;
      next.a += std::int64_t{k_tile_rows} * 4 * g.n_columns;
      next.rotated += std::int64_t{k_tile_rows} * 4 * g.n_rotated;
      next.features += std::int64_t{k_tile_rows} * g.n_features;
    };
    for (int t = 0; t < n_centres; ++t) {
      if (!groups[t].active) continue;
      first_row_[c * n_centres + t] = row + next.row;
      const std::int64_t n = tiles_for(begin[c * n_centres + t + 1] - begin[c * n_centres + t]);
      for (std::int64_t k = 0; k < n; ++k) add(t);
      chunk.n_tiles += static_cast<std::int32_t>(n);
    }
    for (int t = 0; t < n_centres; ++t)
      for (std::int64_t k = 0; k < exact_tiles_per_group_; ++k) add(n_centres + t);
    chunks_.push_back(chunk);
    a_size_ = std::max(a_size_, next.a);
    rotated_size_ = std::max(rotated_size_, next.rotated);
    features_size_ = std::max(features_size_, next.features);
    rows_ = std::max(rows_, std::int64_t{next.row});
    row += next.row;
    taken += std::int64_t{chunk.n_tiles} * k_tile_rows;
  }
  atom_.resize(row);
  taken_.resize(taken);
}

template <class Real>
void ModelEngine<Real>::size_buffers(Stream& stream) {
  const int n_centres = model_.view().n_centres;
  const std::int64_t width = model_.max_width();
  a_.resize(a_size_);
  rotated_.resize(rotated_size_);
  features_.resize(features_size_);
  layers_.resize(rows_ * width * (2 * model_.max_layers() + 1));
  if (model_.view().dipole)
    vectors_.resize(rows_ * 2 * std::max(model_.max_columns(false), model_.max_columns(true)));
  exact_count_.resize(chunks_.size() * n_centres);
  std::vector<std::int64_t> exact;
  for (const Chunk& chunk : chunks_) {
    exact.push_back(chunk.first_row + std::int64_t{chunk.n_tiles} * k_tile_rows);
    exact.push_back(std::int64_t{exact_tiles()} * k_tile_rows);
  }
  upload(stream, chunk_rows_device_, exact);
  upload(stream, tiles_, host_tiles_);
  upload(stream, first_row_device_, first_row_);
  stream.synchronize();
}

template <class Real>
void ModelEngine<Real>::scatter(Stream& stream, const RebuildWork& work, std::int64_t nlocal) {
  const auto rows = static_cast<std::int64_t>(atom_.size());
  launch(stream, FillRows{atom_.data(), rows}, grid_for(rows));
  launch(stream,
         DealScatter{work.key_sorted.data(), work.order_sorted.data(), begin_device_.data(),
                     first_row_device_.data(), atom_.data(), nlocal},
         grid_for(nlocal));
}

template <class Real>
TileView ModelEngine<Real>::tiles_of(std::size_t c) const {
  const Chunk& chunk = chunks_[c];
  return {tiles_.data() + chunk.first_tile,
          atom_.data() + chunk.first_row,
          chunk.n_tiles,
          exact_tiles(),
          taken_.data() + chunk.first_taken,
          exact_count_.data() + c * model_.view().n_centres};
}

template <class Real>
PassBuffers<Real> ModelEngine<Real>::buffers() const {
  PassBuffers<Real> b;
  b.a = a_.data();
  b.rotated = rotated_.data();
  b.features = features_.data();
  b.width = model_.max_width();
  const std::int64_t layer = rows_ * b.width;
  Real* next = layers_.data();
  const auto take = [&] { return std::exchange(next, next + layer); };
  for (int l = 0; l < model_.max_layers(); ++l) b.hidden[l] = take();
  for (int l = 0; l < model_.max_layers(); ++l) b.slope[l] = take();
  b.gradient = take();
  b.vectors = vectors_.data();
  return b;
}

template <class Real>
void ModelEngine<Real>::run(Stream& stream, const EngineTask& task) {
  if (chunks_.empty()) return;
  if (!task.fitting.resume && !task.cleared) {
    const ExactRows rows = exact_rows();
    launch(stream, ClearExact{rows}, grid_for(std::max<std::int64_t>(rows.n_taken, rows.n_counts)));
  }
  for (std::size_t c = 0; c < chunks_.size(); ++c)
    if (chunks_[c].n_tiles > 0) run_chunk(stream, task, tiles_of(c));
}

template <class Real>
ExactRows ModelEngine<Real>::exact_rows() const {
  if (chunks_.empty()) return {};
  return {chunk_rows_device_.data(),
          atom_.data(),
          taken_.data(),
          exact_count_.data(),
          static_cast<std::int64_t>(taken_.size()),
          static_cast<int>(chunks_.size()),
          static_cast<int>(exact_count_.size())};
}

template <class Real>
void ModelEngine<Real>::run_chunk(Stream& stream, const EngineTask& task, const TileView& tiles) {
  const PassBuffers<Real> buffer = buffers();
  const PassReport report{counts_.data() + (task.again ? k_counts_again : k_counts_now), task.signals};
  if (!task.fitting.resume) {
    const TimedStage timed(task.clock, stream, Stage::descriptor);
    descriptor_forward(stream, model_, tiles, buffer, task.position, task.list, report);
    if (model_.has_exact())
      descriptor_forward_exact(stream, model_, tiles, buffer, task.position, task.list, report);
  }
  {
    const TimedStage timed(task.clock, stream, Stage::fitting);
    fitting(stream, model_, tiles, buffer, products_, task.fitting);
  }
  if (!task.fitting.want_gradient) return;
  const TimedStage timed(task.clock, stream, Stage::gradient);
  descriptor_backward(stream, model_, tiles, buffer, task.position, task.list, task.gradient, report);
}

template <class Real>
void ModelEngine<Real>::reset_counts(Stream& stream) {
  fill_zero(stream, counts_.data(), counts_.size() * sizeof(PassCounts));
}

template <class Real>
PassCounts ModelEngine<Real>::read_counts(Stream& stream) const {
  std::array<PassCounts, k_counts_kinds> counts;
  download(stream, counts.data(), counts_, counts.size());
  stream.synchronize();
  counts[k_counts_total].add(counts[k_counts_now]);
  return counts[k_counts_total];
}

EvaluationCounts as_counts(const PassCounts& seen) {
  EvaluationCounts counts;
  counts.outside_table = static_cast<std::int64_t>(seen.outside_table);
  counts.sel_overflow = static_cast<std::int64_t>(seen.sel_overflow);
  if (seen.first_atom != 0) counts.first_outside_atom = static_cast<std::int32_t>(~seen.first_atom);
  if (seen.smallest_r2 != 0) counts.smallest_distance = std::sqrt(std::bit_cast<double>(~seen.smallest_r2));
  return counts;
}

template class ModelEngine<double>;
template class ModelEngine<float>;

void number_centres(Stream& stream, const DeviceAtoms& atoms, int n_types, const std::int32_t* model,
                    std::int32_t* centre) {
  launch(stream, NumberCentres{atoms.type.data(), atoms.replica.data(), model, centre, atoms.nlocal, n_types},
         grid_for(atoms.nlocal));
}

std::unique_ptr<NetEngine> make_engine(Stream& stream, Plans plans, std::int64_t chunk_rows) {
  switch (plans.at(0)->precision) {
    case Precision::fp64:
      return std::make_unique<ModelEngine<double>>(stream, std::move(plans), Products::fp64, chunk_rows);
    case Precision::mixed:
      return std::make_unique<ModelEngine<float>>(stream, std::move(plans), Products::split, chunk_rows);
    case Precision::fast:
      break;
  }
  return std::make_unique<ModelEngine<float>>(stream, std::move(plans), Products::single_pass, chunk_rows);
}

}  // namespace nanoday::NANODAY_GPU
