#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace onggi::tasks {

/// Money in millionths of a dollar, so that sums are exact.
using MicroDollars = std::int64_t;

/// "0.15" as 150000: decimal digits with at most six after the point, up to 1,000,000 dollars. Nothing on other text.
std::optional<MicroDollars> parse_dollars(std::string_view text);
/// "$12.345678", without zeros that say nothing; at least two places.
std::string dollars_text(MicroDollars amount);

/// What a call costs.
struct Prices {
  MicroDollars input = 0, cached_input = 0, output = 0;  ///< A million tokens.

  /// Rounded up to a whole millionth.
  MicroDollars cost(std::int64_t input_tokens, std::int64_t cached_tokens, std::int64_t output_tokens) const;
};

}  // namespace onggi::tasks
