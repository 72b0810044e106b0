#include "onggi/datasets/validate.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_map>

#include "onggi/core/error.h"
#include "onggi/datasets/answers.h"
#include "onggi/datasets/characters.h"
#include "onggi/datasets/split.h"

namespace onggi::datasets {
namespace {

// Control tokens of the families that we load. Spelt in a review they stay text, but they are worth a look.
constexpr std::array kSpecialTokens = {"<bos>",          "<eos>",        "<pad>",      "<unk>",        "<start_of_turn>",
                                       "<end_of_turn>",  "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>",
                                       "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "[INST]", "</s>"};

bool is_control(char32_t c) {
  return (c < 0x20 && c != U'\n' && c != U'\t' && c != U'\r') || (c >= 0x7F && c < 0xA0) || c == 0xFEFF;
}

std::string code_point_name(char32_t c) {
  char name[16];
  std::snprintf(name, sizeof name, "U+%04X", static_cast<unsigned>(c));
  return name;
}

class Validator {
 public:
  Validator(const PromptTemplate& prompt_template, const ValidateOptions& options)
      : template_(prompt_template), options_(options), slots_(prompt_template.slots()) {
    special_tokens_ = options.special_tokens;
    if (special_tokens_.empty()) special_tokens_.assign(kSpecialTokens.begin(), kSpecialTokens.end());
  }

  void check(const Row& row) {
    row_ = &row;
    bool is_complete = true;
    for (const auto& slot : slots_) {
      const auto value = row.fields.find(slot);
      if (value == row.fields.end()) {
        add(Severity::kError, "missing_column", missing_column_message(slot, row.fields), slot);
        is_complete = false;
      } else if (value->is_string()) {
        check_text(value->get_ref<const std::string&>(), slot);
      }
    }
    check_repeats();
    if (is_complete && template_.has_answer()) check_answer();
  }

  std::vector<Finding> take() { return std::move(findings_); }
  bool is_full() const { return static_cast<std::int64_t>(findings_.size()) >= options_.max_findings; }

 private:
  void add(Severity severity, std::string_view code, std::string message, std::string_view column = {}) {
    findings_.push_back({severity, std::string(code), std::move(message), std::string(column), row_->file, row_->line});
  }

  void check_text(const std::string& text, std::string_view column) {
    if (collapse_spaces(text).empty()) add(Severity::kWarning, "empty_input", "the text is empty", column);
    if (!is_nfc(text)) {
      add(Severity::kWarning, "not_nfc", "not in NFC (decomposed Hangul, as macOS file names have): its tokens differ", column);
    }
    const std::u32string code_points = to_code_points(text);
    if (const auto control = std::ranges::find_if(code_points, is_control); control != code_points.end()) {
      add(Severity::kWarning, "control_character",
          "control character " + code_point_name(*control) + " at character " +
              std::to_string(control - code_points.begin() + 1), column);
    }
    if (code_points.find(char32_t{0xFFFD}) != std::u32string::npos) {
      add(Severity::kWarning, "replacement_character", "U+FFFD: the text was damaged by a wrong encoding before", column);
    }
    for (const auto& token : special_tokens_) {
      if (text.find(token) == std::string::npos) continue;
      add(Severity::kWarning, "special_token", "the text spells the control token " + token + " (it is read as text)", column);
    }
  }

  void check_repeats() {
    const auto [by_id, is_new_id] = ids_.try_emplace(row_->id, row_->line);
    if (!is_new_id) {
      add(Severity::kError, "repeated_id", "id \"" + row_->id + "\" is on line " + std::to_string(by_id->second) + " too", "id");
    }
    for (const auto& slot : slots_) {
      if (!row_->fields.contains(slot)) return;
    }
    const auto [by_text, is_new_text] = texts_.try_emplace(row_text_key(*row_, slots_, "id"), row_->line);
    if (!is_new_text) {
      add(Severity::kWarning, "duplicate_row", "the same input as line " + std::to_string(by_text->second));
    }
  }

  void check_answer() {
    std::string answer;
    try {  // one bad row must not hide the others
      answer = template_.render_answer(*row_);
    } catch (const Error& error) {
      return add(Severity::kError, "bad_answer", error.message());
    }
    if (collapse_spaces(answer).empty()) {
      return add(Severity::kError, "no_supervised_text", "the answer is empty, so the row teaches nothing");
    }
    if (!is_nfc(answer)) add(Severity::kWarning, "not_nfc", "the answer is not in NFC");
    if (template_.answer_format() == "json" && !Json::accept(answer)) {
      add(Severity::kError, "bad_answer", "the answer is not JSON: " + answer.substr(0, 80));
    }
    if (template_.answer_format() != "cards") return;
    const auto cards = parse_cards(answer);
    if (!cards) return add(Severity::kError, "bad_answer", "the answer is not a list of cards: " + answer.substr(0, 80));
    for (const Card& card : *cards) {
      if (options_.labels.empty() || std::ranges::find(options_.labels, card.name) != options_.labels.end()) continue;
      add(Severity::kWarning, "unknown_label", "\"" + card.name + "\" is not in the closed list of names");
    }
  }

  const PromptTemplate& template_;
  const ValidateOptions& options_;
  std::vector<std::string> slots_, special_tokens_;
  std::unordered_map<std::string, std::int64_t> ids_, texts_;
  std::vector<Finding> findings_;
  const Row* row_ = nullptr;
};

}  // namespace

std::string Finding::text() const {
  return std::string(severity == Severity::kError ? "error: " : "warning: ") + message + " (" + file + ":" +
         std::to_string(line) + (column.empty() ? "" : ", column \"" + column + "\"") + ")";
}

std::vector<Finding> validate_rows(std::span<const Row> rows, const PromptTemplate& prompt_template,
                                   const ValidateOptions& options) {
  Validator validator(prompt_template, options);
  for (const Row& row : rows) {
    if (validator.is_full()) break;
    validator.check(row);
  }
  return validator.take();
}

void require_no_errors(std::span<const Finding> findings) {
  constexpr int kShown = 5;
  std::string text;
  int num_errors = 0;
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::kError && ++num_errors <= kShown) text += "\n  " + finding.text();
  }
  require(num_errors == 0, [&] {
    return std::to_string(num_errors) + (num_errors == 1 ? " row can't be used:" : " rows can't be used:") + text +
           (num_errors > kShown ? "\n  ..." : "");
  });
}

std::vector<Example> build_examples(std::span<const Row> rows, const PromptTemplate& prompt_template, bool with_answers) {
  std::vector<Example> examples;
  examples.reserve(rows.size());
  for (const Row& row : rows) {
    Example example{.id = row.id, .prompt = prompt_template.render(row), .file = row.file, .line = row.line};
    if (with_answers) {
      example.answer = prompt_template.render_answer(row);
      require(!collapse_spaces(example.answer).empty(), "the answer is empty, so the row teaches nothing",
              ErrorCode::kInvalidArgument, place_of(row));
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

}  // namespace onggi::datasets
