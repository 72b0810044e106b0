#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::eval {

/// A review cut into clauses: at sentence marks, line breaks, emoticons, commas, and after words that end as Korean
/// clauses do (-yo, -da, -eum, -neunde, -jiman, -go, -seo). Never empty for text that is not blank.
std::vector<std::string> split_clauses(std::string_view review);

/// A clause without emoticons, laughter and punctuation; single spaces.
std::string plain_text(std::string_view clause);

/// Hashes of a text's features: its words, and n-grams of `min_n` to `max_n` characters inside space-padded words.
/// `tag` keeps kinds of text apart. Equal features come as often as they occur.
std::vector<std::uint64_t> ngram_features(std::string_view text, int min_n, int max_n, std::uint64_t tag);

}  // namespace onggi::eval
