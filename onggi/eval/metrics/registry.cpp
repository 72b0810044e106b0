#include "onggi/eval/metrics/registry.h"

#include <array>

#include "onggi/core/error.h"
#include "onggi/core/options.h"
#include "onggi/eval/metrics/classification.h"
#include "onggi/eval/metrics/overlap.h"

namespace onggi::eval {
namespace {

using Hypotheses = std::span<const std::string>;
using References = std::span<const std::vector<std::string>>;

std::vector<std::string> first_references(References references) {
  std::vector<std::string> first;
  for (const auto& row : references) {
    require(!row.empty(), "metric: a row has no reference");
    first.push_back(row[0]);
  }
  return first;
}

double accuracy(Hypotheses h, References r) { return classification(h, first_references(r)).accuracy; }
double macro_f1(Hypotheses h, References r) { return classification(h, first_references(r)).macro_f1; }

double bleu_13a(Hypotheses h, References r) { return bleu(h, r, "13a").score; }
double bleu_char(Hypotheses h, References r) { return bleu(h, r, "char").score; }
double bleu_intl(Hypotheses h, References r) { return bleu(h, r, "intl").score; }
double bleu_none(Hypotheses h, References r) { return bleu(h, r, "none").score; }

double chrf_score(Hypotheses h, References r, bool with_words) {
  require(h.size() == r.size(), "chrF: as many lists of references as hypotheses are needed");
  ChrfCounts counts;
  for (std::size_t i = 0; i < h.size(); ++i) counts += chrf_counts(h[i], r[i], with_words);
  return counts.score(with_words);
}
double chrf(Hypotheses h, References r) { return chrf_score(h, r, false); }
double chrf_plus_plus(Hypotheses h, References r) { return chrf_score(h, r, true); }

/// Mean F1 over rows against the first reference; n = 0 is ROUGE-L.
double rouge(Hypotheses h, References r, std::string_view tokenizer, int n) {
  const auto targets = first_references(r);
  require(h.size() == targets.size() && !h.empty(), "ROUGE: as many references as hypotheses are needed");
  double sum = 0;
  for (std::size_t i = 0; i < h.size(); ++i) {
    const Tokens prediction = rouge_tokens(h[i], tokenizer), target = rouge_tokens(targets[i], tokenizer);
    sum += (n == 0 ? rouge_l(prediction, target) : rouge_n(prediction, target, n)).f1;
  }
  return sum / static_cast<double>(h.size());
}
template <int n>
double rouge_char(Hypotheses h, References r) { return rouge(h, r, "ko-char", n); }
template <int n>
double rouge_google(Hypotheses h, References r) { return rouge(h, r, "google", n); }
template <int n>
double rouge_space(Hypotheses h, References r) { return rouge(h, r, "ko-space", n); }

constexpr std::array kMetrics = {
    TextMetric{"accuracy", "accuracy|exact|version:onggi-1", accuracy},
    TextMetric{"bleu-13a", "bleu|case:mixed|eff:no|tok:13a|smooth:exp|version:onggi-1", bleu_13a},
    TextMetric{"bleu-char", "bleu|case:mixed|eff:no|tok:char|smooth:exp|version:onggi-1", bleu_char},
    TextMetric{"bleu-intl", "bleu|case:mixed|eff:no|tok:intl|smooth:exp|version:onggi-1", bleu_intl},
    TextMetric{"bleu-none", "bleu|case:mixed|eff:no|tok:none|smooth:exp|version:onggi-1", bleu_none},
    TextMetric{"chrf", "chrf|case:mixed|nc:6|nw:0|beta:2|space:no|version:onggi-1", chrf},
    TextMetric{"chrf++", "chrf|case:mixed|nc:6|nw:2|beta:2|space:no|version:onggi-1", chrf_plus_plus},
    TextMetric{"macro-f1", "f1|macro:mean-of-f1|zero_division:0|version:onggi-1", macro_f1},
    TextMetric{"rouge1-google", "rouge|n:1|tok:google|stem:no|agg:mean|version:onggi-1", rouge_google<1>},
    TextMetric{"rouge1-ko-char", "rouge|n:1|tok:ko-char|agg:mean|version:onggi-1", rouge_char<1>},
    TextMetric{"rouge1-ko-space", "rouge|n:1|tok:ko-space|agg:mean|version:onggi-1", rouge_space<1>},
    TextMetric{"rouge2-google", "rouge|n:2|tok:google|stem:no|agg:mean|version:onggi-1", rouge_google<2>},
    TextMetric{"rouge2-ko-char", "rouge|n:2|tok:ko-char|agg:mean|version:onggi-1", rouge_char<2>},
    TextMetric{"rouge2-ko-space", "rouge|n:2|tok:ko-space|agg:mean|version:onggi-1", rouge_space<2>},
    TextMetric{"rougeL-google", "rouge|lcs|tok:google|stem:no|agg:mean|version:onggi-1", rouge_google<0>},
    TextMetric{"rougeL-ko-char", "rouge|lcs|tok:ko-char|agg:mean|version:onggi-1", rouge_char<0>},
    TextMetric{"rougeL-ko-space", "rouge|lcs|tok:ko-space|agg:mean|version:onggi-1", rouge_space<0>},
};

}  // namespace

std::span<const TextMetric> text_metrics() { return kMetrics; }

const TextMetric& find_text_metric(std::string_view id) {
  std::string list;
  std::vector<std::string> ids;
  for (const TextMetric& metric : kMetrics) {
    if (metric.id == id) return metric;
    ids.emplace_back(metric.id);
    list += (list.empty() ? "" : ", ") + ids.back();
  }
  const auto nearest = nearest_name(id, ids);
  throw Error(ErrorCode::kNotFound, "no metric \"" + std::string(id) + "\"" +
                                        (nearest.empty() ? "" : " (did you mean " + nearest + "?)") + "; there are " + list);
}

}  // namespace onggi::eval
