#include "onggi/text/double_array.h"

#include <algorithm>

#include "onggi/core/error.h"

namespace onggi::text {
namespace {

/// Places the children of one node after the other. Children of a node lie in one block of 256 units, at base ^ label;
/// a base serves one node only.
class Builder {
 public:
  using Keys = std::span<const std::pair<std::string, std::uint32_t>>;

  std::vector<std::uint32_t> build(Keys keys) {
    grow();
    is_used_[0] = true;  // The root.
    place(keys, 0, 0);
    return std::move(units_);
  }

 private:
  void grow() {
    units_.resize(units_.size() + 256, 0);
    is_used_.resize(units_.size(), false);
    is_base_.resize(units_.size(), false);
  }

  bool fits(std::size_t base, std::span<const unsigned char> labels) const {
    return !is_base_[base] &&
           std::none_of(labels.begin(), labels.end(), [&](unsigned char label) { return is_used_[base ^ label]; });
  }

  /// Offsets of 21 bits, or of 29 where the low 8 are 0.
  static bool can_reach(std::size_t node, std::size_t base) {
    const std::size_t offset = node ^ base;
    return offset < (std::size_t{1} << 21) || ((offset & 0xFF) == 0 && offset < (std::size_t{1} << 29));
  }

  std::size_t find_base(std::size_t node, std::span<const unsigned char> labels) {
    // What lies far behind is nearly full; looking there again and again costs more than the few units that it saves.
    constexpr std::size_t kLookBack = 4096;
    for (std::size_t base = units_.size() > kLookBack ? units_.size() - kLookBack : 1;; ++base) {
      if (base == units_.size()) grow();
      if (fits(base, labels) && can_reach(node, base)) return base;
    }
  }

  /// The children of `node`, which stands for the first `depth` bytes of all `keys`.
  void place(Keys keys, std::size_t depth, std::size_t node) {
    const bool has_value = keys.front().first.size() == depth;
    std::vector<unsigned char> labels;
    if (has_value) labels.push_back(0);
    for (const auto& [key, value] : keys.subspan(has_value ? 1 : 0)) {
      const auto label = static_cast<unsigned char>(key[depth]);
      if (labels.empty() || labels.back() != label) labels.push_back(label);
    }
    const std::size_t base = find_base(node, labels);
    is_base_[base] = true;
    const std::size_t offset = node ^ base;
    units_[node] |= offset < (std::size_t{1} << 21) ? static_cast<std::uint32_t>(offset << 10)
                                                    : static_cast<std::uint32_t>(offset << 2) | 1U << 9;
    if (has_value) units_[node] |= 1U << 8;
    for (const unsigned char label : labels) {
      is_used_[base ^ label] = true;
      units_[base ^ label] = label;
    }
    if (has_value) units_[base] = keys.front().second | 1U << 31;
    Keys rest = keys.subspan(has_value ? 1 : 0);
    while (!rest.empty()) {
      const char label = rest.front().first[depth];
      const auto end = std::partition_point(rest.begin(), rest.end(),
                                            [&](const auto& entry) { return entry.first[depth] == label; });
      const auto count = static_cast<std::size_t>(end - rest.begin());
      place(rest.first(count), depth + 1, base ^ static_cast<unsigned char>(label));
      rest = rest.subspan(count);
    }
  }

  std::vector<std::uint32_t> units_;
  std::vector<bool> is_used_;
  std::vector<bool> is_base_;
};

}  // namespace

DoubleArray DoubleArray::build(std::span<const std::pair<std::string, std::uint32_t>> sorted) {
  if (sorted.empty()) return {};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& [key, value] = sorted[i];
    require(!key.empty() && key.find('\0') == std::string::npos && value < 1U << 31 &&
                (i == 0 || sorted[i - 1].first < key),
            "keys of a double array must be sorted, differ, and hold no zero byte");
  }
  return DoubleArray(Builder().build(sorted));
}

}  // namespace onggi::text
