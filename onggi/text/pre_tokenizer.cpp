#include "onggi/text/pre_tokenizer.h"

#include <algorithm>
#include <array>

#include "onggi/core/error.h"
#include "onggi/text/utf8.h"

namespace onggi::text {

const char* const kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const char* const kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const char* const kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

struct Char {
  std::uint8_t bits = 0;  // CharClass; 0 is "other", also for invalid bytes.
  char32_t code = 0;
  std::size_t end = 0;  // One past it.
  bool is_end = false;

  bool is_other() const { return !is_end && bits == 0; }
};

/// A view of the text by characters. With `digits_end`, \p{N} counts as the end of the text.
struct Cursor {
  std::string_view text;
  bool digits_end = false;

  Char at(std::size_t p) const {
    if (p >= text.size()) return {0, 0, p, true};
    const Utf8Char c = next_utf8(text, p);
    const std::uint8_t bits = char_class(c.code);
    if (digits_end && (bits & kNumber) != 0) return {0, 0, p, true};
    return {bits, c.code, p + static_cast<std::size_t>(c.length), false};
  }

  std::size_t skip(std::size_t p, std::uint8_t bit) const {
    for (Char c = at(p); (c.bits & bit) != 0; c = at(p)) p = c.end;
    return p;
  }

  std::size_t skip_other(std::size_t p) const {
    for (Char c = at(p); c.is_other(); c = at(p)) p = c.end;
    return p;
  }
};

/// 's 't 're 've 'm 'll 'd at `p`, which is an apostrophe: where it ends, or `p`. In Unicode's case folding the long s
/// (U+017F) is an s too.
std::size_t contraction_end(const Cursor& cursor, std::size_t p, bool ignore_case) {
  const auto letter = [&](const Char& c) -> char {
    if (c.is_end) return 0;
    if (ignore_case && c.code == 0x17F) return 's';
    if (ignore_case && c.code >= 'A' && c.code <= 'Z') return static_cast<char>(c.code | 0x20);
    return c.code < 0x80 ? static_cast<char>(c.code) : 0;
  };
  const Char first = cursor.at(p + 1);
  const char a = letter(first);
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return first.end;
  if (a != 'r' && a != 'v' && a != 'l') return p;
  const Char second = cursor.at(first.end);
  return letter(second) == (a == 'l' ? 'l' : 'e') ? second.end : p;
}

/// \s+(?!\S)|\s+ where white space begins: all of it at the end of the text, else all but its last character.
std::size_t space_end(const Cursor& cursor, std::size_t p) {
  std::size_t last = p;
  std::size_t end = p;
  for (Char c = cursor.at(p); (c.bits & kSpace) != 0; c = cursor.at(end)) {
    last = end;
    end = c.end;
  }
  return cursor.at(end).is_end || last == p ? end : last;
}

std::size_t gpt2_end(const Cursor& cursor, std::size_t p) {
  const Char first = cursor.at(p);
  if (first.code == '\'') {
    if (const std::size_t end = contraction_end(cursor, p, false); end > p) return end;
  }
  const std::size_t begin = first.code == ' ' ? first.end : p;
  const Char c = cursor.at(begin);
  if ((c.bits & kLetter) != 0) return cursor.skip(begin, kLetter);
  if ((c.bits & kNumber) != 0) return cursor.skip(begin, kNumber);
  if (c.is_other()) return cursor.skip_other(begin);
  return space_end(cursor, p);
}

/// Llama 3 and Qwen 2, which differ in how many digits go together.
std::size_t cl100k_end(const Cursor& cursor, std::size_t p, int max_digits) {
  const Char first = cursor.at(p);
  if (first.code == '\'') {
    if (const std::size_t end = contraction_end(cursor, p, true); end > p) return end;
  }
  if ((first.bits & kLetter) != 0) return cursor.skip(p, kLetter);
  const auto is_newline = [](const Char& c) { return !c.is_end && (c.code == '\r' || c.code == '\n'); };
  if (!is_newline(first) && (first.bits & kNumber) == 0 && (cursor.at(first.end).bits & kLetter) != 0) {
    return cursor.skip(first.end, kLetter);
  }
  if ((first.bits & kNumber) != 0) {
    std::size_t end = first.end;
    for (int n = 1; n < max_digits; ++n) {
      const Char c = cursor.at(end);
      if ((c.bits & kNumber) == 0) break;
      end = c.end;
    }
    return end;
  }
  const std::size_t begin = first.code == ' ' ? first.end : p;
  if (cursor.at(begin).is_other()) {
    std::size_t end = cursor.skip_other(begin);
    for (Char c = cursor.at(end); is_newline(c); c = cursor.at(end)) end = c.end;
    return end;
  }
  // White space: up to its last newline if it has one.
  std::size_t after_newline = p;
  for (std::size_t end = p;;) {
    const Char c = cursor.at(end);
    if ((c.bits & kSpace) == 0) break;
    end = c.end;
    if (is_newline(c)) after_newline = end;
  }
  return after_newline > p ? after_newline : space_end(cursor, p);
}

}  // namespace

