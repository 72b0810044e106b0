#include "onggi/decode/pushdown.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  return (hash ^ value) * 0x9E3779B97F4A7C15ULL + (hash >> 29);
}

}  // namespace

std::size_t Pushdown::SetHash::operator()(const Set& set) const {
  std::uint64_t hash = set.size();
  for (const Frame& f : set) {
    hash = mix(hash, static_cast<std::uint64_t>(static_cast<std::uint32_t>(f.machine)) << 32 |
                         static_cast<std::uint32_t>(f.state));
    hash = mix(hash, static_cast<std::uint64_t>(static_cast<std::uint32_t>(f.below)));
  }
  return static_cast<std::size_t>(hash ^ hash >> 31);
}

Pushdown::Pushdown(std::unique_ptr<Grammar> grammar) : grammar_(std::move(grammar)) { begin(); }

void Pushdown::forget() {
  known_.clear();
  sets_.clear();
  flags_.clear();
  tables_.clear();
  unions_.clear();
  after_.clear();
  num_frames_ = 0;
  num_tables_ = 0;
  for (const auto& machine : grammar_->machines) machine->forget();
  begin();
}

void Pushdown::begin() {
  intern({});  // kDead
  open_ = intern({{kOpen, 0, kDead}});
  const int end = intern({{kEnd, 0, kDead}});
  Set set;
  for (const int machine : grammar_->rules[static_cast<std::size_t>(grammar_->root)]) {
    set.push_back({machine, this->machine(machine).start(), end});
  }
  start_ = close(std::move(set));
}

int Pushdown::intern(Set set) {
  const auto [at, is_new] = known_.try_emplace(std::move(set), static_cast<int>(sets_.size()));
  if (!is_new) return at->second;
  const Set& kept = at->first;
  std::uint8_t flags = kept.empty() ? 0 : 4;
  for (const Frame& f : kept) {
    if (f.machine == kEnd) flags |= 1;
    if (f.machine == kOpen) flags |= 2;
    if (f.machine >= 0) flags &= static_cast<std::uint8_t>(~4);
  }
  num_frames_ += kept.size() + 1;
  sets_.push_back(kept);
  flags_.push_back(flags);
  tables_.push_back(nullptr);
  return at->second;
}

int Pushdown::unite(int a, int b) {
  if (a == b || b == kDead) return a;
  if (a == kDead) return b;
  const auto key = static_cast<std::uint64_t>(std::min(a, b)) << 32 | static_cast<std::uint32_t>(std::max(a, b));
  if (const auto known = unions_.find(key); known != unions_.end()) return known->second;
  Set both = sets_[static_cast<std::size_t>(a)];
  const Set& other = sets_[static_cast<std::size_t>(b)];
  both.insert(both.end(), other.begin(), other.end());
  return unions_[key] = normal(std::move(both));
}

int Pushdown::normal(Set set) {
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  Set out;
  for (const Frame& f : set) {
    if (!out.empty() && out.back().machine == f.machine && out.back().state == f.state) {
      out.back().below = unite(out.back().below, f.below);
    } else {
      out.push_back(f);
    }
  }
  return intern(std::move(out));
}

int Pushdown::close(Set set) {
  const auto add = [&](const Frame& f) {
    if (std::find(set.begin(), set.end(), f) == set.end()) set.push_back(f);
  };
  for (std::size_t i = 0; i < set.size(); ++i) {
    require(set.size() <= kMaxSetFrames, "the guide can be read in too many ways at once", ErrorCode::kExhausted);
    const Frame f = set[i];
    if (f.machine < 0) continue;
    std::vector<Machine::Call> calls = std::move(calls_);
    calls.clear();
    machine(f.machine).calls(f.state, calls);
    for (const Machine::Call& call : calls) {
      // Where nothing comes after the call, what comes after this frame does: a list that calls itself last stays flat.
      const int below = machine(f.machine).is_last(call.target) ? f.below : intern({{f.machine, call.target, f.below}});
      for (const int called : grammar_->rules[static_cast<std::size_t>(call.rule)]) {
        add({called, machine(called).start(), below});
      }
    }
    calls_ = std::move(calls);
    if (machine(f.machine).is_accepting(f.state)) {
      for (const Frame& next : Set(sets_[static_cast<std::size_t>(f.below)])) add(next);
    }
  }
  return normal(std::move(set));
}

int Pushdown::after(int below) {
  if (const auto known = after_.find(below); known != after_.end()) return known->second;
  const int closed = close(sets_[static_cast<std::size_t>(below)]);
  return after_[below] = closed;
}

int Pushdown::compute(int set, std::uint8_t byte) {
  Set next;
  for (const Frame& f : sets_[static_cast<std::size_t>(set)]) {
    if (f.machine < 0) continue;
    const int state = machine(f.machine).next(f.state, byte);
    if (state != Machine::kDead) next.push_back({f.machine, state, f.below});
  }
  const int result = next.empty() ? kDead : close(std::move(next));
  auto& table = tables_[static_cast<std::size_t>(set)];
  if (!table) {
    table = std::make_unique<std::array<int, 256>>();
    table->fill(kUnknown);
    ++num_tables_;
  }
  return (*table)[byte] = result;
}

int Pushdown::walk(int set, std::string_view bytes) {
  for (const char byte : bytes) {
    if (set == kDead) break;
    set = next(set, static_cast<std::uint8_t>(byte));
  }
  return set;
}

}  // namespace onggi::decode
