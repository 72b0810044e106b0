// How events of pages become events of the log.

#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/review/answer_form.h"
#include "onggi/review/desk.h"

namespace onggi::review {
namespace {

constexpr std::int64_t kMinSet = 10;       ///< Fewer alike are sooner judged one by one.
constexpr std::size_t kMaxListed = 100;    ///< Sets that are offered.
constexpr std::int64_t kMaxAtOnce = 1000;  ///< Decisions of one bulk.
constexpr std::int64_t kMinAudit = 5, kMaxAudit = 50;
constexpr double kAuditShare = 0.05;

/// The same event, sent again. What it did may differ from what it asked for: an edit that changes nothing is kept as
/// an acceptance.
bool is_repeat(const Event& known, const ClientEvent& event, const std::string& person) {
  const auto kind = event.kind == ClientEvent::Kind::kDecide ? EventKind::kDecide
                    : event.kind == ClientEvent::Kind::kUndo ? EventKind::kUndo
                                                             : EventKind::kSettle;
  return known.person == person && known.kind == kind;
}

}  // namespace

Json Desk::submit(const Person& person, const std::vector<ClientEvent>& events) {
  load_if_needed();
  Json results = Json::array();
  std::vector<Event> fresh;
  for (const auto& event : events) {
    const std::size_t num_before = fresh.size();
    Result result;
    try {
      result = take(event, person, fresh);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kInvalidArgument && e.code() != ErrorCode::kNotFound) throw;
      result = {.outcome = "refused", .message = e.message()};
    }
    // One by one, so that an event of this batch sees those before it.
    for (std::size_t i = num_before; i < fresh.size(); ++i) {
      fresh[i].seq = state_.last_seq() + 1;
      state_.apply(fresh[i]);
    }
    Json entry = {{"id", event.id}, {"outcome", result.outcome}};
    if (!result.message.empty()) entry["message"] = result.message;
    if (result.count > 0) entry["count"] = result.count;
    if (result.count == 1 && !fresh.back().faults.empty()) entry["faults"] = parse_json(fresh.back().faults, event.id);
    if (const auto* item = state_.find(event.item)) {
      entry["item"] = event.item;
      entry["version"] = event.kind == ClientEvent::Kind::kSettle ? item->version : item->version_of(person.name);
      if (result.outcome == "stale" && event.kind == ClientEvent::Kind::kDecide)
        entry["now"] = payload(*item, person.name);
    }
    results.push_back(std::move(entry));
  }
  if (fresh.empty()) return {{"results", results}};
  is_loaded_ = false;  // If the store refuses them, the state is ahead of the log.
  store_.append(fresh);
  is_loaded_ = true;
  return {{"results", results}};
}

Desk::Result Desk::take(const ClientEvent& event, const Person& person, std::vector<Event>& fresh) {
  if (const auto* known = state_.find_event(event.id)) {
    return is_repeat(*known, event, person.name) ? Result{.outcome = "again"}
                                                 : Result{.outcome = "refused", .message = "another event has this id"};
  }
  require(event.guideline.empty() || guidelines_.contains(event.guideline),
          "there is no such version of the guidelines");
  switch (event.kind) {
    case ClientEvent::Kind::kUndo: return take_undo(event, person, fresh);
    case ClientEvent::Kind::kAcceptSet: return take_set(event, person, fresh);
    default: return take_decision(event, person, fresh);
  }
}

Event Desk::new_event(const ClientEvent& event, const Person& person) const {
  return {.id = event.id,
          .kind = event.kind == ClientEvent::Kind::kSettle ? EventKind::kSettle : EventKind::kDecide,
          .person = person.name,
          .at_ms = options_.now_ms(),
          .action = event.action,
          .reason = event.reason,
          .note = event.note,
          .guideline = event.guideline.empty() ? guideline_ : event.guideline,
          .spent_ms = event.spent_ms};
}

void Desk::fill_answer(const ClientEvent& client, const ItemState& item, Event& event) const {
  if (event.action == Action::kReject || event.action == Action::kSkip) return;
  const auto content = store_.content(item.head.number);
  const Json answer = event.action == Action::kAccept ? parse_json(content.shown, content.id)
                                                      : normal_answer(job_.kind, client.answer, "answer");
  event.answer = dump_json(answer);
  require(event.answer.size() <= kMaxAnswerBytes, "the answer is too long");
  // An edit that changes nothing is an acceptance, whatever it went through.
  if (event.kind == EventKind::kDecide && event.answer == content.shown) event.action = Action::kAccept;
  const auto faults = checker_.check(fields_of(content), answer);
  if (!faults.empty()) event.faults = fault_codes(faults);
}

Desk::Result Desk::judged(const Event& event, int version, std::vector<Event>& fresh) {
  switch (state_.judge(event, version)) {
    case Verdict::kGood: break;
    case Verdict::kStale: return {.outcome = "stale", .message = "the item has changed since it was shown"};
    case Verdict::kUnknown: return {.outcome = "refused", .message = "there is nothing to take back under this id"};
    case Verdict::kForeign: return {.outcome = "refused", .message = "only whoever decided may take it back"};
  }
  fresh.push_back(event);
  return {.outcome = "ok", .count = 1};
}

Desk::Result Desk::take_decision(const ClientEvent& client, const Person& person, std::vector<Event>& fresh) {
  const auto& item = item_of(client.item);
  Event event = new_event(client, person);
  event.item = item.head.number;
  if (event.kind == EventKind::kSettle) {
    require(person.may_settle, "you may not settle what others disagree about");
    require(item.opinions().size() >= 2, "nobody disagrees about this item");
  }
  fill_answer(client, item, event);
  return judged(event, client.version, fresh);
}

