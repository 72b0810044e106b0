#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::eval {

/// Hypotheses, and one list of references each (at least one): a corpus score.
using TextMetricFunction = double (*)(std::span<const std::string> hypotheses,
                                      std::span<const std::vector<std::string>> references);

/// A metric of text against text. The signature is printed with every number of it.
struct TextMetric {
  std::string_view id;
  std::string_view signature;
  TextMetricFunction score;
};

/// All there is, sorted by id.
std::span<const TextMetric> text_metrics();

/// Throws kNotFound with the nearest id and the list.
const TextMetric& find_text_metric(std::string_view id);

}  // namespace onggi::eval
