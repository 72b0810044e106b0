#include "onggi/decode/unique_array_machine.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/json.h"
#include "onggi/decode/rule_machine.h"

namespace onggi::decode {
namespace {

constexpr std::size_t kMaxTried = 20'000;  ///< States tried to find one value.

bool is_space(std::uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

bool is_number(const std::string& text) {
  return !text.empty() && (text[0] == '-' || std::isdigit(static_cast<unsigned char>(text[0])) != 0);
}

/// The value of an item in one form.
std::string value_of(const std::string& text) { return is_number(text) ? "#" + Decimal::parse(text).text() : text; }

/// A shortest text of some machines; empty if there is none, or it takes too long.
std::string shortest_text(std::vector<std::unique_ptr<Machine>>& machines, bool& gives_up) {
  struct Node {
    int machine;
    int state;
    std::string text;
  };
  std::vector<Node> nodes;
  std::set<std::pair<int, int>> seen;
  for (std::size_t i = 0; i < machines.size(); ++i) nodes.push_back({static_cast<int>(i), machines[i]->start(), ""});
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i >= kMaxTried) {
      gives_up = true;
      return "";
    }
    Machine& machine = *machines[static_cast<std::size_t>(nodes[i].machine)];
    if (machine.is_accepting(nodes[i].state)) return nodes[i].text;
    for (int byte = 0; byte < 256; ++byte) {
      if (is_number(nodes[i].text) && (byte | 32) == 'e') continue;
      const int to = machine.next(nodes[i].state, static_cast<std::uint8_t>(byte));
      if (to == Machine::kDead || !seen.emplace(nodes[i].machine, to).second) continue;
      nodes.push_back({nodes[i].machine, to, nodes[i].text + static_cast<char>(byte)});
    }
  }
  return "";
}

}  // namespace

UniqueArrayMachine::UniqueArrayMachine(UniqueArraySpec spec) : spec_(std::move(spec)) {
  forget();
  is_empty_ = spec_.max_items >= 0 && spec_.max_items < spec_.min_items;
  if (is_empty_ || spec_.min_items == 0) return;
  // With as many values at each place as there must be items, whatever was taken before leaves one.
  const int num_kinds = std::min(static_cast<int>(spec_.prefix.size()) + 1, spec_.min_items);
  for (int i = 0; i < num_kinds && !is_empty_; ++i) {
    const int found = num_values(item(static_cast<std::size_t>(i)), spec_.min_items);
    is_empty_ = found == 0 || (found >= 0 && found < spec_.min_items && spec_.prefix.empty());
    require(is_empty_ || found >= spec_.min_items,
            "guide schema: \"uniqueItems\" beside \"minItems\" and items of few values is not supported");
  }
}

int UniqueArrayMachine::num_values(const UniqueArraySpec::Item& item, int enough) {
  Values found;
  while (static_cast<int>(found.size()) < enough) {
    Machines machines = made(item, found);
    bool gives_up = false;
    const std::string text = shortest_text(machines, gives_up);
    if (gives_up) return -1;
    if (text.empty()) break;
    const std::string value = value_of(text);
    found.insert(std::lower_bound(found.begin(), found.end(), value), value);
  }
  return static_cast<int>(found.size());
}

void UniqueArrayMachine::forget() {
  states_.clear();
  known_.clear();
  machines_.clear();
  used_.clear();
  known_used_.clear();
  intern(Values());
}

int UniqueArrayMachine::intern(State state) {
  const auto [at, is_new] = known_.try_emplace(std::move(state), static_cast<int>(states_.size()));
  if (is_new) states_.push_back(at->first);
  return at->second;
}

int UniqueArrayMachine::intern(Values values) {
  const auto [at, is_new] = known_used_.try_emplace(std::move(values), static_cast<int>(used_.size()));
  if (is_new) used_.push_back(at->first);
  return at->second;
}

