#pragma once

#include <span>
#include <string>

#include "onggi/runtime/generator.h"

namespace onggi::tasks {

/// One answer out of several samples of a row. With `are_cards`, the cards whose (entity, name) at least
/// `least_share` of the samples name, the most frequent `max_cards` of them, one card a name, each as the most probable
/// sample writes it, in their mean order: for a low share this is the answer with the best expected F1, where the most
/// probable single answer is cautious (minimum Bayes risk; Kumar and Byrne 2004). Otherwise, and where a sample holds no
/// cards, the text that most samples agree on. Ties go to the higher log-probability, then the earlier sample.
/// Samples that failed do not count; if all did, the first is returned.
/// The result's log-probability is that of the share: log(mean share of its cards or text).
runtime::Answer consensus(std::span<const runtime::Answer> samples, bool are_cards, double least_share, std::size_t max_cards);

}  // namespace onggi::tasks
