#include "onggi/decode/string_machine.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

constexpr std::size_t kMaxLengthTable = std::size_t{1} << 24;
constexpr std::string_view kEscapes = "\"\\bfnrt";
constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";

std::shared_ptr<const ByteDfa> universal() { return {std::shared_ptr<void>(), &ByteDfa::universal()}; }

bool is_continuation(int byte) { return (byte & 0xC0) == 0x80; }

int hex_value(std::uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if ((c | 32) >= 'a' && (c | 32) <= 'f') return (c | 32) - 'a' + 10;
  return -1;
}

}  // namespace

StringMachine::StringMachine(StringSpec spec)
    : spec_(std::move(spec)), is_free_(spec_.content == nullptr), content_(is_free_ ? universal() : spec_.content) {
  if (!content_->is_empty() && (spec_.min_length > 0 || spec_.max_length >= 0)) find_lengths();
}

/// Distances to the end, counted in code points: a byte that goes on with one counts nothing.
void StringMachine::find_lengths() {
  const auto n = static_cast<std::size_t>(content_->num_states());
  struct Step {
    int to;
    int weight;
    auto operator<=>(const Step&) const = default;
  };
  std::vector<std::vector<Step>> steps(n);
  for (std::size_t s = 0; s < n; ++s) {
    for (int byte = 0; byte < 256; ++byte) {
      const int to = content_->next(static_cast<int>(s), static_cast<std::uint8_t>(byte));
      const Step step{to, is_continuation(byte) ? 0 : 1};
      if (to != ByteDfa::kDead && (steps[s].empty() || steps[s].back() != step)) steps[s].push_back(step);
    }
    std::sort(steps[s].begin(), steps[s].end());
    steps[s].erase(std::unique(steps[s].begin(), steps[s].end()), steps[s].end());
  }
  shortest_.assign(n, kEndlessRun);
  for (bool changes = true; changes;) {
    changes = false;
    for (std::size_t s = n; s-- > 0;) {
      int best = content_->is_accepting(static_cast<int>(s)) ? 0 : kEndlessRun;
      for (const Step& step : steps[s])
        best = std::min(best, shortest_[static_cast<std::size_t>(step.to)] + step.weight);
      changes |= best < shortest_[s];
      shortest_[s] = std::min(best, shortest_[s]);
    }
  }
  // Longest: states from which no cycle is reached are done once all that follow are (Kahn 1962, backwards).
  longest_.assign(n, kEndlessRun);
  std::vector<std::size_t> num_open(n);
  std::vector<std::vector<std::size_t>> sources(n);
  std::vector<std::size_t> done;
  for (std::size_t s = 0; s < n; ++s) {
    num_open[s] = steps[s].size();
    for (const Step& step : steps[s]) sources[static_cast<std::size_t>(step.to)].push_back(s);
    if (steps[s].empty()) done.push_back(s);
  }
  for (std::size_t i = 0; i < done.size(); ++i) {
    int best = 0;
    for (const Step& step : steps[done[i]])
      best = std::max(best, longest_[static_cast<std::size_t>(step.to)] + step.weight);
    longest_[done[i]] = best;
    for (const std::size_t from : sources[done[i]]) {
      if (--num_open[from] == 0) done.push_back(from);
    }
  }
  if (is_free_ || spec_.min_length == 0 || spec_.max_length < 0) return;
  const auto most = static_cast<std::size_t>(spec_.max_length);
  require((most + 1) * n <= kMaxLengthTable, "guide schema: \"maxLength\" beside a pattern or format is too large",
          ErrorCode::kExhausted);
  lengths_.assign(most + 1, std::vector<bool>(n));
  for (std::size_t k = 0; k <= most; ++k) {
    for (int pass = 0; pass < 4; ++pass) {  // Up to three bytes go on with a code point.
      for (std::size_t s = 0; s < n; ++s) {
        bool can = k == 0 && content_->is_accepting(static_cast<int>(s));
        for (const Step& step : steps[s]) {
          const auto to = static_cast<std::size_t>(step.to);
          can = can || (step.weight == 0 ? lengths_[k][to] : k > 0 && lengths_[k - 1][to]);
        }
        if (can) lengths_[k][s] = true;
      }
    }
  }
}

bool StringMachine::can_end(int content, int length) const {
  if (content == ByteDfa::kDead) return false;
  const int fewest = std::max(0, spec_.min_length - length);
  const int most = spec_.max_length < 0 ? kEndlessRun : spec_.max_length - length;
  if (most < fewest) return false;
  if (shortest_.empty()) return true;
  const auto s = static_cast<std::size_t>(content);
  if (lengths_.empty()) return shortest_[s] <= most && longest_[s] >= fewest;
  for (int k = fewest; k <= most; ++k) {
    if (lengths_[static_cast<std::size_t>(k)][s]) return true;
  }
  return false;
}

