#include "onggi/decode/array_machine.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

constexpr std::size_t kMaxTable = std::size_t{1} << 20;

bool is_space(std::uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

}  // namespace

ArrayMachine::ArrayMachine(ArraySpec spec)
    : spec_(std::move(spec)), counts_(spec_.min_counted > 0 || spec_.max_counted >= 0) {
  longest_ = spec_.max_items < 0 ? kEndlessRun : spec_.max_items;
  for (int i = 0; i <= static_cast<int>(spec_.prefix.size()); ++i) {
    if (item(i).any == kNoRule && item(i).counted == kNoRule) longest_ = std::min(longest_, i);
  }
  if (counts_) find_ends();
}

/// The number of items, as far as it matters.
int ArrayMachine::after_item(int count) const {
  if (longest_ != kEndlessRun) return count + 1;
  return std::min(count + 1, std::max(spec_.min_items, static_cast<int>(spec_.prefix.size())));
}
int ArrayMachine::after_counted(int counted) const {
  return spec_.max_counted >= 0 ? counted + 1 : std::min(counted + 1, spec_.min_counted);
}

void ArrayMachine::find_ends() {
  const int num_counts =
      1 + (longest_ == kEndlessRun ? std::max(spec_.min_items, static_cast<int>(spec_.prefix.size())) : longest_);
  width_ = 1 + std::max(spec_.min_counted, std::min(spec_.max_counted, longest_));
  require(static_cast<std::size_t>(num_counts) * static_cast<std::size_t>(width_) <= kMaxTable,
          "guide schema: \"contains\" beside that many items", ErrorCode::kExhausted);
  can_end_.assign(static_cast<std::size_t>(num_counts) * static_cast<std::size_t>(width_), false);
  for (bool changes = true; changes;) {
    changes = false;
    for (int count = num_counts - 1; count >= 0; --count) {
      for (int counted = width_ - 1; counted >= 0; --counted) {
        const std::size_t at =
            static_cast<std::size_t>(count) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(counted);
        if (can_end_[at]) continue;
        can_end_[at] = may_end(count, counted) || can_go_on(count, counted);
        changes |= can_end_[at];
      }
    }
  }
}

bool ArrayMachine::can_end(int count, int counted) const {
  if (count > longest_ || (spec_.max_counted >= 0 && counted > spec_.max_counted)) return false;
  if (!counts_) return longest_ >= spec_.min_items;
  if (counted >= width_) return false;
  return can_end_[static_cast<std::size_t>(count) * static_cast<std::size_t>(width_) +
                  static_cast<std::size_t>(counted)];
}

bool ArrayMachine::can_go_on(int count, int counted) const {
  if (count >= longest_) return false;
  const ArraySpec::Item& next = item(count);
  return (next.any != kNoRule && can_end(after_item(count), counted)) ||
         (next.counted != kNoRule && can_end(after_item(count), after_counted(counted)));
}

int ArrayMachine::intern(State s) {
  const auto key = static_cast<std::uint64_t>(s.place) << 60 | static_cast<std::uint64_t>(s.count) << 30 |
                   static_cast<std::uint64_t>(s.counted);
  const auto [at, is_new] = known_.try_emplace(key, static_cast<int>(states_.size()));
  if (is_new) states_.push_back(s);
  return at->second;
}

void ArrayMachine::forget() {
  states_.clear();
  known_.clear();
}

int ArrayMachine::next(int state, std::uint8_t byte) {
  const State s = states_[static_cast<std::size_t>(state)];
  if (s.place == Place::kBefore) return byte == '[' ? intern({Place::kFirst, 0, 0}) : kDead;
  if (s.place == Place::kSpace) return byte == ' ' ? intern({Place::kComma, s.count, s.counted}) : kDead;
  if (s.place == Place::kAfter) return kDead;
  if (spec_.is_flexible && is_space(byte)) return state;
  if (s.place != Place::kComma && byte == ']' && may_end(s.count, s.counted)) return intern({Place::kAfter, 0, 0});
  if (s.place == Place::kItem && byte == ',' && can_go_on(s.count, s.counted))
    return intern({spec_.is_flexible ? Place::kComma : Place::kSpace, s.count, s.counted});
  return kDead;
}

void ArrayMachine::calls(int state, std::vector<Call>& out) {
  const State s = states_[static_cast<std::size_t>(state)];
  if ((s.place != Place::kFirst && s.place != Place::kComma) || s.count >= longest_) return;
  const ArraySpec::Item& next = item(s.count);
  const int count = after_item(s.count);
  if (next.any != kNoRule && can_end(count, s.counted))
    out.push_back({next.any, intern({Place::kItem, count, s.counted})});
  const int counted = after_counted(s.counted);
  if (next.counted != kNoRule && can_end(count, counted))
    out.push_back({next.counted, intern({Place::kItem, count, counted})});
}

}  // namespace onggi::decode
