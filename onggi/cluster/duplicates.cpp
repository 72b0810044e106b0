#include "onggi/cluster/duplicates.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "onggi/cluster/shingles.h"
#include "onggi/core/error.h"
#include "onggi/text/utf8.h"

namespace onggi::cluster {
namespace {

constexpr std::int64_t kTextsPerTask = 256;

std::int64_t num_characters(const std::string& text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

class Groups {
 public:
  explicit Groups(std::size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), 0); }
  std::int32_t top(std::int32_t i) {
    while (parent_[static_cast<std::size_t>(i)] != i) {
      auto& up = parent_[static_cast<std::size_t>(i)];
      up = parent_[static_cast<std::size_t>(up)];
      i = up;
    }
    return i;
  }
  /// The lower one becomes the top, whatever the order of calls.
  void join(std::int32_t a, std::int32_t b) {
    a = top(a);
    b = top(b);
    parent_[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
  }

 private:
  std::vector<std::int32_t> parent_;
};

/// One finding of duplicates. Texts with one key are one unit; only units are compared.
class Search {
 public:
  Search(std::span<const std::string> texts, const DuplicateOptions& options, ThreadPool& pool, const Report& report)
      : texts_(texts), options_(options), pool_(pool), report_(report) {}

  Duplicates run() {
    make_units();
    groups_.emplace(units_.size());
    make_shingles();
    if (options_.exact) {
      join_by_prefixes();
    } else {
      join_by_bands();
    }
    return result();
  }

 private:
  struct Unit {
    std::int32_t first = 0;  ///< Its first text.
    std::int32_t count = 0;
    bool is_short = false;
    std::string text;  ///< Without spaces; empty once there are shingles.
  };

  Groups& groups() { return *groups_; }
  void step(const char* name, std::int64_t done, std::int64_t total) const {
    if (report_) report_(name, done, total);
  }

  void make_units() {
    struct Keyed {
      std::string text, key;
      bool is_short = false;
    };
    std::vector<Keyed> keyed(texts_.size());
    const auto size = static_cast<std::int64_t>(texts_.size());
    pool_.run((size + kTextsPerTask - 1) / kTextsPerTask, [&](std::int64_t task, int) {
      for (std::int64_t i = task * kTextsPerTask; i < std::min(size, (task + 1) * kTextsPerTask); ++i) {
        const auto& text = texts_[static_cast<std::size_t>(i)];
        auto& out = keyed[static_cast<std::size_t>(i)];
        out.text = without_spaces(text);
        out.is_short = num_characters(out.text) < options_.short_characters;
        // A mark of its own, so that a short text's key is never that of a long one.
        out.key = out.is_short ? "s" + matching_key(text) : "l" + out.text;
      }
    });
    std::unordered_map<std::string, std::int32_t> unit_by_key;
    for (std::size_t i = 0; i < keyed.size(); ++i) {
      const auto [found, is_new] =
          unit_by_key.emplace(std::move(keyed[i].key), static_cast<std::int32_t>(units_.size()));
      if (is_new)
        units_.push_back({.first = static_cast<std::int32_t>(i),
                          .count = 0,
                          .is_short = keyed[i].is_short,
                          .text = std::move(keyed[i].text)});
      ++units_[static_cast<std::size_t>(found->second)].count;
      unit_of_.push_back(found->second);
    }
    step("keys", size, size);
  }

  void make_shingles() {
    shingles_.resize(units_.size());
    const auto size = static_cast<std::int64_t>(units_.size());
    pool_.run((size + kTextsPerTask - 1) / kTextsPerTask, [&](std::int64_t task, int) {
      for (std::int64_t u = task * kTextsPerTask; u < std::min(size, (task + 1) * kTextsPerTask); ++u) {
        auto& unit = units_[static_cast<std::size_t>(u)];
        if (!unit.is_short) shingles_[static_cast<std::size_t>(u)] = shingles_of(unit.text, options_.shingle);
        unit.text.clear();
        unit.text.shrink_to_fit();
      }
    });
  }

