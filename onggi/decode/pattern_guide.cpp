#include "onggi/decode/pattern_guide.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/row_walk.h"
#include "onggi/decode/static_dfa.h"
#include "onggi/decode/token_trie.h"

namespace onggi::decode {
namespace {

/// Sorts ids and drops those that come twice: many of them through a bitmap, which a mask of a whole vocabulary needs.
void sort_ids(std::vector<int>& ids, int vocab_size) {
  if (ids.size() < 256) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return;
  }
  std::vector<std::uint64_t> bits(static_cast<std::size_t>(vocab_size) / 64 + 1);
  for (const int id : ids) bits[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64);
  ids.clear();
  for (std::size_t word = 0; word < bits.size(); ++word) {
    for (std::uint64_t rest = bits[word]; rest != 0; rest &= rest - 1)
      ids.push_back(static_cast<int>(word) * 64 + std::countr_zero(rest));
  }
}

/// Ids that a mask does not hold. Both ascend.
std::vector<int> missing_in(const std::vector<int>& mask, const std::vector<int>& ids) {
  std::vector<int> out;
  if (ids.size() > mask.size() / 16) {
    std::set_difference(ids.begin(), ids.end(), mask.begin(), mask.end(), std::back_inserter(out));
  } else {
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(out),
                 [&](int id) { return !std::binary_search(mask.begin(), mask.end(), id); });
  }
  return out;
}

/// What the rows of one thread share, so that none finds out again what another has. A state may move to another
/// thread, hence the lock: it is held by whoever uses the rest.
struct SharedWalk {
  SharedWalk(std::shared_ptr<const Nfa> nfa, std::shared_ptr<const Nfa> loose_nfa)
      : exact(std::move(nfa)), loose(std::move(loose_nfa)) {}
  bool is_full() const { return exact.is_full() || loose.is_full(); }

  std::mutex mutex;
  StaticDfas exact;
  StaticDfas loose;  ///< Without the bounds of repeats, for what can be written at all.
};

/// Ascending ids: the row's own, or kept for all by a SharedWalk, which then lives as long.
using Mask = std::shared_ptr<const std::vector<int>>;

/// The tokens of which a byte can stand inside one of a row's slots.
struct SlotTokens {
  std::vector<int> ids;               ///< Ascending, as the next.
  std::vector<int> unreachable_else;  ///< Those that the guide does not reach without the row.
  std::shared_ptr<const TokenTrie> trie;
};

