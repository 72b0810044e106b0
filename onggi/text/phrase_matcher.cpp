#include "onggi/text/phrase_matcher.h"

#include <algorithm>

namespace onggi::text {

void PhraseMatcher::build(std::vector<std::pair<std::string, int>> phrases) {
  std::erase_if(phrases, [](const auto& p) { return p.first.empty(); });
  std::stable_sort(phrases.begin(), phrases.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  phrases.erase(
      std::unique(phrases.begin(), phrases.end(), [](const auto& a, const auto& b) { return a.first == b.first; }),
      phrases.end());
  phrases_ = std::move(phrases);
  for (const auto& [phrase, id] : phrases_) {
    const auto first = static_cast<unsigned char>(phrase[0]);
    first_byte_[first] = true;
    if (phrase.size() > 1) {
      first_two_[first << 8 | static_cast<unsigned char>(phrase[1])] = true;
    } else {
      for (std::size_t second = 0; second < 256; ++second) first_two_[first << 8 | second] = true;
    }
  }
}

PhraseMatcher::Match PhraseMatcher::longest(std::string_view text) const {
  Match best;
  if (!may_begin(text)) return best;
  // [low, high) are the phrases that agree with the first `n` bytes; a phrase of just these is the first of them.
  auto low = phrases_.begin();
  auto high = phrases_.end();
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto byte = static_cast<unsigned char>(text[n]);
    low = std::partition_point(low, high, [&](const auto& p) {
      return p.first.size() <= n || static_cast<unsigned char>(p.first[n]) < byte;
    });
    high = std::partition_point(low, high,
                                [&](const auto& p) { return static_cast<unsigned char>(p.first[n]) == byte; });
    if (low == high) break;
    if (low->first.size() == n + 1) best = {low->second, n + 1};
  }
  return best;
}

}  // namespace onggi::text
