#include "onggi/decode/object_machine.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

constexpr std::size_t kMaxTable = std::size_t{1} << 21;

bool is_space(std::uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

}  // namespace

ObjectMachine::ObjectMachine(ObjectSpec spec) : spec_(std::move(spec)), trie_(1) {
  is_bound_ = spec_.min_members > 0 || spec_.max_members >= 0 || spec_.num_wanted > 0;
  last_.assign(static_cast<std::size_t>(num_names()) + 1, num_names() - 1);
  for (int i = num_names() - 1; i >= 0; --i) {
    const auto at = static_cast<std::size_t>(i);
    last_[at] = spec_.names[at].is_required ? i : last_[at + 1];
  }
  for (int i = 0; i < num_names(); ++i) {
    int node = 0;
    for (const char c : spec_.names[static_cast<std::size_t>(i)].key) {
      const auto [next, is_new] = trie_[static_cast<std::size_t>(node)].next.try_emplace(
          static_cast<std::uint8_t>(c), static_cast<int>(trie_.size()));
      node = next->second;
      if (is_new) trie_.emplace_back();
      trie_[static_cast<std::size_t>(node)].names.push_back(i);
    }
    trie_[static_cast<std::size_t>(node)].name = i;
  }
  if (spec_.is_ordered && is_bound_) find_ends();
  forget();
}

void ObjectMachine::forget() {
  states_.clear();
  known_.clear();
  Written none{std::vector<bool>(spec_.names.size()), 0, num_names()};
  for (const auto& name : spec_.names) none.num_missing += name.is_required ? 1 : 0;
  known_written_ = {{none.names, 0}};
  written_.assign(1, std::move(none));
}

bool ObjectMachine::is_open(int name, int position) const {
  if (spec_.is_ordered) return name >= position && name <= last_name(position);
  return !written_[static_cast<std::size_t>(position)].names[static_cast<std::size_t>(name)];
}

int ObjectMachine::past(int name, int position) {
  if (spec_.is_ordered) return name + 1;
  Written next = written_[static_cast<std::size_t>(position)];
  next.names[static_cast<std::size_t>(name)] = true;
  const auto [at, is_new] = known_written_.try_emplace(next.names, static_cast<int>(written_.size()));
  if (is_new) {
    next.num_missing -= spec_.names[static_cast<std::size_t>(name)].is_required ? 1 : 0;
    --next.num_open;
    written_.push_back(std::move(next));
  }
  return at->second;
}

bool ObjectMachine::misses_required(int position) const {
  if (!spec_.is_ordered) return written_[static_cast<std::size_t>(position)].num_missing > 0;
  return position < num_names() && spec_.names[static_cast<std::size_t>(last_name(position))].is_required;
}

/// Which positions, counts and fulfilled wishes can come to the end, from the last to the first.
void ObjectMachine::find_ends() {
  num_counts_ = 1 + (spec_.max_members >= 0 ? spec_.max_members : spec_.min_members);
  // Past what can be written a bound says nothing.
  if (spec_.max_members >= 0 && spec_.others.empty()) num_counts_ = 1 + std::min(spec_.max_members, num_names());
  const auto num_wishes = static_cast<std::size_t>(1) << spec_.num_wanted;
  require(spec_.min_members < (1 << 20) && spec_.max_members < (1 << 20) &&
              (last_.size() * static_cast<std::size_t>(num_counts_) * num_wishes) <= kMaxTable,
          "guide schema: bounds of the number of properties beside that many properties", ErrorCode::kExhausted);
  can_end_.assign(last_.size() * static_cast<std::size_t>(num_counts_) * num_wishes, false);
  for (int position = num_names(); position >= 0; --position) {
    for (int count = num_counts_ - 1; count >= 0; --count) {
      for (int wanted = static_cast<int>(num_wishes) - 1; wanted >= 0; --wanted) {
        const bool can = may_end(position, count, wanted) || can_go_on({Place::kComma, position, count, wanted, 0});
        const std::size_t at = (static_cast<std::size_t>(position) * static_cast<std::size_t>(num_counts_) +
                                static_cast<std::size_t>(count)) *
                                   num_wishes +
                               static_cast<std::size_t>(wanted);
        can_end_[at] = can;
      }
    }
  }
}

bool ObjectMachine::may_end(int position, int count, int wanted) const {
  return !misses_required(position) && count >= spec_.min_members && wanted == (1 << spec_.num_wanted) - 1;
}

bool ObjectMachine::can_end(int position, int count, int wanted) const {
  if (!is_bound_) return true;
  if (!spec_.is_ordered) {
    const Written& written = written_[static_cast<std::size_t>(position)];
    if (spec_.max_members >= 0 && count + written.num_missing > spec_.max_members) return false;
    return !spec_.others.empty() || count + written.num_open >= spec_.min_members;
  }
  if (count >= num_counts_) return false;
  const auto num_wishes = static_cast<std::size_t>(1) << spec_.num_wanted;
  return can_end_[(static_cast<std::size_t>(position) * static_cast<std::size_t>(num_counts_) +
                   static_cast<std::size_t>(count)) *
                      num_wishes +
                  static_cast<std::size_t>(wanted)];
}