/// The length with one more; beyond the bounds it need not be known.
int StringMachine::more(int length) const {
  if (spec_.max_length >= 0) return length + 1;
  return std::min(length + 1, spec_.min_length);
}

int StringMachine::intern(State s) {
  const auto [at, is_new] = known_.try_emplace({static_cast<int>(s.place), s.content, s.length, s.escape, s.name},
                                               static_cast<int>(states_.size()));
  if (is_new) states_.push_back(s);
  return at->second;
}

void StringMachine::forget() {
  states_.clear();
  known_.clear();
}

int StringMachine::next(int state, std::uint8_t byte) {
  State s = states_[static_cast<std::size_t>(state)];
  if (s.place == Place::kBefore)
    return byte == '"' ? body(content_->start(), 0, spec_.excluded ? NameTrie::kRoot : NameTrie::kOff) : kDead;
  if (s.place == Place::kBody && byte == '"') {
    const bool ends = content_->is_accepting(s.content) && s.length >= spec_.min_length &&
                      !(spec_.excluded && spec_.excluded->is_name(s.name));
    return ends ? intern({Place::kAfter, 0, 0, 0, NameTrie::kOff}) : kDead;
  }
  if (s.name != NameTrie::kOff) s.name = spec_.excluded->next(s.name, byte);
  return read(s, byte);
}

int StringMachine::read(const State& s, std::uint8_t byte) {
  const auto go = [&](Place place, int escape) { return intern({place, s.content, s.length, escape, s.name}); };
  switch (s.place) {
    case Place::kBody: {
      if (byte < 0x20) return kDead;
      const int length = is_continuation(byte) ? s.length : more(s.length);
      if (byte != '\\') return body(content_->next(s.content, byte), length, s.name);
      const State escape{Place::kEscape, s.content, length, 0, s.name};
      return is_escapable(escape) ? intern(escape) : kDead;
    }
    case Place::kEscape: {
      if (byte == 'u')
        return is_free_ || is_escapable({Place::kHex, s.content, s.length, 1, s.name}) ? go(Place::kHex, 1) : kDead;
      if (byte == '/') return is_free_ ? with_character(s, '/') : kDead;
      const auto at = kEscapes.find(static_cast<char>(byte));
      return at == std::string_view::npos ? kDead : with_character(s, static_cast<std::uint8_t>(kEscaped[at]));
    }
    case Place::kHex: return after_hex(s, byte);
    case Place::kLowEscape: return byte == '\\' ? go(Place::kLowU, 0) : kDead;
    case Place::kLowU: return byte == 'u' ? go(Place::kLowHex, 1) : kDead;
    case Place::kLowHex: {
      const int digit = hex_value(byte);
      const int value = s.escape * 16 + digit;
      if (digit < 0 || (s.escape == 1 && digit != 0xD) || (s.escape == 0x1D && digit < 0xC)) return kDead;
      return value < 0x10000 ? go(Place::kLowHex, value) : body(s.content, s.length, s.name);
    }
    default: return kDead;
  }
}

int StringMachine::after_hex(const State& from, std::uint8_t byte) {
  const int digit = hex_value(byte);
  if (digit < 0) return kDead;
  const int value = from.escape * 16 + digit;
  const State longer{Place::kHex, from.content, from.length, value, from.name};
  if (is_free_) {
    if (value >= 0x1DC && value <= 0x1DF && from.escape == 0x1D)
      return kDead;  // Half of a pair that has no first half.
    if (value < 0x10000) return intern(longer);
    const bool is_high = (value & 0xFC00) == 0xD800;
    return is_high ? intern({Place::kLowEscape, from.content, from.length, 0, from.name})
                   : body(from.content, from.length, from.name);
  }
  if (byte >= 'A' && byte <= 'F') return kDead;
  if (value < 0x10000) return is_escapable(longer) ? intern(longer) : kDead;
  return with_character(from, static_cast<std::uint8_t>(value & 0xFF));
}

/// Some character that has such an escape can be written here. Free strings: always.
bool StringMachine::is_escapable(const State& from) {
  if (is_free_) return content_->next(from.content, 'a') != ByteDfa::kDead && can_end(from.content, from.length);
  const auto fits = [&](std::uint8_t byte) {
    const int to = content_->next(from.content, byte);
    return to != ByteDfa::kDead && can_end(to, from.length);
  };
  if (from.place == Place::kEscape &&
      std::any_of(kEscaped.begin(), kEscaped.end(), [&](char c) { return fits(static_cast<std::uint8_t>(c)); }))
    return true;
  for (int c = 0; c < 0x20; ++c) {
    if (kEscaped.find(static_cast<char>(c)) != std::string_view::npos) continue;
    int begun = 0x10000 + c;  // As the escape is after all its digits.
    while (begun > from.escape && from.escape > 0) begun >>= 4;
    if ((from.escape == 0 || begun == from.escape) && fits(static_cast<std::uint8_t>(c))) return true;
  }
  return false;
}

