// The frame of a report: page, style, tables and figures as HTML text, knowing nothing of what they show.
// SPDX-License-Identifier: Apache-2.0
#include "io/report_page.hpp"

#include "io/svg_plot.hpp"

#include <fmt/format.h>

namespace nanoday {
namespace {

constexpr const char* k_light =
    "--page: #ffffff; --text: #1d2733; --muted: #66727f; --grid: #e9edf1; --axis: #a9b3bd; --line: #dde3e9;"
    " --warn: #fff5e0; --warn-line: #e0a93a; --c0: #1f6fd0; --c1: #d4552a; --c2: #1b9169; --c3: #7d56c2;"
    " --c4: #b98a08; --c5: #5d6b78;";
constexpr const char* k_dark =
    "--page: #12171d; --text: #e4e9ee; --muted: #93a0ad; --grid: #232b34; --axis: #56626e; --line: #2a333d;"
    " --warn: #33290f; --warn-line: #b98a2c; --c0: #5aa2f2; --c1: #f28a5f; --c2: #45c498; --c3: #ab8cf0;"
    " --c4: #dcb344; --c5: #9aa7b3;";

constexpr const char* k_style = R"css(
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); line-height: 1.45;
       font: 15px system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 36px 28px 48px; }
h1 { font-size: 25px; font-weight: 650; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 15px; font-weight: 650; margin: 0; }
.subtitle { color: var(--muted); margin: 4px 0 0; }
.headline { display: flex; flex-wrap: wrap; gap: 14px 44px; margin: 26px 0 30px; padding: 18px 0;
            border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.headline dt { color: var(--muted); font-size: 13px; }
.headline dd { margin: 0; font-size: 23px; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures { display: grid; gap: 34px 40px;
           grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); }
figure { margin: 0; break-inside: avoid; }
figcaption p { color: var(--muted); font-size: 13px; margin: 1px 0 8px; min-height: 19px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 400; color: var(--muted); padding-right: 24px; white-space: nowrap; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.details h2 { margin-bottom: 8px; }
.warnings { margin: 22px 0 0; padding: 12px 18px; background: var(--warn);
            border-left: 3px solid var(--warn-line); }
.notes { color: var(--muted); font-size: 13px; margin-top: 28px; }
.warnings p, .notes p { margin: 3px 0; }
@media print { main { padding: 0; max-width: none; } body { font-size: 12px; }
  .figures { grid-template-columns: 1fr 1fr; gap: 22px 26px; } }
)css";

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n"
      ":root {{ {} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {} }} }}\n{}{}</style>\n"
      "</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
      escape_xml(title), k_light, k_dark, k_style, plot_style(), body);
}

std::string html_headline(const LabelledText& values) {
  if (values.empty()) return "";
  std::string html = "<dl class=\"headline\">\n";
  for (const auto& [label, value] : values) {
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_xml(label), escape_xml(value));
  }
  return html + "</dl>\n";
}

std::string html_table(const LabelledText& rows) {
  if (rows.empty()) return "";
  std::string html = "<table>\n";
  for (const auto& [label, value] : rows) {
    html +=
        fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escape_xml(label), escape_xml(value));
  }
  return html + "</table>\n";
}

std::string html_figure(const std::string& heading, const std::string& caption, const std::string& svg) {
  if (svg.empty()) return "";
  return fmt::format("<figure>\n<figcaption><h2>{}</h2><p>{}</p></figcaption>\n{}</figure>\n",
                     escape_xml(heading), escape_xml(caption), svg);
}

std::string html_list(const std::string& css_class, const std::vector<std::string>& sentences) {
  if (sentences.empty()) return "";
  std::string html = fmt::format("<div class=\"{}\">\n", css_class);
  for (const std::string& sentence : sentences) html += fmt::format("<p>{}</p>\n", escape_xml(sentence));
  return html + "</div>\n";
}

}  // namespace nanoday
