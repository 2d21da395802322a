// The particle mesh on the device: charges to mesh, influence function, fields back to the charges.
// SPDX-License-Identifier: Apache-2.0
//
// A warp serves one charge: its lanes compute one weight each and then take the P³ points of the stencil by
// turns, neighbors in memory side by side. The charge mesh is summed in 64-bit fixed point, so that the order
// of charges changes no bit; everything else has one owner per result.
#include "cuda/pppm.hpp"

#include "cuda/block_sums.hpp"
#include "math/charge_assignment.hpp"
#include "math/influence_function.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace nanoday::NANODAY_GPU {
namespace {

constexpr int k_charge_threads = 128;  // four charges per block: small systems still fill the device
constexpr int k_mode_threads = 256;
constexpr std::int64_t k_mode_blocks = 1056;  // eight on each of 132 multiprocessors
constexpr int k_convert_threads = 256, k_convert_each = 4;

/// Where one charge touches the mesh and how strongly; in shared memory, one per warp.
struct alignas(16) WarpStencil {
  double weight[3][k_weight_row];  ///< along a, b, c; zeros behind the P-th
  double slope[3][k_weight_row];   ///< their derivatives by δ; only where asked for
  int start[4];                    ///< first mesh point, wrapped into the mesh
};

/// The charge of this warp.
struct WarpCharge {
  std::int64_t index;
  int system;
  bool exists;
  Vec4 q;  ///< position and charge; a charge 0 at the origin where none exists
};

NANODAY_DEVICE WarpCharge warp_charge(const Block& block, const DeviceMesh& mesh,
                                      const View<const Vec4>& charge) {
  const std::int64_t i = static_cast<std::int64_t>(block.block()) * block.warps() + block.warp();
  const bool exists = i < static_cast<std::int64_t>(charge.size());
  if (!exists) return {i, 0, false, Vec4{}};
  const std::int64_t each = static_cast<std::int64_t>(charge.size()) / mesh.systems;
  return {i, mesh.systems == 1 ? 0 : static_cast<int>(i / each), true, charge[i]};
}

/// One of three values without an array, which would live in slow memory.
template <class T>
NANODAY_DEVICE T pick(int d, const T& a, const T& b, const T& c) {
  return d == 0 ? a : d == 1 ? b : c;
}

/// Weight of stencil point m, or its derivative by δ: one lane's part of assignment_weights(), _slopes().
template <int P>
NANODAY_DEVICE double weight_at(const AssignmentPolynomials<P>& poly, int m, double delta) {
  double w = poly.coefficient[P - 1][m];
  for (int l = P - 2; l >= 0; --l) w = w * delta + poly.coefficient[l][m];
  return w;
}
template <int P>
NANODAY_DEVICE double slope_at(const AssignmentPolynomials<P>& poly, int m, double delta) {
  double w = (P - 1) * poly.coefficient[P - 1][m];
  for (int l = P - 2; l >= 1; --l) w = w * delta + l * poly.coefficient[l][m];
  return w;
}

/// Fills this warp's stencil, with slopes where asked for; false in every lane when the charge has no place
/// on the mesh.
template <int P>
NANODAY_DEVICE bool make_stencil(Block& block, const AssignmentPolynomials<P>& poly, const DeviceMesh& mesh,
                                 const Vec4& q, bool slopes, WarpStencil& s) {
  constexpr double k_far = 0x1p40;  // beyond it a coordinate has lost its place among the mesh points
  const int d = block.lane() / k_weight_row, m = block.lane() % k_weight_row;
  const Vec3 row = pick(d, mesh.row[0], mesh.row[1], mesh.row[2]);
  const double n = pick(d, mesh.n[0], mesh.n[1], mesh.n[2]);
  const MeshPlace place = mesh_place<P>(dot(row, xyz(q) - mesh.origin));
  const bool placed = std::fabs(place.first) < k_far && q.w - q.w == 0;
  const bool all_placed = block.ballot(!placed) == 0;
  if (d < 3) {
    s.weight[d][m] = weight_at<P>(poly, m, place.delta);
    if (slopes) s.slope[d][m] = slope_at<P>(poly, m, place.delta);
    if (m == 0) {
      double start = all_placed ? place.first - n * std::floor(place.first / n) : 0;
      if (start >= n) start -= n;  // the quotient was rounded
      if (start < 0) start += n;
      s.start[d] = static_cast<int>(start);
    }
  }
  block.sync_warp();
  return all_placed;
}

/// Point t of a stencil: its indices in the stencil and its place on the mesh.
struct StencilPoint {
  int a, b, c;
  std::int64_t at;
};
template <int P>
NANODAY_DEVICE StencilPoint stencil_point(const DeviceMesh& mesh, const WarpStencil& s, int t) {
  const int a = t / (P * P), b = t / P % P, c = t % P;
  int i = s.start[0] + a, j = s.start[1] + b, k = s.start[2] + c;
  if (i >= mesh.n[0]) i -= mesh.n[0];
  if (j >= mesh.n[1]) j -= mesh.n[1];
  if (k >= mesh.n[2]) k -= mesh.n[2];
  return {a, b, c, (static_cast<std::int64_t>(i) * mesh.n[1] + j) * mesh.n[2] + k};
}

template <int P>
struct Spread {
  static constexpr const char* k_name = "spread";
  DeviceMesh mesh;
  View<const Vec4> charge;
  std::int64_t* fixed;
  ChargeFlags* flags;
  AssignmentPolynomials<P> poly = assignment_polynomials<P>();

