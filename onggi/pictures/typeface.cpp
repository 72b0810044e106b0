#include "onggi/pictures/typeface.h"

#include <array>

namespace onggi::pictures {
namespace {

constexpr std::array<Typeface, 8> kTypefaces = {{
    {"square", "NanumSquareEB", "NanumSquareB", "NanumSquareB", -0.035},
    {"square-light", "NanumSquareEB", "NanumSquareR", "NanumSquareB", -0.035},
    {"round", "NanumSquareRoundEB", "NanumSquareRoundB", "NanumSquareRoundB", -0.03},
    {"gothic", "NanumGothicExtraBold", "NanumGothicBold", "NanumGothicBold", -0.045},
    {"barun", "NanumBarunGothicBold", "NanumBarunGothic", "NanumBarunGothicBold", -0.03},
    {"myeongjo", "NanumMyeongjoExtraBold", "NanumMyeongjoBold", "NanumBarunGothicBold", -0.05},
    {"book", "NanumMyeongjoExtraBold", "NanumMyeongjo", "NanumMyeongjoBold", -0.05},
    {"pen", "NanumBarunpenB", "NanumBarunpenB", "NanumBarunGothicBold", -0.02},
}};

bool is_bold(std::string_view name) { return name.ends_with('B') || name.ends_with("Bold"); }

}  // namespace

std::span<const Typeface> typefaces() { return kTypefaces; }

FontChain chain_of(const FontShelf& shelf, std::string_view name) {
  const bool bold = is_bold(name);
  return {&shelf.font(std::string(name)), &shelf.font(bold ? "NanumGothicBold" : "NanumGothic"),
          &shelf.font(bold ? "DejaVuSans-Bold" : "DejaVuSans")};
}

}  // namespace onggi::pictures
