// Particle-particle particle-mesh: charges to mesh planes, and the transforms there and back.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/pppm.hpp"

#include "cpu/first_touch.hpp"
#include "math/influence_function.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace nanoday::cpu {

namespace {

double* reals(Complex* p) { return reinterpret_cast<double*>(p); }
const double* reals(const Complex* p) { return reinterpret_cast<const double*>(p); }

/// Factor of a derivative; the frequency −N/2 has none, its sine vanishes on every mesh point.
double slope_of(int index, int n) { return 2 * index == n ? 0 : mesh_frequency(index, n); }

}  // namespace

void Pppm::make_plans() {
  make_own();
  if (!leads()) return;
  const auto& n = layout_.n;
  const int row = layout_.complex_row, pairs = layout_.pairs;
  const Sequences mesh_columns{layout_.real_row / 2, 1}, half_columns{pairs, 1}, block_columns{row, 1};
  plane_forward_ = {n[1], pairs, mesh_columns, half_columns, Direction::forward};
  plane_backward_ = {n[1], pairs, half_columns, mesh_columns, Direction::backward};
  block_forward_ = {n[0], 2 * pairs, block_columns, block_columns, Direction::forward};
  block_backward_ = {n[0], 2 * pairs, block_columns, block_columns, Direction::backward};
  for (int block = 0; block < table_.blocks; ++block) {
    const int rows = table_.rows(block);
    if (row_plans_.contains(rows)) continue;
    const Sequences in_rows{1, row}, in_columns{rows, 1};
    row_plans_[rows] = {{n[2], rows, in_rows, in_columns, Direction::forward},
                        {n[2], rows, in_columns, in_rows, Direction::backward}};
  }
  for (int block = 0; block < table_.blocks; ++block) block_plans_.push_back(&row_plans_[table_.rows(block)]);
  resize_shared(spectrum_, table_.modes(), solvers(),
                [&](int t) { return table_.mode_first[first_block(t)]; });
  block_sum_.resize(table_.blocks);
  make_fields(static_cast<int>(force_channels_.size()));
}

/// What each thread needs for itself, beside it.
void Pppm::make_own() {
  const auto& n = layout_.n;
  on_each_thread(static_cast<int>(own_.size()), [&](int t) {
    Own& own = own_[t];
    if (fixed_) own.fixed_plane.resize(layout_.plane_size());
    own.charges.reserve(0, n[0]);
    if (!leads()) return;
    own.plane.resize(layout_.plane_size());
    own.half.resize(static_cast<std::size_t>(n[1]) * layout_.pairs);
    own.block.resize(layout_.block_size());
    own.rows.resize(layout_.block_size());
    own.product.resize(static_cast<std::size_t>(n[0]) * (n[2] + 1));
  });
}

/// Half-transformed rows lie beside those who transform them along a, fields beside those who do along b; but
/// what is made later, inside a team and only for virials of single charges, lies where its first member is.
void Pppm::make_fields(int count) {
  const auto first_row = [&](int t) { return first_block(t) * layout_.block_size(); };
  const auto first_plane = [&](int t) {
    return Team{t, solvers()}.share(layout_.n[0]).first * layout_.plane_size();
  };
  for (int c = 0; c < count; ++c) {
    resize_shared(half_[c], table_.blocks * layout_.block_size(), solvers(), first_row);
    if (node_) continue;
    resize_shared(own_field_[c], layout_.n[0] * layout_.plane_size(), solvers(), first_plane);
    field_[c] = own_field_[c];
  }
}

int Pppm::solvers() const {
  const int all = static_cast<int>(own_.size());
  return plan_.threads > 0 ? std::min(plan_.threads, all) : all;
}

std::int64_t Pppm::first_block(int solver) const {
  return Team{solver, solvers()}.share(table_.blocks).first;
}

void Pppm::spread_charges(const Team& team) {
  Own& own = own_[team.me];
  sort_charges(own);
  const auto [begin, end] = team.share(layout_.n[0]);
  for (auto plane = begin; plane < end; ++plane) {
    if (!fixed_) {
      charge_plane(own, static_cast<int>(plane));
    } else {
      PlaneLoad load;
      if (!spread_fixed_plane(own, static_cast<int>(plane), load)) overflow_ = true;
      plane_from_fixed(own, own.fixed_plane.data(), layout_.real_row);
    }
    transform_plane(own, static_cast<int>(plane));
  }
}

