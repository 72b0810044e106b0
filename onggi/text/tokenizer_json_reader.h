#pragma once

#include <string>
#include <unordered_map>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/core/json.h"
#include "onggi/text/tokenizer_spec.h"

namespace onggi::text {

/// What readers of tokenizer.json share: its members with their types checked, its vocabulary on the way to a spec.
class TokenizerJsonReader {
 public:
  TokenizerJsonReader(Json root, const std::string& where) : root_(std::move(root)) { spec_.where = where; }

 protected:
  template <class Message>
  void expect(bool ok, Message&& message) const {
    require(ok, std::forward<Message>(message), ErrorCode::kCorrupt, spec_.where);
  }
  void supported(bool ok, const std::string& what) const {
    require(
        ok, [&] { return "tokenizer.json uses " + what + ", which is not supported"; }, ErrorCode::kInvalidArgument,
        spec_.where);
  }

  /// null where absent.
  static const Json& member(const Json& object, const char* key) {
    static const Json null;
    if (!object.is_object()) return null;
    const auto it = object.find(key);
    return it == object.end() ? null : *it;
  }
  std::string text_of(const Json& object, const char* key, const char* otherwise) const {
    const Json& v = member(object, key);
    if (v.is_null()) return otherwise;
    expect(v.is_string(), [&] { return std::string("\"") + key + "\" should be a string"; });
    return v.get<std::string>();
  }
  bool flag_of(const Json& object, const char* key, bool otherwise = false) const {
    const Json& v = member(object, key);
    if (v.is_null()) return otherwise;
    expect(v.is_boolean(), [&] { return std::string("\"") + key + "\" should be true or false"; });
    return v.get<bool>();
  }
  int id_of(const Json& v, const std::string& name) const {
    expect(v.is_number_integer() && v.get<std::int64_t>() >= 0 && v.get<std::int64_t>() < kMaxId, [&] {
      return "the id of token \"" + name + "\" should be an integer from 0 to " + std::to_string(kMaxId - 1);
    });
    return v.get<int>();
  }

  /// Ids may come in any order and with gaps; a gap is an unused token.
  TokenSpec& slot(int id) {
    // A huge id in a small file must not cost memory.
    const std::size_t limit =
        65536 + 4 * (member(root_["model"], "vocab").size() + member(root_, "added_tokens").size());
    expect(static_cast<std::size_t>(id) < limit,
           [&] { return "id " + std::to_string(id) + " is far past the number of tokens"; });
    while (spec_.tokens.size() <= static_cast<std::size_t>(id)) spec_.tokens.push_back({"", TokenType::kUnused, 0});
    return spec_.tokens[static_cast<std::size_t>(id)];
  }

  void read_added_tokens(bool marks_spaces) {
    const Json& added = member(root_, "added_tokens");
    if (added.is_null()) return;
    expect(added.is_array(), "\"added_tokens\" should be an array");
    for (const Json& entry : added) {
      expect(entry.is_object(), "an entry of \"added_tokens\" should be an object");
      const std::string content = text_of(entry, "content", "");
      const int id = id_of(member(entry, "id"), content);
      TokenSpec& token = slot(id);
      const bool is_special = flag_of(entry, "special");
      const bool is_space_run = content.find_first_not_of(" \t\r\n") == std::string::npos;
      token.type = is_special && !is_space_run ? TokenType::kControl : TokenType::kUserDefined;
      token.bytes = marks_spaces && !is_special ? bytes_of_sentencepiece(content) : content;
      token.eats_space_before = flag_of(entry, "lstrip");
      token.eats_space_after = flag_of(entry, "rstrip");
      ids_.emplace(content, id);
    }
  }

  static constexpr int kMaxId = 1 << 22;

  Json root_;
  TokenizerSpec spec_;
  std::unordered_map<std::string, int> ids_;
};

/// The file's models "WordPiece" and "Unigram"; `root` is an object with an object "model".
TokenizerSpec read_word_piece_json(Json root, const std::string& where);
TokenizerSpec read_unigram_json(Json root, const std::string& where);

}  // namespace onggi::text
