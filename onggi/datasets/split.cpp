#include "onggi/datasets/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/core/random.h"
#include "onggi/datasets/characters.h"

namespace onggi::datasets {
namespace {

constexpr std::uint64_t kSplitStream = 0x73706C6974;  // "split"

std::uint64_t hash_bucket(std::string_view salt, std::string_view group, std::int64_t modulus) {
  const std::string digest = sha256_hex(std::string(salt) + std::string(group));
  return std::stoull(digest.substr(0, 8), nullptr, 16) % static_cast<std::uint64_t>(modulus);
}

void shuffle(std::vector<std::size_t>& indices, std::uint64_t seed, std::uint64_t stream) {
  for (std::size_t i = indices.size(); i > 1; --i) std::swap(indices[i - 1], indices[uniform_int(seed, stream, i, i)]);
}

Split split_by_group(std::span<const Row> rows, const SplitOptions& options) {
  require(options.modulus > 1 && options.validation_modulus >= 0 && options.validation_modulus != 1,
          "split: modulus must be above 1, validation_modulus 0 or above 1");
  Split split;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string group = text_of(rows[i], options.group);
    if (hash_bucket(options.salt, group, options.modulus) == 0) {
      split.test.push_back(i);
    } else if (options.validation_modulus > 0 &&
               hash_bucket(options.validation_salt, group, options.validation_modulus) == 0) {
      split.validation.push_back(i);
    } else {
      split.train.push_back(i);
    }
  }
  return split;
}

/// Deals a stratum's shuffled rows: the first to test, the next to validation, the rest to train.
void deal(std::vector<std::size_t> stratum, const SplitOptions& options, std::uint64_t stream, Split& split) {
  shuffle(stratum, static_cast<std::uint64_t>(options.seed), stream);
  const auto size = static_cast<double>(stratum.size());
  const auto num_test = static_cast<std::size_t>(std::lround(size * options.test_share));
  const auto num_validation = static_cast<std::size_t>(std::lround(size * options.validation_share));
  for (std::size_t i = 0; i < stratum.size(); ++i) {
    (i < num_test ? split.test : i < num_test + num_validation ? split.validation : split.train).push_back(stratum[i]);
  }
}

Split split_by_share(std::span<const Row> rows, const SplitOptions& options) {
  const auto is_share = [](double share) { return share >= 0 && share < 1; };
  require(is_share(options.test_share) && is_share(options.validation_share) &&
              options.test_share + options.validation_share < 1,
          "split: test_share and validation_share must be at least 0 and below 1 together");
  std::map<std::string, std::vector<std::size_t>> strata;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    strata[options.kind == "stratified" ? text_of(rows[i], options.label) : ""].push_back(i);
  }
  Split split;
  std::uint64_t stream = kSplitStream;
  for (auto& [label, stratum] : strata) deal(std::move(stratum), options, stream++, split);
  for (auto* part : {&split.train, &split.validation, &split.test}) std::ranges::sort(*part);
  return split;
}

}  // namespace

Split split_rows(std::span<const Row> rows, const SplitOptions& options) {
  if (options.kind == "group") return split_by_group(rows, options);
  require(options.kind == "stratified" || options.kind == "random",
          "split: kind must be group, stratified or random, found \"" + options.kind + "\"");
  return split_by_share(rows, options);
}

std::vector<Row> select(std::span<const Row> rows, std::span<const std::size_t> indices) {
  std::vector<Row> selected;
  selected.reserve(indices.size());
  for (const std::size_t i : indices) selected.push_back(rows[i]);
  return selected;
}

std::string row_text_key(const Row& row, std::span<const std::string> texts, std::string_view id) {
  std::string key;
  const auto append = [&](const Json& value) {
    key += collapse_spaces(to_nfc(value.is_string() ? value.get_ref<const std::string&>() : dump_json(value)));
    key += '\x1f';  // unit separator: "a" + "bc" is not "ab" + "c"
  };
  for (const auto& column : texts) append(column_of(row, column));
  if (!texts.empty()) return key;
  for (const auto& item : row.fields.items()) {
    if (item.key() != id && item.value().is_string()) append(item.value());
  }
  return key;
}

std::int64_t count_duplicates(std::span<const Row> rows, std::span<const std::string> texts, std::string_view id) {
  std::unordered_set<std::string> seen;
  std::int64_t duplicates = 0;
  for (const Row& row : rows) duplicates += !seen.insert(row_text_key(row, texts, id)).second;
  return duplicates;
}

void check_no_leak(std::span<const SplitPart> parts, const LeakOptions& options) {
  struct Owner {
    std::size_t part;
    const Row* row;
  };
  std::unordered_map<std::string, Owner> groups, texts;
  const auto claim = [&](auto& owners, const std::string& key, std::size_t part, const Row& row, auto describe) {
    const auto [entry, is_new] = owners.try_emplace(key, Owner{part, &row});
    if (is_new || entry->second.part == part) return;
    const Owner& owner = entry->second;
    throw Error(ErrorCode::kInvalidArgument,
                "split: " + describe() + " is in " + parts[owner.part].name + " (" + place_of(*owner.row) + ") and in " +
                    parts[part].name,
                place_of(row));
  };
  for (std::size_t p = 0; p < parts.size(); ++p) {
    for (const Row& row : parts[p].rows) {
      if (!options.group.empty()) {
        const std::string group = collapse_spaces(to_nfc(text_of(row, options.group)));
        claim(groups, group, p, row, [&] { return options.group + " \"" + group + "\""; });
      }
      claim(texts, row_text_key(row, options.texts, options.id), p, row, [] { return std::string("the same row"); });
    }
  }
}

}  // namespace onggi::datasets
