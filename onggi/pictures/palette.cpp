#include "onggi/pictures/palette.h"

#include <algorithm>
#include <array>

namespace onggi::pictures {
namespace {

constexpr Palette make(std::string_view name, std::uint32_t paper, std::uint32_t tint, std::uint32_t main,
                       std::uint32_t deep, std::uint32_t pop, std::uint32_t ink) {
  return {name, rgb(paper), rgb(tint), rgb(main), rgb(deep), rgb(pop), rgb(ink)};
}

constexpr std::array<Palette, 32> kPalettes = {{
    make("mist", 0xF4F8FA, 0xDCEBF2, 0x6FA8C9, 0x1F4E6B, 0xF2A98C, 0x14303F),
    make("sage", 0xF6F7F1, 0xDFE7D6, 0x8FAE86, 0x3B5B41, 0xE9B872, 0x22332A),
    make("blush", 0xFDF5F3, 0xF8DDD8, 0xE79C96, 0x8E3B46, 0xF4C95D, 0x43202A),
    make("butter", 0xFFFBEC, 0xFBEBB5, 0xF2C14E, 0x7E520A, 0xE4572E, 0x3A2A10),
    make("lilac", 0xF8F6FC, 0xE5DDF4, 0xA78BD4, 0x4A3378, 0xF6A5C0, 0x2A1D45),
    make("ocean", 0xEFF6FB, 0xCFE3F4, 0x3D7DCA, 0x143A73, 0xFFB84C, 0x0E2240),
    make("forest", 0x17332B, 0x23493D, 0x5B9D82, 0x0E211B, 0xF2C879, 0xF4F1E4),
    make("midnight", 0x131A33, 0x222E57, 0x6B89EA, 0x0B1022, 0xF6C667, 0xF1F3FF),
    make("clay", 0xFAF3EC, 0xEFDCC9, 0xC9855B, 0x6B3A22, 0x3F7D7A, 0x34201A),
    make("coral", 0xFFF4EF, 0xFFD9CB, 0xFF8663, 0x8F2A18, 0x2E6F95, 0x401A12),
    make("mint", 0xF1FBF7, 0xCDEFE1, 0x5CC3A3, 0x0F5B4A, 0xFF8C69, 0x0C332A),
    make("mono", 0xFAFAF8, 0xE6E4DF, 0xA8A59E, 0x2B2A28, 0xE2583E, 0x1B1A19),
    make("cocoa", 0x2E1F1A, 0x4A342C, 0xC48D68, 0x1C120F, 0xF3D9B1, 0xFBF1E4),
    make("cherry", 0xFFF3F4, 0xFBD3D8, 0xE2556F, 0x7C1229, 0x2A9D8F, 0x3A0E18),
    make("sky", 0xEAF4FF, 0xC7E0FF, 0x66AAF5, 0x1B4B8F, 0xFFD166, 0x0F2B52),
    make("olive", 0xF7F6EA, 0xE4E3C3, 0xA5A54E, 0x4A4B1B, 0xD9734E, 0x2C2D12),
    make("plum", 0x341A38, 0x512C57, 0xB57BBD, 0x1F0E22, 0xFFC2A1, 0xFBEFFC),
    make("sand", 0xFBF7F0, 0xEEE3D2, 0xC8A97E, 0x6D5230, 0x5B7F95, 0x332718),
    make("teal", 0x0F3D44, 0x18565F, 0x3FB0BC, 0x082529, 0xFFD79A, 0xEFFBFA),
    make("rosewood", 0x4A1524, 0x69253D, 0xDB7589, 0x2C0A14, 0xFFD9C2, 0xFFF1EE),
    make("lemonade", 0xFDFDEB, 0xF1F2B6, 0xCFDA57, 0x56610D, 0xF27EA9, 0x2C310D),
    make("peach", 0xFFF7EF, 0xFFE0C2, 0xFFAE6B, 0x8D430B, 0x5C7AEA, 0x3B1F08),
    make("denim", 0xF1F4F9, 0xD5DEEC, 0x6484B4, 0x223A5E, 0xE9C46A, 0x15243C),
    make("stone", 0xF3F2EF, 0xDEDBD4, 0x9A9484, 0x3F3B33, 0xB5654A, 0x25221D),
    make("matcha", 0xF4F6E9, 0xDDE5B6, 0x93AC4C, 0x3E4F14, 0xC8553D, 0x26300D),
    make("grape", 0xF5F2FB, 0xDCCFF0, 0x7D5CC4, 0x2D1B5A, 0xFFB3A7, 0x1C1138),
    make("onyx", 0x121316, 0x23272E, 0x46D3A0, 0x08090B, 0xFF7B72, 0xF4F6F5),
    make("marine", 0x1C2B4A, 0x2D416D, 0xDDB673, 0x111B30, 0xF28F66, 0xFFF8E7),
    make("rose", 0xFFF5F8, 0xFCD9E5, 0xF08FB2, 0x8A2452, 0x6C8CD5, 0x3D1026),
    make("tomato", 0xFFF6F0, 0xFBDCCB, 0xE8573F, 0x6E1D12, 0x3C8D6E, 0x34120B),
    make("ice", 0xF2FAFC, 0xD3EFF4, 0x74C7D4, 0x175A69, 0xE98BA5, 0x0E333C),
    make("apricot", 0xFFF8F1, 0xFBE3CC, 0xF0A976, 0x7F3F1D, 0x7A9E7E, 0x3A2013),
}};

constexpr Color kWhite = rgb(0xFFFFFF);
constexpr float kReadable = 4.6f;  // A little over 4.5, for what rounding takes.

/// The first that is readable on `ground`; else the last.
Color first_readable(Color ground, std::initializer_list<Color> candidates) {
  for (const Color color : candidates) {
    if (contrast_ratio(color, ground) >= kReadable) return color;
  }
  return *(candidates.end() - 1);
}

Color most_readable(Color ground, std::initializer_list<Color> candidates) {
  return *std::max_element(candidates.begin(), candidates.end(), [ground](Color a, Color b) {
    return contrast_ratio(a, ground) < contrast_ratio(b, ground);
  });
}

/// `color`, moved towards `other` until it is told apart from the ground.
Color told_apart(Color color, Color ground, Color other) {
  constexpr float kLeast = 1.3f;
  for (float share = 0; share < 1; share += 0.1f) {
    const Color moved = mix(color, other, share);
    if (contrast_ratio(moved, ground) >= kLeast) return moved;
  }
  return other;
}

bool is_dark(const Palette& p) { return luminance(p.paper) < luminance(p.ink); }

}  // namespace

std::span<const Palette> palettes() { return kPalettes; }

std::string_view ground_name(Ground ground) {
  static constexpr std::array<std::string_view, kNumGrounds> kNames = {"paper", "tint", "main", "deep"};
  return kNames[static_cast<std::size_t>(ground)];
}

Tones tones_on(const Palette& p, Ground ground) {
  Tones t;
  t.light = kWhite;
  const Color dark = is_dark(p) ? p.deep : p.ink;
  const Color pale = is_dark(p) ? p.ink : p.paper;
  switch (ground) {
    case Ground::kPaper:
      t = {p.paper, p.main, p.tint, is_dark(p) ? mix(p.main, p.ink, 0.55f) : p.deep, p.pop, kWhite, p.ink, p.ink};
      break;
    case Ground::kTint:
      t = {p.tint,
           p.main,
           mix(p.tint, is_dark(p) ? p.ink : p.paper, is_dark(p) ? 0.16f : 0.75f),
           is_dark(p) ? mix(p.main, p.ink, 0.55f) : p.deep,
           p.pop,
           kWhite,
           p.ink,
           p.ink};
      break;
    case Ground::kMain:
      t = {p.main, mix(p.main, pale, 0.62f), mix(p.main, pale, 0.25f), dark, mix(p.pop, pale, 0.15f), kWhite, p.ink,
           p.ink};
      break;
    case Ground::kDeep:
      t = {p.deep, p.main, mix(p.deep, p.main, 0.3f), mix(p.main, pale, 0.6f), p.pop, kWhite, p.ink, p.ink};
      break;
  }
  t.ink = first_readable(
      t.ground, {ground == Ground::kMain ? dark : p.ink, pale, most_readable(t.ground, {kWhite, rgb(0x101010)})});
  t.pop = told_apart(t.pop, t.ground, t.ink);
  t.main = told_apart(t.main, t.ground, t.ink);
  t.accent = first_readable(t.ground, {p.main, ground == Ground::kDeep || is_dark(p) ? p.pop : p.deep, t.ink});
  return t;
}

}  // namespace onggi::pictures
