// A line of cards.jsonl: any bytes give a card or one Error with its place, and no picture's file lies outside its
// folder.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/tasks/cards/card_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  try {
    const auto line = onggi::tasks::parse_card_line(text, "fuzz:1");
    for (const auto& files : line.files) {
      if ((files.png + files.svg).find('/') != std::string::npos) std::abort();
    }
    const auto name = onggi::tasks::file_name_of(line.card.id);
    if (name.empty() || name[0] == '.' || name.find('/') != std::string::npos || name.size() > 100) std::abort();
  } catch (const onggi::Error& e) {
    if (e.code() != onggi::ErrorCode::kCorrupt && e.code() != onggi::ErrorCode::kInvalidArgument) std::abort();
  }
  return 0;
}
