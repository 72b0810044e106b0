#include "onggi/text/line_text.h"

#include <memory>

#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/ubidi.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include "onggi/core/error.h"
#include "onggi/text/unicode.h"
#include "onggi/text/utf8.h"

namespace onggi::text {
namespace {

/// UTF-16 as ICU wants it, and for each unit the byte where its character begins (and the size at the end).
struct Utf16 {
  icu::UnicodeString units;
  std::vector<std::size_t> bytes;
};

Utf16 to_utf16(std::string_view s) {
  Utf16 result;
  for (std::size_t at = 0; at < s.size();) {
    const Utf8Char c = next_utf8(s, at);
    result.units.append(static_cast<UChar32>(c.code));
    while (result.bytes.size() < static_cast<std::size_t>(result.units.length())) result.bytes.push_back(at);
    at += static_cast<std::size_t>(c.length);
  }
  result.bytes.push_back(s.size());
  return result;
}

bool is_hangul(UChar32 code) {
  UErrorCode status = U_ZERO_ERROR;
  return uscript_getScript(code, &status) == USCRIPT_HANGUL;
}

bool shows_nothing(char32_t code) {
  const auto c = static_cast<UChar32>(code);
  return u_charType(c) == U_FORMAT_CHAR || u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

void check(UErrorCode status, const char* what) {
  require(
      U_SUCCESS(status), [&] { return std::string(what) + " failed: " + u_errorName(status); }, ErrorCode::kInternal);
}

}  // namespace

std::string tidy_line(std::string_view s) {
  const std::string composed = to_nfc(repair_utf8(s));
  std::string out;
  bool is_pending = false;
  for (std::size_t at = 0; at < composed.size();) {
    const Utf8Char c = next_utf8(composed, at);
    if ((char_class(c.code) & kSpace) != 0) {
      is_pending = !out.empty();
    } else if (!shows_nothing(c.code)) {
      if (is_pending) out += ' ';
      is_pending = false;
      append_utf8(out, c.code);
    }
    at += static_cast<std::size_t>(c.length);
  }
  return out;
}

std::optional<HiddenChar> find_hidden_char(std::string_view s) {
  std::size_t index = 0;
  for (std::size_t at = 0; at < s.size(); ++index) {
    const Utf8Char c = next_utf8(s, at);
    if (c.code == 0xFFFD) return HiddenChar{c.code, index, "a replacement for invalid bytes"};
    switch (u_charType(static_cast<UChar32>(c.code))) {
      case U_CONTROL_CHAR: return HiddenChar{c.code, index, "a control character"};
      case U_UNASSIGNED: return HiddenChar{c.code, index, "unassigned"};
      case U_PRIVATE_USE_CHAR: return HiddenChar{c.code, index, "for private use"};
      default: break;
    }
    at += static_cast<std::size_t>(c.length);
  }
  return std::nullopt;
}

std::vector<std::size_t> line_breaks(std::string_view s) {
  std::vector<std::size_t> result;
  if (s.empty()) return result;
  const Utf16 text = to_utf16(s);
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> lines(
      icu::BreakIterator::createLineInstance(icu::Locale::getRoot(), status));
  check(status, "finding the ends of lines");
  lines->setText(text.units);
  for (std::int32_t at = lines->next(); at != icu::BreakIterator::DONE; at = lines->next()) {
    if (at < text.units.length()) {
      const UChar32 before = text.units.char32At(at - 1), after = text.units.char32At(at);
      const bool is_space = u_isUWhiteSpace(before);
      if (!is_space && (is_hangul(before) || is_hangul(after))) continue;
    }
    result.push_back(text.bytes[static_cast<std::size_t>(at)]);
  }
  return result;
}

std::vector<DirectionRun> direction_runs(std::string_view line) {
  std::vector<DirectionRun> result;
  if (line.empty()) return result;
  const Utf16 text = to_utf16(line);
  struct Close {
    void operator()(UBiDi* bidi) const { ubidi_close(bidi); }
  };
  const std::unique_ptr<UBiDi, Close> bidi(ubidi_open());
  UErrorCode status = U_ZERO_ERROR;
  ubidi_setPara(bidi.get(), text.units.getBuffer(), text.units.length(), UBIDI_DEFAULT_LTR, nullptr, &status);
  const std::int32_t count = ubidi_countRuns(bidi.get(), &status);
  check(status, "finding the direction of text");
  for (std::int32_t i = 0; i < count; ++i) {
    std::int32_t start = 0, length = 0;
    const bool is_rtl = ubidi_getVisualRun(bidi.get(), i, &start, &length) == UBIDI_RTL;
    result.push_back(
        {text.bytes[static_cast<std::size_t>(start)], text.bytes[static_cast<std::size_t>(start + length)], is_rtl});
  }
  return result;
}

std::string code_point_text(char32_t code) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string digits;
  for (int shift = 20; shift >= 0; shift -= 4) {
    const auto digit = static_cast<std::size_t>(code >> shift & 15);
    if (digit != 0 || !digits.empty() || shift < 16) digits += kDigits[digit];
  }
  return "U+" + digits;
}

}  // namespace onggi::text
