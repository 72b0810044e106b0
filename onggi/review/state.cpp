#include "onggi/review/state.h"

#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/core/json.h"
#include "onggi/core/random.h"

namespace onggi::review {
namespace {

bool is_opinion(const Event& event) { return event.kind == EventKind::kDecide && event.action != Action::kSkip; }

bool is_same_verdict(const Event& a, const Event& b) {
  if ((a.action == Action::kReject) != (b.action == Action::kReject)) return false;
  return a.action == Action::kReject || a.answer == b.answer;
}

std::uint64_t number_of(std::string_view text) { return std::stoull(sha256_hex(text).substr(0, 15), nullptr, 16); }

}  // namespace

int ItemState::version_of(std::string_view person) const {
  const auto found = versions.find(person);
  return found == versions.end() ? 0 : found->second;
}

const Event* ItemState::decision_of(std::string_view person) const {
  const auto found = std::find_if(log.rbegin(), log.rend(),
                                  [&](const Event& e) { return e.kind == EventKind::kDecide && e.person == person; });
  return found == log.rend() ? nullptr : &*found;
}

std::vector<const Event*> ItemState::opinions() const {
  std::vector<const Event*> last;
  for (const Event& event : log) {
    if (event.kind != EventKind::kDecide) continue;
    const auto known = std::ranges::find(last, event.person, [](const Event* e) { return e->person; });
    if (known == last.end()) {
      last.push_back(&event);
    } else {
      *known = &event;
    }
  }
  std::erase_if(last, [](const Event* e) { return !is_opinion(*e); });
  return last;
}

const Event* ItemState::settlement() const {
  const auto found =
      std::find_if(log.rbegin(), log.rend(), [](const Event& e) { return e.kind == EventKind::kSettle; });
  return found == log.rend() ? nullptr : &*found;
}

ItemStatus ItemState::status() const {
  if (settlement() != nullptr) return ItemStatus::kSettled;
  const auto all = opinions();
  if (all.empty() || static_cast<int>(all.size()) < head.wanted) return ItemStatus::kOpen;
  const bool is_same = std::ranges::all_of(all, [&](const Event* e) { return is_same_verdict(*e, *all[0]); });
  return is_same ? ItemStatus::kAgreed : ItemStatus::kDisputed;
}

const Event* ItemState::verdict() const {
  switch (status()) {
    case ItemStatus::kSettled: return settlement();
    case ItemStatus::kAgreed: return opinions()[0];
    default: return nullptr;
  }
}

void State::add_items(std::vector<ItemHead> heads) {
  for (auto& head : heads) {
    require(
        head.number == static_cast<std::int64_t>(items_.size()) + 1,
        [&] { return "item " + std::to_string(head.number) + " follows item " + std::to_string(items_.size()); },
        ErrorCode::kCorrupt);
    by_key_[head.key] = head.number;
    (head.is_gold ? gold_ : queue_).push_back(head.number);
    items_.push_back({.head = std::move(head), .log = {}, .versions = {}});
    count(items_.back(), 1);
  }
  sort_queue();
}

void State::sort_queue() {
  const auto comes_first = [&](std::int64_t a, std::int64_t b) {
    const double x = find(a)->head.priority, y = find(b)->head.priority;
    return x != y ? x > y : a < b;
  };
  std::ranges::sort(queue_, comes_first);
  std::ranges::sort(gold_, comes_first);
  first_open_ = 0;
}

const ItemState* State::find(std::int64_t number) const {
  return number < 1 || number > static_cast<std::int64_t>(items_.size())
             ? nullptr
             : &items_[static_cast<std::size_t>(number - 1)];
}

const ItemState* State::find(std::string_view key) const {
  const auto found = by_key_.find(std::string(key));
  return found == by_key_.end() ? nullptr : find(found->second);
}

const Event* State::find_event(std::string_view id) const {
  const auto found = events_.find(std::string(id));
  return found == events_.end() ? nullptr : &found->second;
}

void State::count(const ItemState& item, int sign) {
  const auto opinions = item.opinions();
  counts_.decisions += sign * static_cast<std::int64_t>(opinions.size());
  for (const Event* e : opinions) num_judged_[e->person] += sign;
  if (item.head.is_gold) {
    counts_.gold += sign;
    return;
  }
  counts_.items += sign;
  const auto status = item.status();
  if (status == ItemStatus::kAgreed || status == ItemStatus::kSettled) counts_.done += sign;
  if (status == ItemStatus::kDisputed) counts_.disputed += sign;
  if (opinions.empty()) return;
  const Action first = opinions[0]->action;
  (first == Action::kAccept ? counts_.accepted : first == Action::kEdit ? counts_.edited : counts_.rejected) += sign;
}

void State::apply(const Event& event) {
  auto* item = const_cast<ItemState*>(find(event.item));
  require(
      item != nullptr,
      [&] { return "event " + event.id + " is about item " + std::to_string(event.item) + ", which is not there"; },
      ErrorCode::kCorrupt);
  count(*item, -1);
  if (event.kind == EventKind::kUndo) {
    std::erase_if(item->log, [&](const Event& e) { return e.id == event.target; });
    first_open_ = 0;
  } else {
    item->log.push_back(event);
  }
  ++item->versions[event.person];
  ++item->version;
  count(*item, 1);
  events_[event.id] = event;
  if (event.kind == EventKind::kDecide && !event.target.empty()) bulks_[event.target].push_back(event.id);
  last_seq_ = event.seq;
  if (event.kind != EventKind::kUndo) {
    const auto held = leases_.find(event.item);
    if (held != leases_.end()) held->second.erase(event.person);
  }
}

Verdict State::judge(const Event& event, int version) const {
  const ItemState* item = find(event.item);
  if (item == nullptr) return Verdict::kUnknown;
  if (event.kind == EventKind::kUndo) {
    const auto target = std::ranges::find(item->log, event.target, &Event::id);
    if (target == item->log.end()) return Verdict::kUnknown;
    if (target->person != event.person) return Verdict::kForeign;
    // What came after it stands on it: that goes first.
    const Event* last = target->kind == EventKind::kSettle ? item->settlement() : item->decision_of(event.person);
    return last->id == event.target ? Verdict::kGood : Verdict::kStale;
  }
  const int known = event.kind == EventKind::kSettle ? item->version : item->version_of(event.person);
  return version < 0 || version == known ? Verdict::kGood : Verdict::kStale;
}

std::string State::fingerprint() const {
  Json all = Json::array();
  for (const auto& item : items_) {
    Json log = Json::array();
    for (const auto& e : item.log)
      log.push_back({e.id, e.person, event_name(e.kind), action_name(e.action), e.answer, e.reason});
    all.push_back({item.head.key, item.version, log});
  }
  const Counts& c = counts_;
  const std::string sums =
      dump_json(Json::array({c.items, c.done, c.disputed, c.decisions, c.gold, c.accepted, c.edited, c.rejected}));
  return sha256_hex(dump_json(all) + sums);
}

int State::num_others_holding(std::int64_t number, std::string_view person, std::int64_t now_ms) const {
  const auto held = leases_.find(number);
  if (held == leases_.end()) return 0;
  const auto* item = find(number);
  return static_cast<int>(std::ranges::count_if(held->second, [&](const auto& lease) {
    if (lease.first == person || lease.second < now_ms) return false;
    const Event* known = item->decision_of(lease.first);  // Who looks at a judged item again is counted as a judge.
    return known == nullptr || !is_opinion(*known);
  }));
}

bool State::is_due(const ItemState& item, std::string_view person, std::int64_t now_ms, bool with_skipped) const {
  const Event* known = item.decision_of(person);
  if (known != nullptr && (is_opinion(*known) || !with_skipped)) return false;
  if (item.settlement() != nullptr) return false;
  if (item.head.is_gold) return true;
  const int num_taken = static_cast<int>(item.opinions().size()) + num_others_holding(item.head.number, person, now_ms);
  return num_taken < item.head.wanted;
}

void State::grant(std::int64_t number, std::string_view person, std::int64_t until_ms, std::vector<Lease>& granted) {
  leases_[number][std::string(person)] = until_ms;
  granted.push_back({number, std::string(person), until_ms});
}

std::vector<std::string> State::bulk(std::string_view id) const {
  const auto found = bulks_.find(std::string(id));
  return found == bulks_.end() ? std::vector<std::string>() : found->second;
}

Lease State::hold(std::int64_t number, std::string_view person, std::int64_t until_ms) {
  std::vector<Lease> granted;
  grant(number, person, until_ms, granted);
  return granted[0];
}

void State::restore(const Lease& lease) {
  if (find(lease.item) != nullptr) leases_[lease.item][lease.person] = lease.until_ms;
}

std::vector<Lease> State::renew(std::string_view person, const std::set<std::string, std::less<>>& have,
                                std::int64_t now_ms, std::int64_t until_ms) {
  std::vector<Lease> renewed;
  for (const auto& key : have) {
    const auto* item = find(key);
    if (item != nullptr && is_due(*item, person, now_ms, true)) grant(item->head.number, person, until_ms, renewed);
  }
  return renewed;
}

std::vector<Lease> State::lease(std::string_view person, int count, const std::set<std::string, std::less<>>& have,
                                std::int64_t now_ms, std::int64_t until_ms, int gold_every, std::uint64_t seed) {
  for (auto& [number, people] : leases_)
    std::erase_if(people, [&](const auto& lease) { return lease.second < now_ms; });
  std::erase_if(leases_, [](const auto& item) { return item.second.empty(); });
  std::vector<Lease> granted;
  std::set<std::int64_t> given;
  const auto is_full = [&] { return static_cast<int>(granted.size()) >= count; };
  const auto offer = [&](std::int64_t number, bool with_skipped) {
    const auto& item = *find(number);
    if (given.contains(number) || have.contains(item.head.key) || !is_due(item, person, now_ms, with_skipped))
      return false;
    given.insert(number);
    grant(number, person, until_ms, granted);
    return true;
  };
  std::vector<std::int64_t> held;
  for (auto& [number, people] : leases_) {
    if (people.contains(person)) held.push_back(number);
  }
  std::ranges::sort(held, [&](auto a, auto b) {
    const double x = find(a)->head.priority, y = find(b)->head.priority;
    return x != y ? x > y : a < b;
  });
  for (const auto number : held) {
    if (is_full()) return granted;
    offer(number, false);
  }
  while (first_open_ < queue_.size()) {
    const auto status = find(queue_[first_open_])->status();
    if (status == ItemStatus::kOpen) break;
    ++first_open_;
  }
  // The place of this item among all that the person has been given.
  std::int64_t place = static_cast<std::int64_t>(granted.size() + have.size());
  if (const auto judged = num_judged_.find(person); judged != num_judged_.end()) place += judged->second;
  const std::uint64_t stream = number_of(person);
  const auto is_gold_place = [&](std::int64_t at) {
    if (gold_every <= 0) return false;
    const auto block = static_cast<std::uint64_t>(at / gold_every);
    const auto every = static_cast<std::uint64_t>(gold_every);
    return uniform_int(seed, stream, block, every) == static_cast<std::uint64_t>(at % gold_every);
  };
  const auto offer_gold = [&] { return std::ranges::any_of(gold_, [&](auto number) { return offer(number, false); }); };
  for (const bool with_skipped : {false, true}) {
    for (std::size_t i = first_open_; i < queue_.size() && !is_full();) {
      if (is_gold_place(place) && offer_gold()) {
        ++place;
        continue;
      }
      if (offer(queue_[i++], with_skipped)) ++place;
    }
  }
  return granted;
}

}  // namespace onggi::review
