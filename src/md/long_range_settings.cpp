// Settings of the long-range part of DPLR models.
// SPDX-License-Identifier: Apache-2.0
#include "md/long_range_settings.hpp"

#include "core/error.hpp"
#include "core/quantity.hpp"
#include "md/toml_text.hpp"

namespace nanoday {
namespace {

using C = RunConfig;
using SK = SettingKind;
using Values = std::vector<std::string>;
using Label = std::string;

void set_solver(C& c, const Values& v, const Label& label) {
  require(v[0] == "auto" || v[0] == "pppm" || v[0] == "direct",
          "{} is '{}' (unknown); use auto, pppm or direct", label, v[0]);
  c.long_range.method.reset();
  if (v[0] == "pppm") c.long_range.method = LongRangeMethod::pppm;
  if (v[0] == "direct") c.long_range.method = LongRangeMethod::direct;
}

std::string toml_solver(const C& c) {
  if (!c.long_range.method) return "";
  return toml_string(*c.long_range.method == LongRangeMethod::pppm ? "pppm" : "direct");
}

void set_mesh(C& c, const Values& v, const Label& label) {
  for (int d = 0; d < 3; ++d) c.long_range.mesh[d] = static_cast<int>(parse_count(v[d], label, 1, 100000));
}

std::string toml_mesh(const C& c) {
  const auto& mesh = c.long_range.mesh;
  return mesh[0] > 0 ? fmt::format("[{}, {}, {}]", mesh[0], mesh[1], mesh[2]) : "";
}

void set_diff(C& c, const Values& v, const Label& label) {
  require(v[0] == "ik" || v[0] == "ad", "{} is '{}' (unknown); use ik or ad", label, v[0]);
  c.long_range.differentiation = v[0] == "ik" ? Differentiation::ik : Differentiation::ad;
}

std::string toml_diff(const C& c) {
  if (!c.long_range.differentiation) return "";
  return toml_string(*c.long_range.differentiation == Differentiation::ik ? "ik" : "ad");
}

void set_threads(C& c, const Values& v, const Label& label) {
  c.long_range.threads.reset();
  if (v[0] == "off") c.long_range.threads = 0;
  if (v[0] != "off" && v[0] != "auto")
    c.long_range.threads = static_cast<int>(parse_count(v[0], label, 1, 4096));
}

std::string toml_threads(const C& c) {
  if (!c.long_range.threads) return "";
  return *c.long_range.threads == 0 ? toml_string("off") : std::to_string(*c.long_range.threads);
}

void set_fft(C& c, const Values& v, const Label& label) {
  c.long_range.fft.reset();
  for (int m = 0; m < k_fft_methods; ++m)
    if (v[0] == fft_name(static_cast<FftMethod>(m))) c.long_range.fft = static_cast<FftMethod>(m);
  require(c.long_range.fft || v[0] == "auto",
          "{} is '{}' (unknown); use auto, local, replicated, reduction or pencil", label, v[0]);
}

std::string toml_vector(Vec3 v) {
  return fmt::format("[{}, {}, {}]", toml_number(v.x), toml_number(v.y), toml_number(v.z));
}

void set_efield(C& c, const Values& v, const Label& label) {
  c.long_range.field.amplitude = {parse_number(v[0], label), parse_number(v[1], label),
                                  parse_number(v[2], label)};
}

/// "O=6,H=1" or the two as separate values.
std::map<std::string, double> charges_of(const Values& values, const Label& label) {
  std::map<std::string, double> charges;
  for (const std::string& value : values)
    for (std::size_t begin = 0; begin < value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      const std::string part = value.substr(begin, end - begin);
      const std::size_t equals = part.find('=');
      require(equals != std::string::npos && equals > 0,
              "{}: '{}' names no element and charge (they are written like O=6); write for example O=6,H=1",
              label, part);
      charges[part.substr(0, equals)] = parse_number(part.substr(equals + 1), label);
      begin = end + 1;
    }
  return charges;
}

std::string toml_charges(const std::map<std::string, double>& charges) {
  std::string text;
  for (const auto& [element, charge] : charges)
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", element, toml_number(charge));
  return text.empty() ? "" : toml_string(text);
}

const Setting k_settings[] = {
    {"solver", 1, SK::engine, "auto|pppm|direct", "DPLR: of the long-range energy [auto: the faster one]",
     set_solver, toml_solver},
    {"mesh", 3, SK::engine, "NX NY NZ", "DPLR: points of the mesh [from --mesh-error]", set_mesh, toml_mesh},
    {"order", 1, SK::engine, "3..7", "DPLR: order of charge assignment [5]",
     [](C& c, const Values& v, const Label& l) {
       c.long_range.mesh_error_given = true;
       c.long_range.order = static_cast<int>(parse_count(v[0], l, 3, 7));
     },
     [](const C& c) { return c.long_range.order != 5 ? std::to_string(c.long_range.order) : std::string(); }},
    {"diff", 1, SK::engine, "ik|ad", "DPLR: forces by three transforms or by one [ik]", set_diff, toml_diff},
    {"mesh-error", 1, SK::engine, "X",
     "DPLR: estimated rms force error of the mesh over 14.4 eV/Å, the force of two unit charges 1 Å apart "
     "[1e-5]",
     [](C& c, const Values& v, const Label& l) {
       c.long_range.mesh_error_given = true;
       c.long_range.mesh_error = parse_number(v[0], l);
     },
     [](const C& c) {
       return c.long_range.mesh_error != 1e-5 ? toml_number(c.long_range.mesh_error) : std::string();
     }},
    {"pppm-threads", 1, SK::engine, "auto|N|off", "DPLR: threads of the solver beside the energy net [auto]",
     set_threads, toml_threads},
    {"pppm-cores", 1, SK::engine, "N",
     "DPLR: cores of each node that run the solver beside the energy net: threads of one rank of the node "
     "where "
     "that transforms for all (--fft replicated), else dealt to its ranks, at least one thread each "
     "[--pppm-threads]",
     [](C& c, const Values& v, const Label& l) {
       c.long_range.cores = static_cast<int>(parse_count(v[0], l, 1, 4096));
     },
     [](const C& c) { return c.long_range.cores ? std::to_string(*c.long_range.cores) : std::string(); }},
    {"fft", 1, SK::engine, "auto|local|replicated|reduction|pencil",
     "DPLR: how ranks share the mesh: all of it on each node, or bricks transformed by sums around rings or "
     "by "
     "redistribution; local: one rank [auto: the fastest; --reproducible: replicated]",
     set_fft,
     [](const C& c) { return c.long_range.fft ? toml_string(fft_name(*c.long_range.fft)) : std::string(); }},
    {"lammps-constants", 0, SK::engine, "", "DPLR: LAMMPS's rounded constants, to agree with it to rounding",
     [](C& c, const Values& v, const Label& l) {
       require(v.empty() || v[0] == "true" || v[0] == "false", "{} is '{}' (a switch is true or false)", l,
               v.empty() ? "" : v[0]);
       c.long_range.lammps_constants = v.empty() || v[0] == "true";
     },
     [](const C& c) { return std::string(c.long_range.lammps_constants ? "true" : ""); }},
    {"efield", 3, SK::engine, "EX EY EZ", "DPLR: uniform electric field on all charges, V/Å", set_efield,
     [](const C& c) {
       return c.long_range.field.any() ? toml_vector(c.long_range.field.amplitude) : std::string();
     }},
    {"efield-period", 1, SK::engine, "20fs", "DPLR: the field is --efield times sin(2π t/period) [constant]",
     [](C& c, const Values& v, const Label& l) {
       c.long_range.field.period = parse_time(v[0], l);
       require(c.long_range.field.period > 0, "{} is {} ps (a period is positive); give for example 20fs", l,
               c.long_range.field.period);
     },
     [](const C& c) {
       return c.long_range.field.period > 0 ? toml_number(c.long_range.field.period) : std::string();
     }},
    {"wannier", 1, SK::engine, "FILE", "DPLR: dipole model to take instead of the one inside MODEL",
     [](C& c, const Values& v, const Label&) { c.wannier = v[0]; },
     [](const C& c) { return c.wannier.empty() ? std::string() : toml_string(c.wannier); }},
    {"ion-charges", 1, SK::engine, "O=6,H=1", "DPLR: charges of ions [from MODEL]",
     [](C& c, const Values& v, const Label& l) { c.charges.ion_charge = charges_of(v, l); },
     [](const C& c) { return toml_charges(c.charges.ion_charge); }},
    {"wannier-charges", 1, SK::engine, "O=-8", "DPLR: charges of Wannier centroids by host [from MODEL]",
     [](C& c, const Values& v, const Label& l) { c.charges.wannier_charge = charges_of(v, l); },
     [](const C& c) { return toml_charges(c.charges.wannier_charge); }},
    {"beta", 1, SK::engine, "0.4", "DPLR: Gaussian charges have the width 1/(2 beta), 1/Å [from MODEL]",
     [](C& c, const Values& v, const Label& l) { c.charges.beta = parse_number(v[0], l); },
     [](const C& c) { return c.charges.beta ? toml_number(*c.charges.beta) : std::string(); }},
};

}  // namespace

std::span<const Setting> long_range_settings() { return k_settings; }

bool is_long_range_setting(std::string_view name) {
  for (const Setting& setting : k_settings)
    if (name == setting.name) return true;
  return false;
}

}  // namespace nanoday
