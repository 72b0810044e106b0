#include <algorithm>
#include <cmath>
#include <map>

#include "onggi/server/completion_request.h"
#include "onggi/server/embedding_request.h"
#include "onggi/server/prompt_jobs.h"
#include "onggi/server/routes/embeddings.h"
#include "onggi/server/routes/route.h"
#include "onggi/server/text_inputs.h"

namespace onggi::server {
namespace {

constexpr std::size_t kMaxLabels = 1024;

Json head_of(const http::Request& request, const ServedModel& model) {
  return {{"id", "score-" + request.id}, {"object", "list"}, {"model", model.name}, {"data", Json::array()}};
}

/// Two lists side by side; one text goes with each of the other side's.
struct Pairs {
  std::vector<std::vector<int>> prompts;                   ///< Each once.
  std::vector<std::pair<std::size_t, std::size_t>> pairs;  ///< Of prompts.
};

Pairs pairs_of(std::vector<std::vector<int>> first, std::vector<std::vector<int>> second) {
  if (first.size() != second.size() && first.size() != 1 && second.size() != 1)
    refuse("text_2", "expected as many as text_1 has (" + std::to_string(first.size()) + "), or one, found " +
                         std::to_string(second.size()));
  Pairs found;
  std::map<std::vector<int>, std::size_t> places;
  const auto place = [&](const std::vector<int>& ids) {
    const auto [at, is_new] = places.try_emplace(ids, found.prompts.size());
    if (is_new) found.prompts.push_back(ids);
    return at->second;
  };
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i)
    found.pairs.emplace_back(place(first[first.size() == 1 ? 0 : i]), place(second[second.size() == 1 ? 0 : i]));
  return found;
}

/// {text_1, text_2}: the cosine of their embeddings.
void start_similarities(Backend& backend, const Arrival& arrival, const Members& members, const ServedModel& model) {
  const auto shape = read_embedding_shape(members, static_cast<int>(backend.decoder.config().hidden_size));
  const auto prompts = [&](const char* name) {
    return prompts_of(backend, read_text_inputs(members, name, kMaxInputs), name);
  };
  Pairs pairs = pairs_of(prompts("text_1"), prompts("text_2"));
  PromptJobs jobs{.prompts = std::move(pairs.prompts),
                  .settings = read_pooling(members, model),
                  .is_urgent = read_urgency(members)};
  read_prompts(backend, arrival, model, std::move(jobs),
               [body = head_of(arrival.exchange()->request(), model), pairs = std::move(pairs.pairs),
                shape](const PromptReadings& readings) {
                 std::vector<std::vector<float>> vectors;
                 for (const auto& reading : readings.readings)
                   vectors.push_back(runtime::embedding_of(reading->pooled, shape));
                 Json answer = body;
                 for (const auto& [a, b] : pairs) {
                   answer["data"].push_back({{"index", answer["data"].size()},
                                             {"object", "score"},
                                             {"score", runtime::cosine(vectors[a], vectors[b])}});
                 }
                 answer["usage"] = readings.usage();
                 return json_response(answer);
               });
}

std::vector<int> read_labels(const Backend& backend, const Members& members) {
  const Json* list = members.find("label_token_ids");
  if (list == nullptr || !list->is_array() || list->empty() || list->size() > kMaxLabels)
    refuse("label_token_ids", "expected 1 to " + std::to_string(kMaxLabels) + " token ids, found " +
                                  shown(list == nullptr ? Json() : *list));
  const auto ids = read_ids(*list, "label_token_ids");
  const int vocab_size = std::min(backend.tokenizer->vocab_size(), backend.decoder.config().vocab_size);
  for (const int id : ids) {
    if (id >= vocab_size) refuse("label_token_ids", "token id " + std::to_string(id) + " is not in the vocabulary");
  }
  return ids;
}

/// The query and each item joined, as texts or as ids.
TextInputs joined_inputs(const Members& members, bool has_item_first) {
  const TextInputs query = read_text_inputs(members, "query", 1),
                   items = read_text_inputs(members, "items", kMaxInputs);
  if (query.texts.empty() != items.texts.empty())
    refuse("items", "expected what the query is: texts with a text, lists of ids with ids");
  TextInputs joined;
  for (const auto& item : items.texts)
    joined.texts.push_back(has_item_first ? item + query.texts[0] : query.texts[0] + item);
  for (const auto& item : items.ids) {
    auto ids = has_item_first ? item : query.ids[0];
    const auto& rest = has_item_first ? query.ids[0] : item;
    ids.insert(ids.end(), rest.begin(), rest.end());
    joined.ids.push_back(std::move(ids));
  }
  return joined;
}

/// Probabilities of the labels; with `among_labels` what they are if nothing else may come.
std::vector<double> label_scores(std::span<const float> log_probabilities, bool among_labels) {
  const float highest = among_labels ? *std::ranges::max_element(log_probabilities) : 0.0F;
  std::vector<double> scores;
  double sum = 0.0;
  for (const float log_probability : log_probabilities) {
    scores.push_back(std::exp(static_cast<double>(log_probability) - static_cast<double>(highest)));
    sum += scores.back();
  }
  if (!among_labels) return scores;
  for (double& score : scores) score /= sum;
  return scores;
}

/// {query, items, label_token_ids}: how probable the labels are as the next token, over the whole vocabulary or, with
/// apply_softmax, among themselves.
void start_labels(Backend& backend, const Arrival& arrival, const Members& members, const ServedModel& model) {
  auto settings = reading_settings(model);
  settings->prompt.next_ids = read_labels(backend, members);
  const bool among_labels = members.truth("apply_softmax", false);
  PromptJobs jobs{.prompts = {}, .settings = settings, .is_urgent = read_urgency(members)};
  jobs.prompts = prompts_of(backend, joined_inputs(members, members.truth("item_first", false)), "items");
  read_prompts(
      backend, arrival, model, std::move(jobs),
      [body = head_of(arrival.exchange()->request(), model), among_labels](const PromptReadings& readings) {
        Json answer = body;
        for (const auto& reading : readings.readings) {
          const auto scores = label_scores(reading->next_log_probabilities, among_labels);
          answer["data"].push_back(
              {{"index", answer["data"].size()}, {"object", "score"}, {"score", scores[0]}, {"label_scores", scores}});
        }
        answer["usage"] = readings.usage();
        return json_response(answer);
      });
}

void start_scores(Backend& backend, const Arrival& arrival, const Json& json, const ServedModel& model) {
  const Members members(json);
  const bool has_texts = members.find("text_1") != nullptr || members.find("text_2") != nullptr;
  const bool has_query = members.find("query") != nullptr || members.find("items") != nullptr;
  if (has_texts == has_query)
    refuse(has_texts ? "query" : "text_1", "expected text_1 and text_2, or query, items and label_token_ids");
  if (has_texts) {
    start_similarities(backend, arrival, members, model);
  } else {
    start_labels(backend, arrival, members, model);
  }
}

}  // namespace

void score(Backend& backend, const std::shared_ptr<http::Exchange>& exchange,
           const std::shared_ptr<CallRecord>& record) {
  read_body(backend, exchange, record, start_scores);
}

}  // namespace onggi::server
