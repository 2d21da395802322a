// The frame of a report: page, style, tables and figures as HTML text, knowing nothing of what they show.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace nanoday {

using LabelledText = std::vector<std::pair<std::string, std::string>>;

/// A whole document with `body` inside; light and dark, screen and paper.
std::string html_page(const std::string& title, const std::string& body);
/// A row of large values, each with its label above.
std::string html_headline(const LabelledText& values);
/// A two-column table.
std::string html_table(const LabelledText& rows);
/// A figure with a heading and a sentence of explanation; empty when `svg` is empty.
std::string html_figure(const std::string& heading, const std::string& caption, const std::string& svg);
/// A list of sentences in a box of the given class ("warnings", "notes"); empty when there are none.
std::string html_list(const std::string& css_class, const std::vector<std::string>& sentences);

}  // namespace nanoday
