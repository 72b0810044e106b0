#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace onggi::text {

/// The merges of a byte-pair encoding (Sennrich et al. 2016): which two neighbouring symbols join, in which order, into
/// what. Filled once, then immutable and thread-safe.
class MergeTable {
 public:
  /// Symbols are 0 or more; a lower rank joins first. The first rank given to a pair stays.
  void add(int left, int right, std::uint32_t rank, int merged);

  /// Room for `num_merges`; adding more is allowed.
  void reserve(std::size_t num_merges);

  std::size_t size() const { return size_; }

  /// Joins neighbours until none can: always the lowest rank, of equal ranks the leftmost. Symbols below 0 never join.
  void merge(std::vector<int>& symbols) const;

  /// The definition, one scan a merge: quadratic, and fastest for short input.
  void merge_by_scan(std::vector<int>& symbols) const;
  /// The same with a priority queue: n log n.
  void merge_by_queue(std::vector<int>& symbols) const;

 private:
  struct Entry {
    std::uint64_t key = kEmpty;
    std::uint32_t rank = 0;
    int merged = 0;
  };
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};

  static std::uint64_t key_of(int left, int right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }
  std::size_t slot_of(std::uint64_t key) const { return (key * 0x9E3779B97F4A7C15u) >> shift_; }
  const Entry* find(int left, int right) const;
  void resize(std::size_t num_slots);

  std::vector<Entry> slots_;  // Open addressing; the number of slots is a power of two.
  int shift_ = 64;
  std::size_t size_ = 0;
};

}  // namespace onggi::text
