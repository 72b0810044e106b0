#include "onggi/decode/guide.h"

#include <algorithm>
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
  auto& [owner, trie] = known[tokenizer.get()];
  if (auto found = trie.lock(); found && owner.lock() == tokenizer) return found;
  auto made = std::make_shared<const TokenTrie>(*tokenizer);
  owner = tokenizer;
  trie = made;
  return made;
}

std::vector<int> tokens_from_anywhere(const TokenTrie& trie, std::shared_ptr<const Nfa> nfa) {
  Dfa dfa(std::move(nfa));
  std::vector<int> ids;
  if (const int all = dfa.everything(); all != Dfa::kDead) trie.collect(dfa, all, ids);
  std::sort(ids.begin(), ids.end());
  return ids;
}

class PatternGuide : public Guide {
 public:
  PatternGuide(Pattern pattern, std::shared_ptr<const text::Tokenizer> tokenizer)
      : pattern_(std::move(pattern)), tokenizer_(std::move(tokenizer)), trie_(shared_trie(tokenizer_)) {
    require(tokenizer_->eos_id() >= 0 || !tokenizer_->stop_ids().empty(), "the tokenizer has no end token, which a guide needs");
    stop_id_ = tokenizer_->eos_id() >= 0 ? tokenizer_->eos_id() : tokenizer_->stop_ids()[0];
    has_slots_ = find_slot(pattern_);
    auto ids = tokens_from_anywhere(*trie_, build_nfa(pattern_, SlotUse::kNone, {}, true));
    if (!has_slots_) {
      nfa_ = build_nfa(pattern_, SlotUse::kNone, {});
      require(Dfa(nfa_).start() != Dfa::kDead, "the guide allows no text at all");
    }
    static_trie_ = std::make_unique<TokenTrie>(*tokenizer_, ids.empty() ? std::vector<int>{-1} : ids);
    ids.insert(std::lower_bound(ids.begin(), ids.end(), stop_id_), stop_id_);
    reachable_ = std::move(ids);
  }

  std::unique_ptr<GuideState> start(const Slots& slots) const override;
  std::span<const int> reachable() const override { return reachable_; }

  std::vector<int> reachable_from(const Slots& slots) const override {
    if (!has_slots_) return {};
    auto ids = tokens_from_anywhere(*trie_, build_nfa(pattern_, SlotUse::kFilled, slots, true));
    std::erase_if(ids, [&](int id) { return std::binary_search(reachable_.begin(), reachable_.end(), id); });
    return ids;
  }

  bool accepts(std::string_view text, const Slots& slots) const override {
    Dfa dfa(automaton(slots));
    if (dfa.start() == Dfa::kDead) return false;
    const int end = dfa.walk(dfa.start(), text);
    return end != Dfa::kDead && dfa.is_accepting(end);
  }

 private:
  friend class PatternState;

  static bool find_slot(const Pattern& p) {
    return p.kind == Pattern::Kind::kSlot || std::any_of(p.parts.begin(), p.parts.end(), find_slot);
  }
  std::shared_ptr<const Nfa> automaton(const Slots& slots) const {
    return nfa_ ? nfa_ : build_nfa(pattern_, SlotUse::kFilled, slots);
  }

  Pattern pattern_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::shared_ptr<const TokenTrie> trie_;         ///< Whole vocabulary.
  std::unique_ptr<const TokenTrie> static_trie_;  ///< reachable() only: small where the language is.
  std::shared_ptr<const Nfa> nfa_;                ///< Where no row is needed.
  std::vector<int> reachable_;
  int stop_id_ = -1;
  bool has_slots_ = false;
};

class PatternState : public GuideState {
 public:
  PatternState(const PatternGuide& guide, const Slots& slots) : guide_(guide), dfa_(guide.automaton(slots)), state_(dfa_.start()) {
    require(state_ != Dfa::kDead, "the guide allows no text for this row (is a quoted slot empty?)");
    if (guide.has_slots_) row_trie_ = std::make_unique<TokenTrie>(*guide.tokenizer_, row_ids(slots));
  }

  std::span<const int> allowed() override {
    if (finished_) return {&guide_.stop_id_, 1};
    const auto at = static_cast<std::size_t>(state_);
    if (masks_.size() <= at) masks_.resize(at + 1);
    auto& mask = masks_[at];
    if (!mask.empty()) return mask;
    guide_.static_trie_->collect(dfa_, state_, mask);
    if (row_trie_) row_trie_->collect(dfa_, state_, mask);
    if (dfa_.is_accepting(state_)) mask.push_back(guide_.stop_id_);
    std::sort(mask.begin(), mask.end());
    require(!mask.empty(), "the vocabulary has no token that continues the guide's text", ErrorCode::kInvalidArgument);
    return mask;
  }

  void advance(int id) override {
    const auto refuse = [&] {
      throw Error(ErrorCode::kInvalidArgument, "the guide does not allow token " + std::to_string(id) + " here");
    };
    if (finished_) refuse();
    if (id == guide_.stop_id_) {
      if (!dfa_.is_accepting(state_)) refuse();
      finished_ = true;
      return;
    }
    if (id < 0 || id >= guide_.tokenizer_->vocab_size() || guide_.tokenizer_->is_control(id)) refuse();
    const auto bytes = guide_.tokenizer_->token_bytes(id);
    const int next = bytes.empty() ? Dfa::kDead : dfa_.walk(state_, bytes);
    if (next == Dfa::kDead) refuse();
    state_ = next;
  }

  bool is_finished() const override { return finished_; }

 private:
  std::vector<int> row_ids(const Slots& slots) const {
    auto ids = guide_.reachable_from(slots);
    if (ids.empty()) ids.push_back(-1);
    return ids;
  }

  const PatternGuide& guide_;
  Dfa dfa_;
  int state_;
  bool finished_ = false;
  std::unique_ptr<TokenTrie> row_trie_;
  std::vector<std::vector<int>> masks_;
};

std::unique_ptr<GuideState> PatternGuide::start(const Slots& slots) const { return std::make_unique<PatternState>(*this, slots); }

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
  require(spec.is_object(), "a guide is a JSON object with \"choices\", \"regex\", \"schema\" or \"cards\"");
  const auto make = [&](Pattern p) { return std::make_shared<const PatternGuide>(std::move(p), std::move(tokenizer)); };
  if (spec.contains("choices")) return make(choices(spec["choices"]));
  if (spec.contains("regex")) {
    require(spec["regex"].is_string(), "guide: \"regex\" is no text");
    return make(parse_regex(spec["regex"].get<std::string>()));
  }
  if (spec.contains("cards")) return make(cards_pattern(spec["cards"]));
  if (spec.contains("schema")) return make(schema_pattern(spec["schema"], spec.value("whitespace", "compact")));
  throw Error(ErrorCode::kInvalidArgument, "a guide needs one of \"choices\", \"regex\", \"schema\" or \"cards\"; found " +
                                               (spec.empty() ? "none" : "\"" + spec.items().begin().key() + "\""));
}

}  // namespace onggi::decode
