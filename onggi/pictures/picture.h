#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onggi/pictures/card.h"
#include "onggi/pictures/design.h"
#include "onggi/pictures/measure.h"

namespace onggi::pictures {

struct Size {
  int width = 0, height = 0;
  bool operator==(const Size&) const = default;
};

/// "640x800". Each side is `kMinSide` to `kMaxSide` and neither more than 2.5 times the other. Throws kInvalidArgument.
Size parse_size(std::string_view text);
std::string size_text(Size size);
constexpr int kMinSide = 160, kMaxSide = 4096;

/// A card in one size.
struct CardPicture {
  Scene scene;
  std::vector<PlacedText> texts;
};

/// Nothing where the texts have no room in the design's layout. `card` is prepared (`prepare_card`).
std::optional<CardPicture> compose_card(const CardText& card, const Design& design, Size size, const FontShelf& fonts);

/// A picture with its pixels and what was measured on them.
struct DrawnPicture {
  CardPicture picture;
  Image image;
  std::vector<TextMeasure> measures;  ///< Of `picture.texts`.
};

/// A card in all sizes, in one design.
struct DrawnCard {
  Design design;
  int attempt = 0;
  std::vector<DrawnPicture> pictures;  ///< In the order of the sizes.
};

/// The card's first design from `first_attempt` on in which, in every size, all texts have room, none is cut and each
/// reaches its contrast. Depends on card, seed, sizes and first attempt alone. Throws kInvalidArgument where none of
/// `kMaxAttempts` does, naming the text that is in the way.
DrawnCard draw_card(const CardText& card, std::uint64_t seed, std::span<const Size> sizes, const FontShelf& fonts,
                    int first_attempt = 0);
constexpr int kMaxAttempts = 64;

}  // namespace onggi::pictures
