#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onggi::text {

/// A set of byte strings with a number each, as the units of a darts-clone double array: what SentencePiece's maps and
/// GGUF's precompiled_charsmap hold. A unit: bits 0-7 label, 8 "has a value", 9 and 10-30 offset to its children (by
/// exclusive or), 31 "is a value". Immutable; any units are safe to walk.
class DoubleArray {
 public:
  DoubleArray() = default;
  explicit DoubleArray(std::vector<std::uint32_t> units) : units_(std::move(units)) {}
  /// Of keys that are sorted by bytes, differ, and hold neither nothing nor a zero byte. Values up to 2^31 - 1.
  static DoubleArray build(std::span<const std::pair<std::string, std::uint32_t>> sorted);

  bool empty() const { return units_.empty(); }
  const std::vector<std::uint32_t>& units() const { return units_; }

  /// Calls found(length, value) for each key that `text` begins with, the shortest first, until it gives false.
  template <class Found>
  void for_each_prefix(std::string_view text, Found&& found) const {
    std::size_t at = 0;
    if (units_.empty()) return;
    at ^= offset_of(units_[0]);
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto label = static_cast<unsigned char>(text[i]);
      at ^= label;
      if (label == 0 || at >= units_.size() || (units_[at] & kLabelMask) != label) return;
      const bool has_value = (units_[at] & kHasValue) != 0;
      at ^= offset_of(units_[at]);
      if (at >= units_.size()) return;
      if (has_value && !found(i + 1, units_[at] & ~kIsValue)) return;
    }
  }

 private:
  static constexpr std::uint32_t kIsValue = 1U << 31;
  static constexpr std::uint32_t kHasValue = 1U << 8;
  static constexpr std::uint32_t kLabelMask = kIsValue | 0xFFU;
  static std::size_t offset_of(std::uint32_t unit) { return std::size_t{unit >> 10} << ((unit & (1U << 9)) >> 6); }

  std::vector<std::uint32_t> units_;
};

}  // namespace onggi::text