/// Every member sorts all charges for itself: one pass over 4-byte numbers costs less than meeting once more.
void Pppm::sort_charges(Own& own) const { own.charges.sort(start_a_.data(), n_charges_, layout_.n[0]); }

/// Charges whose stencil's point k along a lies in a plane.
TouchingCharges Pppm::touching(const Own& own, int plane, int k) const {
  const int start = plane >= k ? plane - k : plane - k + layout_.n[0];
  const auto& [order, bin] = own.charges;
  return {stencil_.data(), order.data(), bin[start], bin[start + 1], k};
}

void Pppm::charge_plane(Own& own, int plane) {
  std::fill(own.plane.begin(), own.plane.end(), 0.0);
  for (int k = 0; k < plan_.order; ++k)
    of_order_.spread(touching(own, plane, k), layout_.plane(), own.plane.data());
  const int points = layout_.n[2];
  for (int b = 0; b < layout_.n[1]; ++b) {
    double* row = own.plane.data() + static_cast<std::size_t>(b) * layout_.real_row;
    for (int c = 0; c < plan_.order - 1; ++c) row[c] += row[points + c];
    row[points] = 0;  // partner of the last point when their number is odd
  }
}

/// Charges of one plane into own.fixed_plane; false when they do not fit into fixed point (which is then
/// empty).
bool Pppm::spread_fixed_plane(Own& own, int plane, PlaneLoad& load) const {
  std::fill(own.fixed_plane.begin(), own.fixed_plane.end(), 0);
  for (int k = 0; k < plan_.order; ++k) load.add(touching(own, plane, k));
  if (!load.fits()) return false;
  for (int k = 0; k < plan_.order; ++k)
    of_order_.spread_fixed(touching(own, plane, k), layout_.plane(), own.fixed_plane.data());
  for (int b = 0; b < layout_.n[1]; ++b) {
    std::int64_t* row = own.fixed_plane.data() + static_cast<std::size_t>(b) * layout_.real_row;
    for (int c = 0; c < plan_.order - 1; ++c) row[c] += row[layout_.n[2] + c];
  }
  return true;
}

/// \param fixed (N_b, row)
void Pppm::plane_from_fixed(Own& own, const std::int64_t* fixed, int row) const {
  const int points = layout_.n[2];
  for (int b = 0; b < layout_.n[1]; ++b, fixed += row) {
    double* real = own.plane.data() + static_cast<std::size_t>(b) * layout_.real_row;
    for (int c = 0; c < points; ++c) real[c] = static_cast<double>(fixed[c]) / k_mesh_scale;
    real[points] = 0;  // partner of the last point when their number is odd
  }
}

/// Along b, two neighboring points along c at a time as real and imaginary part.
void Pppm::transform_plane(Own& own, int plane) {
  const int nb = layout_.n[1], pairs = layout_.pairs;
  plane_forward_.run(reinterpret_cast<const Complex*>(own.plane.data()), own.half.data());
  for (int block = 0; block < table_.blocks; ++block) {
    const Complex* at_k = own.half.data() + static_cast<std::size_t>(block) * pairs;
    const Complex* at_minus_k = own.half.data() + static_cast<std::size_t>((nb - block) % nb) * pairs;
    kernels_.split_pairs(reals(at_k), reals(at_minus_k), pairs, reals(half_row(0, block, plane)));
  }
}

Complex* Pppm::half_row(int field, int block, int plane) {
  return half_[field].data() + block * layout_.block_size() +
         static_cast<std::size_t>(plane) * layout_.complex_row;
}

void Pppm::solve_pass(const std::vector<Channel>& channels, bool first, const Needs& needs,
                      const Team& team) {
  Own& own = own_[team.me];
  const auto [first_block, last_block] = team.share(table_.blocks);
  for (int block = static_cast<int>(first_block); block < last_block; ++block) {
    if (first) {
      forward_block(own, block);
      sum_block(block, needs);
    }
    const Channel* before = nullptr;
    for (std::size_t c = 0; c < channels.size(); ++c) {
      if (!before || before->table != channels[c].table) transform_rows_back(own, block, channels[c]);
      backward_block(own, block, channels[c], static_cast<int>(c));
      before = &channels[c];
    }
  }
  team.wait();
  const auto [first_plane, last_plane] = team.share(layout_.n[0]);
  for (int plane = static_cast<int>(first_plane); plane < last_plane; ++plane)
    for (std::size_t c = 0; c < channels.size(); ++c)
      field_plane(own, plane, channels[c], static_cast<int>(c));
  team.wait();
}

