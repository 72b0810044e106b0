#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/decode/pattern.h"

namespace onggi::decode {

/// A whole deterministic automaton over the bytes of texts, all of whose states can be completed: for languages that
/// are joined, cut and complemented before anything is written. Languages hold valid UTF-8 only. Immutable once made.
class ByteDfa {
 public:
  static constexpr int kDead = -1;
  static constexpr std::size_t kMaxStates = 20'000;

  /// Every valid text; made once.
  static const ByteDfa& universal();
  /// The texts themselves.
  static ByteDfa of_texts(std::span<const std::string> texts);
  /// Texts in which the pattern is found (parse_regex with `has_anchors`). Throws kExhausted past kMaxStates.
  static ByteDfa of_search(const Pattern& pattern);
  /// Texts of a pattern without slots and anchors.
  static ByteDfa of_pattern(const Pattern& pattern);
  /// Texts of both, or of a alone.
  static ByteDfa both(const ByteDfa& a, const ByteDfa& b) { return joined(a, b, true); }
  static ByteDfa minus(const ByteDfa& a, const ByteDfa& b) { return joined(a, b, false); }

  int start() const { return start_; }
  bool is_empty() const { return start_ == kDead; }
  int next(int state, std::uint8_t byte) const {
    const std::uint16_t to = next_[static_cast<std::size_t>(state)][byte];
    return to == kNone ? kDead : to;
  }
  bool is_accepting(int state) const { return accepting_[static_cast<std::size_t>(state)]; }
  int num_states() const { return static_cast<int>(next_.size()); }
  bool accepts(std::string_view text) const;

 private:
  static constexpr std::uint16_t kNone = 0xFFFF;
  static ByteDfa joined(const ByteDfa& a, const ByteDfa& b, bool in_both);
  int add_state(bool is_accepting);
  /// Keeps what can be reached and completed.
  ByteDfa trimmed() const;

  std::vector<std::array<std::uint16_t, 256>> next_;
  std::vector<bool> accepting_;
  int start_ = kDead;
};

}  // namespace onggi::decode
