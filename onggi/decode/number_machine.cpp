#include "onggi/decode/number_machine.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

constexpr int kMaxScale = 18;
constexpr int kMaxPower = 330;  ///< Of bounds.

Int128 gcd(Int128 a, Int128 b) {
  while (b != 0) a = std::exchange(b, a % b);
  return a;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Parts of the beginning of a numeral.
struct Numeral {
  bool is_negative = false;
  std::string digits;
  std::string fraction;
  bool has_point = false;
  bool has_exponent = false;

  explicit Numeral(const std::string& text) {
    std::size_t at = text.starts_with('-') ? 1 : 0;
    is_negative = at == 1;
    while (at < text.size() && is_digit(text[at])) digits += text[at++];
    has_point = at < text.size() && text[at] == '.';
    if (has_point) ++at;
    while (at < text.size() && is_digit(text[at])) fraction += text[at++];
    has_exponent = at < text.size();
  }
};

/// The next numeral of as many digits, or of one more.
std::string incremented(std::string digits) {
  std::size_t i = digits.size();
  while (i > 0 && digits[i - 1] == '9') digits[--i] = '0';
  if (i == 0) return "1" + digits;
  ++digits[i - 1];
  return digits;
}

bool is_zeros(const std::string& digits) { return digits.find_first_not_of('0') == std::string::npos; }

/// Text may stand at the front of a JSON number, and is one if `is_whole` is set by it.
bool is_lexical(const std::string& text, bool& is_complete) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  is_complete = false;
  if (at == text.size()) return true;
  if (text[at] == '0') {
    ++at;
  } else {
    if (!is_digit(text[at])) return false;
    while (at < text.size() && is_digit(text[at])) ++at;
  }
  is_complete = true;
  if (at == text.size()) return true;
  if (text[at] == '.') {
    const std::size_t first = ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
    is_complete = at > first;
    if (at == text.size()) return true;
    if (!is_complete) return false;
  }
  if (text[at] != 'e' && text[at] != 'E') return false;
  if (++at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  is_complete = at < text.size();
  while (at < text.size() && is_digit(text[at])) ++at;
  return at == text.size();
}

bool fits_low(const std::optional<Bound>& low, const Decimal& value) {
  return !low || (low->is_open ? value > low->value : value >= low->value);
}
bool fits_high(const std::optional<Bound>& high, const Decimal& value) {
  return !high || (high->is_open ? value < high->value : value <= high->value);
}

}  // namespace

bool NumberSpec::holds(const Decimal& value) const {
  if ((is_whole && !value.is_whole()) || (is_fraction && value.is_whole()) || !fits_low(low, value) ||
      !fits_high(high, value))
    return false;
  if (std::find(excluded.begin(), excluded.end(), value) != excluded.end()) return false;
  return std::all_of(factors.begin(), factors.end(), [&](const Decimal& factor) {
    const int scale = std::max(factor.num_fraction_digits(), value.num_fraction_digits());
    const auto a = value.scaled(scale);
    const auto b = factor.scaled(scale);
    return a && b && *a % *b == 0;
  });
}