class PatternGuide : public Guide, public std::enable_shared_from_this<PatternGuide> {
 public:
  PatternGuide(const Pattern& pattern, std::shared_ptr<const text::Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)),
        vocabulary_(shared_trie(tokenizer_)),
        parts_(slot_parts(pattern)),
        nfa_(build_nfa(pattern, SlotUse::kEdges, {})),
        loose_nfa_(build_nfa(pattern, SlotUse::kEdges, {}, true)) {
    require(tokenizer_->eos_id() >= 0 || !tokenizer_->stop_ids().empty(),
            "the tokenizer has no end token, which a guide needs");
    stop_id_ = tokenizer_->eos_id() >= 0 ? tokenizer_->eos_id() : tokenizer_->stop_ids()[0];
    if (parts_.empty())
      require(shared_walk()->exact.of({}).dfa.start() != Dfa::kDead, "the guide allows no text at all");
    Dfa dfa(build_nfa(pattern, SlotUse::kNone, {}, true));
    if (dfa.everything() != Dfa::kDead) vocabulary_->collect(dfa, dfa.everything(), reachable_);
    sort_ids(reachable_, tokenizer_->vocab_size());
    trie_ = trie_of(reachable_);
    reachable_.insert(std::lower_bound(reachable_.begin(), reachable_.end(), stop_id_), stop_id_);
  }

  std::unique_ptr<GuideState> start(const Slots& slots) const override;
  std::span<const int> reachable() const override { return reachable_; }
  std::vector<int> reachable_from(const Slots& slots) const override {
    if (parts_.empty()) return {};
    if (const auto known = known_slot_tokens(slots)) return known->unreachable_else;
    RowWalk row(parts_, slots);
    return slot_tokens(slots, row)->unreachable_else;
  }

  bool accepts(std::string_view text, const Slots& slots) const override {
    RowWalk row(parts_, slots);
    const auto walk = shared_walk();
    const std::scoped_lock lock(walk->mutex);
    Dfa& dfa = walk->exact.of(row.contents()).dfa;
    const Place end = row.walk(dfa, {dfa.start()}, text);
    return end.state != Dfa::kDead && dfa.is_accepting(end.state);
  }

 private:
  friend class PatternState;

  /// A trie of some tokens, null for none. Where they are most of the vocabulary, one of their own is not worth it.
  std::shared_ptr<const TokenTrie> trie_of(const std::vector<int>& ids) const {
    if (ids.empty()) return nullptr;
    if (ids.size() > static_cast<std::size_t>(tokenizer_->vocab_size()) / 2) return vocabulary_;
    return std::make_shared<const TokenTrie>(*tokenizer_, ids);
  }

  /// The walk that rows of this thread share now; a new one where it has grown too large. Rows that still walk in an
  /// old one move on when they next ask.
  std::shared_ptr<SharedWalk> shared_walk() const {
    const std::size_t index = std::hash<std::thread::id>()(std::this_thread::get_id()) % kNumSharedWalks;
    std::shared_ptr<SharedWalk> walk;
    {
      const std::scoped_lock lock(mutex_);
      walk = shared_walks_[index];
    }
    if (walk) {
      const std::scoped_lock lock(walk->mutex);
      if (!walk->is_full()) return walk;
    }
    auto made = std::make_shared<SharedWalk>(nfa_, loose_nfa_);
    const std::scoped_lock lock(mutex_);
    shared_walks_[index] = made;
    return made;
  }

  /// Tokens that can be read from a state outside of slots, with the end where text is complete.
  Mask mask_outside(const std::shared_ptr<SharedWalk>& walk, StaticDfa& dfa, int state) const {
    if (const auto* known = dfa.mask(state)) return {walk, known};
    auto mask = std::make_shared<std::vector<int>>();
    if (trie_) trie_->collect(dfa.dfa, state, *mask);
    if (dfa.dfa.is_accepting(state)) mask->push_back(stop_id_);
    sort_ids(*mask, tokenizer_->vocab_size());
    const auto* kept = dfa.keep_mask(state, std::move(*mask));
    return kept != nullptr ? Mask(walk, kept) : mask;
  }

  std::shared_ptr<const SlotTokens> known_slot_tokens(const Slots& slots) const {
    const std::scoped_lock lock(mutex_);
    for (const auto& [known, tokens] : rows_) {
      if (known == slots) return tokens;
    }
    return nullptr;
  }

  /// Kept for the last rows, as the head of the model and the walk both ask.
  std::shared_ptr<const SlotTokens> slot_tokens(const Slots& slots, RowWalk& row) const {
    if (auto known = known_slot_tokens(slots)) return known;
    auto tokens = std::make_shared<SlotTokens>();
    std::vector<int>& ids = tokens->ids;
    {
      const auto walk = shared_walk();
      const std::scoped_lock lock(walk->mutex);
      ids = row.slot_tokens(walk->loose.of(row.contents()), *vocabulary_);
    }
    sort_ids(ids, tokenizer_->vocab_size());
    std::set_difference(ids.begin(), ids.end(), reachable_.begin(), reachable_.end(),
                        std::back_inserter(tokens->unreachable_else));
    tokens->trie = trie_of(ids);
    const std::scoped_lock lock(mutex_);
    if (rows_.size() == kMaxKeptRows) rows_.pop_front();
    rows_.emplace_back(slots, tokens);
    return tokens;
  }

  static constexpr std::size_t kNumSharedWalks = 8;
  static constexpr std::size_t kMaxKeptRows = 64;

  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::shared_ptr<const TokenTrie> vocabulary_;
  std::vector<SlotPart> parts_;
  std::shared_ptr<const Nfa> nfa_;
  std::shared_ptr<const Nfa> loose_nfa_;
  int stop_id_ = -1;
  std::vector<int> reachable_;
  std::shared_ptr<const TokenTrie> trie_;  ///< Of reachable_: small where the language is.

  mutable std::mutex mutex_;  ///< For what follows.
  mutable std::array<std::shared_ptr<SharedWalk>, kNumSharedWalks> shared_walks_;
  mutable std::deque<std::pair<Slots, std::shared_ptr<const SlotTokens>>> rows_;
};

class PatternState : public GuideState {
 public:
  PatternState(std::shared_ptr<const PatternGuide> guide, const Slots& slots)
      : guide_(std::move(guide)), row_(std::make_shared<RowWalk>(guide_->parts_, slots)), walk_(guide_->shared_walk()) {
    {
      const std::scoped_lock lock(walk_->mutex);
      dfa_ = &walk_->exact.of(row_->contents());
      place_.state = dfa_->dfa.start();
    }
    require(place_ != kNowhere, "the guide allows no text for this row (is a quoted slot empty?)");
    if (!guide_->parts_.empty()) slot_tokens_ = guide_->slot_tokens(slots, *row_);
  }
  std::unique_ptr<GuideState> fork() const override { return std::unique_ptr<GuideState>(new PatternState(*this)); }
  PatternState& operator=(const PatternState&) = delete;

  std::span<const int> allowed() override {
    if (is_finished_) return {&guide_->stop_id_, 1};
    if (!mask_) find_mask();
    require(!mask_->empty(), "the vocabulary has no token that continues the guide's text", ErrorCode::kNotFound);
    return *mask_;
  }

