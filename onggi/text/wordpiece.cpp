#include "onggi/text/wordpiece.h"

#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/text/unicode.h"
#include "onggi/text/utf8.h"

namespace onggi::text {
namespace {

constexpr std::string_view kInside = "##";

/// Calls body(character, its bytes) for each; invalid bytes come as U+FFFD.
template <class Body>
void for_each_char(std::string_view text, Body&& body) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = next_utf8(text, at);
    body(c.code, c.valid ? text.substr(at, static_cast<std::size_t>(c.length)) : std::string_view("\xEF\xBF\xBD"));
    at += static_cast<std::size_t>(c.length);
  }
}

}  // namespace

std::string normalise_for_bert(std::string_view text, const WordPieceRules& rules) {
  std::string out;
  out.reserve(text.size() + 16);
  for_each_char(text, [&](char32_t code, std::string_view bytes) {
    const std::uint8_t bits = bert_class(code);
    if (rules.cleans && (bits & kBertRemoved) != 0) return;
    if (rules.cleans && (bits & kBertSpace) != 0) {
      out += ' ';
    } else if (rules.separates_han && (bits & kBertHan) != 0) {
      out.append(" ").append(bytes).append(" ");
    } else {
      out += bytes;
    }
  });
  if (rules.strips_accents) {
    const std::string decomposed = to_nfd(out);
    out.clear();
    for_each_char(decomposed, [&](char32_t code, std::string_view bytes) {
      if ((bert_class(code) & kBertMark) == 0) out += bytes;
    });
  }
  if (rules.lowercases) {
    const std::string mixed = std::move(out);
    out.clear();
    for_each_char(mixed, [&](char32_t code, std::string_view) { out += to_lower(code); });
  }
  return out;
}

WordPieceTokenizer::WordPieceTokenizer(TokenizerSpec given) : VocabularyTokenizer(std::move(given)) {
  require(spec().unk_id >= 0, "the WordPiece vocabulary has no [UNK]", ErrorCode::kCorrupt, spec().where);
  const auto& tokens = spec().tokens;
  beginnings_.reserve(tokens.size());
  continuations_.reserve(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const std::string_view bytes = tokens[id].bytes;
    const bool is_normal = tokens[id].type == TokenType::kNormal;
    const bool is_inside = is_normal && bytes.starts_with(kInside) && bytes.size() > kInside.size();
    running_text_.push_back(is_inside   ? std::string(bytes.substr(kInside.size()))
                            : is_normal ? " " + std::string(bytes)
                                        : std::string(bytes));
    if (!is_normal || bytes.empty()) continue;
    longest_ = std::max(longest_, bytes.size());
    // "##" alone and "##ing" can't begin a word: the cut at punctuation comes before.
    if (is_inside) {
      continuations_.add(bytes.substr(kInside.size()), static_cast<int>(id));
    } else {
      beginnings_.add(bytes, static_cast<int>(id));
    }
  }
}

std::string_view WordPieceTokenizer::token_bytes(int id) const {
  if (id < 0 || id >= vocab_size()) return {};
  return running_text_[static_cast<std::size_t>(id)];
}

void WordPieceTokenizer::encode_word(std::string_view word, std::vector<int>& ids) const {
  const std::size_t first_id = ids.size();
  const auto chars = std::count_if(word.begin(), word.end(), [](char c) { return (c & 0xC0) != 0x80; });
  bool is_known = chars <= spec().word_piece.max_word_chars;
  for (std::size_t begin = 0; is_known && begin < word.size();) {
    const TokenTable& table = begin == 0 ? beginnings_ : continuations_;
    const std::size_t last = std::min(word.size(), begin + longest_);
    std::uint64_t hash = TokenTable::kSeed;
    std::size_t best_end = begin;
    int best = -1;
    for (std::size_t end = begin + 1; end <= last; ++end) {
      hash = TokenTable::extend(hash, word[end - 1]);
      if (end < word.size() && (word[end] & 0xC0) == 0x80) continue;
      if (const int id = table.find(word.substr(begin, end - begin), hash); id >= 0) {
        best = id;
        best_end = end;
      }
    }
    is_known = best >= 0;
    ids.push_back(best);
    begin = best_end;
  }
  if (is_known) return;
  ids.resize(first_id);
  ids.push_back(spec().unk_id);
}

void WordPieceTokenizer::encode_plain(std::string_view text, bool, bool, std::vector<int>& ids) const {
  const std::string normal = normalise_for_bert(text, spec().word_piece);
  const std::string_view all = normal;
  std::size_t word = 0;
  const auto flush = [&](std::size_t end) {
    if (end > word) encode_word(all.substr(word, end - word), ids);
  };
  for (std::size_t at = 0; at < all.size();) {
    const Utf8Char c = next_utf8(all, at);
    const std::size_t end = at + static_cast<std::size_t>(c.length);
    const bool is_space = (char_class(c.code) & kSpace) != 0;
    const bool is_punctuation = (bert_class(c.code) & kBertPunctuation) != 0;
    if (is_space || is_punctuation) {
      flush(at);
      if (is_punctuation) encode_word(all.substr(at, end - at), ids);
      word = end;
    }
    at = end;
  }
  flush(all.size());
}

}  // namespace onggi::text
