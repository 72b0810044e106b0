#include "onggi/decode/pushdown_guide.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <string>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/key_tracker.h"
#include "onggi/decode/stack_masks.h"
#include "onggi/decode/vocabulary.h"

namespace onggi::decode {
namespace {

/// What all rows of a guide share. The lock is held by whoever uses the rest.
struct StackWalk {
  StackWalk(std::unique_ptr<Grammar> grammar, std::shared_ptr<const Vocabulary> vocabulary)
      : stacks(std::move(grammar)), masks(stacks, std::move(vocabulary)) {}

  /// Begins anew where too much is kept. Rows then read their text again.
  void make_room() {
    if (!stacks.is_full() && !masks.is_full()) return;
    masks.forget();
    stacks.forget();
    ++generation;
  }

  std::mutex mutex;
  Pushdown stacks;
  StackMasks masks;
  int generation = 0;
};

class PushdownGuide : public Guide, public std::enable_shared_from_this<PushdownGuide> {
 public:
  PushdownGuide(std::unique_ptr<Grammar> grammar, const std::shared_ptr<const text::Tokenizer>& tokenizer)
      : is_json_(grammar->is_json),
        vocabulary_(shared_vocabulary(tokenizer)),
        walk_(std::make_unique<StackWalk>(std::move(grammar), vocabulary_)) {}

  std::unique_ptr<GuideState> start(const Slots& slots) const override;
  std::span<const int> reachable() const override { return vocabulary_->ids(); }
  std::vector<int> reachable_from(const Slots&) const override { return {}; }
  bool accepts(std::string_view text, const Slots&) const override {
    if (is_json_ && !KeyTracker().read(text)) return false;
    const std::scoped_lock lock(walk_->mutex);
    walk_->make_room();
    return walk_->stacks.is_complete(walk_->stacks.walk(walk_->stacks.start(), text));
  }

 private:
  friend class PushdownState;
  bool is_json_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::unique_ptr<StackWalk> walk_;
};

class PushdownState : public GuideState {
 public:
  explicit PushdownState(std::shared_ptr<const PushdownGuide> guide) : guide_(std::move(guide)) {
    const std::scoped_lock lock(walk().mutex);
    settle();
  }
  std::unique_ptr<GuideState> fork() const override { return std::make_unique<PushdownState>(*this); }

  std::span<const int> allowed() override {
    const TokenMask found = mask();
    if (found.bits.empty()) return found.ids;
    if (!is_listed_) {
      ids_.clear();
      for (std::size_t word = 0; word < bits_.size(); ++word) {
        for (std::uint64_t rest = bits_[word]; rest != 0; rest &= rest - 1)
          ids_.push_back(static_cast<int>(word) * 64 + std::countr_zero(rest));
      }
      is_listed_ = true;
    }
    return ids_;
  }

  TokenMask mask() override {
    if (!has_mask_) find_mask();
    has_mask_ = true;
    if (!bits_.empty()) return {{}, bits_};
    require(!ids_.empty(), "the vocabulary has no token that continues the guide's text", ErrorCode::kNotFound);
    return {ids_, {}};
  }

  void advance(int id) override {
    const auto refuse = [&] {
      throw Error(ErrorCode::kInvalidArgument, "the guide does not allow token " + std::to_string(id) + " here");
    };
    if (is_finished_) refuse();
    const auto& tokenizer = guide_->vocabulary_->tokenizer();
    const bool is_text = id >= 0 && id < tokenizer.vocab_size() && !tokenizer.is_control(id);
    KeyTracker keys;
    if (guide_->is_json_ && is_text) {
      keys = keys_;
      if (!keys.read(tokenizer.token_bytes(id)) && !mask().holds(id)) refuse();
    }
    const std::scoped_lock lock(walk().mutex);
    settle();
    if (id == guide_->vocabulary_->stop_id()) {
      if (!walk().stacks.is_complete(set_)) refuse();
      is_finished_ = true;
    } else {
      if (!is_text) refuse();
      const auto bytes = tokenizer.token_bytes(id);
      const int next = bytes.empty() ? Pushdown::kDead : walk().stacks.walk(set_, bytes);
      if (next == Pushdown::kDead) refuse();
      set_ = next;
      text_ += bytes;
      keys_ = std::move(keys);
    }
    has_mask_ = is_listed_ = false;
  }