  void advance(int id) override {
    const auto refuse = [&] {
      throw Error(ErrorCode::kInvalidArgument, "the guide does not allow token " + std::to_string(id) + " here");
    };
    if (is_finished_) refuse();
    leave_full_walk();
    const std::scoped_lock lock(walk_->mutex);
    if (id == guide_->stop_id_) {
      if (place_.state == Dfa::kDead || !dfa_->dfa.is_accepting(place_.state)) refuse();
      is_finished_ = true;
      return;
    }
    if (id < 0 || id >= guide_->tokenizer_->vocab_size() || guide_->tokenizer_->is_control(id)) refuse();
    const auto bytes = guide_->tokenizer_->token_bytes(id);
    const Place next = bytes.empty() ? kNowhere : row_->walk(dfa_->dfa, place_, bytes);
    if (next == kNowhere) refuse();
    place_ = next;
    mask_ = nullptr;
  }

  bool is_finished() const override { return is_finished_; }

 private:
  PatternState(const PatternState&) = default;

  void find_mask() {
    leave_full_walk();
    const std::scoped_lock lock(walk_->mutex);
    const auto key = std::pair(place_.state, place_.threads);
    if (const auto it = row_masks_->by_place.find(key); it != row_masks_->by_place.end()) {
      mask_ = it->second;
      return;
    }
    Mask mask = place_.state == Dfa::kDead ? std::make_shared<const std::vector<int>>()
                                           : guide_->mask_outside(walk_, *dfa_, place_.state);
    if (slot_tokens_ && slot_tokens_->trie) {
      mask = with_slots(mask);
      if (row_masks_->num_ids < kMaxKeptIds) row_masks_->by_place.emplace(key, mask);
    }
    mask_ = std::move(mask);
  }

  /// The mask with what is allowed here through slots. What stands outside of slots is known for all rows, and few
  /// other tokens can stand in them.
  Mask with_slots(const Mask& outside) {
    const std::vector<int> added = allowed_of(missing_in(*outside, slot_tokens_->ids));
    if (added.empty()) return outside;
    auto both = std::make_shared<std::vector<int>>(outside->size() + added.size());
    std::merge(outside->begin(), outside->end(), added.begin(), added.end(), both->begin());
    row_masks_->num_ids += both->size();
    return both;
  }

  /// Those of some slot tokens that are allowed here.
  std::vector<int> allowed_of(std::vector<int> ids) {
    if (ids.size() < kFewIds) {
      std::erase_if(
          ids, [&](int id) { return row_->walk(dfa_->dfa, place_, guide_->tokenizer_->token_bytes(id)) == kNowhere; });
      return ids;
    }
    const TokenTrie& trie = *slot_tokens_->trie;
    std::vector<int> all;
    trie.walk(
        TokenTrie::kRoot, place_, kNowhere,
        [&](const Place& place, std::uint8_t byte) { return row_->step(dfa_->dfa, place, byte); },
        [&](int node, const Place&) {
          const auto tokens = trie.tokens(trie.node(node));
          all.insert(all.end(), tokens.begin(), tokens.end());
        });
    sort_ids(all, guide_->tokenizer_->vocab_size());
    std::vector<int> allowed;
    std::set_intersection(all.begin(), all.end(), ids.begin(), ids.end(), std::back_inserter(allowed));
    return allowed;
  }

  /// Begins a new shared walk where this one has grown too large, and stands there where it stood here.
  void leave_full_walk() {
    std::vector<int> members;
    {
      const std::scoped_lock lock(walk_->mutex);
      if (!walk_->is_full()) return;
      if (place_.state != Dfa::kDead)
        members.assign(dfa_->dfa.members(place_.state).begin(), dfa_->dfa.members(place_.state).end());
    }
    walk_ = guide_->shared_walk();
    row_masks_ = std::make_shared<RowMasks>();
    const std::scoped_lock lock(walk_->mutex);
    dfa_ = &walk_->exact.of(row_->contents());
    if (!members.empty()) place_.state = dfa_->dfa.state_of(members);
  }

  static constexpr std::size_t kMaxKeptIds = std::size_t{1} << 21;
  static constexpr std::size_t kFewIds = 256;  ///< Read one by one, which costs less than the trie.
  /// Masks with what the row's slots add.
  struct RowMasks {
    std::map<std::pair<int, int>, Mask> by_place;
    std::size_t num_ids = 0;  ///< Of the masks that are the row's own.
  };

  std::shared_ptr<const PatternGuide> guide_;
  std::shared_ptr<RowWalk> row_;  ///< Of all forks, as the masks.
  std::shared_ptr<SharedWalk> walk_;
  std::shared_ptr<RowMasks> row_masks_ = std::make_shared<RowMasks>();
  StaticDfa* dfa_ = nullptr;  ///< In walk_.
  std::shared_ptr<const SlotTokens> slot_tokens_;
  Place place_;
  Mask mask_;  ///< Null until asked for.
  bool is_finished_ = false;
};

std::unique_ptr<GuideState> PatternGuide::start(const Slots& slots) const {
  return std::make_unique<PatternState>(shared_from_this(), slots);
}

}  // namespace

std::shared_ptr<const Guide> pattern_guide(const Pattern& pattern, std::shared_ptr<const text::Tokenizer> tokenizer) {
  return std::make_shared<const PatternGuide>(pattern, std::move(tokenizer));
}

}  // namespace onggi::decode