/// Along a, then along c for the rows that matter.
void Pppm::forward_block(Own& own, int block) {
  block_forward_.run(half_row(0, block, 0), own.block.data());
  const int row = layout_.complex_row, rows = table_.rows(block);
  const int* row_a = table_.row_a.data() + table_.row_first[block];
  for (int r = 0; r < rows; ++r)
    std::memcpy(own.rows.data() + static_cast<std::size_t>(r) * row,
                own.block.data() + static_cast<std::size_t>(row_a[r]) * row, layout_.n[2] * sizeof(Complex));
  block_plans_[block]->forward.run(own.rows.data(), spectrum_.data() + table_.mode_first[block]);
}

void Pppm::sum_block(int block, const Needs& needs) {
  const bool energy = needs.energy || needs.atom_energy, virial = needs.virial || needs.atom_virial;
  const std::size_t at = table_.mode_first[block];
  const std::int64_t modes = static_cast<std::int64_t>(table_.rows(block)) * layout_.n[2];
  const double* spectrum = reals(spectrum_.data() + at);
  auto& sum = block_sum_[block];
  if (energy) sum[0] = kernels_.weighted_square(spectrum, table_.green.data() + at, modes);
  for (int c = 0; virial && c < 6; ++c)
    sum[c + 1] = kernels_.weighted_square(spectrum, virial_table_[c].data() + at, modes);
}

void Pppm::transform_rows_back(Own& own, int block, const Channel& channel) {
  const std::size_t at = table_.mode_first[block];
  const std::int64_t modes = static_cast<std::int64_t>(table_.rows(block)) * layout_.n[2];
  kernels_.multiply(reals(spectrum_.data() + at), channel.table->data() + at, modes, channel.times_i,
                    reals(own.product.data()));
  block_plans_[block]->backward.run(own.product.data(), own.rows.data());
}

void Pppm::backward_block(Own& own, int block, const Channel& channel, int field) {
  const int row = layout_.complex_row, first = table_.row_first[block], last = table_.row_first[block + 1];
  int r = first;
  for (int a = 0; a < layout_.n[0]; ++a) {
    Complex* out = own.block.data() + static_cast<std::size_t>(a) * row;
    if (r == last || table_.row_a[r] != a) {
      std::memset(reals(out), 0, row * sizeof(Complex));
      continue;
    }
    const Complex* in = own.rows.data() + static_cast<std::size_t>(r++ - first) * row;
    if (channel.along == Channel::along_a)
      kernels_.scale_by_i(reals(in), slope_of(a, layout_.n[0]), layout_.n[2], reals(out));
    else
      std::memcpy(reals(out), in, layout_.n[2] * sizeof(Complex));
    // The partner of an odd last point: what another block left there would change roundings.
    for (int c = layout_.n[2]; c < 2 * layout_.pairs; ++c) out[c] = {};
  }
  block_backward_.run(own.block.data(), half_row(field, block, 0));
}

/// Along b, and the start of each row repeated behind its end for stencils that stick out.
void Pppm::field_plane(Own& own, int plane, const Channel& channel, int field) {
  const int nb = layout_.n[1], pairs = layout_.pairs, points = layout_.n[2];
  for (int block = 0; block < table_.blocks; ++block) {
    const double slope = slope_of(block, nb);
    double* at_k = reals(own.half.data() + static_cast<std::size_t>(block) * pairs);
    // Frequencies 0 and N/2 are their own mirror: the mirror image, the same number, goes nowhere.
    double* at_minus_k = table_.multiplicity(block) == 1
                             ? reals(own.product.data())
                             : reals(own.half.data() + static_cast<std::size_t>(nb - block) * pairs);
    kernels_.join_pairs(reals(half_row(field, block, plane)), pairs,
                        channel.along == Channel::along_b ? &slope : nullptr, at_k, at_minus_k);
  }
  for (int b = table_.blocks; b <= nb - table_.blocks; ++b)
    std::memset(reals(own.half.data() + static_cast<std::size_t>(b) * pairs), 0, pairs * sizeof(Complex));
  double* mesh = field_[field].data() + plane * layout_.plane_size();
  plane_backward_.run(own.half.data(), reinterpret_cast<Complex*>(mesh));
  for (int b = 0; b < nb; ++b) {
    double* row = mesh + static_cast<std::size_t>(b) * layout_.real_row;
    for (int c = 0; c < k_weight_row - 1; ++c) row[points + c] = row[c % points];
  }
}

}  // namespace nanoday::cpu
