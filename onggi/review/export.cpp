#include "onggi/review/export.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/review/agreement.h"
#include "onggi/review/desk.h"
#include "onggi/review/state.h"

namespace onggi::review {
namespace {

/// "2026-11-28T03:00:00.000Z".
std::string utc_text(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(unix_ms % 1000));
  return text.data();
}

Json provenance(const ItemState& item, const Event& verdict, const ItemContent& content, AnswerKind kind) {
  Json people = Json::array();
  for (const Event* e : item.opinions()) people.push_back(e->person);
  Json body = {{"decision", verdict.kind == EventKind::kSettle ? "settle" : action_name(verdict.action)},
               {"by", people},
               {"at", utc_text(verdict.at_ms)},
               {"event", verdict.id},
               {"guideline", verdict.guideline},
               {"source_sha256", content.source_hash}};
  if (verdict.kind == EventKind::kSettle) body["settled_by"] = verdict.person;
  if (!verdict.target.empty()) body["bulk"] = verdict.target;
  if (verdict.action == Action::kReject)
    body["reason"] = reject_reasons(kind)[static_cast<std::size_t>(verdict.reason - 1)];
  if (!verdict.note.empty()) body["note"] = verdict.note;
  if (!verdict.faults.empty()) body["faults"] = parse_json(verdict.faults, verdict.id);
  return body;
}

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

Export export_rows(ReviewStore& store, const ExportOptions& options) {
  const Job job = read_job(store);
  const State state = load_state(store);
  Export result;
  std::map<std::string, std::int64_t> counts = {{"accept", 0},   {"edit", 0},   {"settle", 0}, {"gold", 0},
                                                {"rejected", 0}, {"faulty", 0}, {"open", 0},   {"disputed", 0}};
  std::map<std::string, std::int64_t> guidelines;
  const auto line_of = [&](const ItemContent& content, const Json* answer, Json review) {
    Json row = parse_json(content.row, content.id);
    if (answer != nullptr) row[job.answer_column] = job.is_json_text ? Json(dump_json(*answer)) : *answer;
    row.erase("shown");
    row["review_of"] = std::move(review);
    return dump_json(row) + "\n";
  };
  for (const auto& item : state.items()) {
    if (item.head.is_gold) {
      if (!options.with_gold) continue;
      const auto content = store.content(item.head.number);
      const Json answer = parse_json(content.gold, content.id);
      result.rows += line_of(content, &answer, {{"decision", "gold"}, {"source_sha256", content.source_hash}});
      ++counts["gold"];
      continue;
    }
    const Event* verdict = item.verdict();
    if (verdict == nullptr) {
      ++counts[item.status() == ItemStatus::kDisputed ? "disputed" : "open"];
      continue;
    }
    const auto content = store.content(item.head.number);
    Json review = provenance(item, *verdict, content, job.kind);
    ++guidelines[verdict->guideline];
    if (verdict->action == Action::kReject) {
      result.rejected += line_of(content, nullptr, std::move(review));
      ++counts["rejected"];
      continue;
    }
    if (!verdict->faults.empty() && !options.with_faulty) {
      ++counts["faulty"];
      continue;
    }
    ++counts[review["decision"].get<std::string>()];
    const Json answer = parse_json(verdict->answer, verdict->id);
    result.rows += line_of(content, &answer, std::move(review));
  }
  Json fields = Json::array();
  for (const auto& field : agreement(state, job.kind)) {
    fields.push_back({{"field", field.field},
                      {"units", field.num_units},
                      {"percent", number_or_null(field.percent)},
                      {"alpha", number_or_null(field.alpha)},
                      {"kappa", number_or_null(field.kappa)}});
  }
  Json people = Json::object();
  for (const auto& [name, num] : state.num_judged()) people[name] = num;
  result.manifest = {{"format", "onggi.review.export/1"},
                     {"store", job.store_id},
                     {"last_event", state.last_seq()},
                     {"state_sha256", state.fingerprint()},
                     {"answer_column", job.answer_column},
                     {"kind", kind_name(job.kind)},
                     {"rows", std::ranges::count(result.rows, '\n')},
                     {"rows_sha256", sha256_hex(result.rows)},
                     {"rejected_rows", std::ranges::count(result.rejected, '\n')},
                     {"rejected_sha256", sha256_hex(result.rejected)},
                     {"decisions", Json(counts)},
                     {"guidelines", Json(guidelines)},
                     {"people", people},
                     {"agreement", fields}};
  return result;
}

}  // namespace onggi::review
