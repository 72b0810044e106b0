#include "onggi/decode/automaton.h"

#include <algorithm>
#include <numeric>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

/// Walks of one row stay far below this; a language that does not is refused instead of eating the machine's memory
/// (1 KiB a state and its set).
constexpr std::size_t kMaxDfaStates = 100'000;
constexpr std::size_t kMaxDfaMembers = std::size_t{1} << 25;

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
  // Edges by target, for the walk back from the end.
  std::vector<int> begin(n + 1, 0);
  for (int e = 0; e < nfa_->num_edges(); ++e) ++begin[static_cast<std::size_t>(nfa_->edge(e).target) + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<int> sources(static_cast<std::size_t>(nfa_->num_edges()));
  std::vector<int> filled(begin.begin(), begin.end() - 1);
  for (int s = 0; s < nfa_->num_states(); ++s) {
    for (int e = nfa_->first_edge(s); e >= 0; e = nfa_->edge(e).next) {
      sources[static_cast<std::size_t>(filled[static_cast<std::size_t>(nfa_->edge(e).target)]++)] = s;
    }
  }
  live_.assign(n, 0);
  std::vector<int> work;
  if (nfa_->accepting() >= 0) {
    work.push_back(nfa_->accepting());
    live_[static_cast<std::size_t>(nfa_->accepting())] = 1;
  }
  while (!work.empty()) {
    const auto s = static_cast<std::size_t>(work.back());
    work.pop_back();
    for (int i = begin[s]; i < begin[s + 1]; ++i) {
      const int from = sources[static_cast<std::size_t>(i)];
      if (live_[static_cast<std::size_t>(from)] != 0) continue;
      live_[static_cast<std::size_t>(from)] = 1;
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
  const auto visit = [&](int s) {
    if (live_[static_cast<std::size_t>(s)] == 0 || mark_[static_cast<std::size_t>(s)] == stamp_) return;
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
      if (nfa_->edge(e).is_empty) {
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

int Dfa::intern(std::vector<int> set) {
  if (const auto it = known_.find(set); it != known_.end()) return it->second;
  const int state = num_states();
  num_members_ += set.size();
  require(sets_.size() < kMaxDfaStates && num_members_ < kMaxDfaMembers, "guide is too large: its walk needs too many states", ErrorCode::kExhausted);
  accepting_.push_back(std::binary_search(set.begin(), set.end(), nfa_->accepting()));
  known_.emplace(set, state);
  sets_.push_back(std::move(set));
  steps_.emplace_back();
  table_.push_back(std::make_unique<std::array<int, 256>>());
  table_.back()->fill(kUnknown);
  return state;
}

const std::vector<Dfa::Step>& Dfa::steps_of(int state) {
  auto& steps = steps_[static_cast<std::size_t>(state)];
  if (!steps.empty()) return steps;
  for (const int s : sets_[static_cast<std::size_t>(state)]) {
    for (int i = nfa_->first_edge(s); i >= 0; i = nfa_->edge(i).next) {
      const Nfa::Edge& e = nfa_->edge(i);
      if (!e.is_empty) steps.push_back({e.low, e.high, e.target});
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
  int result = kDead;
  if (!targets.empty()) {
    close(targets);
    if (!targets.empty()) result = intern(std::move(targets));
  }
  auto& row = *table_[static_cast<std::size_t>(state)];
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