  NANODAY_DEVICE void operator()(Block& block) const {
    WarpStencil& s = block.shared<WarpStencil>(0)[block.warp()];
    const WarpCharge mine = warp_charge(block, mesh, charge);
    const bool placed = make_stencil<P>(block, poly, mesh, mine.q, false, s);
    const bool fits = std::fabs(mine.q.w) < k_max_charge;
    if (block.lane() == 0 && mine.exists) report(mine, placed, fits);
    if (!mine.exists || !placed || !fits) return;
    std::int64_t* const points = fixed + mine.system * mesh.points();
    constexpr double k_round = 0x1.8p52;  // numbers near it are spaced by one: adding it rounds to an integer
    const double share = k_charge_scale * mine.q.w;
    for (int t = block.lane(); t < P * P * P; t += k_warp) {
      const StencilPoint p = stencil_point<P>(mesh, s, t);
      const double row = share * s.weight[0][p.a] * s.weight[2][p.c];
      const double rounded = std::fma(s.weight[1][p.b], row, k_round);
      atomic_add(points + p.at, std::bit_cast<std::int64_t>(rounded) - std::bit_cast<std::int64_t>(k_round));
    }
  }

  NANODAY_DEVICE void report(const WarpCharge& mine, bool placed, bool fits) const {
    ChargeFlags* const flag = flags + mine.system;
    const auto first = static_cast<std::int64_t>(charge.size()) / mesh.systems * mine.system;
    if (!placed) atomic_max(&flag->lost, static_cast<std::uint32_t>(mine.index - first + 1));
    if (placed && !fits) atomic_or(&flag->overflow, 1u);
  }
};

/// Every system has `rows` blocks.
struct Convert {
  static constexpr const char* k_name = "convert";
  std::int64_t* all_fixed;
  double* all_real;
  std::int64_t points, rows;
  ChargeFlags* flags;

