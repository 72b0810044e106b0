#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "onggi/decode/machine.h"

namespace onggi::decode {

/// A context-free language: rules, each of which is what any of its machines reads. No rule may call itself before it
/// has read a byte, and every rule that is called has a text.
struct Grammar {
  std::vector<std::unique_ptr<Machine>> machines;
  std::vector<std::vector<int>> rules;  ///< Their machines.
  int root = 0;
  bool is_json = false;  ///< Its texts are JSON that would have names twice in an object if nobody else looked.
};

/// Walk of a grammar with all its stacks at once, made deterministic as it goes. A stack set is a number: a set of
/// frames, each a machine's state and the stack set below it, so that common parts are kept once and equal sets are the
/// same number (graph-structured stacks, Tomita 1985; made a lazy automaton here). Confined to one thread.
class Pushdown {
 public:
  static constexpr int kDead = 0;  ///< The empty set.

  struct Frame {
    int machine;  ///< kEnd and kOpen are no machines.
    int state;
    int below;  ///< Stack set.
    auto operator<=>(const Frame&) const = default;
  };
  static constexpr int kEnd = -1;   ///< The whole text is complete.
  static constexpr int kOpen = -2;  ///< What stands below is not known: a walk that began in the middle ends here.

  explicit Pushdown(std::unique_ptr<Grammar> grammar);

  int start() const { return start_; }
  int next(int set, std::uint8_t byte) {
    const auto& table = tables_[static_cast<std::size_t>(set)];
    const int known = table ? (*table)[byte] : kUnknown;
    return known != kUnknown ? known : compute(set, byte);
  }
  /// The set after the bytes.
  int walk(int set, std::string_view bytes);
  bool is_complete(int set) const { return flags_[static_cast<std::size_t>(set)] & 1; }
  bool is_open(int set) const { return flags_[static_cast<std::size_t>(set)] & 2; }
  /// True where nothing but the end (or the open bottom) is left.
  bool is_only_bottom(int set) const { return flags_[static_cast<std::size_t>(set)] & 4; }
  std::span<const Frame> frames(int set) const { return sets_[static_cast<std::size_t>(set)]; }
  /// Where the walk goes on after a frame above `below` has ended.
  int after(int below);
  /// A walk of this frame alone, without the rules that it calls here, above an unknown bottom.
  int lone(int machine, int state) { return intern({{machine, state, open_}}); }
  Machine& machine(int index) { return *grammar_->machines[static_cast<std::size_t>(index)]; }

  /// True where it is time to forget.
  bool is_full() const { return num_frames_ > kMaxFrames || num_tables_ > kMaxTables; }
  /// Begins anew: no number that was given may be used again.
  void forget();

 private:
  static constexpr int kUnknown = -1;
  static constexpr std::size_t kMaxFrames = std::size_t{1} << 20;
  static constexpr std::size_t kMaxTables = 16'000;  ///< 1 KiB each.
  static constexpr std::size_t kMaxSetFrames = 20'000;
  using Set = std::vector<Frame>;
  struct SetHash {
    std::size_t operator()(const Set& set) const;
  };

  void begin();
  int compute(int set, std::uint8_t byte);
  /// Adds what can go on without a byte: called rules, and what stands below of frames that may end.
  int close(Set set);
  int unite(int a, int b);
  /// Sorts, and keeps one frame of each state.
  int normal(Set set);
  int intern(Set set);

  std::unique_ptr<Grammar> grammar_;
  std::unordered_map<Set, int, SetHash> known_;
  std::vector<Set> sets_;
  std::vector<std::uint8_t> flags_;
  std::vector<std::unique_ptr<std::array<int, 256>>> tables_;
  std::unordered_map<std::uint64_t, int> unions_;
  std::unordered_map<int, int> after_;
  std::size_t num_frames_ = 0;
  std::size_t num_tables_ = 0;
  int start_ = kDead;
  int open_ = kDead;
  std::vector<Machine::Call> calls_;  ///< Of one step.
};

}  // namespace onggi::decode