NumberMachine::NumberMachine(NumberSpec spec) : spec_(std::move(spec)) {
  const auto too_large = [](bool ok) {
    require(ok, "guide schema: a bound or \"multipleOf\" of too many digits", ErrorCode::kExhausted);
  };
  for (const Decimal& factor : spec_.factors) scale_ = std::max(scale_, factor.num_fraction_digits());
  too_large(scale_ <= kMaxScale);
  for (const Decimal& factor : spec_.factors) {
    const auto value = factor.scaled(scale_);
    too_large(value && *value > 0);
    const Int128 common = step_ == 0 ? *value : step_ / gcd(step_, *value) * *value;
    too_large(common / *value <= (Int128{1} << 60));
    step_ = common;
    too_large(step_ < (Int128{1} << 100));
  }
  // Every whole number is a multiple of 1: no arithmetic needed, and no limit to its size.
  if (step_ > 0 && !spec_.is_whole && scale_ == 0) spec_.is_whole = true;
  if (step_ == 1 && scale_ == 0) step_ = 0;
  if (spec_.is_whole) {  // Then the bounds are whole, and closed.
    if (spec_.low)
      spec_.low = Bound{spec_.low->is_open ? spec_.low->value.floor().plus_one() : spec_.low->value.ceil(), false};
    if (spec_.high)
      spec_.high = Bound{spec_.high->is_open ? spec_.high->value.ceil().minus_one() : spec_.high->value.floor(), false};
  }
  for (const auto* bound : {&spec_.low, &spec_.high})
    too_large(!*bound || std::abs((*bound)->value.exponent()) <= kMaxPower);
  if (spec_.high) negative_low_ = Bound{spec_.high->value.negated(), spec_.high->is_open};
  if (spec_.low) negative_high_ = Bound{spec_.low->value.negated(), spec_.low->is_open};
  if (step_ > 0) {
    for (const auto* bound : {&spec_.low, &spec_.high})
      too_large(!*bound ||
                ((*bound)->value.exponent() + scale_ <= 34 && (*bound)->value.num_fraction_digits() <= kMaxScale));
  }
  const auto is_zero = [](const std::optional<Bound>& bound) { return !bound || bound->value.is_zero(); };
  is_bound_ = spec_.is_whole || spec_.is_fraction || step_ > 0 || !is_zero(spec_.low) || !is_zero(spec_.high) ||
              (spec_.low && spec_.high) || !spec_.excluded.empty();
}

void NumberMachine::forget() {
  states_.clear();
  known_.clear();
}

int NumberMachine::intern(const std::string& text) {
  const auto [at, is_new] = known_.try_emplace(text, static_cast<int>(states_.size()));
  if (is_new) states_.push_back({text, is_number(text)});
  return at->second;
}

int NumberMachine::next(int state, std::uint8_t byte) {
  std::string text = states_[static_cast<std::size_t>(state)].text + static_cast<char>(byte);
  bool is_complete = false;
  if (text.size() > kMaxDigits || !is_lexical(text, is_complete) || !is_live(text)) return kDead;
  if (text.size() == kMaxDigits && !is_number(text)) return kDead;
  return intern(reduced(std::move(text)));
}

bool NumberMachine::is_number(const std::string& text) const {
  bool is_complete = false;
  if (!is_lexical(text, is_complete) || !is_complete) return false;
  if (!is_bound_ && !spec_.low && !spec_.high) return true;
  const Numeral n(text);
  if (n.has_exponent && is_bound_) return false;
  if (n.has_exponent) {  // The sign alone is bound, which the exponent does not change.
    const bool is_zero = is_zeros(n.digits) && is_zeros(n.fraction);
    const Decimal sign = Decimal::parse(is_zero ? "0" : n.is_negative ? "-1" : "1");
    return fits_low(spec_.low, sign) && fits_high(spec_.high, sign);
  }
  if (spec_.is_whole && n.has_point && (!spec_.has_all_forms || !is_zeros(n.fraction))) return false;
  if (!spec_.has_all_forms && spec_.is_whole && text == "-0") return false;
  const Decimal value = Decimal::parse(text);
  if (spec_.is_fraction && value.is_whole()) return false;
  if (!fits_low(spec_.low, value) || !fits_high(spec_.high, value)) return false;
  if (std::find(spec_.excluded.begin(), spec_.excluded.end(), value) != spec_.excluded.end()) return false;
  if (step_ == 0) return true;
  const auto scaled = value.scaled(scale_);
  return scaled && *scaled % step_ == 0;
}