UniqueArrayMachine::Machines UniqueArrayMachine::made(const UniqueArraySpec::Item& item, const Values& used) {
  std::vector<std::string> texts;
  std::vector<std::string> spellings;
  std::vector<Decimal> numbers;
  for (const std::string& value : used) {
    if (value[0] == '"') texts.push_back(Json::parse(value).get<std::string>());
    if (value[0] == '"') spellings.push_back(value.substr(1, value.size() - 2));
    if (value[0] == '#') numbers.push_back(Decimal::parse(value.substr(1)));
  }
  Machines out;
  for (StringSpec spec : item.strings) {
    const bool is_any = spec.content.get() == &ByteDfa::universal() && spec.min_length == 0 && spec.max_length < 0;
    if (is_any && !texts.empty()) {  // Far less to compute, and every text can go on.
      spec.excluded = std::make_shared<const NameTrie>(spellings);
    } else if (!texts.empty()) {
      spec.content = std::make_shared<const ByteDfa>(ByteDfa::minus(*spec.content, ByteDfa::of_texts(texts)));
    }
    if (spec.content->is_empty()) continue;
    auto machine = std::make_unique<StringMachine>(std::move(spec));
    if (!machine->is_empty()) out.push_back(std::move(machine));
  }
  for (NumberSpec spec : item.numbers) {
    spec.excluded.insert(spec.excluded.end(), numbers.begin(), numbers.end());
    auto machine = std::make_unique<NumberMachine>(std::move(spec));
    if (!machine->is_empty()) out.push_back(std::move(machine));
  }
  std::vector<Pattern> words;
  for (const std::string& word : item.words) {
    if (!std::binary_search(used.begin(), used.end(), word)) words.push_back(Pattern::literal(word));
  }
  if (!words.empty())
    out.push_back(std::make_unique<RuleMachine>(build_nfa(Pattern::any_of(words), SlotUse::kNone, {}),
                                                std::vector<int>(), std::vector<SlotContent>()));
  return out;
}

UniqueArrayMachine::Machines& UniqueArrayMachine::machines(int used) {
  const auto known = machines_.find(used);
  if (known != machines_.end()) return known->second;
  const Values& values = used_[static_cast<std::size_t>(used)];
  return machines_.emplace(used, made(item(values.size()), values)).first->second;
}

bool UniqueArrayMachine::can_go_on(int used) {
  const auto count = static_cast<int>(used_[static_cast<std::size_t>(used)].size());
  return (spec_.max_items < 0 || count < spec_.max_items) && !machines(used).empty();
}

bool UniqueArrayMachine::is_complete(const State& state) {
  Machines& all = machines(state.used);
  return std::any_of(state.inner.begin(), state.inner.end(), [&](const Inner& inner) {
    return all[static_cast<std::size_t>(inner.first)]->is_accepting(inner.second);
  });
}

int UniqueArrayMachine::go_on(const State& state, std::uint8_t byte) {
  if (is_number(state.text) && (byte | 32) == 'e') return kDead;
  Machines& all = machines(state.used);
  State to{Place::kItem, state.used, {}, state.text + static_cast<char>(byte)};
  for (const auto& [machine, inner] : state.inner) {
    const int next = all[static_cast<std::size_t>(machine)]->next(inner, byte);
    if (next != kDead) to.inner.emplace_back(machine, next);
  }
  return to.inner.empty() ? kDead : intern(std::move(to));
}

int UniqueArrayMachine::begin_item(const State& state, std::uint8_t byte) {
  if (!can_go_on(state.used)) return kDead;
  Machines& all = machines(state.used);
  State before{Place::kItem, state.used, {}, ""};
  for (std::size_t i = 0; i < all.size(); ++i) before.inner.emplace_back(static_cast<int>(i), all[i]->start());
  return go_on(before, byte);
}

int UniqueArrayMachine::next(int state, std::uint8_t byte) {
  State s = states_[static_cast<std::size_t>(state)];
  if (s.place == Place::kItem) {
    if (const int to = go_on(s, byte); to != kDead) return to;
    if (!is_complete(s)) return kDead;
    Values values = used_[static_cast<std::size_t>(s.used)];
    const std::string value = value_of(s.text);
    values.insert(std::lower_bound(values.begin(), values.end(), value), value);
    s = {Place::kAfterItem, intern(std::move(values)), {}, ""};
  }
  const auto go = [&](Place place) { return intern({place, s.used, {}, ""}); };
  if (s.place == Place::kBefore) return byte == '[' ? go(Place::kFirst) : kDead;
  if (s.place == Place::kSpace) return byte == ' ' ? go(Place::kComma) : kDead;
  if (s.place == Place::kAfter) return kDead;
  if (spec_.is_flexible && is_space(byte)) return go(s.place);
  const auto count = static_cast<int>(used_[static_cast<std::size_t>(s.used)].size());
  if (s.place != Place::kComma && byte == ']' && count >= spec_.min_items) return intern({Place::kAfter, 0, {}, ""});
  if (s.place != Place::kAfterItem) return begin_item(s, byte);
  return byte == ',' && can_go_on(s.used) ? go(spec_.is_flexible ? Place::kComma : Place::kSpace) : kDead;
}

int UniqueArrayMachine::plain_run(int state) {
  const State& s = states_[static_cast<std::size_t>(state)];
  if (s.place != Place::kItem || s.text[0] != '"' || s.inner.size() != 1 || is_complete(s)) return kUnknownRun;
  return machines(s.used)[static_cast<std::size_t>(s.inner[0].first)]->plain_run(s.inner[0].second);
}

}  // namespace onggi::decode
