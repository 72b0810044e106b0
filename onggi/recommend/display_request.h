#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::recommend {

/// The body of a POST to /v1/slates.
struct SlateRequest {
  std::string unit;        ///< Who looks.
  std::string request_id;  ///< Empty: the server makes one.
  std::vector<double> features;
  std::optional<std::vector<std::string>> candidates;  ///< Ids of themes; none: all that fit.
  std::string entity;                                  ///< Only cards of it; empty: any.
  std::string product;                                 ///< Only cards that lead to it; empty: any.
  int slots = 0;                                       ///< 0: as the server is set.
};

/// One of a POST to /v1/outcomes.
struct OutcomeRequest {
  std::string impression_id;
  bool is_clicked = true;
};

/// Both throw DisplayError 400 naming the member that is wrong, unknown ones too.
SlateRequest parse_slate_request(std::string_view body);
std::vector<OutcomeRequest> parse_outcomes(std::string_view body);

}  // namespace onggi::recommend
