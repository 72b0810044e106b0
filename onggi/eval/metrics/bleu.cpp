#include <unicode/uchar.h>

#include <algorithm>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/datasets/characters.h"
#include "onggi/eval/metrics/overlap.h"

namespace onggi::eval {
namespace {

using datasets::to_code_points;
using datasets::to_utf8;

constexpr int kMaxOrder = 4;

bool is_space(char32_t c) { return u_isUWhiteSpace(static_cast<UChar32>(c)); }
bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }

Tokens split_at_spaces(std::u32string_view line) {
  Tokens tokens;
  std::u32string token;
  for (const char32_t c : line) {
    if (!is_space(c)) {
      token.push_back(c);
    } else if (!token.empty()) {
      tokens.push_back(to_utf8(token));
      token.clear();
    }
  }
  if (!token.empty()) tokens.push_back(to_utf8(token));
  return tokens;
}

void replace_all(std::u32string& text, std::u32string_view from, std::u32string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::u32string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

/// One left-to-right pass over non-overlapping pairs (a, b) that `matches`: each becomes a + separator + b with the
/// spaces that `before`, `between`, `after` ask for.
template <class Matches>
std::u32string split_pairs(const std::u32string& text, Matches matches, bool before, bool after) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 >= text.size() || !matches(text[i], text[i + 1])) {
      result.push_back(text[i]);
      continue;
    }
    if (before) result.push_back(U' ');
    result.push_back(text[i]);
    result.push_back(U' ');
    result.push_back(text[++i]);
    if (after) result.push_back(U' ');
  }
  return result;
}

template <class Matches>
std::u32string space_around(const std::u32string& text, Matches matches) {
  std::u32string result;
  for (const char32_t c : text) {
    if (matches(c)) {
      result += {U' ', c, U' '};
    } else {
      result.push_back(c);
    }
  }
  return result;
}

std::u32string tokenize_13a(std::u32string line) {
  replace_all(line, U"<skipped>", U"");
  replace_all(line, U"-\n", U"");
  replace_all(line, U"\n", U" ");
  if (line.find(U'&') != std::u32string::npos) {
    replace_all(line, U"&quot;", U"\"");
    replace_all(line, U"&amp;", U"&");
    replace_all(line, U"&lt;", U"<");
    replace_all(line, U"&gt;", U">");
  }
  line = U" " + line + U" ";
  line = space_around(line, [](char32_t c) {
    return (c >= U'{' && c <= U'~') || (c >= U'[' && c <= U'`') || (c >= U' ' && c <= U'&') || (c >= U'(' && c <= U'+') ||
           (c >= U':' && c <= U'@') || c == U'/';
  });
  const auto is_stop = [](char32_t c) { return c == U'.' || c == U','; };
  line = split_pairs(line, [&](char32_t a, char32_t b) { return !is_digit(a) && is_stop(b); }, false, true);
  line = split_pairs(line, [&](char32_t a, char32_t b) { return is_stop(a) && !is_digit(b); }, true, false);
  return split_pairs(line, [](char32_t a, char32_t b) { return is_digit(a) && b == U'-'; }, false, true);
}

std::u32string tokenize_intl(std::u32string line) {
  const auto mask = [](char32_t c) { return U_GET_GC_MASK(static_cast<UChar32>(c)); };
  const auto is_number = [&](char32_t c) { return (mask(c) & U_GC_N_MASK) != 0; };
  const auto is_punctuation = [&](char32_t c) { return (mask(c) & U_GC_P_MASK) != 0; };
  line = split_pairs(line, [&](char32_t a, char32_t b) { return !is_number(a) && is_punctuation(b); }, false, true);
  line = split_pairs(line, [&](char32_t a, char32_t b) { return is_punctuation(a) && !is_number(b); }, true, false);
  return space_around(line, [&](char32_t c) { return (mask(c) & U_GC_S_MASK) != 0; });
}

using NgramCounts = std::map<std::vector<std::string_view>, std::int64_t>;

NgramCounts ngrams(const Tokens& tokens, std::size_t order) {
  NgramCounts counts;
  for (std::size_t i = 0; i + order <= tokens.size(); ++i) {
    ++counts[{tokens.begin() + static_cast<std::ptrdiff_t>(i), tokens.begin() + static_cast<std::ptrdiff_t>(i + order)}];
  }
  return counts;
}

