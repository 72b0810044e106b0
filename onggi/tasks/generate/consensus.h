#pragma once

#include <span>
#include <string>

#include "onggi/eval/rules/rule_extractor.h"
#include "onggi/runtime/generator.h"

namespace onggi::tasks {

struct ConsensusOptions {
  bool are_cards = false;
  double least_share = 0.3;   ///< Cards: the least belief in a name that is written.
  const eval::RuleExtractor::Opinion* opinion = nullptr;  ///< A second reader's, for cards; not owned.
  double opinion_weight = 0;  ///< 0 to 1.
};

/// One answer out of several samples of a row.
/// Cards: the belief in a name is the share of samples with a card of that name, or with a second reader
/// (1 - weight) * share + weight * opinion (linear opinion pool; Stone 1961). The names of a belief of
/// at least `least_share` are written, one card each, the highest beliefs first chosen and at most as many as some sample
/// has (so no more than its guide allows), in the samples' mean order; the entity is chosen in the same way
/// from the cards of all samples, among those that the name has; the wording is the most probable sample's. For a low
/// share this is about the answer with the best expected F1, where the most probable single answer is cautious. A name
/// that no sample has is never written.
/// Other answers, and where a sample holds no cards: the text that most samples agree on.
/// Ties go to the higher log-probability, then the earlier sample. Samples that failed do not count; if all did, the
/// first is returned. The result's log-probability is log(mean belief in its names, or share of its text).
runtime::Answer consensus(std::span<const runtime::Answer> samples, const ConsensusOptions& options);

}  // namespace onggi::tasks
