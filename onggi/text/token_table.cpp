#include "onggi/text/token_table.h"

namespace onggi::text {

void TokenTable::reserve(std::size_t num_keys) {
  std::size_t size = 16;
  shift_ = 60;
  for (; size < num_keys * 2; size *= 2) --shift_;
  slots_.assign(size, {});
  keys_.reserve(num_keys);
}

void TokenTable::add(std::string_view key, int id) {
  const std::uint64_t mixed = hash_of(key) * 0x9E3779B97F4A7C15u;
  const auto tag = static_cast<std::uint32_t>(mixed);
  std::size_t at = mixed >> shift_;
  for (; slots_[at].id >= 0; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].tag == tag && keys_[static_cast<std::size_t>(slots_[at].key)] == key) return;
  }
  slots_[at] = {tag, static_cast<int>(keys_.size()), id};
  keys_.push_back(key);
}

}  // namespace onggi::text
