#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace onggi::decode {

/// Nondeterministic automaton over bytes, built piece by piece (Thompson 1968). State 0 is the start. Immutable once a
/// Dfa walks it. Edges lie in one array, chained by state, since a row builds thousands of small states.
class Nfa {
 public:
  struct Edge {
    std::uint8_t low;
    std::uint8_t high;
    bool is_empty;  ///< Taken without a byte.
    int target;
    int next;  ///< The same state's next edge, -1 after the last.
  };

  Nfa() { add_state(); }
  /// Throws kExhausted past kMaxStates, as adding edges does past kMaxEdges.
  int add_state();
  void add_edge(int from, std::uint8_t low, std::uint8_t high, int to) { link(from, {low, high, false, to, -1}); }
  void add_empty(int from, int to) { link(from, {0, 0, true, to, -1}); }
  /// Path of the UTF-8 bytes of code points [low, high] from one state to another.
  void add_code_points(int from, char32_t low, char32_t high, int to);
  void add_bytes(int from, std::string_view bytes, int to);
  void set_accepting(int state) { accepting_ = state; }

  int num_states() const { return static_cast<int>(first_.size()); }
  int accepting() const { return accepting_; }
  /// Index of the state's first edge, -1 where it has none.
  int first_edge(int state) const { return first_[static_cast<std::size_t>(state)]; }
  const Edge& edge(int index) const { return edges_[static_cast<std::size_t>(index)]; }
  int num_edges() const { return static_cast<int>(edges_.size()); }

 private:
  static constexpr int kMaxStates = 1 << 20;
  static constexpr int kMaxEdges = 1 << 22;
  void link(int from, Edge edge);

  std::vector<int> first_;
  std::vector<Edge> edges_;
  int accepting_ = -1;
};

/// Deterministic walk of an Nfa; states and transitions are made when first needed. Only states from which the end can
/// be reached are kept, so a state that is not dead can always be completed. Confined to one thread.
class Dfa {
 public:
  static constexpr int kDead = -1;

  explicit Dfa(std::shared_ptr<const Nfa> nfa);

  int start() const { return start_; }
  /// State of all Nfa states at once: what it accepts next is what any state could.
  int everything();
  int next(int state, std::uint8_t byte) {
    const int known = (*table_[static_cast<std::size_t>(state)])[byte];
    return known != kUnknown ? known : compute(state, byte);
  }
  bool is_accepting(int state) const { return accepting_[static_cast<std::size_t>(state)]; }
  /// State after the bytes, kDead if they leave the language's prefixes.
  int walk(int state, std::string_view bytes);
  int num_states() const { return static_cast<int>(sets_.size()); }

 private:
  static constexpr int kUnknown = -2;
  /// What a state reads, sorted by the first byte: made when first asked for, as most states never read much.
  struct Step {
    std::uint8_t low;
    std::uint8_t high;
    int target;
  };
  const std::vector<Step>& steps_of(int state);
  int compute(int state, std::uint8_t byte);
  int intern(std::vector<int> set);
  void close(std::vector<int>& set);

  std::shared_ptr<const Nfa> nfa_;
  std::vector<std::uint8_t> live_;  ///< Nfa states that can reach the end.
  std::vector<std::uint32_t> mark_;
  std::uint32_t stamp_ = 0;
  std::vector<std::vector<int>> sets_;
  std::size_t num_members_ = 0;  ///< Of all sets and steps.
  std::vector<std::vector<Step>> steps_;
  std::vector<std::unique_ptr<std::array<int, 256>>> table_;  ///< A row a state; growth moves pointers only.
  std::vector<bool> accepting_;
  struct SetHash {
    std::size_t operator()(const std::vector<int>& set) const;
  };
  std::unordered_map<std::vector<int>, int, SetHash> known_;
  int start_ = kDead;
};

}  // namespace onggi::decode