/// True where every plain text can be read, however long.
bool StringMachine::is_endless(int content) {
  if (const auto known = endless_.find(content); known != endless_.end()) return known->second;
  const ByteDfa& valid = *universal();
  std::vector<std::pair<int, int>> open = {{content, valid.start()}};
  std::unordered_map<std::uint64_t, bool> seen;
  bool fits = true;
  while (!open.empty() && fits) {
    const auto [state, place] = open.back();
    open.pop_back();
    for (int byte = 0x20; byte < 256 && fits; ++byte) {
      const int then = valid.next(place, static_cast<std::uint8_t>(byte));
      if (byte == '"' || byte == '\\' || then == ByteDfa::kDead) continue;
      const int to = content_->next(state, static_cast<std::uint8_t>(byte));
      fits = to != ByteDfa::kDead;
      if (fits &&
          seen.try_emplace(static_cast<std::uint64_t>(to) << 32 | static_cast<std::uint32_t>(then), true).second)
        open.emplace_back(to, then);
    }
  }
  // What is reached from an endless state is endless too.
  for (const auto& [pair, is_seen] : seen) {
    if (fits && static_cast<int>(pair & 0xFFFFFFFF) == valid.start()) endless_[static_cast<int>(pair >> 32)] = true;
  }
  return endless_[content] = fits;
}

int StringMachine::plain_run(int state) {
  const State& s = states_[static_cast<std::size_t>(state)];
  if (s.place != Place::kBody) return kUnknownRun;
  if (is_free_) {
    if (!content_->is_accepting(s.content)) return kUnknownRun;  // Inside a character.
    return spec_.max_length < 0 ? kEndlessRun : spec_.max_length - s.length;
  }
  return spec_.max_length < 0 && is_endless(s.content) ? kEndlessRun : kUnknownRun;
}

Machine::Likeness StringMachine::like(int state, int max_bytes) {
  const State s = states_[static_cast<std::size_t>(state)];
  if (s.place != Place::kBody || content_.get() != &ByteDfa::universal() || s.content != content_->start())
    return {state, {}, nullptr};
  // Far from both bounds it does not matter how far.
  if (spec_.max_length >= 0 && spec_.max_length - s.length <= max_bytes) return {state, {}, nullptr};
  if (s.length < spec_.min_length) {
    if (spec_.min_length - s.length <= max_bytes || s.name != NameTrie::kOff) return {state, {}, nullptr};
    return {intern({s.place, s.content, 0, 0, NameTrie::kOff}), {}, nullptr};
  }
  Likeness alike{intern({s.place, s.content, spec_.min_length, 0, NameTrie::kOff}), {}, is_free_ ? "string" : "name"};
  if (s.name == NameTrie::kOff) return alike;
  alike.refused = spec_.excluded->rests(s.name);
  for (std::string& rest : alike.refused) rest += '"';
  return alike;
}

NameTrie::NameTrie(std::span<const std::string> names) : nodes_(1) {
  for (const std::string& name : names) {
    int node = kRoot;
    for (const char c : name) {
      const auto [at, is_new] = nodes_[static_cast<std::size_t>(node)].next.try_emplace(
          static_cast<std::uint8_t>(c), static_cast<int>(nodes_.size()));
      node = at->second;
      if (is_new) nodes_.emplace_back();
    }
    nodes_[static_cast<std::size_t>(node)].is_name = true;
  }
}

int NameTrie::next(int node, std::uint8_t byte) const {
  const auto& children = nodes_[static_cast<std::size_t>(node)].next;
  const auto child = children.find(byte);
  return child == children.end() ? kOff : child->second;
}

std::vector<std::string> NameTrie::rests(int node) const {
  std::vector<std::string> out;
  std::vector<std::pair<int, std::string>> open = {{node, ""}};
  while (!open.empty()) {
    const auto [at, rest] = std::move(open.back());
    open.pop_back();
    if (is_name(at)) out.push_back(rest);
    for (const auto& [byte, child] : nodes_[static_cast<std::size_t>(at)].next)
      open.emplace_back(child, rest + static_cast<char>(byte));
  }
  return out;
}

}  // namespace onggi::decode
