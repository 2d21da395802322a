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
  if (!frame.box.is_open() || frame.position.empty()) return frame.box;
  Vec3 low = frame.position.front(), high = low;
  for (const Vec3& x : frame.position) {
    low = {std::min(low.x, x.x), std::min(low.y, x.y), std::min(low.z, x.z)};
    high = {std::max(high.x, x.x), std::max(high.y, x.y), std::max(high.z, x.z)};
  }
  Box box = Box::orthorhombic(high.x - low.x, high.y - low.y, high.z - low.z);
  box.origin = low;
  box.periodic = {false, false, false};
  return box;
}

bool is_restricted(const Box& box) {
  const auto& [a, b, c] = box.cell;
  return a.y == 0 && a.z == 0 && b.z == 0 && a.x >= 0 && b.y >= 0 && c.z >= 0;
}

class DumpWriter : public TrajectoryWriter {
 public:
  DumpWriter(OutputFile file, TrajectoryAtoms atoms, NumberFormat numbers)
      : file_(std::move(file)), atoms_(std::move(atoms)), numbers_(numbers) {}

  void write(const Frame& frame) override {
    text_.clear();
    fmt::format_to(std::back_inserter(text_), "ITEM: TIMESTEP\n{}\nITEM: NUMBER OF ATOMS\n{}\n", frame.step,
                   frame.position.size());
    append_box(bounding_box(frame));
    append_text(text_, "ITEM: ATOMS id type element x y z ix iy iz");
    if (!frame.velocity.empty()) append_text(text_, " vx vy vz");
    if (!frame.force.empty()) append_text(text_, " fx fy fz");
    text_.push_back('\n');
    for (std::size_t i = 0; i < frame.position.size(); ++i) append_atom(frame, i);
    file_.write({text_.data(), text_.size()});
    file_.flush();
  }

  OutputFile& file() override { return file_; }

 private:
  void append_atom(const Frame& frame, std::size_t i) {
    const std::int64_t id = atoms_.id.empty() ? static_cast<std::int64_t>(i) + 1 : atoms_.id[i];
    const auto species = static_cast<std::size_t>(atoms_.species[i]);
    fmt::format_to(std::back_inserter(text_), "{} {} {}", id, species + 1, atoms_.species_name[species]);
    append_vector(text_, frame.position[i], numbers_);
    const std::array<int, 3> image = frame.image.empty() ? std::array<int, 3>{0, 0, 0} : frame.image[i];
    fmt::format_to(std::back_inserter(text_), " {} {} {}", image[0], image[1], image[2]);
    if (!frame.velocity.empty()) append_vector(text_, frame.velocity[i], numbers_);
    if (!frame.force.empty()) append_vector(text_, frame.force[i], numbers_);
    text_.push_back('\n');
  }

  void append_row(std::initializer_list<double> values) {
    const char* separator = "";
    for (const double value : values) {
      append_text(text_, separator);
      append_number(text_, value, numbers_);
      separator = " ";
    }
    text_.push_back('\n');
  }

  void append_box(const Box& box) {
    const auto& [a, b, c] = box.cell;
    const Vec3 o = box.origin;
    const bool restricted = is_restricted(box);
    append_text(text_, "ITEM: BOX BOUNDS");
    if (!restricted) append_text(text_, " abc origin");
    if (restricted && !box.is_orthorhombic()) append_text(text_, " xy xz yz");
    for (const bool repeats : box.periodic) append_text(text_, repeats ? " pp" : " ff");
    text_.push_back('\n');
    if (!restricted) {
      append_row({a.x, a.y, a.z, o.x});
      append_row({b.x, b.y, b.z, o.y});
      append_row({c.x, c.y, c.z, o.z});
    } else if (box.is_orthorhombic()) {
      append_row({o.x, o.x + a.x});
      append_row({o.y, o.y + b.y});
      append_row({o.z, o.z + c.z});
    } else {
      const double xy = b.x, xz = c.x, yz = c.y;
      append_row({o.x + std::min({0.0, xy, xz, xy + xz}), o.x + a.x + std::max({0.0, xy, xz, xy + xz}), xy});
      append_row({o.y + std::min(0.0, yz), o.y + b.y + std::max(0.0, yz), xz});
      append_row({o.z, o.z + c.z, yz});
    }
  }

  OutputFile file_;
  TrajectoryAtoms atoms_;
  NumberFormat numbers_;
  fmt::memory_buffer text_;
};

}  // namespace

std::unique_ptr<TrajectoryWriter> make_dump_writer(OutputFile file, TrajectoryAtoms atoms,
                                                   NumberFormat numbers) {
  return std::make_unique<DumpWriter>(std::move(file), std::move(atoms), numbers);
}

}  // namespace nanoday