Desk::Result Desk::take_undo(const ClientEvent& client, const Person& person, std::vector<Event>& fresh) {
  std::vector<std::string> targets = state_.bulk(client.target);
  const bool is_bulk = !targets.empty();
  if (!is_bulk) targets = {client.target};
  // Whatever it does, the last of its events has its id: the same undo, sent again, is known by it.
  Result last;
  int count = 0;
  for (std::size_t i = targets.size(); i-- > 0;) {
    const Event* target = state_.find_event(targets[i]);
    if (target == nullptr) return {.outcome = "refused", .message = "there is nothing to take back under this id"};
    Event event = new_event(client, person);
    event.kind = EventKind::kUndo;
    event.item = target->item;
    event.target = target->id;
    if (is_bulk) event.id += "." + std::to_string(i);
    last = judged(event, -1, fresh);
    count += last.count;
  }
  if (count == 0) return last;
  fresh.back().id = client.id;
  return {.outcome = "ok", .count = count};
}

Desk::Audit Desk::audit(std::string_view set, std::string_view person) const {
  std::vector<std::pair<std::uint64_t, std::int64_t>> order;
  for (const auto& item : state_.items()) {
    const auto number = static_cast<std::uint64_t>(item.head.number);
    if (item.head.set == set && item.head.wanted == 1 && !item.head.is_gold)
      order.emplace_back(uniform_int(job_.seed, 0x5e7, number, std::uint64_t{1} << 62), item.head.number);
  }
  require(!set.empty() && static_cast<std::int64_t>(order.size()) >= kMinSet, "there is no such set of items",
          ErrorCode::kNotFound);
  std::ranges::sort(order);  // At random, but always the same way: nobody chooses what is looked at.
  const auto size = static_cast<std::int64_t>(order.size());
  Audit audit{.size = std::clamp(static_cast<std::int64_t>(kAuditShare * static_cast<double>(size) + 0.999), kMinAudit,
                                 kMaxAudit)};
  const std::int64_t now_ms = options_.now_ms();
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& item = *state_.find(order[i].second);
    const auto opinions = item.opinions();
    const bool is_sample = static_cast<std::int64_t>(i) < audit.size;
    if (is_sample) {
      if (opinions.empty()) audit.waiting.push_back(item.head.number);
      audit.failed += std::ranges::any_of(opinions, [](const Event* e) { return e->action != Action::kAccept; });
    } else if (opinions.empty() && item.settlement() == nullptr && !state_.is_held(item.head.number, person, now_ms)) {
      audit.remaining.push_back(item.head.number);
    }
  }
  return audit;
}

Json Desk::sets(const Person& person) const {
  struct Found {
    std::int64_t size = 0, open = 0;
    const std::string* labels = nullptr;
  };
  std::map<std::string, Found> found;
  const std::int64_t now_ms = options_.now_ms();
  for (const auto& item : state_.items()) {
    if (item.head.set.empty() || item.head.is_gold || item.head.wanted != 1) continue;
    auto& entry = found[item.head.set];
    ++entry.size;
    entry.open += item.status() == ItemStatus::kOpen && !state_.is_held(item.head.number, person.name, now_ms);
    entry.labels = &item.head.labels;
  }
  std::vector<std::pair<std::string, Found>> order;
  for (const auto& [set, entry] : found) {
    if (entry.size >= kMinSet && entry.open > 0) order.emplace_back(set, entry);
  }
  std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return a.second.open > b.second.open; });
  if (order.size() > kMaxListed) order.resize(kMaxListed);
  Json list = Json::array();
  for (const auto& [set, entry] : order)
    list.push_back(
        {{"set", set}, {"labels", parse_json(*entry.labels, set)}, {"size", entry.size}, {"open", entry.open}});
  return {{"sets", list}};
}

Json Desk::open_set(const Person& person, std::string_view set) {
  const auto found = audit(set, person.name);
  const std::int64_t now_ms = options_.now_ms();
  std::vector<Lease> leases;
  Json items = Json::array();
  for (const auto number : found.waiting) {
    leases.push_back(state_.hold(number, person.name, now_ms + options_.lease_ms));
    items.push_back(payload(*state_.find(number), person.name));
  }
  if (!leases.empty()) store_.keep_leases(leases, now_ms);
  return {{"set", set},
          {"items", items},
          {"audit", {{"size", found.size}, {"waiting", found.waiting.size()}, {"failed", found.failed}}},
          {"remaining", found.remaining.size()}};
}

Desk::Result Desk::take_set(const ClientEvent& client, const Person& person, std::vector<Event>& fresh) {
  if (const auto known = state_.bulk(client.id); !known.empty())
    return {.outcome = "again", .message = {}, .count = static_cast<int>(known.size())};
  const auto found = audit(client.target, person.name);
  require(found.waiting.empty(), [&] {
    return std::to_string(found.waiting.size()) + " of the sample of " + std::to_string(found.size) +
           " have not been looked at";
  });
  require(found.failed == 0, [&] {
    return std::to_string(found.failed) + " of the sample of " + std::to_string(found.size) +
           " were not accepted: the rest must be looked at one by one";
  });
  int count = 0;
  for (const auto number : found.remaining) {
    if (count == kMaxAtOnce) break;
    const auto& item = *state_.find(number);
    Event event = new_event(client, person);
    event.id += "." + std::to_string(number);
    event.item = number;
    event.target = client.id;
    fill_answer(client, item, event);
    if (!event.faults.empty())
      continue;  // The guide has changed since the import: this one is no longer like the others.
    fresh.push_back(std::move(event));
    ++count;
  }
  require(count > 0, "nothing is left in the set");
  return {.outcome = "ok", .count = count};
}

}  // namespace onggi::review
