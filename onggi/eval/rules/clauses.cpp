#include "onggi/eval/rules/clauses.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "onggi/datasets/characters.h"

namespace onggi::eval {
namespace {

using datasets::is_hangul;
using datasets::to_code_points;
using datasets::to_utf8;

// Ends of a clause's last word. Taken from the training products' reviews.
constexpr std::array<std::u32string_view, 22> kClauseEnds = {
    U"요", U"다", U"음", U"임", U"됨", U"함", U"네", U"는데", U"지만", U"고", U"서",
    U"며", U"니까", U"는데도", U"죠", U"용", U"염", U"듯", U"굿", U"남", U"ㅠ", U"ㅎ"};

bool is_mark(char32_t c) {
  constexpr std::u32string_view kMarks = U".!?~\n,;^…\u3002\u2026\u2764\u2661\u2665\u2605";
  return kMarks.find(c) != std::u32string_view::npos || (c >= 0x1F300 && c <= 0x1FAFF);
}

/// Lone jamo: laughter and tears.
bool is_jamo(char32_t c) { return c >= 0x3131 && c <= 0x318E; }

bool ends_clause(std::u32string_view word) {
  return std::ranges::any_of(kClauseEnds, [&](std::u32string_view end) { return word.size() > end.size() && word.ends_with(end); });
}

std::uint64_t hash(std::u32string_view text, std::uint64_t tag) {
  std::uint64_t h = 14695981039346656037u ^ tag * 0x9E3779B97F4A7C15u;  // FNV-1a
  for (const char32_t c : text) h = (h ^ c) * 1099511628211u;
  return h ^ h >> 29;
}

}  // namespace

std::vector<std::string> split_clauses(std::string_view review) {
  std::vector<std::string> clauses;
  std::u32string clause, word;
  const auto flush_word = [&] {
    if (word.empty()) return;
    if (!clause.empty()) clause.push_back(U' ');
    clause += word;
    word.clear();
  };
  const auto flush_clause = [&] {
    flush_word();
    if (std::ranges::any_of(clause, is_hangul)) clauses.push_back(to_utf8(clause));
    clause.clear();
  };
  for (const char32_t c : to_code_points(review)) {
    if (is_mark(c) || is_jamo(c)) {
      flush_clause();
    } else if (c == U' ' || c == U'\t') {
      const bool is_end = ends_clause(word);
      flush_word();
      if (is_end) flush_clause();
    } else {
      word.push_back(c);
    }
  }
  flush_clause();
  if (clauses.empty() && !plain_text(review).empty()) clauses.push_back(plain_text(review));
  return clauses;
}

std::string plain_text(std::string_view clause) {
  std::u32string text;
  for (const char32_t c : to_code_points(clause)) {
    const bool is_plain = is_hangul(c) || (c >= U'0' && c <= U'9') || (c >= U'A' && c <= U'Z') || (c >= U'a' && c <= U'z') || c == U'%';
    text.push_back(is_plain ? c : U' ');
  }
  return datasets::collapse_spaces(to_utf8(text));
}

std::vector<std::uint64_t> ngram_features(std::string_view text, int min_n, int max_n, std::uint64_t tag) {
  std::vector<std::uint64_t> features;
  const std::u32string code_points = U" " + to_code_points(plain_text(text)) + U" ";
  for (std::size_t start = 0; start + 1 < code_points.size();) {
    const std::size_t end = code_points.find(U' ', start + 1);  // [start, end] is " word "
    const std::u32string_view word = std::u32string_view(code_points).substr(start, end - start + 1);
    features.push_back(hash(word, tag + 1));
    for (auto n = static_cast<std::size_t>(min_n); n <= static_cast<std::size_t>(max_n); ++n) {
      for (std::size_t i = 0; i + n <= word.size(); ++i) features.push_back(hash(word.substr(i, n), tag));
    }
    start = end;
  }
  return features;
}

}  // namespace onggi::eval
