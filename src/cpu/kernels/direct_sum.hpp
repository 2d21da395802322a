// Loops of the direct sum over vectors of charges.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/direct_sum_kernels.hpp"
#include "cpu/kernels/simd.hpp"

namespace nanoday::cpu::NANODAY_ISA {

using Double = Vec<double>;
typedef std::uint64_t Count __attribute__((vector_size(NANODAY_VECTOR_BYTES)));
inline constexpr int k_width = k_lanes<double>;
static_assert(k_charge_tile % k_width == 0 && k_charge_chunk % k_charge_tile == 0);

/// Columns that one pass over a chunk sums: as many accumulators as registers allow.
inline constexpr int k_columns = NANODAY_VECTOR_REGISTERS == 32 ? 6 : 2;
/// Vectors of charges that one pass over a line evaluates.
inline constexpr int k_vectors = NANODAY_VECTOR_REGISTERS == 32 ? 2 : 1;
static_assert(k_charge_tile % (k_vectors * k_width) == 0);

inline void fill_waves(double* axis, std::int64_t stride, int n_max, std::int64_t first, std::int64_t last) {
  for (int n = 2; n <= n_max; ++n) {
    if (n % k_anchor == 0) continue;
    const int low = n < k_anchor ? 1 : n % k_anchor, high = n - low;
    const double *a = axis + (2 * low - 1) * stride, *b = axis + (2 * high - 1) * stride;
    double* out = axis + (2 * n - 1) * stride;
    for (std::int64_t i = first; i < last; i += k_width) {
      const Double ac = load(a + i), as = load(a + stride + i), bc = load(b + i), bs = load(b + stride + i);
      store(out + i, ac * bc - as * bs);
      store(out + stride + i, ac * bs + as * bc);
    }
  }
}

/// x·y waves of a line for `n` charges from `begin`, (rows, k_charge_chunk).
template <int Rows>
void line_products(const ChargeWaves& w, const ReciprocalLine& line, std::int64_t begin, std::int64_t n,
                   double* out) {
  const double* x[2] = {w.axis[0] + (line.nx == 0 ? 0 : 2 * line.nx - 1) * w.stride + begin, nullptr};
  const double* y[2] = {w.axis[1] + (line.ny == 0 ? 0 : 2 * line.ny - 1) * w.stride + begin, nullptr};
  x[1] = x[0] + w.stride;
  y[1] = y[0] + w.stride;
  for (int r = 0; r < Rows; ++r) {
    const double* xr = x[Rows == 4 ? r / 2 : (Rows == 2 && line.ny == 0 ? r : 0)];
    const double* yr = y[Rows == 4 ? r % 2 : (Rows == 2 && line.ny == 0 ? 0 : r)];
    for (std::int64_t i = 0; i < n; i += k_width)
      store(out + r * k_charge_chunk + i, load(xr + i) * load(yr + i));
  }
}

/// One term of a sum as it is: doubles.
struct PlainSum {
  using Number = double;
  using Sum = Double;
  NANODAY_INLINE void add(Sum& sum, Double a, Double b) const { sum += a * b; }
  NANODAY_INLINE Number total(Sum sum, std::int64_t) const {
    double s = 0;
    for (int l = 0; l < k_width; ++l) s += sum[l];
    return s;
  }
};

/// Terms rounded to multiples of 2^-bits by adding 1.5 · 2^(52 − bits), whose bit pattern then counts them;
/// integers add up to the same sum in any order.
struct FixedSum {
  using Number = std::int64_t;
  using Sum = Count;
  Double magic;
  std::uint64_t magic_bits;
  NANODAY_INLINE void add(Sum& sum, Double a, Double b) const { sum += bits<Count>(a * b + magic); }
  NANODAY_INLINE Number total(Sum sum, std::int64_t terms) const {
    std::uint64_t s = 0;  // wraps, and wraps back
    for (int l = 0; l < k_width; ++l) s += sum[l];
    return static_cast<std::int64_t>(s - static_cast<std::uint64_t>(terms) * magic_bits);
  }
};

/// table[c][r] (+)= Σ_i rows[r][i] z[c][i] for `Columns` columns.
template <int Rows, int Columns, class Sum>
NANODAY_INLINE void sum_block(const Sum& how, const double* rows, const double* z, std::int64_t stride,
                              std::int64_t n, typename Sum::Number* table, bool start) {
  typename Sum::Sum sum[Rows][Columns] = {};
  for (std::int64_t i = 0; i < n; i += k_width) {
    Double a[Rows];
    for (int r = 0; r < Rows; ++r) a[r] = load(rows + r * k_charge_chunk + i);
    for (int c = 0; c < Columns; ++c) {
      const Double zc = load(z + c * stride + i);
      for (int r = 0; r < Rows; ++r) how.add(sum[r][c], a[r], zc);
    }
  }
  for (int c = 0; c < Columns; ++c)
    for (int r = 0; r < Rows; ++r) {
      const auto total = how.total(sum[r][c], n);
      table[c * Rows + r] = start ? total : table[c * Rows + r] + total;
    }
}

template <int Rows, class Sum>
void sum_line(const Sum& how, const ChargeWaves& w, const ReciprocalLine& line, std::int64_t begin,
              std::int64_t n, typename Sum::Number* table, double* scratch) {
  line_products<Rows>(w, line, begin, n, scratch);
  const double* z = w.axis[2] + begin;
  int c = 0;
  for (; c + k_columns <= line.columns; c += k_columns)
    sum_block<Rows, k_columns>(how, scratch, z + c * w.stride, w.stride, n, table + c * Rows, begin == 0);
  if constexpr (k_columns > 3)
    for (; c + 3 <= line.columns; c += 3)
      sum_block<Rows, 3>(how, scratch, z + c * w.stride, w.stride, n, table + c * Rows, begin == 0);
  for (; c < line.columns; ++c)
    sum_block<Rows, 1>(how, scratch, z + c * w.stride, w.stride, n, table + c * Rows, begin == 0);
}

template <class Sum>
void sum_lines(const Sum& how, const ChargeWaves& w, const ReciprocalLine* first, const ReciprocalLine* last,
               typename Sum::Number* table, double* scratch) {
  for (std::int64_t begin = 0; begin < w.count; begin += k_charge_chunk) {
    const std::int64_t n = w.count - begin < k_charge_chunk ? w.count - begin : k_charge_chunk;
    for (const ReciprocalLine* line = first; line != last; ++line) {
      typename Sum::Number* out = table + line->table;
      if (line->rows == 4)
        sum_line<4>(how, w, *line, begin, n, out, scratch);
      else if (line->rows == 2)
        sum_line<2>(how, w, *line, begin, n, out, scratch);
      else
        sum_line<1>(how, w, *line, begin, n, out, scratch);
    }
  }
}

inline void sum_waves(const ChargeWaves& w, const ReciprocalLine* first, const ReciprocalLine* last,
                      double* table, double* scratch) {
  sum_lines(PlainSum{}, w, first, last, table, scratch);
}

inline void sum_waves_fixed(const ChargeWaves& w, const ReciprocalLine* first, const ReciprocalLine* last,
                            std::int64_t* table, double* scratch, int binary_places) {
  const double magic = 1.5 * __builtin_ldexp(1.0, 52 - binary_places);
  sum_lines(FixedSum{broadcast(magic), bits<std::uint64_t>(magic)}, w, first, last, table, scratch);
}

/// Σ over the lines of one nx, still to be multiplied by the x waves: cos and sin part of φ and of its slopes
/// along y and z.
struct PlaneSums {
  Double phi[2][k_vectors], y[2][k_vectors], z[2][k_vectors];
};

/// u[r] = Σ_c table[c][r] z_c, v[r] the same with dz_c/d(2πf), then the y waves.
template <int Rows>
NANODAY_INLINE void add_line(const ChargeWaves& w, const ReciprocalLine& line, const double* table,
                             const double* z, const double* dz, std::int64_t at, PlaneSums& plane) {
  Double u[Rows][k_vectors] = {}, v[Rows][k_vectors] = {};
  for (int c = 0; c < line.columns; ++c)
    for (int k = 0; k < k_vectors; ++k) {
      const Double zc = load(z + c * k_charge_tile + k * k_width);
      const Double dzc = load(dz + c * k_charge_tile + k * k_width);
      for (int r = 0; r < Rows; ++r) {
        u[r][k] += table[c * Rows + r] * zc;
        v[r][k] += table[c * Rows + r] * dzc;
      }
    }
  const bool y_pair = line.ny > 0;
  const double* wave = w.axis[1] + (y_pair ? 2 * line.ny - 1 : 0) * w.stride + at;
  for (int k = 0; k < k_vectors; ++k) {
    if (!y_pair) {  // rows: cos x, or cos x and sin x
      for (int r = 0; r < (Rows < 2 ? Rows : 2); ++r) {
        plane.phi[r][k] += u[r][k];
        plane.z[r][k] += v[r][k];
      }
      continue;
    }
    const Double c = load(wave + k * k_width), s = load(wave + w.stride + k * k_width);
    const double n = line.ny;
    for (int r = 0; 2 * r + 1 < Rows; ++r) {
      plane.phi[r][k] += c * u[2 * r][k] + s * u[2 * r + 1][k];
      plane.y[r][k] += n * (c * u[2 * r + 1][k] - s * u[2 * r][k]);
      plane.z[r][k] += c * v[2 * r][k] + s * v[2 * r + 1][k];
    }
  }
}

/// Multiplies by the x waves of index nx (which carry the charge) and adds to φ and its slopes.
NANODAY_INLINE void add_plane(const ChargeWaves& w, int nx, std::int64_t at, const PlaneSums& plane,
                              double* out) {
  for (int k = 0; k < k_vectors; ++k) {
    double* o = out + k * k_width;
    const double* wave = w.axis[0] + (nx == 0 ? 0 : 2 * nx - 1) * w.stride + at + k * k_width;
    const Double c = load(wave), s = nx == 0 ? Double{} : load(wave + w.stride);
    const double n = nx;
    store(o, load(o) + (c * plane.phi[0][k] + s * plane.phi[1][k]));
    store(o + k_charge_tile, load(o + k_charge_tile) + n * (c * plane.phi[1][k] - s * plane.phi[0][k]));
    store(o + 2 * k_charge_tile, load(o + 2 * k_charge_tile) + (c * plane.y[0][k] + s * plane.y[1][k]));
    store(o + 3 * k_charge_tile, load(o + 3 * k_charge_tile) + (c * plane.z[0][k] + s * plane.z[1][k]));
  }
}

/// Copies the z waves of a tile side by side, with their slopes: −n sin for cos, n cos for sin.
inline void tile_waves(const ChargeWaves& w, int columns, std::int64_t tile, double* z, double* dz) {
  for (int c = 0; c < columns; ++c) {
    const int n = (c + 1) / 2;
    const double* own = w.axis[2] + c * w.stride + tile;
    const double* other = c == 0 ? own : (c % 2 == 1 ? own + w.stride : own - w.stride);
    const double factor = c % 2 == 1 ? -n : n;
    for (int i = 0; i < k_charge_tile; i += k_width) {
      store(z + c * k_charge_tile + i, load(own + i));
      store(dz + c * k_charge_tile + i, factor * load(other + i));
    }
  }
}

inline void evaluate(const ChargeWaves& w, const ReciprocalLine* first, const ReciprocalLine* last,
                     const double* table, std::int64_t begin, std::int64_t end, double* out,
                     double* scratch) {
  int columns = 0;
  for (const ReciprocalLine* line = first; line != last; ++line)
    columns = line->columns > columns ? line->columns : columns;
  double* slopes = scratch + static_cast<std::int64_t>(columns) * k_charge_tile;
  for (std::int64_t tile = begin; tile < end; tile += k_charge_tile, out += 4 * k_charge_tile) {
    tile_waves(w, columns, tile, scratch, slopes);
    for (int i = 0; i < 4 * k_charge_tile; ++i) out[i] = 0;
    for (int part = 0; part < k_charge_tile; part += k_vectors * k_width)
      for (const ReciprocalLine* line = first; line != last;) {
        PlaneSums plane = {};
        const int nx = line->nx;
        for (; line != last && line->nx == nx; ++line) {
          const double* t = table + line->table;
          if (line->rows == 4)
            add_line<4>(w, *line, t, scratch + part, slopes + part, tile + part, plane);
          else if (line->rows == 2)
            add_line<2>(w, *line, t, scratch + part, slopes + part, tile + part, plane);
          else
            add_line<1>(w, *line, t, scratch + part, slopes + part, tile + part, plane);
        }
        add_plane(w, nx, tile + part, plane, out + part);
      }
  }
}

}  // namespace nanoday::cpu::NANODAY_ISA
