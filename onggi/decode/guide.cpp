#include "onggi/decode/guide.h"

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <map>
#include <mutex>

#include "onggi/core/error.h"
#include "onggi/decode/cards.h"
#include "onggi/decode/regex.h"
#include "onggi/decode/schema.h"
#include "onggi/decode/token_trie.h"

namespace onggi::decode {
namespace {

/// What every guide of one tokenizer shares.
std::shared_ptr<const TokenTrie> shared_trie(const std::shared_ptr<const text::Tokenizer>& tokenizer) {
  static std::mutex mutex;
  static std::map<const text::Tokenizer*, std::pair<std::weak_ptr<const text::Tokenizer>, std::weak_ptr<const TokenTrie>>> known;
  const std::scoped_lock lock(mutex);
  std::erase_if(known, [](const auto& entry) { return entry.second.first.expired(); });
  auto& [owner, trie] = known[tokenizer.get()];
  if (auto found = trie.lock(); found && owner.lock() == tokenizer) return found;
  auto made = std::make_shared<const TokenTrie>(*tokenizer);
  owner = tokenizer;
  trie = made;
  return made;
}

/// Sorts distinct ids: many of them through a bitmap, which a mask of a whole vocabulary needs.
void sort_ids(std::vector<int>& ids, int vocab_size) {
  if (ids.size() < 256) {
    std::sort(ids.begin(), ids.end());
    return;
  }
  std::vector<std::uint64_t> bits(static_cast<std::size_t>(vocab_size) / 64 + 1);
  for (const int id : ids) bits[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64);
  ids.clear();
  for (std::size_t word = 0; word < bits.size(); ++word) {
    for (std::uint64_t rest = bits[word]; rest != 0; rest &= rest - 1) ids.push_back(static_cast<int>(word) * 64 + std::countr_zero(rest));
  }
}

std::vector<int> tokens_from_anywhere(const TokenTrie& trie, std::shared_ptr<const Nfa> nfa, int vocab_size) {
  Dfa dfa(std::move(nfa));
  std::vector<int> ids;
  if (const int all = dfa.everything(); all != Dfa::kDead) trie.collect(dfa, all, ids);
  sort_ids(ids, vocab_size);
  return ids;
}

bool has_slot(const Pattern& p) {
  return p.kind == Pattern::Kind::kSlot || std::any_of(p.parts.begin(), p.parts.end(), has_slot);
}

/// An automaton with the masks of its states, filled as walks need them.
struct Walker {
  explicit Walker(std::shared_ptr<const Nfa> nfa) : dfa(std::move(nfa)) {}
  Dfa dfa;
  std::vector<std::vector<int>> masks;
  std::size_t num_kept_ids = 0;  ///< In all masks. A bounded string has a mask of the whole vocabulary for each length.
  std::vector<int> unkept;       ///< The last mask, where those kept are too many.
};

/// What a row's slots add to the tokens of its guide.
struct RowTokens {
  std::vector<int> ids;
  std::unique_ptr<const TokenTrie> trie;  ///< Null where there are none.
};

class PatternGuide : public Guide, public std::enable_shared_from_this<PatternGuide> {
 public:
  PatternGuide(Pattern pattern, std::shared_ptr<const text::Tokenizer> tokenizer)
      : pattern_(std::move(pattern)), tokenizer_(std::move(tokenizer)), trie_(shared_trie(tokenizer_)), has_slots_(has_slot(pattern_)) {
    require(tokenizer_->eos_id() >= 0 || !tokenizer_->stop_ids().empty(), "the tokenizer has no end token, which a guide needs");
    stop_id_ = tokenizer_->eos_id() >= 0 ? tokenizer_->eos_id() : tokenizer_->stop_ids()[0];
    if (!has_slots_) {
      nfa_ = build_nfa(pattern_, SlotUse::kNone, {});
      require(Dfa(nfa_).start() != Dfa::kDead, "the guide allows no text at all");
    }
    reachable_ = tokens_from_anywhere(*trie_, build_nfa(pattern_, SlotUse::kNone, {}, true), tokenizer_->vocab_size());
    const bool is_most = reachable_.size() > static_cast<std::size_t>(tokenizer_->vocab_size()) / 2;
    if (!reachable_.empty()) static_trie_ = is_most ? trie_ : std::make_shared<const TokenTrie>(*tokenizer_, reachable_);
    reachable_.insert(std::lower_bound(reachable_.begin(), reachable_.end(), stop_id_), stop_id_);
  }

