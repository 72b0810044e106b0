#include "onggi/decode/row_walk.h"

#include <algorithm>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

/// A row far below it is usual; one that is not is refused instead of eating the machine's memory.
constexpr std::size_t kMaxThreads = std::size_t{1} << 22;

}  // namespace

RowWalk::RowWalk(std::span<const SlotPart> parts, const Slots& slots) : lists_(1), known_lists_{{{}, 0}} {
  for (const auto& part : parts) {
    Dfa& texts = texts_.emplace_back(slot_nfa(part, slots));
    const int start = texts.start();
    contents_.push_back(start == Dfa::kDead         ? SlotContent::kNothing
                        : texts.is_accepting(start) ? SlotContent::kEmptyText
                                                    : SlotContent::kText);
  }
}

Place RowWalk::step(Dfa& dfa, Place place, std::uint8_t byte) {
  const int outside = place.state == Dfa::kDead ? Dfa::kDead : dfa.next(place.state, byte);
  if (place.threads == 0 && (place.state == Dfa::kDead || dfa.slot_edges(place.state).empty())) return {outside};
  return read(dfa, place.threads, place.state, outside, byte);
}

Place RowWalk::walk(Dfa& dfa, Place place, std::string_view bytes) {
  for (const char byte : bytes) {
    if (place == kNowhere) return kNowhere;
    place = step(dfa, place, static_cast<std::uint8_t>(byte));
  }
  return place;
}

Place RowWalk::read(Dfa& dfa, int threads, int begin, int outside, std::uint8_t byte) {
  read_.clear();
  const auto read_inside = [&](int slot, int state, int target) {
    Dfa& texts = texts_[static_cast<std::size_t>(slot)];
    const int after = state == Dfa::kDead ? Dfa::kDead : texts.next(state, byte);
    if (after == Dfa::kDead) return;
    if (texts.is_accepting(after)) outside = dfa.unite(outside, dfa.at(target));
    if (!texts.is_last(after)) read_.push_back({target, slot, after});
  };
  for (const auto& thread : lists_[static_cast<std::size_t>(threads)])
    read_inside(thread.slot, thread.state, thread.target);
  if (begin != Dfa::kDead) {
    for (const auto& edge : dfa.slot_edges(begin))
      read_inside(edge.slot, texts_[static_cast<std::size_t>(edge.slot)].start(), edge.target);
  }
  return {outside, list_of(read_)};
}

int RowWalk::list_of(std::vector<Thread>& threads) {
  if (threads.empty()) return 0;
  std::sort(threads.begin(), threads.end());
  auto last = threads.begin();
  for (auto it = std::next(last); it != threads.end(); ++it) {
    if (it->slot == last->slot && it->target == last->target) {
      last->state = texts_[static_cast<std::size_t>(it->slot)].unite(last->state, it->state);
    } else {
      *++last = *it;
    }
  }
  threads.erase(std::next(last), threads.end());
  if (const auto it = known_lists_.find(threads); it != known_lists_.end()) return it->second;
  num_threads_ += threads.size();
  require(num_threads_ < kMaxThreads, "guide is too large: the row's walk needs too many states",
          ErrorCode::kExhausted);
  const auto list = static_cast<int>(lists_.size());
  lists_.push_back(threads);
  known_lists_.emplace(threads, list);
  return list;
}

Place RowWalk::everywhere_inside(Dfa& dfa) {
  std::vector<Thread> threads;
  if (dfa.everything() == Dfa::kDead) return kNowhere;
  for (const auto& edge : dfa.slot_edges(dfa.everything())) {
    const int state = texts_[static_cast<std::size_t>(edge.slot)].everything();
    if (state != Dfa::kDead) threads.push_back({edge.target, edge.slot, state});
  }
  return {Dfa::kDead, list_of(threads)};
}

std::vector<int> RowWalk::slot_tokens(StaticDfa& loose, const TokenTrie& vocabulary) {
  Dfa& dfa = loose.dfa;
  std::vector<int> ids;
  const auto visit = [&](int node, const Place&) {
    const auto tokens = vocabulary.tokens(vocabulary.node(node));
    ids.insert(ids.end(), tokens.begin(), tokens.end());
  };
  const auto read_on = [&](const Place& place, std::uint8_t byte) { return step(dfa, place, byte); };
  vocabulary.walk(TokenTrie::kRoot, everywhere_inside(dfa), kNowhere, read_on, visit);
  for (const auto& [state, nodes] : loose.mid_token_slots(vocabulary)) {
    for (auto next = nodes.begin(); next != nodes.end();) {
      const std::uint8_t byte = next->first;
      // Only what begins in a slot here: outside of slots the bytes lead to another of these states.
      const Place place = read(dfa, 0, state, Dfa::kDead, byte);
      for (; next != nodes.end() && next->first == byte; ++next) {
        if (place == kNowhere) continue;
        visit(next->second, place);
        vocabulary.walk(next->second, place, kNowhere, read_on, visit);
      }
    }
  }
  return ids;
}

}  // namespace onggi::decode
