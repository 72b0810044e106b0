// Which figures stand for which aspect. The names are those of the review themes (examples/review-themes/guide.json).

#include <array>
#include <string>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/pictures/motif.h"

namespace onggi::pictures {
namespace {

struct AspectRow {
  std::string_view aspect;
  std::array<std::string_view, 4> names;  ///< Empty ones are left out.
};

constexpr std::array<AspectRow, 40> kRows = {{
    {"보습력", {"drop", "ripple", "cloud", "jar"}},       {"흡수력", {"skin", "ripple", "drop", "glow"}},
    {"발림성", {"swatch", "silk", "cream", "jar"}},       {"사용감", {"cream", "pebbles", "cloud", "silk"}},
    {"저자극", {"feather", "clover", "cloud", "flower"}}, {"진정", {"clover", "leaf", "sprig", "ripple"}},
    {"피부결", {"silk", "glow", "pebbles", "swatch"}},    {"톤업", {"glow", "sun", "sparkle", "layers"}},
    {"탄력", {"bounce", "orbit", "arches", "cream"}},     {"커버력", {"layers", "pans", "swatch", "arches"}},
    {"발색", {"lipstick", "pans", "chips", "swatch"}},    {"지속력", {"clock", "orbit", "moon", "sun"}},
    {"밀착력", {"layers", "weave", "swatch", "bauhaus"}}, {"세정력", {"bubbles", "drop", "sparkle", "bottle"}},
    {"향", {"flower", "sprig", "wind", "vase"}},          {"두피케어", {"comb", "leaf", "drop", "bottle"}},
    {"모발케어", {"strands", "comb", "silk", "bottle"}},  {"효과", {"sparkle", "gauge", "heart", "sun"}},
    {"맛", {"orange", "cherry", "bowl", "cookie"}},       {"식감", {"cookie", "orange", "bowl", "pebbles"}},
    {"포만감", {"bowl", "cookie", "heart", "cherry"}},    {"성분", {"molecule", "sprig", "clover", "leaf"}},
    {"간편함", {"plane", "sliders", "sparkle", "bag"}},   {"가성비", {"tag", "coins", "heart", "bag"}},
    {"용량", {"bottle", "jar", "boxes", "gauge"}},        {"디자인", {"bauhaus", "vase", "arches", "gem"}},
    {"색상", {"chips", "bauhaus", "pans", "arches"}},     {"소재", {"weave", "knit", "feather", "silk"}},
    {"착용감", {"shirt", "hanger", "feather", "cloud"}},  {"사이즈", {"ruler", "boxes", "hanger", "shirt"}},
    {"보온성", {"knit", "flame", "sun", "cloud"}},        {"통기성", {"wind", "cloud", "feather", "leaf"}},
    {"내구성", {"gem", "shield", "weave", "boxes"}},      {"수납력", {"boxes", "bag", "layers", "bauhaus"}},
    {"휴대성", {"bag", "plane", "feather", "tag"}},       {"성능", {"gauge", "dial", "sparkle", "orbit"}},
    {"조작성", {"dial", "sliders", "plane", "orbit"}},    {"소음", {"quiet", "moon", "cloud", "feather"}},
    {"안전성", {"shield", "heart", "clover", "arches"}},  {"기호성", {"paw", "bowl", "heart", "cookie"}},
}};

std::vector<Motif> all_motifs() {
  std::vector<Motif> all;
  for (const auto part : {nature_motifs(), care_motifs(), goods_motifs(), sign_motifs()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

std::span<const Motif> motifs() {
  static const std::vector<Motif> all = all_motifs();
  return all;
}

int find_motif(std::string_view name) {
  const auto all = motifs();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == name) return static_cast<int>(i);
    names.emplace_back(all[i].name);
  }
  const std::string nearest = nearest_name(name, names);
  throw Error(ErrorCode::kInvalidArgument,
              "there is no motif \"" + std::string(name) + "\"" + (nearest.empty() ? "" : "; nearest: " + nearest));
}

std::vector<int> motifs_of_aspect(std::string_view aspect) {
  std::vector<int> found;
  for (const AspectRow& row : kRows) {
    if (row.aspect != aspect) continue;
    for (const auto name : row.names) {
      if (!name.empty()) found.push_back(find_motif(name));
    }
    return found;
  }
  const std::string digits = sha256_hex(aspect);
  for (std::size_t i = 0; i < 3; ++i)
    found.push_back(static_cast<int>(std::stoul(digits.substr(8 * i, 7), nullptr, 16) % motifs().size()));
  return found;
}

}  // namespace onggi::pictures
