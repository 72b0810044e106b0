#include "onggi/tasks/sft/checks.h"

#include <unordered_map>

#include "onggi/core/error.h"

namespace onggi::tasks {

std::vector<train::DoctorRow> doctor_rows(const TextSet& texts, const train::ExampleSet& examples) {
  std::unordered_map<std::int64_t, const TextRow*> by_source;
  for (const auto& row : texts.rows) by_source.emplace(row.source_row, &row);
  std::vector<train::DoctorRow> rows;
  for (const auto& e : examples.examples) {
    train::DoctorRow row;
    row.ids.assign(examples.prefix.begin(), examples.prefix.end());
    row.ids.insert(row.ids.end(), e.prompt.begin(), e.prompt.end());
    row.supervised.assign(row.ids.size(), 0);
    row.ids.insert(row.ids.end(), e.answer.begin(), e.answer.end());
    row.supervised.resize(row.ids.size(), 1);
    if (const auto it = by_source.find(e.source_row); it != by_source.end()) {
      row.where = it->second->where;
      row.prompt = texts.prefix + it->second->prompt;
      row.answer = it->second->answer;
      for (const auto& [name, value] : it->second->slots) row.inputs.push_back(value);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::string> special_texts(const text::Tokenizer& tokenizer) {
  constexpr std::size_t kMost = 64;
  std::vector<std::string> all;
  for (int id = 0; id < tokenizer.vocab_size() && all.size() < kMost; ++id) {
    if (!tokenizer.is_control(id)) continue;
    const std::string text(tokenizer.token_bytes(id));
    const bool is_spare = text.find("unused") != std::string::npos || text.find("reserved") != std::string::npos;
    if (text.size() >= 3 && !is_spare) all.push_back(text);
  }
  return all;
}

std::string require_healthy(std::span<const train::Finding> findings) {
  std::string errors;
  std::string warnings;
  for (const auto& finding : findings) {
    if (finding.severity == train::Severity::kError) {
      errors += "\n  " + finding.message + " (" + finding.code + ")";
    } else {
      warnings += "warning: " + finding.message + " (" + finding.code + ")\n";
    }
  }
  require(errors.empty(), [&] { return "the run would teach the wrong thing, or nothing:" + errors; });
  return warnings;
}

Json findings_json(std::span<const train::Finding> findings) {
  Json all = Json::array();
  for (const auto& finding : findings) all.push_back({{"code", finding.code}, {"message", finding.message}});
  return all;
}

}  // namespace onggi::tasks
