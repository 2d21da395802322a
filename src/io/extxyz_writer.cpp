// Writes extended XYZ.
// SPDX-License-Identifier: Apache-2.0
//
// Positions are inside the box; "Step", "Time" [ps] and "energy" [eV] stand in the comment line, velocities
// are in Å/ps as velocity_unit says (programs differ there).
#include "io/trajectory.hpp"

namespace nanoday {
namespace {

class ExtxyzWriter : public TrajectoryWriter {
 public:
  ExtxyzWriter(OutputFile file, TrajectoryAtoms atoms, NumberFormat numbers)
      : file_(std::move(file)), atoms_(std::move(atoms)), numbers_(numbers) {}

  void write(const Frame& frame) override {
    text_.clear();
    fmt::format_to(std::back_inserter(text_), "{}\n", frame.position.size());
    append_comment(frame);
    for (std::size_t i = 0; i < frame.position.size(); ++i) {
      append_text(text_, atoms_.species_name[static_cast<std::size_t>(atoms_.species[i])]);
      append_vector(text_, frame.position[i], numbers_);
      if (!frame.velocity.empty()) append_vector(text_, frame.velocity[i], numbers_);
      if (!frame.force.empty()) append_vector(text_, frame.force[i], numbers_);
      text_.push_back('\n');
    }
    file_.write({text_.data(), text_.size()});
    file_.flush();
  }

  OutputFile& file() override { return file_; }

 private:
  void append_comment(const Frame& frame) {
    const Box& box = frame.box;
    if (!box.is_open()) {
      append_text(text_, "Lattice=\"");
      for (std::size_t k = 0; k < 3; ++k) append_list(box.cell[k], k == 0);
      append_text(text_, "\" ");
      append_origin(box.origin);
    }
    append_text(text_, "Properties=species:S:1:pos:R:3");
    if (!frame.velocity.empty()) append_text(text_, ":velo:R:3");
    if (!frame.force.empty()) append_text(text_, ":forces:R:3");
    const auto letter = [&](int d) { return box.periodic[d] ? 'T' : 'F'; };
    fmt::format_to(std::back_inserter(text_), " pbc=\"{} {} {}\" Step={} Time=", letter(0), letter(1),
                   letter(2), frame.step);
    append_number(text_, frame.time, numbers_);
    if (!frame.velocity.empty()) append_text(text_, " velocity_unit=A/ps");
    if (frame.energy) {
      append_text(text_, " energy=");
      append_number(text_, *frame.energy, numbers_);
    }
    text_.push_back('\n');
  }

  void append_origin(Vec3 origin) {
    if (norm(origin) == 0) return;
    append_text(text_, "Origin=\"");
    append_list(origin, true);
    append_text(text_, "\" ");
  }

  /// Components with blanks between them, and one before unless they come first.
  void append_list(Vec3 vector, bool first) {
    for (const double component : {vector.x, vector.y, vector.z}) {
      if (!first) text_.push_back(' ');
      append_number(text_, component, numbers_);
      first = false;
    }
  }

  OutputFile file_;
  TrajectoryAtoms atoms_;
  NumberFormat numbers_;
  fmt::memory_buffer text_;
};

}  // namespace

std::unique_ptr<TrajectoryWriter> make_extxyz_writer(OutputFile file, TrajectoryAtoms atoms,
                                                     NumberFormat numbers) {
  return std::make_unique<ExtxyzWriter>(std::move(file), std::move(atoms), numbers);
}

}  // namespace nanoday
