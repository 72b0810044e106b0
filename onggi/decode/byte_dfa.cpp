#include "onggi/decode/byte_dfa.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/automaton.h"

namespace onggi::decode {
namespace {

/// Bytes that no text has: where an expression's ^ and $ are matched.
constexpr std::uint8_t kStartByte = 0xFF;
constexpr std::uint8_t kEndByte = 0xFE;

Pattern any_character() { return {.kind = Pattern::Kind::kClass, .ranges = {{0, 0x10FFFF}}}; }

}  // namespace

int ByteDfa::add_state(bool is_accepting) {
  require(
      next_.size() < kMaxStates,
      [] { return "a guide's text pattern needs more than " + std::to_string(kMaxStates) + " states"; },
      ErrorCode::kExhausted);
  next_.emplace_back();
  next_.back().fill(kNone);
  accepting_.push_back(is_accepting);
  return num_states() - 1;
}

const ByteDfa& ByteDfa::universal() {
  static const ByteDfa made = of_pattern(Pattern::repeat(any_character(), 0, Pattern::kUnbounded));
  return made;
}

ByteDfa ByteDfa::of_texts(std::span<const std::string> texts) {
  ByteDfa out;
  if (texts.empty()) return out;
  out.start_ = out.add_state(false);
  for (const std::string& text : texts) {
    int state = out.start_;
    for (const char c : text) {
      const auto byte = static_cast<std::uint8_t>(c);
      int to = out.next(state, byte);
      if (to == kDead) {
        to = out.add_state(false);
        out.next_[static_cast<std::size_t>(state)][byte] = static_cast<std::uint16_t>(to);
      }
      state = to;
    }
    out.accepting_[static_cast<std::size_t>(state)] = true;
  }
  return out;
}

ByteDfa ByteDfa::of_pattern(const Pattern& pattern) {
  Dfa lazy(build_nfa(pattern, SlotUse::kNone, {}));
  ByteDfa out;
  if (lazy.start() == Dfa::kDead) return out;
  std::unordered_map<int, int> known;
  std::vector<int> open;
  const auto visit = [&](int state) {
    const auto [at, is_new] = known.try_emplace(state, out.num_states());
    if (is_new) {
      out.add_state(lazy.is_accepting(state));
      open.push_back(state);
    }
    return at->second;
  };
  out.start_ = visit(lazy.start());
  for (std::size_t i = 0; i < open.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      const int to = lazy.next(open[i], static_cast<std::uint8_t>(byte));
      if (to == Dfa::kDead) continue;
      const int index = visit(to);
      out.next_[i][static_cast<std::size_t>(byte)] = static_cast<std::uint16_t>(index);
    }
  }
  return out;
}

ByteDfa ByteDfa::of_search(const Pattern& pattern) {
  const Pattern around = Pattern::repeat(
      Pattern::any_of({any_character(), Pattern::literal("\xFF"), Pattern::literal("\xFE")}), 0, Pattern::kUnbounded);
  ByteDfa out = of_pattern(Pattern::sequence({around, pattern, around}));
  if (out.is_empty()) return out;
  // The text stands between the two bytes, which are read here once and for all.
  out.start_ = out.next(out.start_, kStartByte);
  for (int state = 0; state < out.num_states(); ++state) {
    const int end = out.next(state, kEndByte);
    out.accepting_[static_cast<std::size_t>(state)] = end != kDead && out.is_accepting(end);
  }
  for (auto& table : out.next_) table[kStartByte] = table[kEndByte] = kNone;
  return out.trimmed();
}

ByteDfa ByteDfa::joined(const ByteDfa& a, const ByteDfa& b, bool in_both) {
  ByteDfa out;
  if (a.is_empty() || (in_both && b.is_empty())) return out;
  std::unordered_map<std::uint64_t, int> known;
  std::vector<std::pair<int, int>> open;
  const auto visit = [&](int p, int q) {
    const auto key = static_cast<std::uint64_t>(p) << 32 | static_cast<std::uint32_t>(q);
    const auto [at, is_new] = known.try_emplace(key, out.num_states());
    if (is_new) {
      const bool is_in_b = q != kDead && b.is_accepting(q);
      out.add_state(a.is_accepting(p) && is_in_b == in_both);
      open.emplace_back(p, q);
    }
    return at->second;
  };
  out.start_ = visit(a.start_, b.start_);
  for (std::size_t i = 0; i < open.size(); ++i) {
    const auto [p, q] = open[i];
    std::pair<int, int> last = {kDead, kDead};  // Neighbouring bytes often lead to the same place.
    int index = kDead;
    for (int byte = 0; byte < 256; ++byte) {
      const int to = a.next(p, static_cast<std::uint8_t>(byte));
      const int with = q == kDead ? kDead : b.next(q, static_cast<std::uint8_t>(byte));
      if (to == kDead || (in_both && with == kDead)) continue;
      if (last != std::pair(to, with)) index = visit(to, with);
      last = {to, with};
      out.next_[i][static_cast<std::size_t>(byte)] = static_cast<std::uint16_t>(index);
    }
  }
  return out.trimmed();
}

ByteDfa ByteDfa::trimmed() const {
  ByteDfa out;
  if (start_ == kDead) return out;
  const auto n = static_cast<std::size_t>(num_states());
  std::vector<std::vector<int>> sources(n);
  std::vector<bool> reached(n);
  std::vector<int> work = {start_};
  reached[static_cast<std::size_t>(start_)] = true;
  while (!work.empty()) {
    const auto s = static_cast<std::size_t>(work.back());
    work.pop_back();
    for (const std::uint16_t to : next_[s]) {
      if (to == kNone) continue;
      if (sources[to].empty() || sources[to].back() != static_cast<int>(s)) sources[to].push_back(static_cast<int>(s));
      if (!reached[to]) work.push_back(to);
      reached[to] = true;
    }
  }
  std::vector<bool> live(n);
  for (std::size_t s = 0; s < n; ++s) {
    if (reached[s] && accepting_[s]) work.push_back(static_cast<int>(s));
    live[s] = reached[s] && accepting_[s];
  }
  while (!work.empty()) {
    const auto s = static_cast<std::size_t>(work.back());
    work.pop_back();
    for (const int from : sources[s]) {
      if (!live[static_cast<std::size_t>(from)]) work.push_back(from);
      live[static_cast<std::size_t>(from)] = true;
    }
  }
  if (!live[static_cast<std::size_t>(start_)]) return out;
  std::vector<int> index(n, kDead);
  for (std::size_t s = 0; s < n; ++s) {
    if (live[s]) index[s] = out.add_state(accepting_[s]);
  }
  for (std::size_t s = 0; s < n; ++s) {
    if (!live[s]) continue;
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint16_t to = next_[s][byte];
      if (to != kNone && live[to])
        out.next_[static_cast<std::size_t>(index[s])][byte] = static_cast<std::uint16_t>(index[to]);
    }
  }
  out.start_ = index[static_cast<std::size_t>(start_)];
  return out;
}

bool ByteDfa::accepts(std::string_view text) const {
  int state = start_;
  for (const char c : text) {
    if (state == kDead) return false;
    state = next(state, static_cast<std::uint8_t>(c));
  }
  return state != kDead && is_accepting(state);
}

}  // namespace onggi::decode
