#include "onggi/server/text_inputs.h"

#include <algorithm>

#include "onggi/server/api_error.h"
#include "onggi/server/token_ids.h"

namespace onggi::server {
namespace {

std::string place_of(const std::string& name, const TextInputs& inputs, std::size_t i) {
  return inputs.size() == 1 ? name : name + "[" + std::to_string(i) + "]";
}

}  // namespace

std::vector<int> read_ids(const Json& list, const std::string& where) {
  std::vector<int> ids;
  for (const Json& id : list) {
    if (!id.is_number_integer() || id.get<double>() < 0 || id.get<double>() > 2147483647.0)
      refuse(where, "expected token ids, found " + shown(id));
    ids.push_back(id.get<int>());
  }
  return ids;
}

TextInputs read_text_inputs(const Members& members, const std::string& name, std::size_t max_count) {
  constexpr std::size_t kMaxIds = std::size_t{1} << 20;
  const Json* input = members.find(name);
  if (input == nullptr) refuse(name, "is missing: expected a text, texts, ids or lists of ids");
  TextInputs inputs;
  if (input->is_string()) {
    inputs.texts.push_back(input->get<std::string>());
    return inputs;
  }
  if (!input->is_array() || input->empty() || input->size() > kMaxIds)
    refuse(name, "expected a text, texts, ids or lists of ids, found " + shown(*input));
  const Json& first = (*input)[0];
  if (first.is_number()) {
    inputs.ids.push_back(read_ids(*input, name));
    return inputs;
  }
  if (input->size() > max_count)
    refuse(name, "expected at most " + std::to_string(max_count) + ", found " + std::to_string(input->size()));
  for (std::size_t i = 0; i < input->size(); ++i) {
    const Json& item = (*input)[i];
    const std::string where = name + "[" + std::to_string(i) + "]";
    if (first.is_string() && item.is_string()) {
      inputs.texts.push_back(item.get<std::string>());
    } else if (first.is_array() && item.is_array()) {
      inputs.ids.push_back(read_ids(item, where));
    } else {
      refuse(where, "expected a text, or a list of ids, as the first is, found " + shown(item));
    }
  }
  return inputs;
}

void check_prompt(const Backend& backend, const std::vector<int>& ids, const std::string& where, std::size_t max_tokens,
                  const std::string& name) {
  if (ids.empty()) refuse(where, "is empty");
  const int vocab_size = std::min(backend.tokenizer->vocab_size(), backend.decoder.config().vocab_size);
  const int highest = *std::ranges::max_element(ids);
  if (highest >= vocab_size) refuse(where, "token id " + std::to_string(highest) + " is not in the vocabulary");
  if (ids.size() <= max_tokens) return;
  throw ApiError(400,
                 where + ": has " + std::to_string(ids.size()) + " tokens, of which the model's context holds " +
                     std::to_string(max_tokens),
                 "context_length_exceeded", name);
}

std::vector<std::vector<int>> prompts_of(const Backend& backend, const TextInputs& inputs, const std::string& name) {
  const auto max_tokens = static_cast<std::size_t>(backend.decoder.config().max_positions);
  std::vector<std::vector<int>> prompts = inputs.ids;
  for (std::size_t i = 0; i < inputs.texts.size(); ++i) {
    if (inputs.texts[i].empty()) refuse(place_of(name, inputs, i), "is empty");
    prompts.push_back(text_ids(*backend.tokenizer, inputs.texts[i], true));
  }
  for (std::size_t i = 0; i < prompts.size(); ++i)
    check_prompt(backend, prompts[i], place_of(name, inputs, i), max_tokens, name);
  return prompts;
}

}  // namespace onggi::server