  const Shingles& set(std::int32_t unit) const { return shingles_[static_cast<std::size_t>(unit)]; }

  /// Joins the two if they are near enough and in different groups.
  void compare(std::int32_t a, std::int32_t b) {
    if (groups().top(a) == groups().top(b)) return;
    const auto smaller = static_cast<double>(std::min(set(a).size(), set(b).size()));
    if (smaller < options_.threshold * static_cast<double>(std::max(set(a).size(), set(b).size()))) return;
    ++num_pairs_;
    if (jaccard(set(a), set(b)) >= options_.threshold) groups().join(a, b);
  }

  void join_by_bands() {
    const MinHasher hasher(options_.num_permutations, options_.seed);
    const Bands bands = best_bands(options_.num_permutations, options_.threshold, options_.miss);
    const auto size = static_cast<std::int64_t>(units_.size());
    const auto num_bands = static_cast<std::size_t>(bands.bands), rows = static_cast<std::size_t>(bands.rows);
    std::vector<std::uint64_t> keys(units_.size() * num_bands);  // [band][unit]
    constexpr std::int64_t kTasksPerGroup = 64;
    const std::int64_t tasks = (size + kTextsPerTask - 1) / kTextsPerTask;
    for (std::int64_t group = 0; group < tasks; group += kTasksPerGroup) {
      pool_.run(std::min(kTasksPerGroup, tasks - group), [&](std::int64_t task, int) {
        std::vector<std::uint64_t> signature(static_cast<std::size_t>(hasher.num_permutations()));
        const std::int64_t first = (group + task) * kTextsPerTask;
        for (std::int64_t u = first; u < std::min(size, first + kTextsPerTask); ++u) {
          const auto unit = static_cast<std::size_t>(u);
          if (shingles_[unit].empty()) continue;
          hasher.sign(shingles_[unit], signature);
          for (std::size_t b = 0; b < num_bands; ++b) {
            std::uint64_t key = b;
            for (std::size_t r = 0; r < rows; ++r)
              key = (key ^ signature[b * rows + r]) * 0x9E3779B97F4A7C15U + (key >> 29U);
            keys[b * units_.size() + unit] = key;
          }
        }
      });
      step("signatures", std::min(size, (group + kTasksPerGroup) * kTextsPerTask), size);
    }
    std::vector<std::pair<std::uint64_t, std::int32_t>> order;
    for (std::size_t b = 0; b < num_bands; ++b) {
      order.clear();
      for (std::size_t u = 0; u < units_.size(); ++u) {
        if (!shingles_[u].empty()) order.emplace_back(keys[b * units_.size() + u], static_cast<std::int32_t>(u));
      }
      std::ranges::sort(order);
      for (std::size_t first = 0; first < order.size();) {
        std::size_t last = first;
        while (last < order.size() && order[last].first == order[first].first) ++last;
        compare_bucket(std::span(order).subspan(first, last - first));
        first = last;
      }
      step("near-duplicates", static_cast<std::int64_t>(b) + 1, bands.bands);
    }
  }

  /// Each with those before it, the nearest before it first.
  void compare_bucket(std::span<const std::pair<std::uint64_t, std::int32_t>> bucket) {
    for (std::size_t i = 1; i < bucket.size(); ++i) {
      std::int64_t budget = options_.max_bucket;
      for (std::size_t j = i; j-- > 0;) {
        if (budget-- == 0) {
          num_left_out_ += static_cast<std::int64_t>(j) + 1;
          break;
        }
        compare(bucket[i].second, bucket[j].second);
      }
    }
  }

