#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/decode/vocabulary.h"

namespace onggi::decode {

/// Follows the JSON text that a walk writes and knows the names that its open objects have, so that none is written
/// twice: a set of names that grows is nothing that a grammar can hold. Copies share what they have seen.
class KeyTracker {
 public:
  /// Reads on. False if these bytes end a name that its object has.
  bool read(std::string_view bytes);
  /// Appends the tokens that may write a name for the second time: few of them will, none else can.
  void find_suspects(const Vocabulary& vocabulary, std::vector<int>& out) const;

 private:
  struct Key {
    std::string text;  ///< As it is spelt.
    std::shared_ptr<const Key> before;
  };
  struct Level {
    bool is_object;
    bool awaits_key;
    std::shared_ptr<const Key> keys;
  };
  void read(std::uint8_t byte);
  void end_key();

  std::vector<Level> levels_;
  std::string key_;  ///< What is written of the key that is open.
  bool in_string_ = false;
  bool in_key_ = false;
  bool after_backslash_ = false;
  bool has_repeated_ = false;
};

}  // namespace onggi::decode