  NANODAY_DEVICE void operator()(Block& block) const {
    constexpr auto limit = static_cast<std::int64_t>(k_max_point_charge * k_charge_scale);
    const std::int64_t system = block.block() / rows;
    std::int64_t* const fixed = all_fixed + system * points;
    double* const real = all_real + system * points;
    const std::int64_t first = block.block() % rows * block.size() * k_convert_each + block.thread();
    std::int64_t value[k_convert_each];
    for (int j = 0; j < k_convert_each; ++j) {
      const std::int64_t i = first + j * block.size();
      value[j] = i < points ? fixed[i] : 0;
    }
    bool overflow = false;
    for (int j = 0; j < k_convert_each; ++j) {
      const std::int64_t i = first + j * block.size();
      overflow = overflow || value[j] >= limit || value[j] <= -limit;
      if (i < points) {
        real[i] = static_cast<double>(value[j]) / k_charge_scale;
        fixed[i] = 0;
      }
    }
    if (overflow) atomic_or(&flags[system].overflow, 1u);
  }
};

/// One mode of the half spectrum: its frequencies, and which of them are −N/2.
struct HalfMode {
  int frequency[3];
  bool edge[3];
  double multiplicity;  ///< modes of the whole spectrum it stands for
};

NANODAY_DEVICE HalfMode half_mode(const DeviceMesh& mesh, std::uint32_t m) {
  const std::uint32_t row = mesh.n[2] / 2 + 1, b_and_a = m / row;
  const int c = static_cast<int>(m - b_and_a * row);
  const int a = static_cast<int>(b_and_a / mesh.n[1]), b = static_cast<int>(b_and_a % mesh.n[1]);
  return {{mesh_frequency(a, mesh.n[0]), mesh_frequency(b, mesh.n[1]), mesh_frequency(c, mesh.n[2])},
          {2 * a == mesh.n[0], 2 * b == mesh.n[1], 2 * c == mesh.n[2]},
          c == 0 || 2 * c == mesh.n[2] ? 1.0 : 2.0};
}

/// What |spectrum|² of a mode is multiplied by in the virial: the mean of both waves on an edge.
NANODAY_DEVICE std::array<double, 6> virial_weights(const ModeTables& tables, const HalfMode& m, double green,
                                                    double difference) {
  const int* f = m.frequency;
  if (f[0] == 0 && f[1] == 0 && f[2] == 0) return {};
  const auto wave = [&](double a, double b, double c) {
    return a * tables.reciprocal[0] + b * tables.reciprocal[1] + c * tables.reciprocal[2];
  };
  std::array<double, 6> weight = virial_factor(wave(f[0], f[1], f[2]), tables.beta);
  if (!m.edge[0] && !m.edge[1] && !m.edge[2]) {
    for (int j = 0; j < 6; ++j) weight[j] *= green;
    return weight;
  }
  const auto mirror = virial_factor(
      wave(m.edge[0] ? f[0] : -f[0], m.edge[1] ? f[1] : -f[1], m.edge[2] ? f[2] : -f[2]), tables.beta);
  for (int j = 0; j < 6; ++j)
    weight[j] = (green + difference) / 2 * weight[j] + (green - difference) / 2 * mirror[j];
  return weight;
}

/// Every system has `rows` blocks; a channel of all systems stands before the next channel, so that a thread
/// overwrites no spectrum but its own.
template <InfluencePass Pass, bool Sums>
struct Influence {
  static constexpr const char* k_name = "influence";
  DeviceMesh mesh;
  ModeTables tables;
  const Complex* spectrum;
  Complex* out;
  double* partial;
  std::int64_t rows;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t modes = mesh.modes(), first = block.block() / rows * modes;
    double sum[7] = {};
    for (std::int64_t m = block.block() % rows * block.size() + block.thread(); m < modes;
         m += rows * block.size()) {
      const HalfMode mode = half_mode(mesh, static_cast<std::uint32_t>(m));
      const Complex s = spectrum[first + m];
      const double green = tables.green[m];
      const double difference = tables.edge_difference ? tables.edge_difference[m] : 0.0;
      if (Sums) add_shares(mode, s, green, difference, sum);
      write(mode, first + m, s, green, difference);
    }
    if (Sums) {
      const double total = block_sums(block, sum, block.shared<double>(0));
      if (block.thread() < 7) partial[7 * block.block() + block.thread()] = total / 2;
    }
  }

  NANODAY_DEVICE void add_shares(const HalfMode& mode, Complex s, double green, double difference,
                                 double (&sum)[7]) const {
    const double square = mode.multiplicity * (s.re * s.re + s.im * s.im);
    const auto weight = virial_weights(tables, mode, green, difference);
    sum[0] += green * square;
    for (int j = 0; j < 6; ++j) sum[1 + j] += weight[j] * square;
  }

  NANODAY_DEVICE void write(const HalfMode& mode, std::int64_t at, Complex s, double green,
                            double difference) const {
    const std::int64_t channel = mesh.systems * mesh.modes();
    if constexpr (Pass == InfluencePass::potential) {
      out[at] = {green * s.re, green * s.im};
    } else if constexpr (Pass == InfluencePass::derivatives) {
      for (int d = 0; d < 3; ++d) {
        const double slope = mode.frequency[d] * (mode.edge[d] ? difference : green);
        out[d * channel + at] = {-slope * s.im, slope * s.re};
      }
    } else {
      constexpr int first = Pass == InfluencePass::virial_first ? 0 : 3;
      const auto weight = virial_weights(tables, mode, green, difference);
      for (int c = 0; c < 3; ++c)
        out[c * channel + at] = {weight[first + c] * s.re, weight[first + c] * s.im};
    }
  }
};

/// Fields at the charges: values of three or one of them, or the slopes of one.
enum class Gathered { three_values, one_value, slopes };

