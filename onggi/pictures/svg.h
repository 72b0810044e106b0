#pragma once

#include <string>
#include <string_view>

#include "onggi/pictures/scene.h"

namespace onggi::pictures {

/// The scene as an SVG 1.1 file without scripts, styles or references outside itself. Text is outlines, so `title` and
/// `description` (plain text) say it to screen readers and searches.
std::string encode_svg(const Scene& scene, std::string_view title, std::string_view description);

/// Text with & < > " ' as entities, for XML and HTML alike.
std::string escape_markup(std::string_view text);

}  // namespace onggi::pictures
