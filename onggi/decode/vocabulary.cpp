#include "onggi/decode/vocabulary.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/text/utf8.h"

namespace onggi::decode {
namespace {

/// Characters of a plain token, -1 for another.
int plain_characters(std::string_view bytes) {
  int count = 0;
  for (std::size_t at = 0; at < bytes.size(); ++count) {
    const auto byte = static_cast<std::uint8_t>(bytes[at]);
    if (byte < 0x20 || byte == '"' || byte == '\\') return -1;
    const text::Utf8Char c = text::next_utf8(bytes, at);
    if (!c.valid) return -1;
    at += static_cast<std::size_t>(c.length);
  }
  return count;
}

bool is_text(const text::Tokenizer& tokenizer, int id) {
  return !tokenizer.is_control(id) && !tokenizer.token_bytes(id).empty();
}

TokenTrie rest_of(const text::Tokenizer& tokenizer) {
  std::vector<int> ids;
  for (int id = 0; id < tokenizer.vocab_size(); ++id) {
    if (is_text(tokenizer, id) && plain_characters(tokenizer.token_bytes(id)) < 0) ids.push_back(id);
  }
  // A trie of no ids at all would be one of the whole vocabulary.
  if (ids.empty()) ids.push_back(tokenizer.vocab_size());
  return TokenTrie(tokenizer, ids);
}

}  // namespace

Vocabulary::Vocabulary(std::shared_ptr<const text::Tokenizer> tokenizer)
    : tokenizer_(std::move(tokenizer)), all_(shared_trie(tokenizer_)), rest_(rest_of(*tokenizer_)) {
  require(tokenizer_->eos_id() >= 0 || !tokenizer_->stop_ids().empty(),
          "the tokenizer has no end token, which a guide needs");
  stop_id_ = tokenizer_->eos_id() >= 0 ? tokenizer_->eos_id() : tokenizer_->stop_ids()[0];
  for (auto& bits : plain_) bits.resize(num_words());
  for (int id = 0; id < tokenizer_->vocab_size(); ++id) {
    if (id == stop_id_ || is_text(*tokenizer_, id)) ids_.push_back(id);
    if (!is_text(*tokenizer_, id)) continue;
    const auto bytes = tokenizer_->token_bytes(id);
    max_token_bytes_ = std::max(max_token_bytes_, static_cast<int>(bytes.size()));
    for (auto from = bytes.find('"'); from != std::string_view::npos; from = bytes.find('"', from + 1)) {
      for (auto to = bytes.find('"', from + 1); to != std::string_view::npos; to = bytes.find('"', to + 1)) {
        auto& ids = quoted_[std::string(bytes.substr(from + 1, to - from - 1))];
        if (ids.empty() || ids.back() != id) ids.push_back(id);
      }
    }
    const int count = plain_characters(bytes);
    if (count < 0) continue;
    max_plain_ = std::max(max_plain_, count);
    for (int run = std::min(count, kMaxRun); run <= kMaxRun; ++run)
      plain_[static_cast<std::size_t>(run)][static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64);
  }
}

const TokenBits* Vocabulary::plain(int run) const {
  if (run >= max_plain_) return &plain_[kMaxRun];
  return run >= 1 && run < kMaxRun ? &plain_[static_cast<std::size_t>(run)] : nullptr;
}

std::shared_ptr<const LocalMask> Vocabulary::family_mask(const std::string& family) const {
  const std::scoped_lock lock(mutex_);
  const auto found = family_masks_.find(family);
  return found == family_masks_.end() ? nullptr : found->second;
}

void Vocabulary::keep_family_mask(const std::string& family, std::shared_ptr<const LocalMask> mask) const {
  const std::scoped_lock lock(mutex_);
  family_masks_.try_emplace(family, std::move(mask));
}

std::shared_ptr<const Vocabulary> shared_vocabulary(const std::shared_ptr<const text::Tokenizer>& tokenizer) {
  static std::mutex mutex;
  static std::map<const text::Tokenizer*, std::weak_ptr<const Vocabulary>> known;
  const std::scoped_lock lock(mutex);
  std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
  auto& kept = known[tokenizer.get()];
  if (auto found = kept.lock()) return found;  // It owns the tokenizer, so the address is still this one's.
  auto made = std::make_shared<const Vocabulary>(tokenizer);
  kept = made;
  return made;
}

}  // namespace onggi::decode