struct BleuCounts {
  std::array<std::int64_t, kMaxOrder> matches{}, totals{};
  std::int64_t hypothesis = 0, reference = 0;

  void add(const Tokens& tokens, const std::vector<Tokens>& references) {
    const auto size = static_cast<std::int64_t>(tokens.size());
    hypothesis += size;
    std::int64_t closest = -1;
    for (const auto& other : references) {
      const auto length = static_cast<std::int64_t>(other.size());
      const auto gap = std::abs(length - size), best = std::abs(closest - size);
      if (closest < 0 || gap < best || (gap == best && length < closest)) closest = length;
    }
    reference += closest;
    for (std::size_t order = 1; order <= kMaxOrder; ++order) {
      std::vector<NgramCounts> reference_counts;
      for (const auto& other : references) reference_counts.push_back(ngrams(other, order));
      for (const auto& [gram, count] : ngrams(tokens, order)) {
        std::int64_t most = 0;
        for (const auto& counts : reference_counts) {
          if (const auto found = counts.find(gram); found != counts.end()) most = std::max(most, found->second);
        }
        matches[order - 1] += std::min(count, most);
        totals[order - 1] += count;
      }
    }
  }
};

BleuScore score_of(const BleuCounts& counts, bool effective_order) {
  BleuScore result{.hypothesis_length = counts.hypothesis, .reference_length = counts.reference};
  const auto hypothesis = static_cast<double>(counts.hypothesis), reference = static_cast<double>(counts.reference);
  result.brevity_penalty = counts.hypothesis == 0 ? 0 : hypothesis < reference ? std::exp(1 - reference / hypothesis) : 1;
  if (std::ranges::all_of(counts.matches, [](std::int64_t m) { return m == 0; })) return result;
  double sum = 0, factor = 1;
  int reached = 0;
  for (int n = 0; n < kMaxOrder && counts.totals[n] > 0; ++n) {
    const auto total = static_cast<double>(counts.totals[n]);
    if (counts.matches[n] == 0) factor *= 2;
    result.precisions[n] =
        counts.matches[n] == 0 ? 100 / (factor * total) : 100 * static_cast<double>(counts.matches[n]) / total;
    reached = n + 1;
    sum += std::log(result.precisions[n]);
  }
  constexpr double kLogZero = -9999999999;
  if (!effective_order) sum += kLogZero * (kMaxOrder - reached);
  result.score = result.brevity_penalty * std::exp(sum / (effective_order ? reached : kMaxOrder));
  return result;
}

}  // namespace

Tokens bleu_tokens(std::string_view line, std::string_view tokenizer) {
  std::u32string code_points = to_code_points(line);
  while (!code_points.empty() && is_space(code_points.back())) code_points.pop_back();
  if (tokenizer == "13a") return split_at_spaces(tokenize_13a(std::move(code_points)));
  if (tokenizer == "intl") return split_at_spaces(tokenize_intl(std::move(code_points)));
  if (tokenizer == "none") return split_at_spaces(code_points);
  require(tokenizer == "char", [&] { return "BLEU: tokenizer must be none, char, 13a or intl, found \"" + std::string(tokenizer) + "\""; });
  Tokens tokens;
  for (const char32_t c : code_points) {
    if (!is_space(c)) tokens.push_back(to_utf8({&c, 1}));
  }
  return tokens;
}

BleuScore bleu(std::span<const std::string> hypotheses, std::span<const std::vector<std::string>> references,
               std::string_view tokenizer, bool effective_order) {
  require(hypotheses.size() == references.size(), "BLEU: as many lists of references as hypotheses are needed");
  BleuCounts counts;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    require(!references[i].empty(), "BLEU: a row has no reference");
    std::vector<Tokens> reference_tokens;
    for (const auto& reference : references[i]) reference_tokens.push_back(bleu_tokens(reference, tokenizer));
    counts.add(bleu_tokens(hypotheses[i], tokenizer), reference_tokens);
  }
  return score_of(counts, effective_order);
}

}  // namespace onggi::eval
