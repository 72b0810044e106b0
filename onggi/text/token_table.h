#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace onggi::text {

/// Bytes to id, for hundreds of thousands of short keys: one flat array, built in a fraction of the time of a node map.
/// The keys' bytes must outlive the table. Immutable and thread-safe once filled.
class TokenTable {
 public:
  /// A hash that can be extended byte by byte: hash(ab) = extend(hash(a), b).
  static constexpr std::uint64_t kSeed = 0xCBF29CE484222325u;
  static std::uint64_t extend(std::uint64_t hash, char byte) {
    return (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;
  }

  /// Room for `num_keys`; call before the first add.
  void reserve(std::size_t num_keys);
  /// Of equal keys the first stays.
  void add(std::string_view key, int id);
  /// -1 where absent.
  int find(std::string_view key) const { return find(key, hash_of(key)); }
  int find(std::string_view key, std::uint64_t hash) const {
    if (slots_.empty()) return -1;
    const std::uint64_t mixed = hash * 0x9E3779B97F4A7C15u;
    const auto tag = static_cast<std::uint32_t>(mixed);
    for (std::size_t at = mixed >> shift_; slots_[at].id >= 0; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].tag == tag && keys_[static_cast<std::size_t>(slots_[at].key)] == key) return slots_[at].id;
    }
    return -1;
  }

  static std::uint64_t hash_of(std::string_view key) {
    std::uint64_t hash = kSeed;
    for (const char c : key) hash = extend(hash, c);
    return hash;
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    int key = 0;
    int id = -1;
  };
  std::vector<Slot> slots_;
  std::vector<std::string_view> keys_;
  int shift_ = 64;
};

}  // namespace onggi::text
