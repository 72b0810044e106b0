#include "onggi/decode/key_tracker.h"

namespace onggi::decode {

void KeyTracker::end_key() {
  in_key_ = false;
  Level& level = levels_.back();
  level.awaits_key = false;
  for (const Key* key = level.keys.get(); key != nullptr; key = key->before.get())
    has_repeated_ = has_repeated_ || key->text == key_;
  level.keys = std::make_shared<const Key>(Key{std::move(key_), level.keys});
  key_.clear();
}

void KeyTracker::read(std::uint8_t byte) {
  if (in_string_) {
    if (!after_backslash_ && byte == '"') {
      in_string_ = false;
      if (in_key_) end_key();
      return;
    }
    after_backslash_ = !after_backslash_ && byte == '\\';
    if (in_key_) key_ += static_cast<char>(byte);
    return;
  }
  switch (byte) {
    case '"':
      in_string_ = true;
      in_key_ = !levels_.empty() && levels_.back().is_object && levels_.back().awaits_key;
      return;
    case '{': levels_.push_back({true, true, nullptr}); return;
    case '[': levels_.push_back({false, false, nullptr}); return;
    case '}':
    case ']':
      if (!levels_.empty()) levels_.pop_back();
      return;
    case ',':
      if (!levels_.empty()) levels_.back().awaits_key = levels_.back().is_object;
      return;
    default: return;
  }
}

bool KeyTracker::read(std::string_view bytes) {
  has_repeated_ = false;
  for (const char byte : bytes) read(static_cast<std::uint8_t>(byte));
  return !has_repeated_;
}

void KeyTracker::find_suspects(const Vocabulary& vocabulary, std::vector<int>& out) const {
  // Tokens that hold a whole name: in any open object, as a token may also close some.
  for (const Level& level : levels_) {
    for (const Key* key = level.keys.get(); key != nullptr; key = key->before.get()) {
      const auto ids = vocabulary.quoting(key->text);
      out.insert(out.end(), ids.begin(), ids.end());
    }
  }
  if (!in_key_) return;
  // Tokens that end the name that is open.
  for (const Key* key = levels_.back().keys.get(); key != nullptr; key = key->before.get()) {
    if (!key->text.starts_with(key_)) continue;
    vocabulary.all().collect_under(key->text.substr(key_.size()) + "\"", out);
  }
}

}  // namespace onggi::decode
