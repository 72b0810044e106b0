#include <unicode/uchar.h>

#include <unordered_map>

#include "onggi/core/error.h"
#include "onggi/datasets/characters.h"
#include "onggi/eval/metrics/overlap.h"

namespace onggi::eval {
namespace {

/// Items are characters (order 1..6) or words (1..2); a key joins them.
using Counts = std::unordered_map<std::u32string, std::int64_t>;

struct Units {
  std::u32string characters;          ///< Without white space.
  std::vector<std::u32string> words;  ///< One punctuation mark split off.
};

bool is_ascii_punctuation(char32_t c) {
  return (c >= U'!' && c <= U'/') || (c >= U':' && c <= U'@') || (c >= U'[' && c <= U'`') || (c >= U'{' && c <= U'~');
}

void add_word(const std::u32string& word, std::vector<std::u32string>& words) {
  if (word.size() > 1 && is_ascii_punctuation(word.back())) {
    words.push_back(word.substr(0, word.size() - 1));
    words.push_back(word.substr(word.size() - 1));
  } else if (word.size() > 1 && is_ascii_punctuation(word.front())) {
    words.push_back(word.substr(0, 1));
    words.push_back(word.substr(1));
  } else if (!word.empty()) {
    words.push_back(word);
  }
}

Units units_of(std::string_view text) {
  Units units;
  std::u32string word;
  for (const char32_t c : datasets::to_code_points(text)) {
    if (u_isUWhiteSpace(static_cast<UChar32>(c))) {
      add_word(word, units.words);
      word.clear();
    } else {
      units.characters.push_back(c);
      word.push_back(c);
    }
  }
  add_word(word, units.words);
  return units;
}

Counts count_order(const Units& units, int order) {
  Counts counts;
  if (order < ChrfCounts::kCharacterOrders) {
    const auto n = static_cast<std::size_t>(order) + 1;
    for (std::size_t i = 0; i + n <= units.characters.size(); ++i) ++counts[units.characters.substr(i, n)];
    return counts;
  }
  const auto n = static_cast<std::size_t>(order - ChrfCounts::kCharacterOrders) + 1;
  for (std::size_t i = 0; i + n <= units.words.size(); ++i) {
    std::u32string key = units.words[i];
    for (std::size_t k = 1; k < n; ++k) key += U' ' + units.words[i + k];
    ++counts[key];
  }
  return counts;
}

std::int64_t total(const Counts& counts) {
  std::int64_t sum = 0;
  for (const auto& [key, count] : counts) sum += count;
  return sum;
}

ChrfCounts compare(const Units& hypothesis, const Units& reference) {
  ChrfCounts result;
  for (int order = 0; order < static_cast<int>(result.orders.size()); ++order) {
    const Counts ours = count_order(hypothesis, order), theirs = count_order(reference, order);
    auto& counts = result.orders[static_cast<std::size_t>(order)];
    counts.reference = total(theirs);
    counts.hypothesis = counts.reference > 0 ? total(ours) : 0;
    for (const auto& [key, count] : ours) {
      if (const auto found = theirs.find(key); found != theirs.end()) counts.matches += std::min(count, found->second);
    }
  }
  return result;
}

}  // namespace

ChrfCounts& ChrfCounts::operator+=(const ChrfCounts& other) {
  for (std::size_t i = 0; i < orders.size(); ++i) {
    orders[i].hypothesis += other.orders[i].hypothesis;
    orders[i].reference += other.orders[i].reference;
    orders[i].matches += other.orders[i].matches;
  }
  return *this;
}

double ChrfCounts::score(bool with_words) const {
  constexpr double kBetaSquared = 4;
  double precision = 0, recall = 0;
  int reached = 0;
  for (int i = 0; i < kCharacterOrders + (with_words ? kWordOrders : 0); ++i) {
    const Order& order = orders[static_cast<std::size_t>(i)];
    if (order.hypothesis == 0 || order.reference == 0) continue;
    precision += static_cast<double>(order.matches) / static_cast<double>(order.hypothesis);
    recall += static_cast<double>(order.matches) / static_cast<double>(order.reference);
    ++reached;
  }
  if (reached == 0 || precision + recall == 0) return 0;
  precision /= reached;
  recall /= reached;
  return 100 * (1 + kBetaSquared) * precision * recall / (kBetaSquared * precision + recall);
}

ChrfCounts chrf_counts(std::string_view hypothesis, std::span<const std::string> references, bool with_words) {
  require(!references.empty(), "chrF: a row has no reference");
  const Units units = units_of(hypothesis);
  ChrfCounts best = compare(units, units_of(references[0]));
  for (const auto& reference : references.subspan(1)) {
    const ChrfCounts counts = compare(units, units_of(reference));
    if (counts.score(with_words) > best.score(with_words)) best = counts;
  }
  return best;
}

}  // namespace onggi::eval
