#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "onggi/cluster/points.h"

namespace onggi::cluster {

struct DuplicateOptions {
  int shingle = 5;            ///< Characters of a gram.
  double threshold = 0.8;     ///< Jaccard similarity of two near-duplicates, at least.
  int short_characters = 20;  ///< Texts with fewer characters are compared by their key only; 0 = none is short.
  bool exact = false;         ///< Compare by prefixes of rare grams, which misses no pair, in place of MinHash.
  int num_permutations = 128;
  double miss = 0.005;  ///< Share of pairs at the threshold that MinHash may miss.
  std::uint64_t seed = 0;
  std::int64_t max_bucket = 2000;  ///< MinHash: comparisons of one text within one bucket, at most.
};

/// Expressions before clustering (METHODS 11): character 3-grams, Jaccard 0.9, no pair missed.
DuplicateOptions expression_duplicates();

/// Groups of texts that are the same, or nearly.
struct Duplicates {
  std::vector<std::int32_t> canonical;  ///< A text: the member that stands for its group; itself where it is kept.
  std::vector<std::int32_t> kept;       ///< The texts that stand for themselves, ascending.
  std::vector<std::int32_t> counts;     ///< A kept text, by place in `kept`: how many texts it stands for, itself too.
  std::int64_t num_same = 0;            ///< Texts beyond the first with one key.
  std::int64_t num_near = 0;            ///< Further texts whose group was found by similarity.
  std::int64_t num_pairs = 0;           ///< Pairs that were compared exactly.
  std::int64_t num_left_out = 0;        ///< Pairs that were not, since their bucket was too full (MinHash only).
};

/// Finds near-duplicates by character n-grams of the NFC text without spaces: texts with one key first, then pairs
/// whose exact Jaccard similarity is at least the threshold, joined to groups. Of a group the text that occurs most
/// often stands for it, of these the longest, of these the first. The same result with any number of threads. Throws
/// kInvalidArgument for options out of their range.
Duplicates find_duplicates(std::span<const std::string> texts, const DuplicateOptions& options, ThreadPool& pool,
                           const Report& report = {});

}  // namespace onggi::cluster