/// Σ over the stencil in every lane.
template <int P, Gathered What>
NANODAY_DEVICE Vec3 stencil_sum(Block& block, const DeviceMesh& mesh, const WarpStencil& s,
                                const double* all_fields, const WarpCharge& mine) {
  const double* const field = all_fields + mine.system * mesh.points();
  const std::int64_t channel = mesh.systems * mesh.points();
  double x = 0, y = 0, z = 0;
  for (int t = block.lane(); mine.exists && t < P * P * P; t += k_warp) {
    const StencilPoint p = stencil_point<P>(mesh, s, t);
    const double wa = s.weight[0][p.a], wb = s.weight[1][p.b], wc = s.weight[2][p.c];
    const double value = field[p.at];
    if constexpr (What == Gathered::slopes) {
      x += s.slope[0][p.a] * wb * wc * value;
      y += wa * s.slope[1][p.b] * wc * value;
      z += wa * wb * s.slope[2][p.c] * value;
    } else {
      const double w = wa * wb * wc;
      x += w * value;
      if constexpr (What == Gathered::three_values) {
        y += w * field[channel + p.at];
        z += w * field[2 * channel + p.at];
      }
    }
  }
  if constexpr (What == Gathered::one_value) return {warp_sum(block, x), 0, 0};
  return {warp_sum(block, x), warp_sum(block, y), warp_sum(block, z)};
}

/// Self-force of spec dplr.md 3.3: of the coordinate itself, wherever the box begins.
NANODAY_DEVICE double self_force_along(const DeviceMesh& mesh, const ForceRule& rule, int d, const Vec4& q) {
  const double p = pick(d, q.x * mesh.row[0].x, q.y * mesh.row[1].y, q.z * mesh.row[2].z);
  const double phase = 2 * M_PI * (p - std::floor(p));
  const double once = pick(d, rule.self[0][0], rule.self[1][0], rule.self[2][0]);
  const double twice = pick(d, rule.self[0][1], rule.self[1][1], rule.self[2][1]);
  return q.w * q.w * std::sin(phase) * (once + 2 * twice * std::cos(phase));
}

template <int P, Gathered What>
struct GatherForces {
  static constexpr const char* k_name = "gather_forces";
  DeviceMesh mesh;
  ForceRule rule;
  View<const Vec4> charge;
  const double* field;
  Vec4* force;
  AssignmentPolynomials<P> poly = assignment_polynomials<P>();

  NANODAY_DEVICE void operator()(Block& block) const {
    constexpr bool slopes = What == Gathered::slopes;
    WarpStencil& s = block.shared<WarpStencil>(0)[block.warp()];
    const WarpCharge mine = warp_charge(block, mesh, charge);
    const bool placed = make_stencil<P>(block, poly, mesh, mine.q, slopes, s);
    const Vec3 g = stencil_sum<P, What>(block, mesh, s, field, mine);
    Vec3 f =
        mine.q.w * (g.x * rule.to_cartesian[0] + g.y * rule.to_cartesian[1] + g.z * rule.to_cartesian[2]);
    if (slopes) {  // a lane for each direction, brought together in lane 0
      const double self = self_force_along(mesh, rule, block.lane() < 2 ? block.lane() : 2, mine.q);
      const double y = block.shuffle(self, 1), z = block.shuffle(self, 2);
      f = f - Vec3{self, y, z};
    }
    if (!placed) f = {std::numeric_limits<double>::quiet_NaN(), 0, 0};
    if (block.lane() == 0 && mine.exists) force[mine.index] = padded(f);
  }
};

template <int P>
struct GatherEnergies {
  static constexpr const char* k_name = "gather_energies";
  DeviceMesh mesh;
  View<const Vec4> charge;
  const double* field;
  double* energy;
  AssignmentPolynomials<P> poly = assignment_polynomials<P>();

  NANODAY_DEVICE void operator()(Block& block) const {
    WarpStencil& s = block.shared<WarpStencil>(0)[block.warp()];
    const WarpCharge mine = warp_charge(block, mesh, charge);
    make_stencil<P>(block, poly, mesh, mine.q, false, s);
    const Vec3 v = stencil_sum<P, Gathered::one_value>(block, mesh, s, field, mine);
    if (block.lane() == 0 && mine.exists) energy[mine.index] = mine.q.w / 2 * v.x;
  }
};

template <int P>
struct GatherVirials {
  static constexpr const char* k_name = "gather_virials";
  DeviceMesh mesh;
  View<const Vec4> charge;
  const double* field;
  bool first;
  std::array<double, 9>* virial;
  AssignmentPolynomials<P> poly = assignment_polynomials<P>();

