#include "onggi/tasks/label/chat_prompt.h"

#include <utility>

namespace onggi::tasks {
namespace {

void add_turn(Json& messages, const char* role, std::string content) {
  messages.push_back({{"role", role}, {"content", std::move(content)}});
}

}  // namespace

ChatPrompt::ChatPrompt(datasets::PromptTemplate prompt, std::string guidelines)
    : prompt_(std::move(prompt)), system_(std::move(guidelines)) {
  const std::string& shared = prompt_.shared_prefix();
  const auto last_line = shared.rfind('\n');
  system_bytes_ = last_line == std::string::npos ? 0 : last_line + 1;
  const auto end = shared.find_last_not_of(" \t\n", system_bytes_ == 0 ? 0 : system_bytes_ - 1);
  if (system_bytes_ == 0 || end == std::string::npos) return;
  while (!system_.empty() && system_.back() == '\n') system_.pop_back();
  if (!system_.empty()) system_ += "\n\n";
  system_ += shared.substr(0, end + 1);
}

std::string ChatPrompt::row_text(const datasets::Row& row) const {
  std::string text = datasets::joined_text(prompt_.render(row)).substr(system_bytes_);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Json ChatPrompt::messages(const datasets::Row& row, std::span<const datasets::Row* const> examples) const {
  Json messages = Json::array();
  if (!system_.empty()) add_turn(messages, "system", system_);
  for (const auto* example : examples) {
    add_turn(messages, "user", row_text(*example));
    add_turn(messages, "assistant", prompt_.render_answer(*example));
  }
  add_turn(messages, "user", row_text(row));
  return messages;
}

Json with_complaint(Json messages, const std::string& answer, const std::string& fault) {
  add_turn(messages, "assistant", answer);
  add_turn(messages, "user", "That can't be used: " + fault + ". Answer again, with nothing but the corrected answer.");
  return messages;
}

}  // namespace onggi::tasks
