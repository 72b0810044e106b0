#include "onggi/decode/automaton.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <string>

#include "onggi/core/error.h"
#include "onggi/text/utf8.h"

namespace onggi::decode {
namespace {

/// Walks stay far below this; a language that does not is refused instead of eating the machine's memory (1 KiB a state
/// and its set).
constexpr std::size_t kMaxDfaStates = 100'000;
constexpr std::size_t kMaxDfaMembers = std::size_t{1} << 25;

std::string utf8(char32_t c) {
  std::string s;
  text::append_utf8(s, c);
  return s;
}

/// Edges for all encodings between two of equal length.
void add_range(Nfa& nfa, int from, std::string_view low, std::string_view high, int to) {
  const auto l = static_cast<std::uint8_t>(low[0]);
  const auto h = static_cast<std::uint8_t>(high[0]);
  if (low.size() == 1) {
    nfa.add_edge(from, l, h, to);
    return;
  }
  const std::string lowest(low.size() - 1, '\x80');
  const std::string highest(low.size() - 1, '\xBF');
  const auto rest_low = low.substr(1);
  const auto rest_high = high.substr(1);
  if (l == h) {
    const int middle = nfa.add_state();
    nfa.add_edge(from, l, l, middle);
    add_range(nfa, middle, rest_low, rest_high, to);
    return;
  }
  int first = l;
  int last = h;
  if (rest_low != lowest) {
    const int middle = nfa.add_state();
    nfa.add_edge(from, l, l, middle);
    add_range(nfa, middle, rest_low, highest, to);
    ++first;
  }
  if (rest_high != highest) {
    const int middle = nfa.add_state();
    nfa.add_edge(from, h, h, middle);
    add_range(nfa, middle, lowest, rest_high, to);
    --last;
  }
  if (first <= last) {
    const int middle = nfa.add_state();
    nfa.add_edge(from, static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(last), middle);
    add_range(nfa, middle, lowest, highest, to);
  }
}

}  // namespace

int Nfa::add_state() {
  require(num_states() < kMaxStates, [] { return "guide is too large: more than " + std::to_string(kMaxStates) + " states"; },
          ErrorCode::kExhausted);
  first_.push_back(-1);
  return num_states() - 1;
}

void Nfa::link(int from, Edge edge) {
  require(num_edges() < kMaxEdges, [] { return "guide is too large: more than " + std::to_string(kMaxEdges) + " edges"; }, ErrorCode::kExhausted);
  int& first = first_[static_cast<std::size_t>(from)];
  edge.next = first;
  first = num_edges();
  edges_.push_back(edge);
}

void Nfa::add_slot(int from, int slot, int to) {
  num_slots_ = std::max(num_slots_, slot + 1);
  link(from, {.kind = Edge::Kind::kSlot, .target = to, .slot = slot});
}

void Nfa::add_bytes(int from, std::string_view bytes, int to) {
  if (bytes.empty()) {
    add_empty(from, to);
    return;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int target = i + 1 == bytes.size() ? to : add_state();
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    add_edge(from, byte, byte, target);
    from = target;
  }
}

void Nfa::add_code_points(int from, char32_t low, char32_t high, int to) {
  // Pieces of equal encoded length; surrogates have no encoding.
  static constexpr char32_t kEnds[] = {0x7F, 0x7FF, 0xD7FF, 0xDFFF, 0xFFFF, 0x10FFFF};
  for (const char32_t end : kEnds) {
    if (low > high) return;
    if (low > end) continue;
    const char32_t last = std::min(high, end);
    if (end != 0xDFFF) add_range(*this, from, utf8(low), utf8(last), to);
    low = last + 1;
  }
}

void Nfa::add_class(int from, std::span<const std::pair<char32_t, char32_t>> ranges, int to) {
  std::map<std::string, int> states;  // By the bytes that lead to them.
  for (const auto& [low, high] : ranges) {
    if (low > high || low <= 0x7F || low >> 6 != high >> 6 || (low >= 0xD800 && low <= 0xDFFF)) {
      add_code_points(from, low, high, to);
      continue;
    }
    const std::string first = utf8(low);
    int state = from;
    for (std::size_t i = 1; i < first.size(); ++i) {
      const auto [it, is_new] = states.try_emplace(first.substr(0, i), -1);
      if (is_new) {
        it->second = add_state();
        const auto byte = static_cast<std::uint8_t>(first[i - 1]);
        add_edge(state, byte, byte, it->second);
      }
      state = it->second;
    }
    add_edge(state, static_cast<std::uint8_t>(first.back()), static_cast<std::uint8_t>(utf8(high).back()), to);
  }
}

std::size_t Dfa::SetHash::operator()(const std::vector<int>& set) const {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const int s : set) h = (h ^ static_cast<std::uint64_t>(s)) * 0x100000001b3;
  return static_cast<std::size_t>(h ^ h >> 29);
}