  NANODAY_DEVICE void operator()(Block& block) const {
    WarpStencil& s = block.shared<WarpStencil>(0)[block.warp()];
    const WarpCharge mine = warp_charge(block, mesh, charge);
    make_stencil<P>(block, poly, mesh, mine.q, false, s);
    const Vec3 v = mine.q.w / 2 * stencil_sum<P, Gathered::three_values>(block, mesh, s, field, mine);
    if (block.lane() != 0 || !mine.exists) return;
    std::array<double, 9>& w = virial[mine.index];
    if (first) {
      w[0] = v.x;
      w[1] = w[3] = v.y;
      w[2] = w[6] = v.z;
    } else {
      w[4] = v.x;
      w[5] = w[7] = v.y;
      w[8] = v.z;
    }
  }
};

// ------------------------------------------------------------------------------------------------------

/// Calls function.template operator()<order>().
template <class Function>
void with_order(int order, Function&& function) {
  switch (order) {
    case 2:
      return function.template operator()<2>();
    case 3:
      return function.template operator()<3>();
    case 4:
      return function.template operator()<4>();
    case 5:
      return function.template operator()<5>();
    case 6:
      return function.template operator()<6>();
    default:
      return function.template operator()<7>();
  }
}

/// A warp for each of n charges.
Grid charge_grid(std::size_t n) {
  constexpr int each = k_charge_threads / k_warp;
  return {static_cast<std::int64_t>((n + each - 1) / each), k_charge_threads, each * sizeof(WarpStencil)};
}

}  // namespace

void spread_charges(Stream& stream, int order, const DeviceMesh& mesh, View<const Vec4> charge,
                    std::int64_t* fixed, ChargeFlags* flags) {
  with_order(order, [&]<int P>() {
    launch(stream, Spread<P>{mesh, charge, fixed, flags}, charge_grid(charge.size()));
  });
}

void convert_charges(Stream& stream, const DeviceMesh& mesh, std::int64_t* fixed, double* real,
                     ChargeFlags* flags) {
  const std::int64_t each = k_convert_threads * k_convert_each, rows = (mesh.points() + each - 1) / each;
  launch(stream, Convert{fixed, real, mesh.points(), rows, flags},
         {rows * mesh.systems, k_convert_threads, 0});
}

std::int64_t influence_rows(const DeviceMesh& mesh) {
  const std::int64_t blocks = (mesh.modes() + k_mode_threads - 1) / k_mode_threads;
  return blocks < k_mode_blocks ? blocks : k_mode_blocks;
}

void apply_influence(Stream& stream, const DeviceMesh& mesh, const ModeTables& tables, InfluencePass pass,
                     const Complex* spectrum, Complex* out, double* partial) {
  using enum InfluencePass;
  const auto run = [&]<InfluencePass Pass>() {
    const std::int64_t rows = influence_rows(mesh);
    Grid grid{rows * mesh.systems, k_mode_threads, 0};
    if (!partial) {
      launch(stream, Influence<Pass, false>{mesh, tables, spectrum, out, nullptr, rows}, grid);
      return;
    }
    grid.shared_bytes = block_sums_bytes<7>(k_mode_threads);
    launch(stream, Influence<Pass, true>{mesh, tables, spectrum, out, partial, rows}, grid);
  };
  if (pass == derivatives) return run.template operator()<derivatives>();
  if (pass == potential) return run.template operator()<potential>();
  if (pass == virial_first) return run.template operator()<virial_first>();
  run.template operator()<virial_second>();
}

void gather_forces(Stream& stream, int order, const DeviceMesh& mesh, View<const Vec4> charge,
                   const double* field, const ForceRule& rule, bool ik, Vec4* force) {
  using enum Gathered;
  with_order(order, [&]<int P>() {
    const Grid grid = charge_grid(charge.size());
    if (ik)
      launch(stream, GatherForces<P, three_values>{mesh, rule, charge, field, force}, grid);
    else
      launch(stream, GatherForces<P, slopes>{mesh, rule, charge, field, force}, grid);
  });
}

void gather_energies(Stream& stream, int order, const DeviceMesh& mesh, View<const Vec4> charge,
                     const double* field, double* energy) {
  with_order(order, [&]<int P>() {
    launch(stream, GatherEnergies<P>{mesh, charge, field, energy}, charge_grid(charge.size()));
  });
}

void gather_virials(Stream& stream, int order, const DeviceMesh& mesh, View<const Vec4> charge,
                    const double* field, InfluencePass pass, std::array<double, 9>* virial) {
  const bool first = pass == InfluencePass::virial_first;
  with_order(order, [&]<int P>() {
    launch(stream, GatherVirials<P>{mesh, charge, field, first, virial}, charge_grid(charge.size()));
  });
}

}  // namespace nanoday::NANODAY_GPU
