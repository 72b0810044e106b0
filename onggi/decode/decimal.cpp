#include "onggi/decode/decimal.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace onggi::decode {
namespace {

constexpr int kMaxExponent = 1'000'000;

}  // namespace

Decimal Decimal::parse(std::string_view text) {
  Decimal d;
  if (text.starts_with('-')) {
    d.is_negative_ = true;
    text.remove_prefix(1);
  }
  if (const auto at = text.find_first_of("eE"); at != std::string_view::npos) {
    d.exponent_ = static_cast<int>(std::clamp<long>(std::strtol(std::string(text.substr(at + 1)).c_str(), nullptr, 10),
                                                    -kMaxExponent, kMaxExponent));
    text = text.substr(0, at);
  }
  const auto point = std::min(text.find('.'), text.size());
  d.digits_ = std::string(text.substr(0, point));
  d.exponent_ += static_cast<int>(point);
  if (point < text.size()) d.digits_ += text.substr(point + 1);
  d.tidy();
  return d;
}

void Decimal::tidy() {
  const auto first = digits_.find_first_not_of('0');
  if (first == std::string::npos) {
    *this = Decimal();
    return;
  }
  digits_.erase(0, first);
  exponent_ -= static_cast<int>(first);
  digits_.erase(digits_.find_last_not_of('0') + 1);
}

Decimal Decimal::negated() const {
  Decimal d = *this;
  d.is_negative_ = !is_negative_ && !is_zero();
  return d;
}

Decimal Decimal::plus_one() const {
  if (exponent_ > static_cast<int>(digits_.size()) + 400) return *this;  // Past any bound that matters.
  std::string digits = digits_ + std::string(static_cast<std::size_t>(exponent_) - digits_.size(), '0');
  // Away from zero 9s become 0s and the digit before them grows; towards zero the other way round.
  const char last = is_negative_ ? '0' : '9';
  std::size_t i = digits.size();
  while (i > 0 && digits[i - 1] == last) digits[--i] = is_negative_ ? '9' : '0';
  if (i == 0) {
    digits.insert(digits.begin(), '1');
  } else {
    digits[i - 1] = static_cast<char>(digits[i - 1] + (is_negative_ ? -1 : 1));
  }
  return parse((is_negative_ ? "-" : "") + digits);
}

Decimal Decimal::floor() const {
  if (is_whole()) return *this;
  Decimal d = *this;
  d.is_negative_ = false;
  d.digits_.resize(static_cast<std::size_t>(std::max(exponent_, 0)));
  if (d.digits_.empty()) d.exponent_ = 0;
  d.tidy();
  return is_negative_ ? d.plus_one().negated() : d;
}

std::optional<Int128> Decimal::scaled(int power) const {
  const int exponent = exponent_ + power;
  if (is_zero()) return Int128{0};
  if (exponent < static_cast<int>(digits_.size()) || exponent > 36) return std::nullopt;
  Int128 value = 0;
  for (int i = 0; i < exponent; ++i)
    value = value * 10 + (i < static_cast<int>(digits_.size()) ? digits_[static_cast<std::size_t>(i)] - '0' : 0);
  return is_negative_ ? -value : value;
}

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
  if (is_zero() && other.is_zero()) return std::strong_ordering::equal;
  const int sign = is_zero() ? 0 : is_negative_ ? -1 : 1;
  const int other_sign = other.is_zero() ? 0 : other.is_negative_ ? -1 : 1;
  if (sign != other_sign) return sign <=> other_sign;
  // Digits that are no prefix of each other compare as texts, and a prefix is less, as no number ends in 0.
  auto order = exponent_ <=> other.exponent_;
  if (order == std::strong_ordering::equal) order = digits_ <=> other.digits_;
  return sign > 0 ? order : 0 <=> order;
}

}  // namespace onggi::decode
