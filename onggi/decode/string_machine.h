#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "onggi/decode/byte_dfa.h"
#include "onggi/decode/machine.h"

namespace onggi::decode {

/// Spellings of names, as a trie.
class NameTrie {
 public:
  static constexpr int kOff = -1;
  static constexpr int kRoot = 0;

  /// `names` as they are spelt, without quotes.
  explicit NameTrie(std::span<const std::string> names);
  int next(int node, std::uint8_t byte) const;
  bool is_name(int node) const { return node != kOff && nodes_[static_cast<std::size_t>(node)].is_name; }
  /// What is missing of the names below a node.
  std::vector<std::string> rests(int node) const;

 private:
  struct Node {
    std::map<std::uint8_t, int> next;
    bool is_name = false;
  };
  std::vector<Node> nodes_;
};

struct StringSpec {
  std::shared_ptr<const ByteDfa> content;  ///< Of the string's value; null: any.
  int min_length = 0;                      ///< In code points.
  int max_length = -1;                     ///< -1: none.
  std::shared_ptr<const NameTrie> excluded =
      nullptr;  ///< None of these; null: none. With the content of all texts only.
};

/// JSON strings with their quotes. A string of any content is spelt in every legal way but lone surrogates; one whose
/// content is held to something has the shortest escapes.
class StringMachine : public Machine {
 public:
  /// Throws kExhausted where content and lengths together are too large. is_empty() must be asked before it is used.
  explicit StringMachine(StringSpec spec);
  bool is_empty() const { return !can_end(content_->start(), 0); }

  int start() override { return intern({Place::kBefore, 0, 0, 0, NameTrie::kOff}); }
  int next(int state, std::uint8_t byte) override;
  bool is_accepting(int state) override { return states_[static_cast<std::size_t>(state)].place == Place::kAfter; }
  bool is_last(int state) override { return is_accepting(state); }
  int plain_run(int state) override;
  Likeness like(int state, int max_bytes) override;
  void forget() override;

 private:
  enum class Place : std::uint8_t { kBefore, kBody, kEscape, kHex, kLowEscape, kLowU, kLowHex, kAfter };
  struct State {
    Place place;
    int content;
    int length;  ///< Code points so far; no more than matter.
    int escape;  ///< Hex digits read, with a 1 before them.
    int name;    ///< Where in `excluded`.
  };
  int intern(State state);
  bool can_end(int content, int length) const;
  int with_character(const State& from, std::uint8_t byte) {
    return body(content_->next(from.content, byte), from.length, from.name);
  }
  int body(int content, int length, int name) {
    return content == ByteDfa::kDead || !can_end(content, length) ? kDead
                                                                  : intern({Place::kBody, content, length, 0, name});
  }
  int read(const State& from, std::uint8_t byte);
  int after_hex(const State& from, std::uint8_t byte);
  bool is_escapable(const State& from);
  int more(int length) const;
  bool is_endless(int content);
  void find_lengths();

  StringSpec spec_;
  bool is_free_;  ///< Any content.
  std::shared_ptr<const ByteDfa> content_;
  std::vector<int> shortest_;               ///< Code points to the end, by content state.
  std::vector<int> longest_;                ///< kEndlessRun: no bound.
  std::vector<std::vector<bool>> lengths_;  ///< [n][state]: can end in n more code points. Where both bounds matter.
  std::vector<State> states_;
  std::map<std::array<int, 5>, int> known_;
  std::unordered_map<int, bool> endless_;
};

}  // namespace onggi::decode