  /// Sets with similarity t or more share one of their rarest |x| - ceil(t |x|) + 1 grams (Chaudhuri et al. 2006).
  void join_by_prefixes() {
    std::unordered_map<std::uint64_t, std::int32_t> frequency;
    for (const auto& grams : shingles_) {
      for (const auto gram : grams) ++frequency[gram];
    }
    std::vector<std::int32_t> order;
    for (std::size_t u = 0; u < units_.size(); ++u) {
      if (!shingles_[u].empty()) order.push_back(static_cast<std::int32_t>(u));
    }
    std::ranges::stable_sort(order, {}, [&](std::int32_t u) { return set(u).size(); });
    std::unordered_map<std::uint64_t, std::vector<std::int32_t>> seen;
    std::vector<std::int32_t> last_met(units_.size(), -1);
    std::int64_t done = 0;
    for (const auto unit : order) {
      Shingles rare = set(unit);
      std::ranges::sort(rare, [&](std::uint64_t a, std::uint64_t b) {
        return std::pair(frequency[a], a) < std::pair(frequency[b], b);
      });
      const auto size = static_cast<double>(rare.size());
      const auto needed = static_cast<std::size_t>(std::ceil(options_.threshold * size - 1e-9));
      for (std::size_t i = 0; i + needed <= rare.size(); ++i) {
        auto& with = seen[rare[i]];
        for (const auto other : with) {
          if (std::exchange(last_met[static_cast<std::size_t>(other)], unit) != unit) compare(unit, other);
        }
        with.push_back(unit);
      }
      if (++done % 1024 == 0 || done == static_cast<std::int64_t>(order.size()))
        step("near-duplicates", done, static_cast<std::int64_t>(order.size()));
    }
  }

  Duplicates result() {
    Duplicates out{.num_pairs = num_pairs_, .num_left_out = num_left_out_};
    const auto is_better = [&](std::int32_t a, std::int32_t b) {
      const Unit &x = units_[static_cast<std::size_t>(a)], &y = units_[static_cast<std::size_t>(b)];
      const auto length = [&](const Unit& u) { return num_characters(texts_[static_cast<std::size_t>(u.first)]); };
      if (x.count != y.count) return x.count > y.count;
      if (length(x) != length(y)) return length(x) > length(y);
      return x.first < y.first;
    };
    std::vector<std::int32_t> best(units_.size(), -1), counts(units_.size(), 0);
    for (std::int32_t u = 0; u < static_cast<std::int32_t>(units_.size()); ++u) {
      auto& own = best[static_cast<std::size_t>(groups().top(u))];
      if (own < 0 || is_better(u, own)) own = u;
      counts[static_cast<std::size_t>(groups().top(u))] += units_[static_cast<std::size_t>(u)].count;
    }
    std::int64_t num_groups = 0;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      const auto top = static_cast<std::size_t>(groups().top(unit_of_[i]));
      const std::int32_t stands = units_[static_cast<std::size_t>(best[top])].first;
      out.canonical.push_back(stands);
      if (stands != static_cast<std::int32_t>(i)) continue;
      out.kept.push_back(stands);
      out.counts.push_back(counts[top]);
      ++num_groups;
    }
    out.num_same = static_cast<std::int64_t>(texts_.size() - units_.size());
    out.num_near = static_cast<std::int64_t>(units_.size()) - num_groups;
    return out;
  }

  std::span<const std::string> texts_;
  const DuplicateOptions& options_;
  ThreadPool& pool_;
  const Report& report_;
  std::vector<Unit> units_;
  std::vector<std::int32_t> unit_of_;
  std::vector<Shingles> shingles_;
  std::optional<Groups> groups_;  ///< Of units, once they are known.
  std::int64_t num_pairs_ = 0, num_left_out_ = 0;
};

}  // namespace

DuplicateOptions expression_duplicates() {
  return {.shingle = 3, .threshold = 0.9, .short_characters = 0, .exact = true};
}

Duplicates find_duplicates(std::span<const std::string> texts, const DuplicateOptions& options, ThreadPool& pool,
                           const Report& report) {
  require(options.threshold > 0 && options.threshold <= 1, "duplicates: the threshold must be above 0 and at most 1");
  require(options.short_characters >= 0 && options.max_bucket >= 1,
          "duplicates: short_characters must be 0 or more, max_bucket 1 or more");
  require(texts.size() < (std::size_t{1} << 31), "duplicates: more than 2^31 texts");
  return Search(texts, options, pool, report).run();
}

}  // namespace onggi::cluster
