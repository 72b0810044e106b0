#include <algorithm>
#include <optional>

#include "onggi/train/doctor_checks.h"

namespace onggi::train {
namespace {

/// Code points of UTF-8 text, or nullopt if it is not valid.
std::optional<std::u32string> code_points(std::string_view text) {
  std::u32string all;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int size = lead < 0x80                   ? 1
                     : lead >= 0xC2 && lead < 0xE0 ? 2
                     : lead >= 0xE0 && lead < 0xF0 ? 3
                     : lead >= 0xF0 && lead < 0xF5 ? 4
                                                   : 0;
    if (size == 0 || i + static_cast<std::size_t>(size) > text.size()) return std::nullopt;
    char32_t c = size == 1 ? lead : lead & (0x7F >> size);
    for (int k = 1; k < size; ++k) {
      const auto next = static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]);
      if ((next & 0xC0) != 0x80) return std::nullopt;
      c = c << 6 | (next & 0x3F);
    }
    if ((size == 3 && c < 0x800) || (size == 4 && c < 0x10000) || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
      return std::nullopt;
    }
    all += c;
    i += static_cast<std::size_t>(size);
  }
  return all;
}

bool in_range(char32_t c, char32_t low, char32_t high) { return c >= low && c <= high; }

/// Text taken apart (NFD): Hangul letters that make a syllable, or a letter with a combining mark.
bool is_decomposed(const std::u32string& text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (in_range(text[i - 1], 0x1100, 0x1112) && in_range(text[i], 0x1161, 0x1175)) return true;
    const bool is_letter = in_range(text[i - 1], 'A', 'Z') || in_range(text[i - 1], 'a', 'z');
    if (is_letter && in_range(text[i], 0x0300, 0x030C)) return true;
  }
  return false;
}

/// Text put together (NFC) that would look otherwise in NFD.
bool is_composed(const std::u32string& text) {
  return std::any_of(text.begin(), text.end(), [](char32_t c) {
    return in_range(c, 0xAC00, 0xD7A3) || (in_range(c, 0xC0, 0xFF) && c != 0xD7 && c != 0xF7);
  });
}

/// What UTF-8 looks like after it was read as Latin-1: a lead byte's letter and then continuation bytes' signs.
bool is_mojibake(const std::u32string& text) {
  const auto is_tail = [&](std::size_t i) { return i < text.size() && in_range(text[i], 0x80, 0xBF); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_range(text[i], 0xE0, 0xEF) && is_tail(i + 1) && is_tail(i + 2)) return true;
    if (in_range(text[i], 0xC2, 0xC3) && is_tail(i + 1)) return true;
  }
  return false;
}

std::string bad_character(const std::u32string& text) {
  for (const char32_t c : text) {
    if (c == 0xFEFF) return "a byte order mark";
    if (c == 0xFFFD) return "a replacement character (U+FFFD)";
    const bool is_space = c == '\t' || c == '\n' || c == '\r';
    if ((c < 0x20 && !is_space) || in_range(c, 0x7F, 0x9F)) return "control character " + std::to_string(c);
  }
  return {};
}

void check_text(const DoctorInput& in, std::vector<Finding>& findings) {
  RowFinding invalid("invalid_utf8", Severity::kError, "text that is not valid UTF-8");
  RowFinding mojibake("mojibake", Severity::kWarning, "UTF-8 that was read as Latin-1 once");
  RowFinding control("control_character", Severity::kWarning, "a character that belongs in no text");
  RowFinding mixed("mixed_normal_forms", Severity::kWarning,
                   "decomposed text (NFD) beside composed text (NFC) elsewhere: the same words get other tokens");
  RowFinding special("special_token_text", Severity::kWarning, "the text of a special token in the user's input");
  bool has_composed = false;
  const auto examine_text = [&](const DoctorRow& row, const std::string& text) {
    const auto points = code_points(text);
    if (!points) {
      invalid.add(row);
      return false;
    }
    has_composed = has_composed || is_composed(*points);
    if (is_mojibake(*points)) {
      mojibake.add(row);
    } else if (const std::string bad = bad_character(*points); !bad.empty()) {
      control.add(row, bad);
    } else if (is_decomposed(*points)) {
      mixed.add(row);
    } else {
      return true;
    }
    return false;
  };
  for_each_row(in, [&](const DoctorRow& row) {
    // One finding a row is enough, and the inputs are parts of the prompt where both are given.
    bool is_clean = true;
    for (const std::string& text : row.inputs) is_clean = is_clean && examine_text(row, text);
    if (is_clean && row.inputs.empty()) is_clean = examine_text(row, row.prompt);
    if (is_clean) examine_text(row, row.answer);
    for (const std::string& text : row.inputs) {
      const auto it = std::find_if(in.special_texts.begin(), in.special_texts.end(), [&](const std::string& token) {
        return !token.empty() && text.find(token) != std::string::npos;
      });
      if (it == in.special_texts.end()) continue;
      special.add(row, "\"" + *it + "\", taken as plain text");
      break;
    }
  });
  for (RowFinding* finding : {&invalid, &mojibake, &control, &special}) finding->report(findings);
  if (has_composed) mixed.report(findings);
}

}  // namespace

std::vector<DoctorCheck> text_checks() {
  return {{{"control_character", "invalid_utf8", "mixed_normal_forms", "mojibake", "special_token_text"}, check_text}};
}

}  // namespace onggi::train
