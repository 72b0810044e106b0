#include "onggi/decode/pattern.h"

#include <algorithm>
#include <map>

namespace onggi::decode {
namespace {

SlotPart part_of(const Pattern& p) { return {p.slot, p.piece, p.in_json}; }

/// Numbers the parts by their first use.
void number_parts(const Pattern& p, std::map<SlotPart, int>& numbers) {
  if (p.kind == Pattern::Kind::kRepeat && p.high == 0) return;  // Never written, so never asked of a row.
  if (p.kind == Pattern::Kind::kSlot) numbers.try_emplace(part_of(p), static_cast<int>(numbers.size()));
  for (const auto& part : p.parts) number_parts(part, numbers);
}

/// Builds an Nfa from a pattern.
class Builder {
 public:
  Builder(SlotUse use, const Slots& slots, bool collapse) : use_(use), slots_(slots), collapse_(collapse) {}

  std::shared_ptr<const Nfa> build(const Pattern& p) {
    if (use_ == SlotUse::kEdges) number_parts(p, numbers_);
    const int end = nfa_.add_state();
    add(p, 0, end);
    nfa_.set_accepting(end);
    return std::make_shared<const Nfa>(std::move(nfa_));
  }

 private:
  void add(const Pattern& p, int from, int to) {
    switch (p.kind) {
      case Pattern::Kind::kBytes: nfa_.add_bytes(from, p.bytes, to); return;
      case Pattern::Kind::kClass: nfa_.add_class(from, p.ranges, to); return;
      case Pattern::Kind::kAlternate:
        for (const auto& part : p.parts) add(part, from, to);
        return;
      case Pattern::Kind::kConcat: {
        for (std::size_t i = 0; i < p.parts.size(); ++i) {
          const int target = i + 1 == p.parts.size() ? to : nfa_.add_state();
          add(p.parts[i], from, target);
          from = target;
        }
        if (p.parts.empty()) nfa_.add_empty(from, to);
        return;
      }
      case Pattern::Kind::kRepeat: repeat(p, from, to); return;
      case Pattern::Kind::kSpaced: spaced(p, from, to); return;
      case Pattern::Kind::kMembers: members(p, from, to); return;
      case Pattern::Kind::kSlot: slot(part_of(p), from, to); return;
    }
  }

  void slot(const SlotPart& part, int from, int to) {
    switch (use_) {
      case SlotUse::kNone: nfa_.add_empty(from, to); return;
      case SlotUse::kEdges: nfa_.add_slot(from, numbers_.at(part), to); return;
      case SlotUse::kFilled: add_slot_part(nfa_, part, slots_, from, to); return;
    }
  }

  void repeat(const Pattern& p, int from, int to) {
    const int low = collapse_ ? std::min(p.low, 1) : p.low;
    const int high = collapse_ && p.high > 1 ? Pattern::kUnbounded : p.high;
    for (int i = 0; i < low; ++i) {
      const int target = nfa_.add_state();
      add(p.parts[0], from, target);
      from = target;
    }
    if (high == Pattern::kUnbounded) {
      const int loop = nfa_.add_state();
      nfa_.add_empty(from, loop);
      add(p.parts[0], loop, loop);
      nfa_.add_empty(loop, to);
      return;
    }
    nfa_.add_empty(from, to);
    for (int i = low; i < high; ++i) {
      const int target = nfa_.add_state();
      add(p.parts[0], from, target);
      nfa_.add_empty(target, to);
      from = target;
    }
  }

  /// A line of states that count; a space skips one of them. Where a space is needed, a second line beside it, which a
  /// space leads to. Where the end is a class, all places share one copy of it.
  void spaced(const Pattern& p, int from, int to) {
    int ending = -1;
    if (p.parts.size() > 1) {
      ending = nfa_.add_state();
      add(p.parts[1], ending, to);
    }
    if (collapse_) {
      const int loop = nfa_.add_state();
      const int end = nfa_.add_state();
      nfa_.add_empty(from, loop);
      add(p.parts[0], loop, end);
      nfa_.add_empty(end, loop);
      nfa_.add_edge(end, ' ', ' ', loop);
      if (ending >= 0) {
        nfa_.add_empty(loop, ending);
      } else {
        nfa_.add_empty(end, to);
      }
      return;
    }
    const auto line = [&](bool may_end, const std::vector<int>& after_space) {
      std::vector<int> begins;
      for (int i = 0; i < p.high; ++i) begins.push_back(nfa_.add_state());
      for (int i = 1; i <= p.high; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const int end = nfa_.add_state();
        add(p.parts[0], begins[at - 1], end);
        if (may_end && i >= p.low) {
          if (ending >= 0) {
            nfa_.add_empty(begins[at - 1], ending);
          } else {
            nfa_.add_empty(end, to);
          }
        }
        if (i < p.high) nfa_.add_empty(end, begins[at]);
        if (i + 1 < p.high) nfa_.add_edge(end, ' ', ' ', after_space.empty() ? begins[at + 1] : after_space[at + 1]);
      }
      return begins;
    };
    auto begins = line(true, {});
    if (p.needs_space) begins = line(false, begins);
    nfa_.add_empty(from, begins[0]);
  }

  /// Two lines of states, without and with a member before, that share each member: linear in their number.
  void members(const Pattern& p, int none, int to) {
    int some = -1;
    for (std::size_t i = 1; i < p.parts.size(); ++i) {
      const Pattern& part = p.parts[i];
      const bool may_miss = part.kind == Pattern::Kind::kRepeat && part.low == 0 && part.high == 1;
      const int begin = nfa_.add_state();
      const int end = nfa_.add_state();
      if (none >= 0) nfa_.add_empty(none, begin);
      if (some >= 0) add(p.parts[0], some, begin);
      add(may_miss ? part.parts[0] : part, begin, end);
      if (may_miss && some >= 0) nfa_.add_empty(some, end);
      if (!may_miss) none = -1;
      some = end;
    }
    if (none >= 0 && p.low == 0) nfa_.add_empty(none, to);
    if (some >= 0) nfa_.add_empty(some, to);
  }

  SlotUse use_;
  const Slots& slots_;
  bool collapse_;
  std::map<SlotPart, int> numbers_;  ///< kEdges
  Nfa nfa_;
};

}  // namespace

std::shared_ptr<const Nfa> build_nfa(const Pattern& pattern, SlotUse use, const Slots& slots, bool collapse) {
  return Builder(use, slots, collapse).build(pattern);
}

std::vector<SlotPart> slot_parts(const Pattern& pattern) {
  std::map<SlotPart, int> numbers;
  number_parts(pattern, numbers);
  std::vector<SlotPart> parts(numbers.size());
  for (const auto& [part, number] : numbers) parts[static_cast<std::size_t>(number)] = part;
  return parts;
}

}  // namespace onggi::decode