/// Unbound parts of numerals are many and all alike.
std::string NumberMachine::reduced(std::string text) const {
  if (is_bound_) {
    if (spec_.is_whole && step_ == 0 && spec_.excluded.empty() && !text.ends_with('.')) {
      const Numeral n(text);
      if (n.has_point) return (n.is_negative ? "-" : "") + n.digits + ".0";
      // Past the lower bound and without an upper one any digit may follow.
      if (!high(n.is_negative) && !n.digits.empty() && n.digits != "0" &&
          fits_low(low(n.is_negative), Decimal::parse(n.digits))) {
        const std::string edge =
            low(n.is_negative) && !low(n.is_negative)->value.is_negative()
                ? std::string(static_cast<std::size_t>(std::max(low(n.is_negative)->value.exponent(), 0)) + 1, '9')
                : "9";
        if (edge.size() <= n.digits.size()) return (n.is_negative ? "-" : "") + edge;
      }
    }
    return text;
  }
  const Numeral n(text);
  if (n.has_exponent) {
    const auto at = text.find_first_of("eE");
    const bool is_zero = is_zeros(n.digits) && is_zeros(n.fraction);
    std::string tail = text.substr(at);
    if (is_digit(tail.back())) tail = "e0";
    return std::string(n.is_negative ? "-" : "") + (is_zero ? "0" : "1") + tail;
  }
  const std::string sign = n.is_negative ? "-" : "";
  const std::string front = n.digits.empty() ? "" : n.digits == "0" ? "0" : "1";
  if (!n.has_point) return sign + front;
  if (n.fraction.empty()) return sign + front + ".";
  return sign + front + (is_zeros(n.fraction) ? ".0" : ".1");
}

/// A value that is left out may be the only one.
bool NumberMachine::has_room(Int128 from, Int128 to) const {
  const Int128 step = step_ == 0 ? 1 : step_;
  const auto ceil_step = [&](Int128 v) { return v >= 0 ? (v + step - 1) / step * step : -(-v / step * step); };
  std::size_t tried = 0;
  for (Int128 v = ceil_step(from); v <= to; v += step) {
    const bool is_out = std::any_of(spec_.excluded.begin(), spec_.excluded.end(),
                                    [&](const Decimal& x) { return x.scaled(scale_) == std::optional<Int128>(v); });
    if (!is_out || ++tried > spec_.excluded.size()) return true;
  }
  return false;
}

bool NumberMachine::meets(const Decimal& from, const Decimal& to, bool is_negative) const {
  const auto& low = this->low(is_negative);
  const auto& high = this->high(is_negative);
  if (!fits_high(high, from)) return false;
  if (low && !(low->value < to)) return false;
  if (spec_.excluded.empty() && !spec_.is_fraction) return true;
  // With values left out: the bounds' and the interval's common part may be one value.
  const Decimal first = low && low->value > from ? low->value : from;
  if (spec_.is_whole) {
    const Decimal last = high && high->value < to ? high->value : to;
    const auto a = first.scaled(0);
    auto b = last.scaled(0);
    if (!a || !b) return true;
    if (last == to) --*b;
    return is_negative ? has_room(-*b, -*a) : has_room(*a, *b);
  }
  const bool is_point = high && high->value == first;
  return !is_point || (!(spec_.is_fraction && first.is_whole()) &&
                       std::find(spec_.excluded.begin(), spec_.excluded.end(), is_negative ? first.negated() : first) ==
                           spec_.excluded.end());
}

