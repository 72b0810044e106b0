#pragma once

#include <span>
#include <string>
#include <string_view>

#include "onggi/tasks/cards/card_line.h"

namespace onggi::tasks {

/// A page that shows the drawn cards as a shop would: one large, a row for each of the aspects with most cards, and all
/// products. One HTML file without scripts; its pictures lie beside it. Works at 360 px, in the dark and by keyboard.
std::string shop_front_page(std::span<const CardLine> lines, std::string_view shop_name);

}  // namespace onggi::tasks
