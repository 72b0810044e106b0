#include "onggi/pictures/design.h"

#include "onggi/core/hash.h"
#include "onggi/pictures/composer.h"

namespace onggi::pictures {
namespace {

std::uint64_t first_u64(std::string_view text) { return std::stoull(sha256_hex(text).substr(0, 16), nullptr, 16); }

}  // namespace

Design choose_design(const CardText& card, std::uint64_t seed, int attempt) {
  const std::uint64_t who = first_u64(card.id + '\n' + card.expression + '\n' + card.entity + '\n' + card.aspect);
  Rng rng(seed, who + static_cast<std::uint64_t>(attempt) * 0x9E3779B97F4A7C15u);
  Design d;
  const auto pick = [&](std::size_t count) { return rng.below(static_cast<int>(count)); };
  d.layout = pick(layouts().size());
  d.palette = pick(palettes().size());
  const auto suited = motifs_of_aspect(card.aspect);
  d.motif = suited[static_cast<std::size_t>(pick(suited.size()))];
  d.arrangement = pick(arrangements().size());
  d.pattern = pick(patterns().size());
  d.typeface = pick(typefaces().size());
  // Paper and tint are what shops print on; full colour now and then.
  const double share = rng.uniform();
  d.ground = share < 0.34 ? Ground::kPaper : share < 0.6 ? Ground::kTint : share < 0.82 ? Ground::kMain : Ground::kDeep;
  d.seed = seed;
  d.art = who ^ (static_cast<std::uint64_t>(attempt) + 1) * 0xD1B54A32D192ED03u;
  return d;
}

std::string design_signature(const Design& d) {
  const Layout& layout = layouts()[static_cast<std::size_t>(d.layout)];
  std::string text;
  for (const std::string_view part :
       {layout.name, palettes()[static_cast<std::size_t>(d.palette)].name, ground_name(d.ground),
        motifs()[static_cast<std::size_t>(d.motif)].name,
        layout.uses_pattern ? patterns()[static_cast<std::size_t>(d.pattern)].name
                            : arrangements()[static_cast<std::size_t>(d.arrangement)].name,
        typefaces()[static_cast<std::size_t>(d.typeface)].name}) {
    if (!text.empty()) text += '/';
    text += part;
  }
  return text;
}

}  // namespace onggi::pictures
