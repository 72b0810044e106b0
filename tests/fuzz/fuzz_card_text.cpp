// A card's texts from outside: any bytes are refused with one Error, or every text stands whole in every layout that
// has room for it, whatever scripts and directions it mixes.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/pictures/composer.h"
#include "onggi/pictures/picture.h"
#include "onggi/text/line_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace onggi;
  static const pictures::FontShelf fonts;
  if (size == 0) return 0;
  const int choice = bytes[0];
  std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  std::string parts[4];
  for (auto& part : parts) {
    const auto end = rest.find('\n');
    part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  const std::string tidy = text::tidy_line(parts[0]);
  if (text::tidy_line(tidy) != tidy) std::abort();
  if (!tidy.empty() && text::line_breaks(tidy).back() != tidy.size()) std::abort();
  try {
    const auto card = pictures::prepare_card({"fuzz", parts[0], parts[1], parts[2], {parts[3]}}, fonts);
    auto design = pictures::choose_design(card, 1, choice);
    design.layout = choice % static_cast<int>(pictures::layouts().size());
    const auto picture = pictures::compose_card(card, design, {320, 400}, fonts);
    if (!picture) return 0;
    for (const auto& text : picture->texts) {
      if (text.lines.empty() || text.outline.empty()) std::abort();
      if (!picture->scene.area().inset(-40).contains(text.box)) std::abort();
    }
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kInvalidArgument) std::abort();
  }
  return 0;
}
