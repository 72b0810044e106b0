#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/eval/metrics/overlap.h"

namespace onggi::eval {
namespace {

Tokens google_tokens(std::string_view text) {
  Tokens tokens(1);
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      tokens.back().push_back(c);
    } else if (!tokens.back().empty()) {
      tokens.emplace_back();
    }
  }
  if (tokens.back().empty()) tokens.pop_back();
  return tokens;
}

PrecisionRecall from_hits(std::int64_t hits, std::int64_t predicted, std::int64_t expected) {
  PrecisionRecall result;
  result.precision = static_cast<double>(hits) / static_cast<double>(std::max<std::int64_t>(predicted, 1));
  result.recall = static_cast<double>(hits) / static_cast<double>(std::max<std::int64_t>(expected, 1));
  if (hits > 0) result.f1 = 2 * result.precision * result.recall / (result.precision + result.recall);
  return result;
}

}  // namespace

Tokens rouge_tokens(std::string_view text, std::string_view tokenizer) {
  if (tokenizer == "google") return google_tokens(text);
  if (tokenizer == "ko-char") return bleu_tokens(text, "char");
  require(tokenizer == "ko-space",
          [&] { return "ROUGE: tokenizer must be google, ko-char or ko-space, found \"" + std::string(tokenizer) + "\""; });
  return bleu_tokens(text, "none");
}

PrecisionRecall rouge_n(const Tokens& prediction, const Tokens& target, int n) {
  require(n >= 1 && n <= 9, "ROUGE-N: n must be 1 to 9");
  const auto size = static_cast<std::size_t>(n);
  std::map<std::vector<std::string_view>, std::int64_t> expected;
  const auto gram = [&](const Tokens& tokens, std::size_t i) {
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(i);
    return std::vector<std::string_view>(begin, begin + n);
  };
  std::int64_t num_expected = 0, num_predicted = 0, hits = 0;
  for (std::size_t i = 0; i + size <= target.size(); ++i, ++num_expected) ++expected[gram(target, i)];
  for (std::size_t i = 0; i + size <= prediction.size(); ++i, ++num_predicted) {
    const auto found = expected.find(gram(prediction, i));
    if (found != expected.end() && found->second-- > 0) ++hits;
  }
  return from_hits(hits, num_predicted, num_expected);
}

PrecisionRecall rouge_l(const Tokens& prediction, const Tokens& target) {
  std::vector<std::int64_t> row(target.size() + 1, 0);
  for (const auto& token : prediction) {
    std::int64_t diagonal = 0;
    for (std::size_t j = 1; j <= target.size(); ++j) {
      const std::int64_t above = row[j];
      row[j] = token == target[j - 1] ? diagonal + 1 : std::max(row[j], row[j - 1]);
      diagonal = above;
    }
  }
  return from_hits(row.back(), static_cast<std::int64_t>(prediction.size()), static_cast<std::int64_t>(target.size()));
}

}  // namespace onggi::eval