PreTokenizer PreTokenizer::by_name(std::string_view name, std::string_view where) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  PreTokenizer out;
  if (is_one_of({"gpt-2", "gpt2", "phi-2", "mpt", "olmo", "jina-es", "jina-de", "roberta-bpe"})) {
    out.add_gpt2();
  } else if (is_one_of({"llama-bpe", "llama3", "llama-v3"})) {
    out.add_pattern(kLlama3Pattern);
  } else if (is_one_of({"qwen2", "stablelm2", "deepseek-r1-qwen"})) {
    out.add_pattern(kQwen2Pattern);
  } else if (is_one_of({"smollm", "starcoder", "refact", "command-r", "codeshell"})) {
    out.add_single_digits();
    out.add_gpt2();
  } else if (is_one_of({"default"})) {  // What llama.cpp does for files that name no pre-tokenizer.
    out.add_pattern(R"([\p{P}\$\+<=>\^~\|]+)");
    out.add_pattern(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))");
    out.add_pattern(R"(\p{N}+)");
    out.add_pattern(R"([0-9][0-9][0-9])");
  } else {
    throw Error(ErrorCode::kInvalidArgument,
                "pre-tokenizer \"" + std::string(name) +
                    "\" is not known; expected one of gpt-2, llama-bpe, qwen2, smollm, default",
                std::string(where));
  }
  return out;
}

void PreTokenizer::add_pattern(const std::string& pattern) {
  if (pattern == kGpt2Pattern) {
    add_gpt2();
  } else if (pattern == kLlama3Pattern) {
    stages_.push_back({Scan::kCl100k, 3, pattern, nullptr});
  } else if (pattern == kQwen2Pattern) {
    stages_.push_back({Scan::kCl100k, 1, pattern, nullptr});
  } else {
    stages_.push_back({Scan::kRegex, 0, pattern, std::make_shared<UnicodeRegex>(pattern)});
  }
}

void PreTokenizer::add_single_digits() { stages_.push_back({Scan::kDigits, 0, R"(\p{N})", nullptr}); }

void PreTokenizer::add_gpt2() {
  if (!stages_.empty() && stages_.back().scan == Scan::kDigits) {
    // Both in one pass.
    stages_.back() = {Scan::kGpt2DigitsApart, 0, std::string(R"(\p{N} then )") + kGpt2Pattern, nullptr};
  } else {
    stages_.push_back({Scan::kGpt2, 0, kGpt2Pattern, nullptr});
  }
}

void PreTokenizer::run(const Stage& stage, std::string_view text, std::size_t offset, std::vector<std::size_t>& ends) {
  if (stage.scan == Scan::kRegex) {
    std::size_t done = 0;
    const auto cut = [&](std::size_t at) {
      if (at > done) ends.push_back(offset + at);
      done = std::max(done, at);
    };
    stage.regex->for_each_match(text, [&](std::size_t begin, std::size_t end) {
      cut(begin);
      cut(end);
    });
    cut(text.size());
    return;
  }
  const Cursor cursor{text, stage.scan == Scan::kGpt2DigitsApart};
  const Cursor plain{text, false};
  for (std::size_t p = 0; p < text.size();) {
    switch (stage.scan) {
      case Scan::kGpt2: p = gpt2_end(cursor, p); break;
      case Scan::kGpt2DigitsApart: {
        const Char c = plain.at(p);
        p = (c.bits & kNumber) != 0 ? c.end : gpt2_end(cursor, p);
        break;
      }
      case Scan::kCl100k: p = cl100k_end(cursor, p, stage.max_digits); break;
      case Scan::kDigits: {
        Char c = plain.at(p);
        if ((c.bits & kNumber) != 0) {
          p = c.end;
        } else {
          for (; !c.is_end && (c.bits & kNumber) == 0; c = plain.at(p)) p = c.end;
        }
        break;
      }
      case Scan::kRegex: break;
    }
    ends.push_back(offset + p);
  }
}

void PreTokenizer::split(std::string_view text, std::vector<std::size_t>& ends) const {
  if (text.empty()) return;
  if (stages_.size() == 1) return run(stages_[0], text, 0, ends);
  std::vector<std::size_t> pieces{text.size()};
  std::vector<std::size_t> finer;
  for (const Stage& stage : stages_) {
    finer.clear();
    std::size_t begin = 0;
    for (const std::size_t end : pieces) {
      run(stage, text.substr(begin, end - begin), begin, finer);
      begin = end;
    }
    pieces.swap(finer);
  }
  ends.insert(ends.end(), pieces.begin(), pieces.end());
}

std::string PreTokenizer::describe() const {
  std::string out;
  for (const Stage& stage : stages_) out += (out.empty() ? "" : " then ") + stage.pattern;
  return out;
}

}  // namespace onggi::text
