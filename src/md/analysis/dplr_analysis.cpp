// The analyses of a run with Wannier centroids together.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/dplr_analysis.hpp"

#include "core/units.hpp"

#include <filesystem>

namespace nanoday {
namespace {

std::string distance_text(const Histogram& h) {
  return fmt::format("mean {:.4f} Å, width {:.4f} Å; from {:.3f} to {:.3f} Å", h.mean(), h.width(),
                     h.smallest(), h.largest());
}

std::string molecules_text(const DipoleDistribution& molecules) {
  const Histogram& h = molecules.histogram();
  const std::int64_t charged = molecules.charged_groups();
  std::string text = h.count() > 0 ? fmt::format("mean {:.2f} D, width {:.2f} D", h.mean(), h.width())
                                   : std::string("none is neutral");
  if (charged > 0 && h.count() > 0)
    text += fmt::format("; {:.2g} % of the molecules were charged and left out",
                        100 * static_cast<double>(charged) / static_cast<double>(charged + h.count()));
  return text;
}

std::string spectrum_text(const InfraredSpectrum& spectrum) {
  return fmt::format("resolution {:.0f} cm⁻¹, statistical error {:.0f} %, classical nuclei",
                     spectrum.resolution, 100 * spectrum.relative_error);
}

std::string short_run_text(const Infrared& infrared) {
  return fmt::format("not shown: needs 2 ps above 0 K, the run has {:.2g} ps",
                     infrared.interval() * static_cast<double>(infrared.samples()));
}

ReportCurve curve_of(const Distribution& distribution, std::string caption) {
  return {distribution.middle, distribution.density, std::move(caption)};
}

}  // namespace

DplrAnalysis::DplrAnalysis(Transport& ranks, TypeCharges charges, double dt)
    : ranks_(ranks),
      charges_(std::move(charges)),
      dipole_stride_(Infrared::stride(dt)),
      molecules_(charges_),
      infrared_(static_cast<double>(dipole_stride_) * dt) {}

void DplrAnalysis::sample_dipole(const Box& box, const Atoms& atoms, View<const Vec4> displacement) {
  const Vec3 dipole = total_dipole(ranks_, box, atoms, charges_, displacement);
  total_.add(dipole);
  infrared_.sample(dipole);
}

void DplrAnalysis::sample_molecules(const Box& box, const Atoms& atoms, View<const Vec4> displacement) {
  std::vector<Vec4> of_hosts;
  for (std::size_t i = 0; i < static_cast<std::size_t>(atoms.nlocal); ++i)
    if (charges_.wannier[static_cast<std::size_t>(atoms.type[i])] != 0) of_hosts.push_back(displacement[i]);
  distance_.sample(of_hosts);
  molecules_.sample(ranks_, box, atoms, displacement);
}

void DplrAnalysis::gather() {
  distance_.gather(ranks_);
  molecules_.gather(ranks_);
}

InfraredSpectrum DplrAnalysis::spectrum(const SampleConditions& conditions) const {
  if (!(conditions.volume > 0 && conditions.temperature > 0)) return {};
  return infrared_.spectrum(conditions.volume, conditions.temperature);
}

void DplrAnalysis::write_files(const std::string& folder, const SampleConditions& conditions,
                               NumberFormat numbers) const {
  const std::filesystem::path path(folder);
  write_wannier_distance((path / "wannier.csv").string(), distance_, numbers);
  write_dipole_distribution((path / "dipole.csv").string(), molecules_, numbers);
  write_infrared((path / "infrared.csv").string(), spectrum(conditions), numbers);
}

std::vector<std::pair<std::string, std::string>> DplrAnalysis::facts(
    const SampleConditions& conditions) const {
  const InfraredSpectrum found = spectrum(conditions);
  std::vector<std::pair<std::string, std::string>> facts;
  if (distance_.histogram().count() > 0) {
    facts.emplace_back("Wannier centroids", distance_text(distance_.histogram()));
    facts.emplace_back("molecular dipoles", molecules_text(molecules_));
  }
  facts.emplace_back("total dipole", fmt::format("fluctuates by {:.3g} D (root mean square, {} samples)",
                                                 units::k_debye * total_.fluctuation(), total_.count));
  facts.emplace_back("infrared spectrum",
                     found.wavenumber.empty() ? short_run_text(infrared_) : spectrum_text(found));
  return facts;
}

void DplrAnalysis::add_to(ReportData& report, const SampleConditions& conditions) const {
  const InfraredSpectrum found = spectrum(conditions);
  report.wannier_distance =
      curve_of(distance_.histogram().distribution(), distance_text(distance_.histogram()));
  report.molecular_dipole = curve_of(molecules_.histogram().distribution(), molecules_text(molecules_));
  report.infrared = {found.wavenumber, found.n_alpha, spectrum_text(found)};
  if (found.wavenumber.empty())
    report.notes.push_back(fmt::format("Infrared spectrum {}.", short_run_text(infrared_)));
  else if (infrared_.coarse())
    report.warnings.push_back(
        fmt::format("the infrared spectrum is sampled every {:g} fs (more than the 2 fs that O-H vibrations "
                    "need); bands above {:.0f} cm⁻¹ are missing or folded down; use a shorter --dt",
                    infrared_.interval() * 1e3, found.wavenumber.back()));
}

std::string DplrAnalysis::save() const {
  ByteWriter out;
  out.put_text(distance_.save());
  out.put_text(molecules_.save());
  out.put(total_);
  out.put_text(infrared_.save());
  return out.bytes();
}

void DplrAnalysis::restore(std::string_view state) {
  ByteReader in(state, "the checkpoint's analysis of Wannier centroids");
  distance_.restore(in.get_text());
  molecules_.restore(in.get_text());
  total_ = in.get<DipoleStatistics>();
  infrared_.restore(in.get_text());
  require(in.at_end(), "the checkpoint's analysis of Wannier centroids is damaged; use another copy");
  if (ranks_.rank() == 0) return;
  distance_ = WannierDistance();
  molecules_ = DipoleDistribution(charges_);
}

}  // namespace nanoday
