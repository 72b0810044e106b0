#include "onggi/review/desk.h"

#include <algorithm>
#include <array>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/review/answer_form.h"

namespace onggi::review {
namespace {

/// How often agreement is worked out anew while people work: it looks at every item that several have judged.
constexpr std::int64_t kAgreementEveryMs = 2000;

std::string setting(const std::map<std::string, std::string>& settings, const std::string& name) {
  const auto found = settings.find(name);
  require(found != settings.end(), "the store has no rows yet: give --input", ErrorCode::kInvalidArgument);
  return found->second;
}

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

Job read_job(ReviewStore& store) {
  const auto settings = store.settings();
  Job job{.store_id = setting(settings, "store_id"),
          .kind = kind_from_name(setting(settings, "kind")),
          .answer_column = setting(settings, "answer_column"),
          .is_json_text = setting(settings, "is_json_text") == "1",
          .seed = std::stoull(setting(settings, "seed"))};
  for (const auto& column : parse_json(setting(settings, "columns"), "columns")) job.columns.push_back(column);
  return job;
}

State load_state(ReviewStore& store) {
  State state;
  state.add_items(store.heads(0));
  for (const auto& event : store.events(0)) state.apply(event);
  return state;
}

std::vector<std::string> reject_reasons(AnswerKind kind) {
  if (kind == AnswerKind::kThemes)
    return {"ungrounded", "not_positive", "not_product", "aspect", "entity",
            "language",   "private",      "unreadable",  "other"};
  return {"wrong", "ungrounded", "incomplete", "off_topic", "form", "language", "private", "unreadable", "other"};
}

Desk::Desk(ReviewStore& store, const Json& guide, DeskOptions options)
    : store_(store), options_(std::move(options)), job_(read_job(store)), checker_(job_.kind, guide) {
  store_.lock();
  load_if_needed();
  for (auto& document : store_.documents()) {
    if (document.kind != "guidelines") continue;
    guideline_ = document.hash;
    guidelines_.emplace(document.hash, std::move(document));
  }
  for (const auto& item : state_.items()) {
    if (item.head.is_gold) gold_answers_[item.head.number] = store_.content(item.head.number).gold;
  }
  const auto settings = store_.settings();
  if (const auto found = settings.find("guideline"); found != settings.end()) guideline_ = found->second;
}

void Desk::load_if_needed() {
  if (is_loaded_) return;
  state_ = load_state(store_);
  const std::int64_t now_ms = options_.now_ms();
  for (const auto& lease : store_.leases()) {
    if (lease.until_ms >= now_ms) state_.restore(lease);
  }
  is_loaded_ = true;
}

void Desk::set_guidelines(const std::string& text) {
  Document document{.kind = "guidelines", .hash = sha256_hex(text), .text = text, .at_ms = options_.now_ms()};
  if (document.hash == guideline_) return;
  store_.add_document(document);
  guideline_ = document.hash;
  store_.set({{"guideline", guideline_}});
  guidelines_.emplace(document.hash, std::move(document));
}

const std::string& Desk::guidelines(std::string_view hash) const {
  const auto found = guidelines_.find(hash);
  require(found != guidelines_.end(), "there is no such version of the guidelines", ErrorCode::kNotFound);
  return found->second.text;
}

bool Desk::take_new_items() {
  auto heads = store_.heads(static_cast<std::int64_t>(state_.items().size()));
  if (heads.empty()) return false;
  for (const auto& head : heads) {
    if (head.is_gold) gold_answers_[head.number] = store_.content(head.number).gold;
  }
  state_.add_items(std::move(heads));
  return true;
}

Json Desk::session(const Person& person) const {
  return {{"store", job_.store_id},
          {"person", person.name},
          {"may_settle", person.may_settle},
          {"kind", kind_name(job_.kind)},
          {"columns", job_.columns},
          {"names", checker_.names()},
          {"max_themes", checker_.max_themes()},
          {"guideline", guideline_},
          {"reasons", reject_reasons(job_.kind)},
          {"lease_ms", options_.lease_ms}};
}

const ItemState& Desk::item_of(std::string_view key) const {
  const auto* item = state_.find(key);
  require(item != nullptr, "there is no such item", ErrorCode::kNotFound);
  return *item;
}

/// The columns that people see: the same for all rows, so that none stands out as a gold one.
Json Desk::fields_of(const ItemContent& content) const {
  const Json row = parse_json(content.row, content.id);
  Json fields = Json::object();
  for (const auto& column : job_.columns) {
    if (const auto found = row.find(column); found != row.end()) fields[column] = *found;
  }
  return fields;
}

Json Desk::payload(const ItemState& item, const std::string& person) const {
  const auto content = store_.content(item.head.number);
  const Json fields = fields_of(content);
  const Json shown = parse_json(content.shown, content.id);
  Json body = {{"key", item.head.key},
               {"version", item.version_of(person)},
               {"fields", fields},
               {"answer", shown},
               {"faults", faults_json(checker_.check(fields, shown))}};
  const Event* mine = item.decision_of(person);
  if (mine != nullptr) {
    body["mine"] = {
        {"id", mine->id}, {"action", action_name(mine->action)}, {"reason", mine->reason}, {"note", mine->note}};
    if (!mine->answer.empty()) body["mine"]["answer"] = parse_json(mine->answer, mine->id);
  }
  return body;
}

Json Desk::lease(const Person& person, int count, const std::vector<std::string>& have) {
  load_if_needed();
  const std::int64_t now_ms = options_.now_ms(), until_ms = now_ms + options_.lease_ms;
  const std::set<std::string, std::less<>> held(have.begin(), have.end());
  auto leases = state_.renew(person.name, held, now_ms, until_ms);
  const auto fresh = state_.lease(person.name, count, held, now_ms, until_ms, options_.gold_every, job_.seed);
  leases.insert(leases.end(), fresh.begin(), fresh.end());
  if (!leases.empty()) store_.keep_leases(leases, now_ms);
  Json items = Json::array();
  for (const auto& lease : fresh) items.push_back(payload(*state_.find(lease.item), person.name));
  return {{"items", items}, {"guideline", guideline_}};
}

Json Desk::check(std::string_view item, const Json& answer) const {
  const auto content = store_.content(item_of(item).head.number);
  try {
    const Json normal = normal_answer(job_.kind, answer, "answer");
    return {{"faults", faults_json(checker_.check(fields_of(content), normal))}};
  } catch (const Error& e) {
    return {{"malformed", e.message()}};
  }
}

std::vector<GoldScore> Desk::gold_scores() const {
  std::map<std::string, GoldScore> scores;
  for (const auto& [number, gold] : gold_answers_) {
    for (const Event* e : state_.find(number)->opinions()) {
      GoldScore& score = scores.try_emplace(e->person, GoldScore{.person = e->person}).first->second;
      ++score.num;
      score.right += e->action != Action::kReject && e->answer == gold;
    }
  }
  std::vector<GoldScore> all;
  for (auto& [person, score] : scores) all.push_back(std::move(score));
  return all;
}

Json Desk::progress(const Person& person) const {
  const auto& c = state_.counts();
  const std::int64_t judged = c.accepted + c.edited + c.rejected;
  const auto rate = wilson(c.accepted, judged);
  const std::int64_t now_ms = options_.now_ms();
  if (agreement_.first != state_.last_seq() && now_ms - agreement_at_ms_ >= kAgreementEveryMs) {
    agreement_ = {state_.last_seq(), agreement(state_, job_.kind)};
    agreement_at_ms_ = now_ms;
  }
  Json fields = Json::array();
  for (const auto& field : agreement_.second) {
    if (field.num_units == 0) continue;
    fields.push_back({{"field", field.field},
                      {"units", field.num_units},
                      {"percent", number_or_null(field.percent)},
                      {"alpha", number_or_null(field.alpha)},
                      {"kappa", number_or_null(field.kappa)}});
  }
  const auto mine = state_.num_judged().find(person.name);
  Json body = {{"items", c.items},
               {"done", c.done},
               {"disputed", c.disputed},
               {"judged", judged},
               {"accepted", c.accepted},
               {"edited", c.edited},
               {"rejected", c.rejected},
               {"mine", mine == state_.num_judged().end() ? 0 : mine->second},
               {"rate", {{"value", rate.value}, {"low", rate.low}, {"high", rate.high}}},
               {"width", options_.width},
               {"left", labels_left(c.accepted, judged, c.items - judged, options_.width)},
               {"agreement", fields},
               {"guideline", guideline_},
               {"seq", state_.last_seq()}};
  if (!person.may_settle) return body;
  const auto scores = gold_scores();
  Json people = Json::array();
  for (const auto& [name, num] : state_.num_judged()) {
    Json entry = {{"person", name}, {"decisions", num}};
    const auto score = std::ranges::find(scores, name, &GoldScore::person);
    if (score != scores.end()) entry["gold"] = {{"num", score->num}, {"right", score->right}};
    people.push_back(std::move(entry));
  }
  body["people"] = people;
  return body;
}

Json Desk::disputes() const {
  Json list = Json::array();
  for (const auto& item : state_.items()) {
    if (item.head.is_gold || item.log.size() < 2 || item.status() != ItemStatus::kDisputed) continue;
    list.push_back({{"key", item.head.key}, {"version", item.version}, {"opinions", item.opinions().size()}});
  }
  return {{"items", list}};
}

Json Desk::dispute(std::string_view key) const {
  const auto& item = item_of(key);
  Json body = payload(item, "");
  body["version"] = item.version;
  Json opinions = Json::array();
  // Without names: what is said counts, not who says it.
  for (const Event* e : item.opinions()) {
    Json entry = {{"action", action_name(e->action)}, {"reason", e->reason}, {"note", e->note}};
    if (!e->answer.empty()) entry["answer"] = parse_json(e->answer, e->id);
    opinions.push_back(std::move(entry));
  }
  body["opinions"] = opinions;
  return body;
}

}  // namespace onggi::review
