#include "onggi/tasks/label/sample.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/datasets/answers.h"
#include "onggi/runtime/fields.h"
#include "onggi/tasks/generate/consensus.h"

namespace onggi::tasks {
namespace {

using datasets::Card;

constexpr const char* kThemes = "themes";

/// The text inside a fence ```json ... ```, else the text without spaces around it.
std::string_view inside_fence(std::string_view text) {
  const auto trim = [](std::string_view t) {
    const auto first = t.find_first_not_of(" \t\r\n");
    return first == std::string_view::npos ? std::string_view()
                                           : t.substr(first, t.find_last_not_of(" \t\r\n") - first + 1);
  };
  text = trim(text);
  if (!text.starts_with("```") || !text.ends_with("```") || text.size() < 6) return text;
  const auto line = text.find('\n');
  if (line == std::string_view::npos) return text;
  return trim(text.substr(line + 1, text.size() - 3 - line - 1));
}

Json themes_json(const std::vector<Card>& cards) {
  Json themes = Json::array();
  for (const auto& card : cards)
    themes.push_back({{"entity", card.entity}, {"expression", card.expression}, {"name", card.name}});
  return themes;
}

/// Why these can't be themes of a row; empty if they can.
std::string fault_of(const std::vector<Card>& cards, const LabelForm& form) {
  const auto again = datasets::parse_cards(datasets::cards_answer(cards));
  if (!again || *again != cards) return "a theme does not fit into \"expression 'entity' : name\"";
  for (const auto& card : cards) {
    if (card.entity.empty() || card.expression.empty() || card.name.empty()) return "a theme has an empty part";
    if (!form.names.empty() && std::ranges::find(form.names, card.name) == form.names.end())
      return "\"" + card.name + "\" is none of the names";
  }
  return {};
}

struct Columns {
  Json values;
  std::string fault;
};

Columns read_columns(std::string_view text, const LabelForm& form) {
  if (form.format == "text") {
    if (text.empty()) return {nullptr, "the answer is empty"};
    return {{{form.column, text}}, {}};
  }
  if (form.format == "cards") {
    const auto cards = datasets::parse_cards(text);
    if (!cards) return {nullptr, "expected a JSON list of texts \"expression 'entity' : name\""};
    return {{{kThemes, themes_json(*cards)}}, fault_of(*cards, form)};
  }
  Json json;
  try {
    json = parse_json(text, "answer", 32);
  } catch (const Error& e) {
    return {nullptr, "it is no JSON: " + e.message()};
  }
  if (!json.is_object()) json = Json({{form.column, std::move(json)}});
  for (const auto& name : form.required) {
    if (!json.contains(name)) return {nullptr, "the member \"" + name + "\" is missing"};
  }
  if (const auto themes = json.find(kThemes); themes != json.end()) {
    try {
      return {json, fault_of(datasets::cards_of(*themes, "themes"), form)};
    } catch (const Error& e) {
      return {nullptr, e.message()};
    }
  }
  return {std::move(json), {}};
}

using Themes = std::vector<Card>;

std::optional<Themes> themes_of(const LabelSample& sample) {
  const auto found = sample.columns.find(kThemes);
  if (found == sample.columns.end()) return std::nullopt;
  return datasets::cards_of(*found, kThemes);
}

using Pairs = std::set<std::pair<std::string, std::string>>;

Pairs pairs_of(const Themes& themes) {
  Pairs pairs;
  for (const auto& card : themes) pairs.emplace(card.entity, card.name);
  return pairs;
}

/// 1 - F1; two that are empty agree.
double distance(const Pairs& a, const Pairs& b) {
  if (a.empty() && b.empty()) return 0;
  const auto common = std::ranges::count_if(a, [&](const auto& pair) { return b.contains(pair); });
  return 1.0 - 2.0 * static_cast<double>(common) / static_cast<double>(a.size() + b.size());
}

using Good = std::vector<const LabelSample*>;

template <class Distance>
double mean_over_pairs(std::size_t count, Distance distance) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < i; ++j) sum += distance(i, j);
  }
  return count < 2 ? 0.0 : sum / (static_cast<double>(count) * static_cast<double>(count - 1) / 2.0);
}

/// What a theme's three values have for a log-probability in a sample, by its place there.
std::optional<double> theme_log_probability(const LabelSample& sample, std::size_t index) {
  if (sample.fields.empty()) return std::nullopt;
  const std::string card = "/" + std::to_string(index) + "#", object = "/themes/" + std::to_string(index) + "/";
  double sum = 0;
  bool is_there = false;
  for (const auto& [pointer, value] : sample.fields) {
    if (pointer.starts_with(card) || pointer.starts_with(object)) sum += value, is_there = true;
  }
  return is_there ? std::optional(sum) : std::nullopt;
}

struct Column {
  Json value, details;
  double confidence = 0, disagreement = 0;
};

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

/// The mean over the samples that have them of the theme's log-probabilities.
std::optional<double> mean_theme_log_probability(const Good& samples, const std::vector<Themes>& themes,
                                                 const Card& card) {
  double sum = 0;
  int count = 0;
  for (std::size_t s = 0; s < samples.size(); ++s) {
    for (std::size_t i = 0; i < themes[s].size(); ++i) {
      if (themes[s][i].name != card.name || themes[s][i].entity != card.entity) continue;
      if (const auto value = theme_log_probability(*samples[s], i)) sum += *value, ++count;
      break;
    }
  }
  return count == 0 ? std::nullopt : std::optional(sum / count);
}

