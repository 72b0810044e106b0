#include "onggi/tasks/doubt/noise.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "onggi/core/random.h"

namespace onggi::tasks {
namespace {

using eval::Card;

constexpr std::uint64_t kNoiseStream = 0x6E6F6973;  // "nois"

class Spoiler {
 public:
  Spoiler(std::vector<DoubtRow>& rows, std::uint64_t seed) : rows_(rows), seed_(seed) {
    for (const auto& row : rows) {
      for (const auto& card : row.row.gold) {
        cards_[row.row.category].push_back({row.group, card});
        entities_.try_emplace(row.group, card.entity);
      }
    }
  }

  /// False where this row can't go wrong so.
  bool spoil(DoubtRow& row, NoiseKind kind) {
    auto& gold = row.row.gold;
    if (kind == NoiseKind::kInvented) return invent(row);
    if (gold.empty()) return false;
    const std::size_t at = draw(gold.size());
    if (kind == NoiseKind::kDropped) {
      gold.erase(gold.begin() + static_cast<std::ptrdiff_t>(at));
      return true;
    }
    return kind == NoiseKind::kAspect ? change_aspect(row, gold[at]) : change_entity(row, gold[at]);
  }

  std::size_t draw(std::size_t bound) { return uniform_int(seed_, kNoiseStream, next_++, bound); }

 private:
  struct Seen {
    std::string group;
    Card card;
  };

  bool has_name(const DoubtRow& row, const std::string& name) const {
    return std::ranges::find(row.row.gold, name, &Card::name) != row.row.gold.end();
  }

  /// A theme of the category as often as it has them, so that frequent aspects are the usual mistake.
  template <class Fits>
  const Seen* draw_card(const DoubtRow& row, Fits fits) {
    constexpr int kTries = 50;
    const auto found = cards_.find(row.row.category);
    if (found == cards_.end()) return nullptr;
    for (int i = 0; i < kTries; ++i) {
      const auto& seen = found->second[draw(found->second.size())];
      if (fits(seen)) return &seen;
    }
    return nullptr;
  }

  bool change_aspect(DoubtRow& row, Card& card) {
    const Seen* other = draw_card(row, [&](const Seen& seen) { return !has_name(row, seen.card.name); });
    if (other == nullptr) return false;
    card.name = other->card.name;
    return true;
  }

  bool change_entity(DoubtRow& row, Card& card) {
    if (draw(2) == 0) {
      std::vector<std::string> words;
      for (std::size_t at = 0; at < row.row.product.size();) {
        const auto end = std::min(row.row.product.find(' ', at), row.row.product.size());
        const auto word = row.row.product.substr(at, end - at);
        const bool has_digit = std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; });
        if (at > 0 && !word.empty() && !has_digit && word != card.entity) words.push_back(word);
        at = end + 1;
      }
      if (!words.empty()) {
        card.entity = words[draw(words.size())];
        return true;
      }
    }
    const Seen* other = draw_card(row, [&](const Seen& seen) { return seen.card.entity != card.entity; });
    if (other == nullptr) return false;
    card.entity = other->card.entity;
    return true;
  }

  bool invent(DoubtRow& row) {
    constexpr std::size_t kMostThemes = 3;
    if (row.row.gold.size() >= kMostThemes) return false;
    const Seen* other =
        draw_card(row, [&](const Seen& seen) { return seen.group != row.group && !has_name(row, seen.card.name); });
    if (other == nullptr) return false;
    Card card = other->card;
    const auto own = entities_.find(row.group);
    if (!row.row.gold.empty()) {
      card.entity = row.row.gold.front().entity;
    } else if (own != entities_.end()) {
      card.entity = own->second;
    }
    row.row.gold.push_back(std::move(card));
    return true;
  }

  std::vector<DoubtRow>& rows_;
  const std::uint64_t seed_;
  std::uint64_t next_ = 0;
  std::map<std::string, std::vector<Seen>> cards_;  ///< By category.
  std::map<std::string, std::string> entities_;     ///< Of groups.
};

}  // namespace

std::string_view noise_name(NoiseKind kind) {
  static constexpr std::array<std::string_view, kNoiseKinds.size()> kNames = {"aspect", "entity", "dropped",
                                                                              "invented"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<std::optional<NoiseKind>> plant_noise(std::vector<DoubtRow>& rows, double share,
                                                  std::span<const NoiseKind> kinds, std::uint64_t seed) {
  std::vector<std::optional<NoiseKind>> planted(rows.size());
  Spoiler spoiler(rows, seed);
  std::vector<std::size_t> turn(rows.size());
  std::iota(turn.begin(), turn.end(), std::size_t{0});
  for (std::size_t i = turn.size(); i > 1; --i) std::swap(turn[i - 1], turn[spoiler.draw(i)]);
  const auto wanted = static_cast<std::size_t>(std::llround(share * static_cast<double>(rows.size())));
  std::size_t num_planted = 0;
  // One kind after the other takes the next row that it fits, until there are enough or none fits.
  for (bool fits = true; fits && num_planted < wanted;) {
    fits = false;
    for (const NoiseKind kind : kinds) {
      if (num_planted == wanted) break;
      const auto row =
          std::ranges::find_if(turn, [&](std::size_t i) { return !planted[i] && spoiler.spoil(rows[i], kind); });
      if (row == turn.end()) continue;
      planted[*row] = kind;
      ++num_planted;
      fits = true;
    }
  }
  return planted;
}

}  // namespace onggi::tasks
