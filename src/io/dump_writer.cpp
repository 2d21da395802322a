// Writes LAMMPS text dumps.
// SPDX-License-Identifier: Apache-2.0
//
// Box lines: bounds; bounds with tilt when a lies along x and b in the xy plane (LAMMPS's own form, whose
// bounds enclose the tilted box); otherwise the three vectors and the origin ("abc origin"), since rotating
// the atoms would change the run's frame of reference.
#include "io/trajectory.hpp"

#include <algorithm>

namespace nanoday {
namespace {

/// A box as LAMMPS bounds it, around all atoms when it is open.
Box bounding_box(const Frame& frame) {
  if (!frame.box.is_open() || frame.natoms == 0) return frame.box;
  const Vec3 extent = frame.high - frame.low;
  Box box = Box::orthorhombic(extent.x, extent.y, extent.z);
  box.origin = frame.low;
  box.periodic = {false, false, false};
  return box;
}

bool is_restricted(const Box& box) {
  const auto& [a, b, c] = box.cell;
  return a.y == 0 && a.z == 0 && b.z == 0 && a.x >= 0 && b.y >= 0 && c.z >= 0;
}

class DumpFormatter : public TrajectoryFormatter {
 public:
  DumpFormatter(TrajectoryLabels labels, NumberFormat numbers)
      : labels_(std::move(labels)), numbers_(numbers) {}

  void append_head(fmt::memory_buffer& out, const Frame& frame) const override {
    fmt::format_to(std::back_inserter(out), "ITEM: TIMESTEP\n{}\nITEM: NUMBER OF ATOMS\n{}\n", frame.step,
                   frame.natoms);
    append_box(out, bounding_box(frame));
    append_text(out, "ITEM: ATOMS id type element x y z ix iy iz");
    if (frame.parts.velocity) append_text(out, " vx vy vz");
    if (frame.parts.force) append_text(out, " fx fy fz");
    out.push_back('\n');
  }

  void append_rows(fmt::memory_buffer& out, const Frame& frame) const override {
    for (std::size_t i = 0; i < frame.position.size(); ++i) append_atom(out, frame, i);
  }

 private:
  void append_atom(fmt::memory_buffer& out, const Frame& frame, std::size_t i) const {
    const std::int64_t id =
        labels_.id.empty() ? frame.first + static_cast<std::int64_t>(i) + 1 : labels_.id[i];
    const auto species = static_cast<std::size_t>(frame.species[i]);
    fmt::format_to(std::back_inserter(out), "{} {} {}", id, species + 1, labels_.species_name[species]);
    append_vector(out, frame.position[i], numbers_);
    const std::array<int, 3>& image = frame.image[i];
    fmt::format_to(std::back_inserter(out), " {} {} {}", image[0], image[1], image[2]);
    if (frame.parts.velocity) append_vector(out, frame.velocity[i], numbers_);
    if (frame.parts.force) append_vector(out, frame.force[i], numbers_);
    out.push_back('\n');
  }

  void append_row(fmt::memory_buffer& out, std::initializer_list<double> values) const {
    const char* separator = "";
    for (const double value : values) {
      append_text(out, separator);
      append_number(out, value, numbers_);
      separator = " ";
    }
    out.push_back('\n');
  }

  void append_box(fmt::memory_buffer& out, const Box& box) const {
    const auto& [a, b, c] = box.cell;
    const Vec3 o = box.origin;
    const bool restricted = is_restricted(box);
    append_text(out, "ITEM: BOX BOUNDS");
    if (!restricted) append_text(out, " abc origin");
    if (restricted && !box.is_orthorhombic()) append_text(out, " xy xz yz");
    for (const bool repeats : box.periodic) append_text(out, repeats ? " pp" : " ff");
    out.push_back('\n');
    if (!restricted) {
      append_row(out, {a.x, a.y, a.z, o.x});
      append_row(out, {b.x, b.y, b.z, o.y});
      append_row(out, {c.x, c.y, c.z, o.z});
    } else if (box.is_orthorhombic()) {
      append_row(out, {o.x, o.x + a.x});
      append_row(out, {o.y, o.y + b.y});
      append_row(out, {o.z, o.z + c.z});
    } else {
      const double xy = b.x, xz = c.x, yz = c.y;
      append_row(out,
                 {o.x + std::min({0.0, xy, xz, xy + xz}), o.x + a.x + std::max({0.0, xy, xz, xy + xz}), xy});
      append_row(out, {o.y + std::min(0.0, yz), o.y + b.y + std::max(0.0, yz), xz});
      append_row(out, {o.z, o.z + c.z, yz});
    }
  }

  TrajectoryLabels labels_;
  NumberFormat numbers_;
};

}  // namespace

std::unique_ptr<TrajectoryFormatter> make_dump_formatter(TrajectoryLabels labels, NumberFormat numbers) {
  return std::make_unique<DumpFormatter>(std::move(labels), numbers);
}

}  // namespace nanoday
