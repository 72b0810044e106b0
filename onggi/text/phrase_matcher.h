#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onggi::text {

/// Finds which of a fixed set of phrases (turn markers, runs of newlines ...) begins at a place. Immutable and
/// thread-safe after `build`.
class PhraseMatcher {
 public:
  struct Match {
    int id = -1;
    std::size_t length = 0;
  };

  /// Empty phrases are left out; of equal phrases the first stays.
  void build(std::vector<std::pair<std::string, int>> phrases);

  bool empty() const { return phrases_.empty(); }

  /// The longest phrase that `text` begins with; id -1 where there is none.
  Match longest(std::string_view text) const;

  /// False where no phrase begins with `text`'s first two bytes (a last single byte counts as followed by anything).
  bool may_begin(std::string_view text) const {
    if (text.empty()) return false;
    const auto first = static_cast<unsigned char>(text[0]);
    return text.size() == 1 ? first_byte_[first] : first_two_[first << 8 | static_cast<unsigned char>(text[1])];
  }

 private:
  std::vector<std::pair<std::string, int>> phrases_;  // Sorted by phrase.
  std::bitset<256> first_byte_;
  std::bitset<65536> first_two_;
};

}  // namespace onggi::text