Column join_themes(const Good& samples, double least_share) {
  std::vector<Themes> themes;
  std::vector<Pairs> pairs;
  std::vector<runtime::Answer> answers;
  for (const auto* sample : samples) {
    themes.push_back(*themes_of(*sample));
    pairs.push_back(pairs_of(themes.back()));
    runtime::Answer answer;
    answer.text = datasets::cards_answer(themes.back());
    answer.log_probability = sample->log_probability;
    answer.complete = true;
    answers.push_back(std::move(answer));
  }
  const auto joined = consensus(answers, {.are_cards = true, .least_share = least_share});
  const auto cards = *datasets::parse_cards(joined.text);
  Column column{.value = themes_json(cards), .details = Json::array()};
  column.confidence = answers.size() == 1 ? 1.0 : std::exp(joined.log_probability);
  column.disagreement =
      mean_over_pairs(pairs.size(), [&](std::size_t i, std::size_t j) { return distance(pairs[i], pairs[j]); });
  const auto count = static_cast<double>(samples.size());
  for (const auto& card : cards) {
    const auto with_name = std::ranges::count_if(
        themes, [&](const Themes& list) { return std::ranges::find(list, card.name, &Card::name) != list.end(); });
    const auto with_both = std::ranges::count_if(pairs, [&](const Pairs& set) {
      return set.contains({card.entity, card.name});
    });
    column.details.push_back({{"name", card.name},
                              {"share", static_cast<double>(with_name) / count},
                              {"share_with_entity", static_cast<double>(with_both) / count},
                              {"log_probability", number_or_null(mean_theme_log_probability(samples, themes, card))}});
  }
  return column;
}

Column join_values(const Good& samples, const std::string& name) {
  std::vector<std::string> texts;
  for (const auto* sample : samples) {
    const auto found = sample->columns.find(name);
    texts.push_back(found == sample->columns.end() ? std::string() : found->dump());
  }
  std::size_t best = 0;
  const auto votes = [&](std::size_t i) { return std::ranges::count(texts, texts[i]); };
  for (std::size_t i = 1; i < texts.size(); ++i) {
    if (votes(i) > votes(best)) best = i;
  }
  Column column;
  const auto found = samples[best]->columns.find(name);
  column.value = found == samples[best]->columns.end() ? Json(nullptr) : *found;
  column.confidence = static_cast<double>(votes(best)) / static_cast<double>(texts.size());
  column.disagreement =
      mean_over_pairs(texts.size(), [&](std::size_t i, std::size_t j) { return texts[i] == texts[j] ? 0.0 : 1.0; });
  double sum = 0;
  bool is_there = false;
  for (const auto& [pointer, value] : samples[best]->fields) {
    if (pointer == "/" + name || pointer.starts_with("/" + name + "/")) sum += value, is_there = true;
  }
  // A text is one value.
  if (!is_there && samples[best]->has_log_probabilities && samples[best]->columns.size() == 1)
    sum = samples[best]->log_probability, is_there = true;
  column.details = {{"share", column.confidence}, {"log_probability", is_there ? Json(sum) : Json(nullptr)}};
  return column;
}

}  // namespace

LabelSample read_sample(const ChatReply& reply, const LabelForm& form) {
  LabelSample sample{.columns = nullptr, .text = reply.text};
  if (!reply.refusal.empty() || reply.finish_reason == "content_filter") {
    sample.fault = reply.refusal.empty() ? "the teacher's content filter stopped the answer"
                                         : "the teacher declined: " + error_words(reply.refusal);
    return sample;
  }
  if (reply.finish_reason == "length") {
    sample.fault = "the answer was cut at the most tokens allowed (--max-tokens)";
    return sample;
  }
  const std::string_view inside = form.format == "text" ? std::string_view(reply.text) : inside_fence(reply.text);
  auto columns = read_columns(inside, form);
  sample.fault = std::move(columns.fault);
  sample.is_repairable = !sample.fault.empty();
  if (sample.fault.empty()) sample.columns = std::move(columns.values);
  sample.has_log_probabilities = !reply.tokens.empty();
  for (const auto& token : reply.tokens) sample.log_probability += token.log_probability;
  if (sample.columns.is_null() || !sample.has_log_probabilities || form.format == "text") return sample;
  const auto offset = static_cast<std::size_t>(inside.data() - reply.text.data());
  for (const auto& field : runtime::find_fields(inside)) {
    double sum = 0;
    for (const auto& token : reply.tokens) {
      if (token.begin_byte < field.end + offset && token.end_byte > field.begin + offset) sum += token.log_probability;
    }
    sample.fields.emplace_back(field.pointer, sum);
  }
  return sample;
}

RowLabel join_samples(const std::vector<LabelSample>& samples, double least_share) {
  Good good;
  std::vector<std::string> names;
  for (const auto& sample : samples) {
    if (sample.columns.is_null()) continue;
    good.push_back(&sample);
    for (const auto& [name, value] : sample.columns.items()) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  }
  RowLabel label{.columns = nullptr, .details = Json::object()};
  if (good.empty()) {
    label.fault = samples.empty() ? "no answer" : samples.front().fault;
    return label;
  }
  label.columns = Json::object();
  label.confidence = 1;
  for (const auto& name : names) {
    const bool are_themes = name == kThemes && std::ranges::all_of(good, [](const auto* sample) {
                              return sample->columns.contains(kThemes);
                            });
    Column column = are_themes ? join_themes(good, least_share) : join_values(good, name);
    label.columns[name] = std::move(column.value);
    label.details[name] = std::move(column.details);
    label.confidence = std::min(label.confidence, column.confidence);
    label.disagreement = std::max(label.disagreement, column.disagreement);
  }
  return label;
}

}  // namespace onggi::tasks
