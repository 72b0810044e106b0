#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace onggi::decode {

/// Nondeterministic automaton over bytes, built piece by piece (Thompson 1968). State 0 is the start. Immutable once a
/// Dfa walks it. Edges lie in one array, chained by state, since a row builds thousands of small states.
///
/// A slot edge stands for texts that the automaton does not hold: a row's own. Who walks it reads them beside it.
class Nfa {
 public:
  struct Edge {
    enum class Kind : std::uint8_t { kByte, kEmpty, kSlot };

    Kind kind;
    std::uint8_t low = 0;  ///< kByte
    std::uint8_t high = 0;
    int target = 0;
    int next = -1;  ///< The same state's next edge, -1 after the last.
    int slot = -1;  ///< kSlot
  };

  Nfa() { add_state(); }
  /// Throws kExhausted past kMaxStates, as adding edges does past kMaxEdges.
  int add_state();
  void add_edge(int from, std::uint8_t low, std::uint8_t high, int to) { link(from, {.kind = Edge::Kind::kByte, .low = low, .high = high, .target = to}); }
  void add_empty(int from, int to) { link(from, {.kind = Edge::Kind::kEmpty, .target = to}); }
  void add_slot(int from, int slot, int to);
  /// Path of the UTF-8 bytes of code points [low, high] from one state to another.
  void add_code_points(int from, char32_t low, char32_t high, int to);
  /// All of the ranges; those inside one block of 64 share the path to it, so a class of many single code points stays
  /// small.
  void add_class(int from, std::span<const std::pair<char32_t, char32_t>> ranges, int to);
  void add_bytes(int from, std::string_view bytes, int to);
  void set_accepting(int state) { accepting_ = state; }

  int num_states() const { return static_cast<int>(first_.size()); }
  int accepting() const { return accepting_; }
  /// Index of the state's first edge, -1 where it has none.
  int first_edge(int state) const { return first_[static_cast<std::size_t>(state)]; }
  const Edge& edge(int index) const { return edges_[static_cast<std::size_t>(index)]; }
  int num_edges() const { return static_cast<int>(edges_.size()); }
  /// Slots are 0 to this.
  int num_slots() const { return num_slots_; }

 private:
  static constexpr int kMaxStates = 1 << 20;
  static constexpr int kMaxEdges = 1 << 22;
  void link(int from, Edge edge);

  std::vector<int> first_;
  std::vector<Edge> edges_;
  int accepting_ = -1;
  int num_slots_ = 0;
};

/// What a row has for a slot.
enum class SlotContent : std::uint8_t {
  kNothing,    ///< No text, so its edges lead nowhere.
  kEmptyText,  ///< The empty text, so that its edges are taken without a byte.
  kText,
};

/// Deterministic walk of an Nfa; states and transitions are made when first needed. Only states from which the end can
/// be reached are kept, so a state that is not dead can always be completed. The walk itself reads no slot's text: it
/// says which slots may begin at a state, and can be joined to where one ends. Confined to one thread.
class Dfa {
 public:
  static constexpr int kDead = -1;
  /// A slot that may begin at a state, and the Nfa state where its text ends.
  struct SlotEdge {
    int slot;
    int target;
    auto operator<=>(const SlotEdge&) const = default;
  };

  /// `slots` says what each slot of the Nfa has.
  explicit Dfa(std::shared_ptr<const Nfa> nfa, std::span<const SlotContent> slots = {});

  int start() const { return start_; }
  /// State of all Nfa states at once: what it accepts next is what any state could.
  int everything();
  /// State of one Nfa state.
  int at(int nfa_state);
  /// State of the Nfa states of both.
  int unite(int a, int b);
  int next(int state, std::uint8_t byte) {
    const int known = states_[static_cast<std::size_t>(state)]->next[byte];
    return known != kUnknown ? known : compute(state, byte);
  }
  bool is_accepting(int state) const { return states_[static_cast<std::size_t>(state)]->is_accepting; }
  /// True where no byte goes on from here.
  bool is_last(int state) { return steps_of(state).empty(); }
  /// Slots that may begin here and whose targets are not dead, ascending. The span lives as long as the Dfa.
  std::span<const SlotEdge> slot_edges(int state) const { return states_[static_cast<std::size_t>(state)]->slot_edges; }
  /// State after the bytes, kDead if they leave the language's prefixes.
  int walk(int state, std::string_view bytes);

  int num_states() const { return static_cast<int>(states_.size()); }
  /// Numbers held by all states but their tables: with num_states, the memory.
  std::size_t num_members() const { return num_members_; }
  /// The state's Nfa states; `state_of` gives it back, in another Dfa too that is_same_as this one.
  std::span<const int> members(int state) const { return *states_[static_cast<std::size_t>(state)]->members; }
  int state_of(std::span<const int> members) { return intern({members.begin(), members.end()}); }
  /// True where every walk of the other, of the same Nfa, goes as here: what differs in slots has no effect.
  bool is_same_as(const Dfa& other) const { return live_ == other.live_ && is_empty_slot_ == other.is_empty_slot_; }

 private:
  static constexpr int kUnknown = -2;
  /// What a state reads, sorted by the first byte: made when first asked for, as most states never read much.
  struct Step {
    std::uint8_t low;
    std::uint8_t high;
    int target;
  };
  struct State {
    const std::vector<int>* members;  ///< A key of known_.
    std::vector<Step> steps;
    std::vector<SlotEdge> slot_edges;
    bool is_accepting = false;
    std::array<int, 256> next;
  };
  struct SetHash {
    std::size_t operator()(const std::vector<int>& set) const;
  };

  void find_live(std::span<const SlotContent> slots);
  bool is_live(int nfa_state) const { return live_[static_cast<std::size_t>(nfa_state)] != 0; }
  bool is_taken_without_byte(const Nfa::Edge& edge) const {
    return edge.kind == Nfa::Edge::Kind::kEmpty || (edge.kind == Nfa::Edge::Kind::kSlot && is_empty_slot_[static_cast<std::size_t>(edge.slot)]);
  }
  const std::vector<Step>& steps_of(int state);
  int compute(int state, std::uint8_t byte);
  int intern(std::vector<int> set);
  /// kDead where the closed set is empty.
  int closed(std::vector<int> set);
  void close(std::vector<int>& set);

  std::shared_ptr<const Nfa> nfa_;
  std::vector<bool> is_empty_slot_;
  std::vector<std::uint8_t> live_;  ///< Nfa states that can reach the end.
  std::vector<std::uint32_t> mark_;
  std::uint32_t stamp_ = 0;
  std::vector<std::unique_ptr<State>> states_;  ///< Growth moves pointers only.
  std::size_t num_members_ = 0;
  std::unordered_map<std::vector<int>, int, SetHash> known_;
  std::unordered_map<int, int> at_;                ///< States by Nfa state.
  std::unordered_map<std::uint64_t, int> unions_;  ///< By the pair of states.
  int start_ = kDead;
  int everything_ = kUnknown;
};

}  // namespace onggi::decode