  std::unique_ptr<GuideState> start(const Slots& slots) const override;
  std::span<const int> reachable() const override { return reachable_; }
  std::vector<int> reachable_from(const Slots& slots) const override { return has_slots_ ? row_tokens(slots)->ids : std::vector<int>(); }

  bool accepts(std::string_view text, const Slots& slots) const override {
    auto walker = take(slots);
    Dfa& dfa = walker->dfa;
    const int end = dfa.walk(dfa.start(), text);
    const bool is_sentence = end != Dfa::kDead && dfa.is_accepting(end);
    give_back(std::move(walker));
    return is_sentence;
  }

 private:
  friend class PatternState;

  /// A walker for a row: one that another row has used where slots play no part.
  std::unique_ptr<Walker> take(const Slots& slots) const {
    if (has_slots_) return std::make_unique<Walker>(build_nfa(pattern_, SlotUse::kFilled, slots));
    const std::scoped_lock lock(mutex_);
    if (idle_.empty()) return std::make_unique<Walker>(nfa_);
    auto walker = std::move(idle_.back());
    idle_.pop_back();
    return walker;
  }
  void give_back(std::unique_ptr<Walker> walker) const {
    if (has_slots_ || walker->dfa.num_states() > kMaxKeptStates) return;
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(walker));
  }

  /// Kept for the last rows, as the head of the model and the walk both ask.
  std::shared_ptr<const RowTokens> row_tokens(const Slots& slots) const {
    {
      const std::scoped_lock lock(mutex_);
      for (const auto& [known, tokens] : rows_) {
        if (known == slots) return tokens;
      }
    }
    auto tokens = std::make_shared<RowTokens>();
    tokens->ids = tokens_from_anywhere(*trie_, build_nfa(pattern_, SlotUse::kFilled, slots, true), tokenizer_->vocab_size());
    std::erase_if(tokens->ids, [&](int id) { return std::binary_search(reachable_.begin(), reachable_.end(), id); });
    if (!tokens->ids.empty()) tokens->trie = std::make_unique<TokenTrie>(*tokenizer_, tokens->ids);
    const std::scoped_lock lock(mutex_);
    if (rows_.size() == kMaxKeptRows) rows_.pop_front();
    rows_.emplace_back(slots, tokens);
    return tokens;
  }

  static constexpr int kMaxKeptStates = 20'000;
  static constexpr std::size_t kMaxKeptRows = 64;

  Pattern pattern_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::shared_ptr<const TokenTrie> trie_;  ///< Whole vocabulary.
  bool has_slots_;
  int stop_id_ = -1;
  std::shared_ptr<const Nfa> nfa_;                ///< Where no row is needed.
  std::shared_ptr<const TokenTrie> static_trie_;  ///< reachable() only: small where the language is. Null where empty.
  std::vector<int> reachable_;

  mutable std::mutex mutex_;  ///< For what follows.
  mutable std::vector<std::unique_ptr<Walker>> idle_;
  mutable std::deque<std::pair<Slots, std::shared_ptr<const RowTokens>>> rows_;
};

class PatternState : public GuideState {
 public:
  PatternState(std::shared_ptr<const PatternGuide> guide, const Slots& slots)
      : guide_(std::move(guide)), walker_(guide_->take(slots)), state_(walker_->dfa.start()) {
    require(state_ != Dfa::kDead, "the guide allows no text for this row (is a quoted slot empty?)");
    if (guide_->has_slots_) row_tokens_ = guide_->row_tokens(slots);
  }
  ~PatternState() override { guide_->give_back(std::move(walker_)); }
  PatternState(const PatternState&) = delete;
  PatternState& operator=(const PatternState&) = delete;

