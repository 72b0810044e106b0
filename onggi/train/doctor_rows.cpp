#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "onggi/train/doctor_checks.h"

namespace onggi::train {
namespace {

std::int64_t num_supervised(const DoctorRow& row) {
  return std::count_if(row.supervised.begin(), row.supervised.end(), [](std::uint8_t s) { return s != 0; });
}

std::size_t first_supervised(const DoctorRow& row) {
  const auto first = std::find_if(row.supervised.begin(), row.supervised.end(), [](std::uint8_t s) { return s != 0; });
  return static_cast<std::size_t>(first - row.supervised.begin());
}

void check_masks(const DoctorInput& in, std::vector<Finding>& findings) {
  RowFinding sizes("mask_size", Severity::kError, "a mask of another length than the tokens");
  RowFinding none("row_without_target", Severity::kError, "no token that is scored");
  RowFinding first("first_token_scored", Severity::kError, "a first token that is scored, which nothing predicts");
  std::int64_t with_target = 0;
  for_each_row(in, [&](const DoctorRow& row) {
    if (row.ids.empty() && row.supervised.empty()) return;
    if (row.ids.size() != row.supervised.size()) sizes.add(row);
    if (num_supervised(row) > 0) {
      ++with_target;
    } else {
      none.add(row);
    }
    if (!row.supervised.empty() && row.supervised[0] != 0) first.add(row);
  });
  sizes.report(findings);
  first.report(findings);
  if (none.count() > 0 && with_target == 0) {
    findings.push_back({"all_masked", Severity::kError,
                        "no row has a token that is scored: the loss would be 0 (wrong response marker or template?)"});
  } else {
    none.report(findings);
  }
}

/// A model soon learns an answer that most rows share, and then gives it to all.
void check_shares(const DoctorInput& in, std::vector<Finding>& findings) {
  constexpr std::int64_t kFewRows = 10;
  std::map<std::string_view, std::int64_t> counts;
  std::int64_t rows = 0;
  for (const DoctorRow& row : in.train) {
    if (row.answer.empty()) continue;
    ++rows;
    ++counts[row.answer];
  }
  if (rows < kFewRows) return;
  const auto most = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (2 * most->second <= rows) return;
  // No more than fits a line, and no part of a character.
  std::size_t shown = std::min<std::size_t>(most->first.size(), 40);
  while (shown < most->first.size() && (static_cast<unsigned char>(most->first[shown]) & 0xC0) == 0x80) --shown;
  const std::string answer = std::string(most->first.substr(0, shown)) + (shown < most->first.size() ? "..." : "");
  findings.push_back({"one_answer_in_most_rows", Severity::kWarning,
                      std::to_string(most->second) + " of " + std::to_string(rows) + " training rows have the answer " + answer +
                          ": the model may learn to give it to every row"});
}

void check_answers(const DoctorInput& in, std::vector<Finding>& findings) {
  RowFinding empty("empty_answer", Severity::kError, "an empty answer");
  RowFinding cut("answer_cut", Severity::kError, "an answer cut by the length limit, so its end is never learnt");
  RowFinding invalid("answer_invalid", Severity::kError, "an answer that breaks the format");
  RowFinding outside("label_outside_set", Severity::kError, "a label outside the closed set");
  const std::set<std::string, std::less<>> labels(in.closed_labels.begin(), in.closed_labels.end());
  for_each_row(in, [&](const DoctorRow& row) {
    const bool has_text = !row.prompt.empty() || !row.answer.empty();
    if (has_text && row.answer.find_first_not_of(" \t\r\n") == std::string::npos) {
      empty.add(row);
    } else if (has_text && in.answer_problem) {
      if (const auto problem = in.answer_problem(row.answer)) invalid.add(row, *problem);
    }
    if (row.answer_cut) cut.add(row);
    const auto bad = std::find_if(row.labels.begin(), row.labels.end(),
                                  [&](const std::string& label) { return !labels.contains(label); });
    if (!labels.empty() && bad != row.labels.end()) outside.add(row, "\"" + *bad + "\"");
  });
  for (RowFinding* finding : {&empty, &cut, &invalid, &outside}) finding->report(findings);
  check_shares(in, findings);
}

void check_tokens(const DoctorInput& in, std::vector<Finding>& findings) {
  RowFinding end("end_token_missing", Severity::kError, "no scored end-of-turn token at the end of the answer");
  RowFinding pad("pad_masks_end", Severity::kError,
                 "an end token that is not scored, and padding has the same id: mask padding by position");
  RowFinding twice("double_bos", Severity::kError, "two BOS tokens at the start (template and tokenizer both add one)");
  RowFinding bos("bos_missing", Severity::kError, "no BOS token at the start, which the model needs");
  RowFinding range("id_outside_vocabulary", Severity::kError, "a token id that the base has no row for");
  const bool pad_is_end = in.pad_id && in.pad_id == in.end_id;
  for_each_row(in, [&](const DoctorRow& row) {
    if (row.ids.empty()) return;
    const auto bad = std::find_if(row.ids.begin(), row.ids.end(), [&](std::int32_t id) {
      return id < 0 || (in.vocab_size > 0 && !in.trains_embedding && id >= in.vocab_size);
    });
    if (bad != row.ids.end()) range.add(row, "id " + std::to_string(*bad));
    if (in.bos_id && row.ids[0] != *in.bos_id) bos.add(row);
    if (in.bos_id && row.ids.size() > 1 && row.ids[0] == *in.bos_id && row.ids[1] == *in.bos_id) twice.add(row);
    if (!in.end_id || row.ids.size() != row.supervised.size() || num_supervised(row) == 0) return;
    // Gemma's template puts a newline after the end of the turn: the last scored end token counts wherever it is.
    bool has_end = false;
    bool has_masked_end = false;
    for (std::size_t i = first_supervised(row); i < row.ids.size(); ++i) {
      if (row.ids[i] != *in.end_id) continue;
      (row.supervised[i] != 0 ? has_end : has_masked_end) = true;
    }
    if (has_end) return;
    (pad_is_end && has_masked_end ? pad : end).add(row);
  });
  for (RowFinding* finding : {&bos, &twice, &end, &pad, &range}) finding->report(findings);
}

void check_length(const DoctorInput& in, std::vector<Finding>& findings) {
  if (in.max_tokens <= 0) return;
  RowFinding too_long("rows_too_long", Severity::kError,
                      "more than the " + std::to_string(in.max_tokens) + " tokens that fit");
  std::int64_t rows = 0;
  for_each_row(in, [&](const DoctorRow& row) {
    ++rows;
    if (static_cast<std::int64_t>(row.ids.size()) > in.max_tokens) {
      too_long.add(row, std::to_string(row.ids.size()) + " tokens");
    }
  });
  if (static_cast<double>(too_long.count()) > in.max_long_share * static_cast<double>(rows)) too_long.report(findings);
}

void check_roles(const DoctorInput& in, std::vector<Finding>& findings) {
  RowFinding systems("two_system_messages", Severity::kError, "more than one system message");
  RowFinding order("roles_do_not_alternate", Severity::kError, "two turns of one role in a row");
  RowFinding unknown("unknown_role", Severity::kError, "a role that no template knows");
  RowFinding leading("leading_assistant", Severity::kError, "a conversation that the assistant opens");
  for_each_row(in, [&](const DoctorRow& row) {
    std::vector<std::string> turns;
    std::int64_t num_systems = 0;
    for (const std::string& role : row.roles) {
      const std::string name = role == "model" ? "assistant" : role;
      if (name == "system" || name == "developer") {
        ++num_systems;
      } else if (name == "user" || name == "assistant" || name == "tool") {
        turns.push_back(name);
      } else {
        unknown.add(row, "\"" + role + "\"");
        return;
      }
    }
    if (num_systems > 1) systems.add(row);
    if (!turns.empty() && turns[0] == "assistant") leading.add(row);
    const auto same = std::adjacent_find(turns.begin(), turns.end());
    if (same != turns.end() && *same != "tool") order.add(row, "\"" + *same + "\"");
  });
  for (RowFinding* finding : {&systems, &order, &unknown, &leading}) finding->report(findings);
}

void check_templates(const DoctorInput& in, std::vector<Finding>& findings) {
  RowFinding unstable("template_not_prefix_stable", Severity::kError,
                      "a later turn that changes how the earlier ones are written, so masks can't be trusted");
  RowFinding absent("marker_not_found", Severity::kError,
                    "no response marker \"" + in.response_marker + "\" in the prompt");
  RowFinding inside("marker_in_content", Severity::kError,
                    "the response marker \"" + in.response_marker + "\" inside the text of a slot or answer");
  for_each_row(in, [&](const DoctorRow& row) {
    for (std::size_t i = 1; i < row.renderings.size(); ++i) {
      if (row.renderings[i].starts_with(row.renderings[i - 1])) continue;
      unstable.add(row, "turn " + std::to_string(i + 1));
      break;
    }
    if (in.response_marker.empty()) return;
    const auto has_marker = [&](const std::string& text) { return text.find(in.response_marker) != std::string::npos; };
    if (!row.prompt.empty() && !has_marker(row.prompt)) absent.add(row);
    if (has_marker(row.answer) || std::any_of(row.inputs.begin(), row.inputs.end(), has_marker)) inside.add(row);
  });
  for (RowFinding* finding : {&unstable, &absent, &inside}) finding->report(findings);
}

/// What makes two rows the same: the prompt's text, or its ids where there is no text.
std::string prompt_key(const DoctorRow& row) {
  if (!row.prompt.empty()) return row.prompt;
  const auto size = std::min(first_supervised(row), row.ids.size());
  return {reinterpret_cast<const char*>(row.ids.data()), size * sizeof(row.ids[0])};
}

std::string answer_key(const DoctorRow& row) {
  if (!row.prompt.empty() || !row.answer.empty()) return row.answer;
  return {reinterpret_cast<const char*>(row.ids.data()), row.ids.size() * sizeof(row.ids[0])};
}

void check_splits(const DoctorInput& in, std::vector<Finding>& findings) {
  RowFinding twice("duplicate_row", Severity::kWarning, "the same prompt and answer as an earlier row");
  RowFinding conflict("conflicting_answers", Severity::kWarning, "the prompt of an earlier row with another answer");
  RowFinding leak("row_in_both_splits", Severity::kError, "a prompt that is in the training set too");
  RowFinding groups("group_in_both_splits", Severity::kError, "a group that is in the training set too");
  std::unordered_map<std::string, const DoctorRow*> seen;
  std::unordered_map<std::string, const DoctorRow*> train_groups;
  for (const DoctorRow& row : in.train) {
    if (!row.group.empty()) train_groups.emplace(row.group, &row);
    const std::string key = prompt_key(row);
    if (key.empty()) continue;
    const auto [it, is_new] = seen.emplace(key, &row);
    if (is_new) continue;
    (answer_key(*it->second) == answer_key(row) ? twice : conflict).add(row, "first at " + it->second->where);
  }
  for (const DoctorRow& row : in.validation) {
    const std::string key = prompt_key(row);
    if (const auto it = seen.find(key); !key.empty() && it != seen.end()) leak.add(row, "as " + it->second->where);
    if (const auto it = train_groups.find(row.group); it != train_groups.end()) {
      groups.add(row, "\"" + row.group + "\", as " + it->second->where);
    }
  }
  for (RowFinding* finding : {&twice, &conflict, &leak, &groups}) finding->report(findings);
}

}  // namespace

std::vector<DoctorCheck> row_checks() {
  return {
      {{"all_masked", "first_token_scored", "mask_size", "row_without_target"}, check_masks},
      {{"answer_cut", "answer_invalid", "empty_answer", "label_outside_set", "one_answer_in_most_rows"}, check_answers},
      {{"bos_missing", "double_bos", "end_token_missing", "id_outside_vocabulary", "pad_masks_end"}, check_tokens},
      {{"rows_too_long"}, check_length},
      {{"leading_assistant", "roles_do_not_alternate", "two_system_messages", "unknown_role"}, check_roles},
      {{"marker_in_content", "marker_not_found", "template_not_prefix_stable"}, check_templates},
      {{"conflicting_answers", "duplicate_row", "group_in_both_splits", "row_in_both_splits"}, check_splits},
  };
}

}  // namespace onggi::train
