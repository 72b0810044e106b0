#include "onggi/text/unicode.h"

#include <vector>

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/regex.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utext.h>

#include "onggi/core/error.h"
#include "onggi/text/utf8.h"

namespace onggi::text {
namespace {

constexpr char32_t kNumCodePoints = 0x110000;

std::vector<std::uint8_t> make_class_table() {
  std::vector<std::uint8_t> table(kNumCodePoints, 0);
  const auto fill = [](const void* context, UChar32 begin, UChar32 end, UCharCategory category) -> UBool {
    const std::uint32_t mask = U_MASK(category);
    const std::uint8_t bits = (mask & U_GC_L_MASK) != 0 ? kLetter : (mask & U_GC_N_MASK) != 0 ? kNumber : 0;
    auto* out = static_cast<std::uint8_t*>(const_cast<void*>(context));
    std::fill(out + begin, out + end, bits);
    return true;
  };
  u_enumCharTypes(fill, table.data());
  for (UChar32 c = 0; c <= 0x3000; ++c) {  // White_Space ends at U+3000.
    if (u_isUWhiteSpace(c)) table[static_cast<std::size_t>(c)] |= kSpace;
  }
  return table;
}

std::string case_mapped(char32_t code, bool upper) {
  if (code < 0x80) {
    const bool change = upper ? code >= 'a' && code <= 'z' : code >= 'A' && code <= 'Z';
    return std::string(1, static_cast<char>(change ? code ^ 0x20 : code));
  }
  icu::UnicodeString s(static_cast<UChar32>(code));
  if (upper) {
    s.toUpper(icu::Locale::getRoot());
  } else {
    s.toLower(icu::Locale::getRoot());
  }
  std::string out;
  s.toUTF8String(out);
  return out;
}

}  // namespace

std::uint8_t char_class(char32_t code) {
  static const std::vector<std::uint8_t> table = make_class_table();
  return code < kNumCodePoints ? table[code] : 0;
}

std::string to_nfc(std::string_view s) {
  bool ascii = true;
  for (const char c : s) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
  if (ascii) return std::string(s);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  require(U_SUCCESS(status), "ICU has no NFC data", ErrorCode::kInternal);
  const icu::StringPiece piece(s.data(), static_cast<std::int32_t>(s.size()));
  if (nfc->isNormalizedUTF8(piece, status)) return std::string(s);
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  nfc->normalizeUTF8(0, piece, sink, nullptr, status);
  require(U_SUCCESS(status), "text can't be normalised", ErrorCode::kInternal);
  return out;
}

std::string to_upper(char32_t code) { return case_mapped(code, true); }
std::string to_lower(char32_t code) { return case_mapped(code, false); }

struct UnicodeRegex::Compiled {
  std::unique_ptr<icu::RegexPattern> pattern;
};

UnicodeRegex::UnicodeRegex(const std::string& pattern) : compiled_(std::make_unique<Compiled>()) {
  UErrorCode status = U_ZERO_ERROR;
  UParseError where{};
  const auto source = icu::UnicodeString::fromUTF8(pattern);
  compiled_->pattern.reset(icu::RegexPattern::compile(source, 0, where, status));
  require(
      U_SUCCESS(status),
      [&] {
        return "regular expression \"" + pattern + "\" can't be read at character " + std::to_string(where.offset) +
               ": " + u_errorName(status);
      },
      ErrorCode::kCorrupt);
}

UnicodeRegex::~UnicodeRegex() = default;
UnicodeRegex::UnicodeRegex(UnicodeRegex&&) noexcept = default;
UnicodeRegex& UnicodeRegex::operator=(UnicodeRegex&&) noexcept = default;

void UnicodeRegex::for_each_match(std::string_view text,
                                  const std::function<void(std::size_t, std::size_t)>& found) const {
  UErrorCode status = U_ZERO_ERROR;
  UText view = UTEXT_INITIALIZER;
  utext_openUTF8(&view, text.data(), static_cast<std::int64_t>(text.size()), &status);
  const std::unique_ptr<icu::RegexMatcher> matcher(compiled_->pattern->matcher(status));
  constexpr std::int32_t kMaxTime = 20'000;  // ICU's own unit, about a millisecond of matching each.
  constexpr std::int32_t kMaxStackBytes = 64 << 20;
  if (U_SUCCESS(status)) {
    matcher->setTimeLimit(kMaxTime, status);
    matcher->setStackLimit(kMaxStackBytes, status);
    matcher->reset(&view);
    while (matcher->find(status) && U_SUCCESS(status)) {
      found(static_cast<std::size_t>(matcher->start64(status)), static_cast<std::size_t>(matcher->end64(status)));
    }
  }
  utext_close(&view);
  require(
      U_SUCCESS(status), [&] { return std::string("matching a regular expression failed: ") + u_errorName(status); },
      ErrorCode::kExhausted);
}

}  // namespace onggi::text