  std::span<const int> allowed() override {
    if (finished_) return {&guide_->stop_id_, 1};
    Dfa& dfa = walker_->dfa;
    auto& masks = walker_->masks;
    const auto at = static_cast<std::size_t>(state_);
    if (masks.size() <= at) masks.resize(at + 1);
    if (!masks[at].empty()) return masks[at];
    const bool is_kept = walker_->num_kept_ids < kMaxKeptIds;
    auto& mask = is_kept ? masks[at] : walker_->unkept;
    mask.clear();
    if (guide_->static_trie_) guide_->static_trie_->collect(dfa, state_, mask);
    if (row_tokens_ && row_tokens_->trie) row_tokens_->trie->collect(dfa, state_, mask);
    if (dfa.is_accepting(state_)) mask.push_back(guide_->stop_id_);
    sort_ids(mask, guide_->tokenizer_->vocab_size());
    if (is_kept) walker_->num_kept_ids += mask.size();
    require(!mask.empty(), "the vocabulary has no token that continues the guide's text");
    return mask;
  }

  void advance(int id) override {
    const auto refuse = [&] {
      throw Error(ErrorCode::kInvalidArgument, "the guide does not allow token " + std::to_string(id) + " here");
    };
    if (finished_) refuse();
    if (id == guide_->stop_id_) {
      if (!walker_->dfa.is_accepting(state_)) refuse();
      finished_ = true;
      return;
    }
    if (id < 0 || id >= guide_->tokenizer_->vocab_size() || guide_->tokenizer_->is_control(id)) refuse();
    const auto bytes = guide_->tokenizer_->token_bytes(id);
    const int next = bytes.empty() ? Dfa::kDead : walker_->dfa.walk(state_, bytes);
    if (next == Dfa::kDead) refuse();
    state_ = next;
  }

  bool is_finished() const override { return finished_; }

 private:
  static constexpr std::size_t kMaxKeptIds = std::size_t{1} << 23;

  std::shared_ptr<const PatternGuide> guide_;
  std::unique_ptr<Walker> walker_;
  std::shared_ptr<const RowTokens> row_tokens_;
  int state_;
  bool finished_ = false;
};

std::unique_ptr<GuideState> PatternGuide::start(const Slots& slots) const {
  return std::make_unique<PatternState>(shared_from_this(), slots);
}

Pattern choices(const Json& list) {
  require(list.is_array() && !list.empty(), "guide: \"choices\" must be a list of texts, at least one");
  std::vector<Pattern> parts;
  for (const auto& choice : list) {
    require(choice.is_string() && !choice.get_ref<const std::string&>().empty(), "guide: \"choices\" holds something that is no text");
    parts.push_back(Pattern::literal(choice.get<std::string>()));
  }
  return Pattern::any_of(std::move(parts));
}

}  // namespace

std::shared_ptr<const Guide> compile_guide(const Json& spec, std::shared_ptr<const text::Tokenizer> tokenizer) {
  static constexpr std::array<std::string_view, 4> kKinds = {"choices", "regex", "schema", "cards"};
  require(spec.is_object(), "a guide is a JSON object with \"choices\", \"regex\", \"schema\" or \"cards\"");
  std::string kind;
  for (const auto& [key, value] : spec.items()) {
    if (key == "whitespace" && spec.contains("schema")) continue;
    require(kind.empty(), [&, &key = key] { return "guide: /" + key + " beside /" + kind; });
    require(std::find(kKinds.begin(), kKinds.end(), key) != kKinds.end(), [&, &key = key] { return "guide: /" + key + " is not known; a guide has one of choices, regex, schema or cards"; });
    kind = key;
  }
  require(!kind.empty(), "a guide needs one of \"choices\", \"regex\", \"schema\" or \"cards\"; found none");
  const Json& body = spec.at(kind);
  Pattern pattern;
  if (kind == "choices") {
    pattern = choices(body);
  } else if (kind == "regex") {
    require(body.is_string(), "guide: /regex is no text");
    pattern = parse_regex(body.get_ref<const std::string&>());
  } else if (kind == "cards") {
    pattern = cards_pattern(body);
  } else {
    const Json whitespace = spec.value("whitespace", Json("compact"));
    require(whitespace.is_string(), "guide: /whitespace is no text");
    pattern = schema_pattern(body, whitespace.get<std::string>());
  }
  return std::make_shared<const PatternGuide>(std::move(pattern), std::move(tokenizer));
}

}  // namespace onggi::decode
