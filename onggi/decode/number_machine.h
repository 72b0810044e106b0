#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "onggi/decode/decimal.h"
#include "onggi/decode/machine.h"

namespace onggi::decode {

struct Bound {
  Decimal value;
  bool is_open = false;  ///< The value itself is left out.
};

struct NumberSpec {
  bool is_whole = false;
  bool is_fraction = false;  ///< Not whole; without factors.
  std::optional<Bound> low;
  std::optional<Bound> high;
  std::vector<Decimal> factors;   ///< Multiples of all of these; above 0.
  std::vector<Decimal> excluded;  ///< Values that are left out.
  bool has_all_forms = true;      ///< A fraction of zeros for whole numbers too.

  bool holds(const Decimal& value) const;
};

/// JSON numbers within bounds: numerals of any size that JSON's grammar allows. Whole ones, and where a bound other
/// than 0 or a factor is set, have no exponent; of at most kMaxDigits characters.
class NumberMachine : public Machine {
 public:
  static constexpr std::size_t kMaxDigits = 340;
  /// Throws kExhausted for factors or bounds that are too large to be exact.
  explicit NumberMachine(NumberSpec spec);
  bool is_empty() { return !is_live(""); }

  int start() override { return intern(""); }
  int next(int state, std::uint8_t byte) override;
  bool is_accepting(int state) override { return states_[static_cast<std::size_t>(state)].is_accepting; }
  void forget() override;

 private:
  struct State {
    std::string text;
    bool is_accepting;
  };
  int intern(const std::string& text);
  /// Some number of the language begins with the text, which is the beginning of a numeral.
  bool is_live(const std::string& text) const;
  bool is_number(const std::string& text) const;
  /// The text, or a shorter one that goes on in the same way.
  std::string reduced(std::string text) const;
  /// A value of the language lies in [from, to), of magnitudes and with this sign.
  bool meets(const Decimal& from, const Decimal& to, bool is_negative) const;
  bool meets_factor(const std::string& digits, int num_fraction, bool is_closed, bool is_negative) const;
  /// The bound of magnitudes with this sign.
  const std::optional<Bound>& low(bool is_negative) const { return is_negative ? negative_low_ : spec_.low; }
  const std::optional<Bound>& high(bool is_negative) const { return is_negative ? negative_high_ : spec_.high; }
  bool has_room(Int128 from, Int128 to) const;

  NumberSpec spec_;
  std::optional<Bound> negative_low_;
  std::optional<Bound> negative_high_;
  bool is_bound_;    ///< By more than its sign.
  Int128 step_ = 0;  ///< Of the factors, times 10^scale_; 0: none.
  int scale_ = 0;
  std::vector<State> states_;
  std::unordered_map<std::string, int> known_;
};

}  // namespace onggi::decode
