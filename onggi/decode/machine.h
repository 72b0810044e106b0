#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace onggi::decode {

/// The inside of one grammar rule, read byte by byte, with calls of other rules in between. States are numbers that the
/// machine makes when they are first needed. Every state can be completed: what can't is dead. Confined to one thread.
class Machine {
 public:
  static constexpr int kDead = -1;
  static constexpr int kUnknownRun = -1;
  static constexpr int kEndlessRun = 1 << 30;

  /// A text of `rule` may stand here; `target` is the state after it.
  struct Call {
    int rule;
    int target;
  };

  virtual ~Machine() = default;
  virtual int start() = 0;
  virtual int next(int state, std::uint8_t byte) = 0;
  /// True where the rule's text may end.
  virtual bool is_accepting(int state) = 0;
  /// True where it may end and nothing else.
  virtual bool is_last(int) { return false; }
  /// Appends the calls that may come next.
  virtual void calls(int, std::vector<Call>&) {}
  /// The number n if every text of at most n plain characters can be read from the state, and of longer plain texts
  /// none (plain: what a JSON string holds as it is). kUnknownRun if that is not known.
  virtual int plain_run(int) { return kUnknownRun; }
  /// A state, often the same for many, from which texts of at most `max_bytes` bytes are read as from this one.
  struct Likeness {
    int state;
    std::vector<std::string> refused;  ///< But for texts that begin with one of these.
    const char* family = nullptr;      ///< States of one family are alike in every grammar.
  };
  virtual Likeness like(int state, int) { return {state, {}, nullptr}; }
  /// Forgets all states: none that was given may be used again.
  virtual void forget() {}
};

}  // namespace onggi::decode
