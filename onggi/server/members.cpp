#include "onggi/server/members.h"

#include <cmath>

#include "onggi/server/api_error.h"

namespace onggi::server {

void refuse(const std::string& param, const std::string& message) {
  throw ApiError(400, param + ": " + message, "invalid_value", param);
}

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

double Members::number(const std::string& name, double low, double high, double otherwise) const {
  const Json* value = find(name);
  if (value == nullptr) return otherwise;
  const bool is_good = value->is_number() && std::isfinite(value->get<double>()) && value->get<double>() >= low &&
                       value->get<double>() <= high;
  if (!is_good) {
    refuse(path_ + name,
           "expected a number from " + shown(Json(low)) + " to " + shown(Json(high)) + ", found " + shown(*value));
  }
  return value->get<double>();
}

std::int64_t Members::whole(const std::string& name, std::int64_t low, std::int64_t high,
                            std::int64_t otherwise) const {
  const Json* value = find(name);
  if (value == nullptr) return otherwise;
  const bool is_good = value->is_number_integer() && value->get<double>() >= static_cast<double>(low) &&
                       value->get<double>() <= static_cast<double>(high);
  if (!is_good) {
    refuse(path_ + name, "expected a whole number from " + std::to_string(low) + " to " + std::to_string(high) +
                             ", found " + shown(*value));
  }
  return value->get<std::int64_t>();
}

bool Members::truth(const std::string& name, bool otherwise) const {
  const Json* value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) refuse(path_ + name, "expected true or false, found " + shown(*value));
  return value->get<bool>();
}

std::string Members::text(const std::string& name) const {
  const Json* value = find(name);
  if (value == nullptr) return {};
  if (!value->is_string()) refuse(path_ + name, "expected a text, found " + shown(*value));
  return value->get<std::string>();
}

const Json& Members::object(const std::string& name) const {
  const Json* value = find(name);
  if (value == nullptr || !value->is_object())
    refuse(path_ + name, "expected an object, found " + shown(value == nullptr ? Json() : *value));
  return *value;
}

}  // namespace onggi::server
