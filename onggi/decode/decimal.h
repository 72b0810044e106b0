#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace onggi::decode {

__extension__ using Int128 = __int128;

/// An exact decimal number of any size: +-0.d1d2d3... x 10^exponent with d1 and the last digit not 0; zero has no
/// digits.
class Decimal {
 public:
  Decimal() = default;
  /// Of a JSON number's text.
  static Decimal parse(std::string_view text);

  bool is_zero() const { return digits_.empty(); }
  bool is_negative() const { return is_negative_; }
  bool is_whole() const { return exponent_ >= static_cast<int>(digits_.size()); }
  Decimal negated() const;
  /// The whole number next below or at this one.
  Decimal floor() const;
  Decimal ceil() const { return negated().floor().negated(); }
  Decimal plus_one() const;  ///< Of a whole number.
  Decimal minus_one() const { return negated().plus_one().negated(); }
  /// This times 10^`power` where that is whole and below 10^36.
  std::optional<Int128> scaled(int power) const;
  int num_fraction_digits() const { return is_whole() ? 0 : static_cast<int>(digits_.size()) - exponent_; }
  int exponent() const { return exponent_; }
  /// Different for different values.
  std::string text() const { return (is_negative_ ? "-0." : "0.") + digits_ + "e" + std::to_string(exponent_); }

  std::strong_ordering operator<=>(const Decimal& other) const;
  bool operator==(const Decimal& other) const = default;

 private:
  void tidy();

  bool is_negative_ = false;
  std::string digits_;
  int exponent_ = 0;
};

}  // namespace onggi::decode
