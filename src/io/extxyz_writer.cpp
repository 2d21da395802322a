// Writes extended XYZ.
// SPDX-License-Identifier: Apache-2.0
//
// Positions are inside the box; "Step", "Time" [ps] and "energy" [eV] stand in the comment line, velocities
// are in Å/ps as velocity_unit says (programs differ there).
#include "io/trajectory.hpp"

namespace nanoday {
namespace {

/// Components with blanks between them, and one before unless they come first.
void append_list(fmt::memory_buffer& out, Vec3 vector, bool first, NumberFormat numbers) {
  for (const double component : {vector.x, vector.y, vector.z}) {
    if (!first) out.push_back(' ');
    append_number(out, component, numbers);
    first = false;
  }
}

class ExtxyzFormatter : public TrajectoryFormatter {
 public:
  ExtxyzFormatter(TrajectoryLabels labels, NumberFormat numbers)
      : labels_(std::move(labels)), numbers_(numbers) {}

  void append_head(fmt::memory_buffer& out, const Frame& frame) const override {
    const Box& box = frame.box;
    fmt::format_to(std::back_inserter(out), "{}\n", frame.natoms);
    if (!box.is_open()) {
      append_text(out, "Lattice=\"");
      for (std::size_t k = 0; k < 3; ++k) append_list(out, box.cell[k], k == 0, numbers_);
      append_text(out, "\" ");
      append_origin(out, box.origin);
    }
    append_text(out, "Properties=species:S:1:pos:R:3");
    if (frame.parts.velocity) append_text(out, ":velo:R:3");
    if (frame.parts.force) append_text(out, ":forces:R:3");
    const auto letter = [&](int d) { return box.periodic[d] ? 'T' : 'F'; };
    fmt::format_to(std::back_inserter(out), " pbc=\"{} {} {}\" Step={} Time=", letter(0), letter(1),
                   letter(2), frame.step);
    append_number(out, frame.time, numbers_);
    if (frame.parts.velocity) append_text(out, " velocity_unit=A/ps");
    if (frame.energy) {
      append_text(out, " energy=");
      append_number(out, *frame.energy, numbers_);
    }
    out.push_back('\n');
  }

  void append_rows(fmt::memory_buffer& out, const Frame& frame) const override {
    for (std::size_t i = 0; i < frame.position.size(); ++i) {
      append_text(out, labels_.species_name[static_cast<std::size_t>(frame.species[i])]);
      append_vector(out, frame.position[i], numbers_);
      if (frame.parts.velocity) append_vector(out, frame.velocity[i], numbers_);
      if (frame.parts.force) append_vector(out, frame.force[i], numbers_);
      out.push_back('\n');
    }
  }

 private:
  void append_origin(fmt::memory_buffer& out, Vec3 origin) const {
    if (norm(origin) == 0) return;
    append_text(out, "Origin=\"");
    append_list(out, origin, true, numbers_);
    append_text(out, "\" ");
  }

  TrajectoryLabels labels_;
  NumberFormat numbers_;
};

}  // namespace

std::unique_ptr<TrajectoryFormatter> make_extxyz_formatter(TrajectoryLabels labels, NumberFormat numbers) {
  return std::make_unique<ExtxyzFormatter>(std::move(labels), numbers);
}

}  // namespace nanoday
