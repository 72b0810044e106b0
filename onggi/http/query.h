#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace onggi::http {

/// The first value of a name in a query ("limit=20&after=x"), its %XX and + undone; a wrong %XX stays as it is.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace onggi::http