bool ObjectMachine::can_end_after(const ObjectSpec::Value& value, int position, int count, int wanted) const {
  if (value.rule != kNoRule && can_end(position, count, wanted)) return true;
  for (int i = 0; i < spec_.num_wanted; ++i) {
    if (value.wanted[static_cast<std::size_t>(i)] != kNoRule && (wanted >> i & 1) == 0 &&
        can_end(position, count, wanted | 1 << i))
      return true;
  }
  return false;
}

bool ObjectMachine::can_take_others(const State& s) const {
  if (spec_.is_ordered && misses_required(s.position)) return false;
  return std::any_of(spec_.others.begin(), spec_.others.end(), [&](const ObjectSpec::Others& o) {
    return can_end_after(o.value, past_names(s.position), after_member(s.count), s.wanted);
  });
}

bool ObjectMachine::can_go_on(const State& s) {
  const int first = spec_.is_ordered ? s.position : 0;
  const int last = spec_.is_ordered ? last_name(s.position) : num_names() - 1;
  for (int i = first; i <= last; ++i) {
    if (can_take_name(i, s)) return true;
  }
  return can_take_others(s);
}

int ObjectMachine::intern(State s) {
  const auto [at, is_new] = known_.try_emplace({static_cast<int>(s.place), s.position, s.count, s.wanted, s.at},
                                               static_cast<int>(states_.size()));
  if (is_new) states_.push_back(s);
  return at->second;
}

int ObjectMachine::next(int state, std::uint8_t byte) {
  const State s = states_[static_cast<std::size_t>(state)];
  const auto go = [&](Place place) { return intern({place, s.position, s.count, s.wanted, s.at}); };
  switch (s.place) {
    case Place::kBefore: return byte == '{' ? go(Place::kFirst) : kDead;
    case Place::kAfter: return kDead;
    case Place::kCommaSpace: return byte == ' ' ? go(Place::kComma) : kDead;
    case Place::kColonSpace: return byte == ' ' ? go(Place::kValue) : kDead;
    case Place::kKey: break;
    default:
      if (spec_.is_flexible && is_space(byte)) return state;
  }
  switch (s.place) {
    case Place::kFirst:
    case Place::kAfterValue:
      if (byte == '}' && may_end(s.position, s.count, s.wanted)) return intern({Place::kAfter, 0, 0, 0, 0});
      if (s.place == Place::kAfterValue)
        return byte == ',' && can_go_on(s)
                   ? intern({spec_.is_flexible ? Place::kComma : Place::kCommaSpace, s.position, s.count, s.wanted, 0})
                   : kDead;
      [[fallthrough]];
    case Place::kComma:
    case Place::kKey: {
      const auto& children = trie_[static_cast<std::size_t>(s.place == Place::kKey ? s.at : 0)].next;
      const auto child = children.find(byte);
      if (child == children.end()) return kDead;
      const Node& node = trie_[static_cast<std::size_t>(child->second)];
      if (node.name >= 0)
        return can_take_name(node.name, s)
                   ? intern({Place::kAfterKey, past(node.name, s.position), after_member(s.count), s.wanted, node.name})
                   : kDead;
      const auto first =
          spec_.is_ordered ? std::lower_bound(node.names.begin(), node.names.end(), s.position) : node.names.begin();
      for (auto i = first; i != node.names.end() && (!spec_.is_ordered || *i <= last_name(s.position)); ++i) {
        if (can_take_name(*i, s)) return intern({Place::kKey, s.position, s.count, s.wanted, child->second});
      }
      return kDead;
    }
    case Place::kAfterKey: return byte == ':' ? go(spec_.is_flexible ? Place::kValue : Place::kColonSpace) : kDead;
    default: return kDead;
  }
}

void ObjectMachine::calls(int state, std::vector<Call>& out) {
  const State s = states_[static_cast<std::size_t>(state)];
  if (s.place == Place::kFirst || s.place == Place::kComma) {
    if (!can_take_others(s)) return;
    const int count = after_member(s.count);
    for (std::size_t i = 0; i < spec_.others.size(); ++i) {
      if (!can_end_after(spec_.others[i].value, past_names(s.position), count, s.wanted)) continue;
      out.push_back({spec_.others[i].key_rule, intern({Place::kAfterKey, past_names(s.position), count, s.wanted,
                                                       num_names() + static_cast<int>(i)})});
    }
  } else if (s.place == Place::kValue) {
    const ObjectSpec::Value& value = s.at < num_names()
                                         ? spec_.names[static_cast<std::size_t>(s.at)].value
                                         : spec_.others[static_cast<std::size_t>(s.at - num_names())].value;
    if (value.rule != kNoRule && can_end(s.position, s.count, s.wanted))
      out.push_back({value.rule, intern({Place::kAfterValue, s.position, s.count, s.wanted, 0})});
    for (int i = 0; i < spec_.num_wanted; ++i) {
      const int rule = value.wanted[static_cast<std::size_t>(i)];
      const int wanted = s.wanted | 1 << i;
      if (rule != kNoRule && (s.wanted >> i & 1) == 0 && can_end(s.position, s.count, wanted))
        out.push_back({rule, intern({Place::kAfterValue, s.position, s.count, wanted, 0})});
    }
  }
}

}  // namespace onggi::decode
