#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::eval {

// Scores of texts against references, on a scale of 0 to 100 for BLEU and chrF and of 0 to 1 for ROUGE, as sacrebleu
// 2.6 and google-research rouge_score define them. Bytes that are not UTF-8 count as U+FFFD.

using Tokens = std::vector<std::string>;

/// "none" (split at spaces), "char" (every character, spaces vanish), "13a" and "intl" (mteval; see BLEU in
/// docs/formats/report.md). Throws kInvalidArgument on another name.
Tokens bleu_tokens(std::string_view line, std::string_view tokenizer);

struct BleuScore {
  double score = 0;
  std::array<double, 4> precisions{};  ///< In per cent, after smoothing.
  double brevity_penalty = 0;
  std::int64_t hypothesis_length = 0, reference_length = 0;
};

/// Corpus BLEU up to 4-grams with exponential smoothing; one list of references a hypothesis. `effective_order` averages
/// over the orders reached (for single sentences). Throws kInvalidArgument where sizes differ or a row has no reference.
BleuScore bleu(std::span<const std::string> hypotheses, std::span<const std::vector<std::string>> references,
               std::string_view tokenizer, bool effective_order = false);

/// Counts behind a chrF score; sums over segments are the counts of the corpus.
struct ChrfCounts {
  static constexpr int kCharacterOrders = 6, kWordOrders = 2;
  struct Order {
    std::int64_t hypothesis = 0, reference = 0, matches = 0;
  };
  std::array<Order, kCharacterOrders + kWordOrders> orders{};

  ChrfCounts& operator+=(const ChrfCounts& other);
  /// F with beta 2, averaged over the orders that both sides have; word orders only with `with_words` (chrF++).
  double score(bool with_words = false) const;
};

/// Counts against the reference with the best score (the first on ties).
ChrfCounts chrf_counts(std::string_view hypothesis, std::span<const std::string> references, bool with_words = false);

struct PrecisionRecall {
  double precision = 0, recall = 0, f1 = 0;
};

/// "google" (lower-case runs of a-z and 0-9, no stemming), "ko-char" (characters without spaces), "ko-space" (split at
/// spaces). Throws kInvalidArgument on another name.
Tokens rouge_tokens(std::string_view text, std::string_view tokenizer);
/// n in 1..9.
PrecisionRecall rouge_n(const Tokens& prediction, const Tokens& target, int n);
PrecisionRecall rouge_l(const Tokens& prediction, const Tokens& target);

}  // namespace onggi::eval
