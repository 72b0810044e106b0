#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "onggi/server/backend.h"
#include "onggi/server/members.h"

namespace onggi::server {

/// What a request gives the model to read: texts or lists of ids, one of the two.
struct TextInputs {
  std::vector<std::string> texts;
  std::vector<std::vector<int>> ids;

  std::size_t size() const { return texts.size() + ids.size(); }
};

/// A member that is a text, texts, ids or lists of ids, at most `max_count` of them. Throws ApiError 400 naming it.
TextInputs read_text_inputs(const Members& members, const std::string& name, std::size_t max_count);
/// The list's ids. Throws ApiError 400 naming `where` for anything that can be none.
std::vector<int> read_ids(const Json& list, const std::string& where);

/// Throws ApiError 400 naming `where` for a prompt that is empty or holds an id of no token; 400
/// context_length_exceeded, of the member `name`, for one of more than `max_tokens`.
void check_prompt(const Backend& backend, const std::vector<int>& ids, const std::string& where, std::size_t max_tokens,
                  const std::string& name);

/// Prompts of inputs: ids as they are, texts read literally after the beginning token where the model has one. Throws
/// ApiError 400 naming `name` for one that is empty or holds an id of no token, 400 context_length_exceeded for one
/// that is longer than the model's context.
std::vector<std::vector<int>> prompts_of(const Backend& backend, const TextInputs& inputs, const std::string& name);

}  // namespace onggi::server
