#include "onggi/text/unicode.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <unicode/brkiter.h>
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

std::string normalised(const icu::Normalizer2& form, std::string_view s) {
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  UErrorCode status = U_ZERO_ERROR;
  form.normalizeUTF8(0, icu::StringPiece(s.data(), static_cast<std::int32_t>(s.size())), sink, nullptr, status);
  require(U_SUCCESS(status), "text can't be normalised", ErrorCode::kInternal);
  return out;
}

bool is_ascii(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// True where every character is a grapheme of its own, but for "\r\n".
bool has_single_graphemes(std::string_view text) {
  char32_t previous = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = next_utf8(text, at);
    at += static_cast<std::size_t>(c.length);
    if (c.code == '\n' && previous == '\r') return false;
    previous = c.code;
    if (c.code < 0x300) continue;
    switch (u_getIntPropertyValue(static_cast<UChar32>(c.code), UCHAR_GRAPHEME_CLUSTER_BREAK)) {
      case U_GCB_OTHER:
      case U_GCB_CONTROL:
      case U_GCB_LV:
      case U_GCB_LVT: break;
      default: return false;
    }
  }
  return true;
}

bool is_han_of_bert(char32_t c) {
  // The reference's own ranges, its slip at U+2B920 included.
  static constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},  {0x20000, 0x2A6DF},
      {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};
  return std::any_of(std::begin(kRanges), std::end(kRanges), [c](auto r) { return c >= r.first && c <= r.second; });
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
  if (is_ascii(s)) return std::string(s);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  require(U_SUCCESS(status), "ICU has no NFC data", ErrorCode::kInternal);
  if (nfc->isNormalizedUTF8(icu::StringPiece(s.data(), static_cast<std::int32_t>(s.size())), status)) {
    return std::string(s);
  }
  return normalised(*nfc, s);
}

std::string to_nfd(std::string_view s) {
  if (is_ascii(s)) return std::string(s);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(status);
  require(U_SUCCESS(status), "ICU has no NFD data", ErrorCode::kInternal);
  return normalised(*nfd, s);
}

std::optional<std::pair<char32_t, char32_t>> canonical_pair(char32_t code) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  require(U_SUCCESS(status), "ICU has no NFC data", ErrorCode::kInternal);
  icu::UnicodeString parts;
  if (!nfc->getRawDecomposition(static_cast<UChar32>(code), parts) || parts.countChar32() != 2) return std::nullopt;
  const UChar32 first = parts.char32At(0);
  const UChar32 second = parts.char32At(parts.moveIndex32(0, 1));
  if (nfc->composePair(first, second) != static_cast<UChar32>(code)) return std::nullopt;
  return std::pair(static_cast<char32_t>(first), static_cast<char32_t>(second));
}

std::uint8_t bert_class(char32_t code) {
  if (code < 0x80) {
    if (code == ' ' || code == '\t' || code == '\n' || code == '\r') return kBertSpace;
    if (code < ' ' || code == 0x7F) return kBertRemoved;
    const bool is_word = (code >= '0' && code <= '9') || (code | 0x20) - 'a' < 26;
    return is_word ? 0 : kBertPunctuation;
  }
  if (code == 0xFFFD) return kBertRemoved;
  if (is_han_of_bert(code)) return kBertHan;
  const auto c = static_cast<UChar32>(code);
  if (u_isUWhiteSpace(c) && code != 0x85) return kBertSpace;
  UVersionInfo age;
  u_charAge(c, age);
  constexpr std::uint8_t kReferenceVersion = 8;
  if (age[0] > kReferenceVersion) return 0;
  switch (code) {  // Those whose class has changed since.
    case 0x166D:
    case 0x111C9: return kBertPunctuation;
    case 0x1734: return kBertMark;
    case 0x1885:
    case 0x1886:
    case 0xA9BD: return 0;
    default: break;
  }
  const std::uint32_t mask = U_GET_GC_MASK(c);
  if ((mask & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) != 0) return kBertRemoved;
  if ((mask & U_GC_P_MASK) != 0) return kBertPunctuation;
  return (mask & U_GC_MN_MASK) != 0 ? kBertMark : 0;
}

void for_each_grapheme(std::string_view text, const std::function<void(std::size_t, std::size_t)>& found) {
  if (has_single_graphemes(text)) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = at + static_cast<std::size_t>(next_utf8(text, at).length);
      found(at, end);
      at = end;
    }
    return;
  }
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  require(U_SUCCESS(status), "ICU has no grapheme data", ErrorCode::kInternal);
  UText view = UTEXT_INITIALIZER;
  utext_openUTF8(&view, text.data(), static_cast<std::int64_t>(text.size()), &status);
  breaks->setText(&view, status);
  require(U_SUCCESS(status), "text can't be cut into graphemes", ErrorCode::kInternal);
  for (std::int32_t begin = breaks->first(), end = breaks->next(); end != icu::BreakIterator::DONE;
       begin = end, end = breaks->next()) {
    found(static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
  }
  utext_close(&view);
}

std::string to_nfkc_casefold(std::string_view s) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* folded = icu::Normalizer2::getNFKCCasefoldInstance(status);
  require(U_SUCCESS(status), "ICU has no NFKC_Casefold data", ErrorCode::kInternal);
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  folded->normalizeUTF8(0, icu::StringPiece(s.data(), static_cast<std::int32_t>(s.size())), sink, nullptr, status);
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
