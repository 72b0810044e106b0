#include "onggi/tasks/label/money.h"

#include <algorithm>
#include <utility>

namespace onggi::tasks {
namespace {

constexpr std::int64_t kMillion = 1'000'000;
constexpr std::size_t kPlaces = 6;
constexpr std::int64_t kMostTokens = std::int64_t{1} << 32;  // a hostile count can't overflow a sum

}  // namespace

std::optional<MicroDollars> parse_dollars(std::string_view text) {
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view part = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  const auto is_digits = [](std::string_view digits) {
    return std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || whole.size() > 7 || !is_digits(whole) || !is_digits(part) || part.size() > kPlaces)
    return std::nullopt;
  if (point != std::string_view::npos && part.empty()) return std::nullopt;
  std::string digits = std::string(whole) + std::string(part) + std::string(kPlaces - part.size(), '0');
  MicroDollars amount = 0;
  for (const char c : digits) amount = amount * 10 + (c - '0');
  return amount <= kMillion * kMillion ? std::optional(amount) : std::nullopt;
}

std::string dollars_text(MicroDollars amount) {
  std::string part = std::to_string(amount % kMillion);
  part.insert(0, kPlaces - part.size(), '0');
  while (part.size() > 2 && part.back() == '0') part.pop_back();
  return "$" + std::to_string(amount / kMillion) + "." + part;
}

MicroDollars Prices::cost(std::int64_t input_tokens, std::int64_t cached_tokens, std::int64_t output_tokens) const {
  const auto bounded = [](std::int64_t count) { return std::clamp<std::int64_t>(count, 0, kMostTokens); };
  const auto cached = std::min(bounded(cached_tokens), bounded(input_tokens));
  MicroDollars whole = 0, rest = 0;  // apart, so that no product passes 63 bits
  for (const auto& [tokens, price] : {std::pair(bounded(input_tokens) - cached, input), std::pair(cached, cached_input),
                                      std::pair(bounded(output_tokens), output)}) {
    whole += tokens / kMillion * price;
    rest += tokens % kMillion * price;
  }
  return whole + (rest + kMillion - 1) / kMillion;
}

}  // namespace onggi::tasks
