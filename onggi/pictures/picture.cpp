#include "onggi/pictures/picture.h"

#include <algorithm>
#include <charconv>

#include "onggi/core/error.h"
#include "onggi/pictures/composer.h"

namespace onggi::pictures {
namespace {

std::optional<DrawnPicture> draw_measured(const CardText& card, const Design& design, Size size,
                                          const FontShelf& fonts) {
  auto picture = compose_card(card, design, size, fonts);
  if (!picture) return std::nullopt;
  Image image = render(picture->scene, 1, Layers::kWithoutText);
  auto measures = measure_texts(picture->scene, picture->texts, image);
  for (std::size_t i = 0; i < measures.size(); ++i) {
    if (!measures[i].is_whole || measures[i].contrast < picture->texts[i].needed_contrast()) return std::nullopt;
  }
  draw(picture->scene, Layers::kTextOnly, image);
  return DrawnPicture{std::move(*picture), std::move(image), std::move(measures)};
}

/// The piece of the card that needs the most width, for messages.
std::string widest_piece(const CardText& card, const FontShelf& fonts) {
  const FontChain chain = chain_of(fonts, "NanumGothicBold");
  std::string widest;
  double width = -1;
  for (const std::string& text : {card.expression, card.entity, card.aspect, products_line(card)}) {
    if (text.empty()) continue;
    const ShapedText shaped(text, chain, 0);
    const std::string piece(shaped.longest_piece());
    const double w = outline_line(piece, chain, 0).width;
    if (w > width) {
      width = w;
      widest = piece;
    }
  }
  return widest;
}

}  // namespace

Size parse_size(std::string_view text) {
  Size size;
  const std::size_t cross = text.find('x');
  const auto read = [](std::string_view digits, int& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  const bool is_read = cross != std::string_view::npos && read(text.substr(0, cross), size.width) &&
                       read(text.substr(cross + 1), size.height);
  const auto [low, high] = std::minmax(size.width, size.height);
  require(is_read && low >= kMinSide && high <= kMaxSide && high <= 2.5 * low, [&] {
    return "a size is WIDTHxHEIGHT in pixels, each " + std::to_string(kMinSide) + " to " + std::to_string(kMaxSide) +
           " and neither more than 2.5 times the other, as in 640x800; found \"" + std::string(text) + "\"";
  });
  return size;
}

std::string size_text(Size size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

std::optional<CardPicture> compose_card(const CardText& card, const Design& design, Size size, const FontShelf& fonts) {
  Composer composer(card, design, size.width, size.height, fonts);
  if (!layouts()[static_cast<std::size_t>(design.layout)].compose(composer)) return std::nullopt;
  for (const PlacedText& text : composer.texts) composer.scene.fill_text(text.outline, text.color);
  return CardPicture{std::move(composer.scene), std::move(composer.texts)};
}

DrawnCard draw_card(const CardText& card, std::uint64_t seed, std::span<const Size> sizes, const FontShelf& fonts,
                    int first_attempt) {
  for (int attempt = first_attempt; attempt < first_attempt + kMaxAttempts; ++attempt) {
    DrawnCard drawn{choose_design(card, seed, attempt), attempt, {}};
    for (const Size size : sizes) {
      auto picture = draw_measured(card, drawn.design, size, fonts);
      if (!picture) break;
      drawn.pictures.push_back(std::move(*picture));
    }
    if (drawn.pictures.size() == sizes.size()) return drawn;
  }
  throw Error(
      ErrorCode::kInvalidArgument,
      "the card's text fits into no layout at a size that can be read; the longest piece that can't be broken is \"" +
          widest_piece(card, fonts) + "\" of \"" + card.expression + " " + card.entity + "\"");
}

}  // namespace onggi::pictures