Dfa::Dfa(std::shared_ptr<const Nfa> nfa, std::span<const SlotContent> slots) : nfa_(std::move(nfa)) {
  require(static_cast<int>(slots.size()) >= nfa_->num_slots(), "a slot without content", ErrorCode::kInternal);
  for (const SlotContent content : slots) is_empty_slot_.push_back(content == SlotContent::kEmptyText);
  mark_.assign(static_cast<std::size_t>(nfa_->num_states()), 0);
  find_live(slots);
  start_ = closed({0});
}

void Dfa::find_live(std::span<const SlotContent> slots) {
  const auto n = static_cast<std::size_t>(nfa_->num_states());
  // Edges by target, for the walk back from the end.
  std::vector<int> begin(n + 1, 0);
  for (int e = 0; e < nfa_->num_edges(); ++e) ++begin[static_cast<std::size_t>(nfa_->edge(e).target) + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  struct Source {
    int state;
    int slot;
  };
  std::vector<Source> sources(static_cast<std::size_t>(nfa_->num_edges()));
  std::vector<int> filled(begin.begin(), begin.end() - 1);
  for (int s = 0; s < nfa_->num_states(); ++s) {
    for (int e = nfa_->first_edge(s); e >= 0; e = nfa_->edge(e).next) {
      sources[static_cast<std::size_t>(filled[static_cast<std::size_t>(nfa_->edge(e).target)]++)] = {s, nfa_->edge(e).slot};
    }
  }
  live_.assign(n, 0);
  std::vector<int> work;
  const auto visit = [&](int s) {
    if (is_live(s)) return;
    live_[static_cast<std::size_t>(s)] = 1;
    work.push_back(s);
  };
  if (nfa_->accepting() >= 0) visit(nfa_->accepting());
  while (!work.empty()) {
    const auto s = static_cast<std::size_t>(work.back());
    work.pop_back();
    for (int i = begin[s]; i < begin[s + 1]; ++i) {
      const auto [from, slot] = sources[static_cast<std::size_t>(i)];
      if (slot < 0 || slots[static_cast<std::size_t>(slot)] != SlotContent::kNothing) visit(from);
    }
  }
}

void Dfa::close(std::vector<int>& set) {
  ++stamp_;
  std::vector<int> out;
  std::vector<int> work;
  const auto visit = [&](int s) {
    if (!is_live(s) || mark_[static_cast<std::size_t>(s)] == stamp_) return;
    mark_[static_cast<std::size_t>(s)] = stamp_;
    work.push_back(s);
  };
  for (const int s : set) visit(s);
  while (!work.empty()) {
    const int s = work.back();
    work.pop_back();
    // States that only lead on need not be kept.
    bool reads = s == nfa_->accepting();
    for (int e = nfa_->first_edge(s); e >= 0; e = nfa_->edge(e).next) {
      if (is_taken_without_byte(nfa_->edge(e))) {
        visit(nfa_->edge(e).target);
      } else {
        reads = true;
      }
    }
    if (reads) out.push_back(s);
  }
  std::sort(out.begin(), out.end());
  set = std::move(out);
}

int Dfa::closed(std::vector<int> set) {
  close(set);
  return set.empty() ? kDead : intern(std::move(set));
}

int Dfa::intern(std::vector<int> set) {
  if (const auto it = known_.find(set); it != known_.end()) return it->second;
  const int id = num_states();
  require(states_.size() < kMaxDfaStates && num_members_ + set.size() < kMaxDfaMembers, "guide is too large: its walk needs too many states", ErrorCode::kExhausted);
  auto state = std::make_unique<State>();
  state->members = &known_.emplace(std::move(set), id).first->first;
  state->is_accepting = std::binary_search(state->members->begin(), state->members->end(), nfa_->accepting());
  state->next.fill(kUnknown);
  if (nfa_->num_slots() > 0) {
    for (const int s : *state->members) {
      for (int i = nfa_->first_edge(s); i >= 0; i = nfa_->edge(i).next) {
        const Nfa::Edge& e = nfa_->edge(i);
        if (e.kind == Nfa::Edge::Kind::kSlot && is_live(e.target)) state->slot_edges.push_back({e.slot, e.target});
      }
    }
    std::sort(state->slot_edges.begin(), state->slot_edges.end());
    state->slot_edges.erase(std::unique(state->slot_edges.begin(), state->slot_edges.end()), state->slot_edges.end());
  }
  num_members_ += state->members->size() + 2 * state->slot_edges.size();
  states_.push_back(std::move(state));
  return id;
}

const std::vector<Dfa::Step>& Dfa::steps_of(int state) {
  auto& steps = states_[static_cast<std::size_t>(state)]->steps;
  if (!steps.empty()) return steps;
  for (const int s : members(state)) {
    for (int i = nfa_->first_edge(s); i >= 0; i = nfa_->edge(i).next) {
      const Nfa::Edge& e = nfa_->edge(i);
      if (e.kind == Nfa::Edge::Kind::kByte) steps.push_back({e.low, e.high, e.target});
    }
  }
  std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.low < b.low; });
  num_members_ += steps.size();
  return steps;
}