  bool is_finished() const override { return is_finished_; }

 private:
  StackWalk& walk() const { return *guide_->walk_; }

  /// Stands where the text ends, in numbers that the walk knows now.
  void settle() {
    walk().make_room();
    if (generation_ == walk().generation) return;
    generation_ = walk().generation;
    set_ = walk().stacks.walk(walk().stacks.start(), text_);
  }

  void find_mask() {
    read_mask();
    if (guide_->is_json_ && !is_finished_) leave_out_repeats();
  }

  /// Takes out the tokens that would write a name again, unless nothing else is left.
  void leave_out_repeats() {
    std::vector<int> suspects;
    keys_.find_suspects(*guide_->vocabulary_, suspects);
    if (suspects.empty()) return;
    const TokenMask whole{bits_.empty() ? std::span<const int>(ids_) : std::span<const int>(), bits_};
    std::erase_if(suspects, [&](int id) {
      return !whole.holds(id) || KeyTracker(keys_).read(guide_->vocabulary_->tokenizer().token_bytes(id));
    });
    std::sort(suspects.begin(), suspects.end());
    suspects.erase(std::unique(suspects.begin(), suspects.end()), suspects.end());
    if (bits_.empty() && suspects.size() == ids_.size()) return;
    for (const int id : suspects) {
      if (bits_.empty()) {
        ids_.erase(std::lower_bound(ids_.begin(), ids_.end(), id));
      } else {
        bits_[static_cast<std::size_t>(id) / 64] &= ~(std::uint64_t{1} << (id % 64));
      }
    }
  }

  /// A few ids as a list, many as bits.
  void read_mask() {
    bits_.clear();
    ids_.clear();
    if (is_finished_) {
      ids_.push_back(guide_->vocabulary_->stop_id());
      return;
    }
    const std::scoped_lock lock(walk().mutex);
    settle();
    const SetMask& mask = walk().masks.of(set_);
    if (mask.dense.empty()) {
      ids_ = mask.ids;
      return;
    }
    bits_.resize(guide_->vocabulary_->num_words());
    const auto unite = [&](const TokenBits& other) {
      for (std::size_t i = 0; i < bits_.size(); ++i) bits_[i] |= other[i];
    };
    for (const LocalMask* part : mask.dense) {
      if (part->plain != nullptr) unite(*part->plain);
      if (!part->bits.empty()) unite(part->bits);
      for (const int id : part->ids) bits_[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64);
    }
    for (const int id : mask.ids) bits_[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64);
  }

  std::shared_ptr<const PushdownGuide> guide_;
  std::string text_;
  KeyTracker keys_;  ///< Of JSON.
  int set_ = Pushdown::kDead;
  int generation_ = -1;
  TokenBits bits_;        ///< Of a large mask, else empty.
  std::vector<int> ids_;  ///< Of a small mask, or of a large one once it is asked for.
  bool has_mask_ = false;
  bool is_listed_ = false;
  bool is_finished_ = false;
};

std::unique_ptr<GuideState> PushdownGuide::start(const Slots&) const {
  return std::make_unique<PushdownState>(shared_from_this());
}

}  // namespace

std::shared_ptr<const Guide> pushdown_guide(std::unique_ptr<Grammar> grammar,
                                            const std::shared_ptr<const text::Tokenizer>& tokenizer) {
  return std::make_shared<const PushdownGuide>(std::move(grammar), tokenizer);
}

}  // namespace onggi::decode
