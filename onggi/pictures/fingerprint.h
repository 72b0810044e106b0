#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "onggi/pictures/image.h"

namespace onggi::pictures {

/// What a picture looks like from afar: whether it grows lighter to the right and downwards at 64 places each (dHash),
/// and the mean colours of 16 fields.
struct Fingerprint {
  std::array<std::uint64_t, 2> slopes{};
  std::array<std::uint8_t, 48> colors{};

  bool operator==(const Fingerprint&) const = default;
  /// 128 hexadecimal digits.
  std::string text() const;
  /// Throws kCorrupt.
  static Fingerprint parse(std::string_view text, std::string_view where);
};

Fingerprint fingerprint_of(const Image& image);

struct Likeness {
  int slopes = 0;    ///< Of 128 how many differ.
  double color = 0;  ///< Mean difference of the fields' channels, 0 to 255.
};

Likeness compare(const Fingerprint& a, const Fingerprint& b);

/// Whether a customer could take one for the other: shapes (at most 12 of 128 slopes differ) and colours (less than 18
/// levels) are both near.
bool are_alike(const Fingerprint& a, const Fingerprint& b);

}  // namespace onggi::pictures