int Dfa::compute(int state, std::uint8_t byte) {
  std::vector<int> targets;
  // One sweep answers for every byte of the run of equal answers around this one.
  int low = 0;
  int high = 255;
  for (const Step& step : steps_of(state)) {
    if (step.low > byte) {
      high = std::min(high, step.low - 1);
      break;
    }
    if (step.high < byte) {
      low = std::max(low, step.high + 1);
    } else {
      targets.push_back(step.target);
      low = std::max<int>(low, step.low);
      high = std::min<int>(high, step.high);
    }
  }
  const int result = targets.empty() ? kDead : closed(std::move(targets));
  auto& next = states_[static_cast<std::size_t>(state)]->next;
  for (int b = low; b <= high; ++b) next[static_cast<std::size_t>(b)] = result;
  return result;
}

int Dfa::everything() {
  if (everything_ != kUnknown) return everything_;
  std::vector<int> all(static_cast<std::size_t>(nfa_->num_states()));
  std::iota(all.begin(), all.end(), 0);
  return everything_ = closed(std::move(all));
}

int Dfa::at(int nfa_state) {
  if (const auto it = at_.find(nfa_state); it != at_.end()) return it->second;
  const int state = closed({nfa_state});
  num_members_ += 2;
  at_.emplace(nfa_state, state);
  return state;
}

int Dfa::unite(int a, int b) {
  if (a == b || b == kDead) return a;
  if (a == kDead) return b;
  const auto [low, high] = std::minmax(a, b);
  const std::uint64_t key = static_cast<std::uint64_t>(low) << 32 | static_cast<std::uint64_t>(high);
  if (const auto it = unions_.find(key); it != unions_.end()) return it->second;
  std::vector<int> both;
  std::set_union(members(a).begin(), members(a).end(), members(b).begin(), members(b).end(), std::back_inserter(both));
  const int state = intern(std::move(both));
  num_members_ += 4;
  unions_.emplace(key, state);
  return state;
}

int Dfa::walk(int state, std::string_view bytes) {
  for (const char byte : bytes) {
    if (state == kDead) return kDead;
    state = next(state, static_cast<std::uint8_t>(byte));
  }
  return state;
}

}  // namespace onggi::decode
