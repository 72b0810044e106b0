#include "onggi/decode/automaton.h"

#include <algorithm>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

/// Walks of one row stay far below this; a language that does not is refused instead of eating the machine's memory.
constexpr std::size_t kMaxDfaStates = 200'000;

std::string utf8(char32_t c) {
  std::string s;
  if (c < 0x80) {
    s += static_cast<char>(c);
  } else if (c < 0x800) {
    s += static_cast<char>(0xC0 | c >> 6);
    s += static_cast<char>(0x80 | (c & 63));
  } else if (c < 0x10000) {
    s += static_cast<char>(0xE0 | c >> 12);
    s += static_cast<char>(0x80 | (c >> 6 & 63));
    s += static_cast<char>(0x80 | (c & 63));
  } else {
    s += static_cast<char>(0xF0 | c >> 18);
    s += static_cast<char>(0x80 | (c >> 12 & 63));
    s += static_cast<char>(0x80 | (c >> 6 & 63));
    s += static_cast<char>(0x80 | (c & 63));
  }
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
  edges_.emplace_back();
  empties_.emplace_back();
  return num_states() - 1;
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

std::size_t Dfa::SetHash::operator()(const std::vector<int>& set) const {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const int s : set) h = (h ^ static_cast<std::uint64_t>(s)) * 0x100000001b3;
  return static_cast<std::size_t>(h ^ h >> 29);
}

Dfa::Dfa(std::shared_ptr<const Nfa> nfa) : nfa_(std::move(nfa)) {
  const auto n = static_cast<std::size_t>(nfa_->num_states());
  mark_.assign(n, 0);
  std::vector<std::vector<int>> sources(n);
  for (int s = 0; s < nfa_->num_states(); ++s) {
    for (const auto& e : nfa_->edges(s)) sources[static_cast<std::size_t>(e.target)].push_back(s);
    for (const int t : nfa_->empties(s)) sources[static_cast<std::size_t>(t)].push_back(s);
  }
  live_.assign(n, false);
  std::vector<int> work;
  if (nfa_->accepting() >= 0) {
    work.push_back(nfa_->accepting());
    live_[static_cast<std::size_t>(nfa_->accepting())] = true;
  }
  while (!work.empty()) {
    const int s = work.back();
    work.pop_back();
    for (const int from : sources[static_cast<std::size_t>(s)]) {
      if (live_[static_cast<std::size_t>(from)]) continue;
      live_[static_cast<std::size_t>(from)] = true;
      work.push_back(from);
    }
  }
  std::vector<int> first = {0};
  close(first);
  if (!first.empty()) start_ = intern(std::move(first));
}

void Dfa::close(std::vector<int>& set) {
  ++stamp_;
  std::vector<int> out;
  std::vector<int> work;
  for (const int s : set) {
    if (!live_[static_cast<std::size_t>(s)] || mark_[static_cast<std::size_t>(s)] == stamp_) continue;
    mark_[static_cast<std::size_t>(s)] = stamp_;
    work.push_back(s);
  }
  while (!work.empty()) {
    const int s = work.back();
    work.pop_back();
    // States that only lead on need not be kept.
    if (!nfa_->edges(s).empty() || s == nfa_->accepting()) out.push_back(s);
    for (const int t : nfa_->empties(s)) {
      if (!live_[static_cast<std::size_t>(t)] || mark_[static_cast<std::size_t>(t)] == stamp_) continue;
      mark_[static_cast<std::size_t>(t)] = stamp_;
      work.push_back(t);
    }
  }
  std::sort(out.begin(), out.end());
  set = std::move(out);
}

int Dfa::intern(std::vector<int> set) {
  const auto [it, is_new] = known_.try_emplace(set, static_cast<int>(sets_.size()));
  if (!is_new) return it->second;
  require(sets_.size() < kMaxDfaStates, "guide is too large: its walk needs too many states", ErrorCode::kExhausted);
  accepting_.push_back(std::binary_search(set.begin(), set.end(), nfa_->accepting()));
  sets_.push_back(std::move(set));
  table_.emplace_back().fill(kUnknown);
  return it->second;
}

int Dfa::compute(int state, std::uint8_t byte) {
  std::vector<int> targets;
  // One sweep answers for every byte of the run of equal answers around this one.
  int low = 0;
  int high = 255;
  for (const int s : sets_[static_cast<std::size_t>(state)]) {
    for (const auto& e : nfa_->edges(s)) {
      if (e.low <= byte && byte <= e.high) {
        targets.push_back(e.target);
        low = std::max<int>(low, e.low);
        high = std::min<int>(high, e.high);
      } else if (e.high < byte) {
        low = std::max(low, e.high + 1);
      } else {
        high = std::min(high, e.low - 1);
      }
    }
  }
  int result = kDead;
  if (!targets.empty()) {
    close(targets);
    if (!targets.empty()) result = intern(std::move(targets));
  }
  auto& row = table_[static_cast<std::size_t>(state)];
  for (int b = low; b <= high; ++b) row[static_cast<std::size_t>(b)] = result;
  return result;
}

int Dfa::everything() {
  std::vector<int> all;
  for (int s = 0; s < nfa_->num_states(); ++s) all.push_back(s);
  close(all);
  return all.empty() ? kDead : intern(std::move(all));
}

int Dfa::walk(int state, std::string_view bytes) {
  for (const char byte : bytes) {
    if (state == kDead) return kDead;
    state = next(state, static_cast<std::uint8_t>(byte));
  }
  return state;
}

}  // namespace onggi::decode
