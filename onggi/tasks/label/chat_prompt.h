#pragma once

#include <span>
#include <string>

#include "onggi/core/json.h"
#include "onggi/datasets/prompt_template.h"
#include "onggi/datasets/rows.h"

namespace onggi::tasks {

/// A prompt template as a conversation: what stands before the line of the first slot is the system's message
/// (guidelines before it), each example a turn of the user and one of the assistant, and the row the last turn of the
/// user. So the long part is the same for all rows, which servers keep in a cache. Immutable.
class ChatPrompt {
 public:
  /// `guidelines` may be empty.
  ChatPrompt(datasets::PromptTemplate prompt, std::string guidelines);

  /// A list of {"role", "content"}. Throws as PromptTemplate::render and render_answer.
  Json messages(const datasets::Row& row, std::span<const datasets::Row* const> examples) const;
  const datasets::PromptTemplate& prompt() const { return prompt_; }

 private:
  std::string row_text(const datasets::Row& row) const;

  datasets::PromptTemplate prompt_;
  std::string system_;
  std::size_t system_bytes_ = 0;  ///< Of each rendered row, in `system_` already.
};

/// The messages that ask again after an answer that can't be read: the answer, and what is wrong with it.
Json with_complaint(Json messages, const std::string& answer, const std::string& fault);

}  // namespace onggi::tasks
