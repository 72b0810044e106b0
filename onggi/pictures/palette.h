#pragma once

#include <span>
#include <string_view>

#include "onggi/pictures/color.h"

namespace onggi::pictures {

/// Colours that go together. On a light palette `paper` is near white and `ink` near black; on a dark one the reverse.
struct Palette {
  std::string_view name;
  Color paper, tint, main, deep, pop, ink;
};

std::span<const Palette> palettes();

/// What is drawn with where the ground has one colour.
struct Tones {
  Color ground;
  Color main, soft, deep, pop;  ///< All of them stand out from the ground; soft the least.
  Color light;                  ///< Of highlights.
  Color ink;                    ///< Text: 4.5 or more against the ground.
  Color accent;                 ///< Text with a colour, where one reaches 4.5; else ink.
};

/// Which of a palette's colours is the ground of a card.
enum class Ground { kPaper, kTint, kMain, kDeep };
constexpr int kNumGrounds = 4;
std::string_view ground_name(Ground ground);

Tones tones_on(const Palette& palette, Ground ground);

}  // namespace onggi::pictures