/// As meets, for multiples: numerals that begin with these digits, of which `num_fraction` stand after the point.
bool NumberMachine::meets_factor(const std::string& digits, int num_fraction, bool is_closed, bool is_negative) const {
  if (num_fraction > scale_ &&
      !is_zeros(digits.substr(digits.size() - static_cast<std::size_t>(num_fraction - scale_))))
    return false;
  const std::string kept = num_fraction > scale_
                               ? digits.substr(0, digits.size() - static_cast<std::size_t>(num_fraction - scale_))
                               : digits;
  if (kept.size() + static_cast<std::size_t>(std::max(0, scale_ - num_fraction)) > 35) return false;
  const int open = std::max(0, scale_ - num_fraction);
  Int128 from = 0;
  for (const char c : kept) from = from * 10 + (c - '0');
  Int128 width = 1;
  for (int i = 0; i < open; ++i) {
    from *= 10;
    width *= 10;
  }
  const auto floor_scaled = [&](const std::optional<Bound>& bound, bool is_low) -> std::optional<Int128> {
    if (!bound) return std::nullopt;
    const int places = std::max(scale_, bound->value.num_fraction_digits());
    Int128 value = *bound->value.scaled(places);
    Int128 unit = 1;
    for (int i = scale_; i < places; ++i) unit *= 10;
    Int128 down = value / unit - (value < 0 && value % unit != 0 ? 1 : 0);
    const bool is_exact = value % unit == 0;
    if (is_low) return is_exact ? (bound->is_open ? down + 1 : down) : down + 1;
    return is_exact && bound->is_open ? down - 1 : down;
  };
  const auto least = floor_scaled(low(is_negative), true);
  const auto most = floor_scaled(high(is_negative), false);
  const bool may_grow = !is_closed && digits != "0";
  for (int grown = 0; grown < 36; ++grown) {
    const Int128 a = std::max(from, least.value_or(from));
    const Int128 b = std::min(from + width - 1, most.value_or(from + width - 1));
    if (a <= b && (is_negative ? has_room(-b, -a) : has_room(a, b))) return true;
    if (!may_grow || (most && from > *most) || from > (Int128{1} << 112)) return false;
    from *= 10;
    width *= 10;
  }
  return false;
}

bool NumberMachine::is_live(const std::string& text) const {
  if (!is_bound_ && !spec_.low && !spec_.high) return true;
  const Numeral n(text);
  if (n.has_exponent && is_bound_) return false;
  if (spec_.is_whole && n.has_point && (!spec_.has_all_forms || !is_zeros(n.fraction))) return false;
  if (n.digits.empty()) {
    const auto live = [&](const std::string& sign) {
      for (char c = '0'; c <= '9'; ++c) {
        if (is_live(sign + c)) return true;
      }
      return false;
    };
    return live(n.is_negative ? "-" : "") || (!n.is_negative && live("-"));
  }
  if (!spec_.has_all_forms && spec_.is_whole && text == "-0") return false;
  if (n.has_exponent) return !is_zeros(n.digits + n.fraction) || is_number("0");
  if (step_ > 0)
    return meets_factor(n.digits + n.fraction, static_cast<int>(n.fraction.size()), n.has_point, n.is_negative);
  const bool is_point = n.has_point && spec_.is_whole;
  const Decimal value = Decimal::parse(n.digits + "." + n.fraction + "0");
  if (is_point) return is_number((n.is_negative ? "-" : "") + n.digits);
  if (n.has_point || n.digits == "0") {
    // One unit of the last place that is written.
    const Decimal to = Decimal::parse(incremented(n.digits + n.fraction) + "e-" + std::to_string(n.fraction.size()));
    if (spec_.is_whole) return is_number(text);
    return meets(value, to, n.is_negative);
  }
  // More digits may follow before the point.
  const auto& most = high(n.is_negative);
  if (most && most->value.is_negative()) return false;
  const int reach = most ? most->value.exponent() - static_cast<int>(n.digits.size()) + 1 : kMaxPower;
  if (!most) return spec_.excluded.empty() || !low(n.is_negative) || static_cast<int>(n.digits.size()) <= kMaxPower;
  for (int k = 0; k <= std::max(reach, 0); ++k) {
    const std::string power = "e" + std::to_string(k);
    const Decimal from = Decimal::parse(n.digits + power);
    if (meets(from, Decimal::parse(incremented(n.digits) + power), n.is_negative)) return true;
  }
  return false;
}

}  // namespace onggi::decode
