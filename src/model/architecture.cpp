// Compares models feature by feature.
// SPDX-License-Identifier: Apache-2.0
#include "model/architecture.hpp"

#include "core/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nanoday {
namespace {

std::string layers_text(const std::vector<DenseLayer>& layers) {
  std::string text;
  for (const DenseLayer& layer : layers)
    text += fmt::format("{}{}{}", text.empty() ? "" : "-", layer.n_out, layer.idt.empty() ? "" : "dt");
  return text.empty() ? "none" : text;
}

template <class Net>
std::string nets_text(const std::vector<Net>& nets) {
  std::vector<std::string> texts;
  for (const Net& net : nets) texts.push_back(layers_text(net.layers));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string flags_text(const std::vector<char>& flags) {
  return fmt::format("{}", fmt::join(std::vector<int>(flags.begin(), flags.end()), ","));
}

/// Two models under comparison.
struct Pair {
  const Model &a, &b;

  /// \param of what the models are compared in, as text
  template <class Text>
  void same(const char* what, const Text& of) const {
    const std::string in_a = of(a), in_b = of(b);
    require(in_a == in_b,
            "{} and {} differ in {} ({} and {}); models of one run must differ in their weights only",
            a.source, b.source, what, in_a, in_b);
  }
};

}  // namespace

void require_same_architecture(const Model& a, const Model& b) {
  const Pair pair{a, b};
  const auto text = [](const auto& value) { return fmt::format("{}", value); };
  const auto list = [](const auto& values) { return fmt::format("{}", fmt::join(values, " ")); };
  pair.same("kind", [](const Model& m) { return m.kind == ModelKind::energy ? "energy" : "dipole"; });
  pair.same("elements", [&](const Model& m) { return list(m.type_map); });
  pair.same("form", [](const Model& m) { return m.compressed ? "tables" : "nets"; });
  pair.same("cutoff", [&](const Model& m) { return text(m.rcut); });
  pair.same("start of the switch", [&](const Model& m) { return text(m.rcut_smth); });
  pair.same("width of the switch", [&](const Model& m) { return text(m.switch_width); });
  pair.same("sel", [&](const Model& m) { return list(m.sel); });
  pair.same("sum of sel at training", [&](const Model& m) { return text(m.normaliser); });
  pair.same("embedding", [](const Model& m) {
    return fmt::format("{} {} x {}", m.one_sided ? "one-sided" : "two-sided", m.m1, m.m2);
  });
  pair.same("excluded pairs", [](const Model& m) { return flags_text(m.excluded); });
  pair.same("embedding layers", [](const Model& m) { return nets_text(m.embedding); });
  pair.same("fitting layers", [](const Model& m) { return nets_text(m.fitting); });
  pair.same("types with an output", [](const Model& m) { return flags_text(m.selected); });
  pair.same("long-range part", [](const Model& m) { return m.dipole_charge ? "one" : "none"; });
  if (a.dipole_charge) require_same_architecture(*a.dipole_charge->wannier, *b.dipole_charge->wannier);
}

}  // namespace nanoday
