#include "onggi/recommend/display_request.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/json.h"
#include "onggi/core/options.h"
#include "onggi/recommend/display_error.h"

namespace onggi::recommend {
namespace {

constexpr std::size_t kMaxIdBytes = 200, kMaxFeatures = 512, kMaxCandidates = 100'000, kMaxOutcomes = 10'000;
constexpr int kMaxSlots = 100;

[[noreturn]] void refuse(const std::string& param, const std::string& message) {
  throw DisplayError(400, param + ": " + message, "invalid_value", param);
}

std::string shown(const Json& value) {
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

Json parse_body(std::string_view body, const std::vector<std::string>& names) {
  Json json;
  try {
    json = parse_json(body, "body", 16);
  } catch (const Error& e) {
    throw DisplayError(400, e.what(), "invalid_json");
  }
  if (!json.is_object()) throw DisplayError(400, "expected a JSON object, found " + shown(json), "invalid_json");
  for (const auto& [name, value] : json.items()) {
    if (std::ranges::find(names, name) != names.end()) continue;
    const std::string near = nearest_name(name, names);
    refuse(name.substr(0, 60),
           near.empty() ? "there is no such member" : "there is no such member; did you mean \"" + near + "\"?");
  }
  return json;
}

const Json* find(const Json& object, const std::string& name) {
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

std::string text(const Json& value, const std::string& param) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty() ||
      value.get_ref<const std::string&>().size() > kMaxIdBytes)
    refuse(param, "expected a text of 1 to " + std::to_string(kMaxIdBytes) + " bytes, found " + shown(value));
  return value.get<std::string>();
}

std::string optional_text(const Json& object, const std::string& name) {
  const Json* value = find(object, name);
  return value == nullptr ? std::string() : text(*value, name);
}

OutcomeRequest outcome(const Json& json, const std::string& path) {
  OutcomeRequest request;
  const Json* id = find(json, "impression_id");
  if (id == nullptr) refuse(path + "impression_id", "is missing");
  request.impression_id = text(*id, path + "impression_id");
  if (const Json* reward = find(json, "reward")) {
    if (!reward->is_number_integer() || (*reward != 0 && *reward != 1))
      refuse(path + "reward", "expected 0 or 1, found " + shown(*reward));
    request.is_clicked = *reward == 1;
  }
  return request;
}

}  // namespace

SlateRequest parse_slate_request(std::string_view body) {
  const Json json = parse_body(body, {"unit", "request_id", "features", "candidates", "entity", "product", "slots"});
  SlateRequest request;
  const Json* unit = find(json, "unit");
  if (unit == nullptr)
    refuse("unit", "is missing: who looks, so that intervals know whose impressions belong together");
  request.unit = text(*unit, "unit");
  request.request_id = optional_text(json, "request_id");
  if (!request.request_id.empty() && !http::is_request_id(request.request_id))
    refuse("request_id", "expected 1 to 128 of A-Z, a-z, 0-9, '.', '_', '-', found " + shown(json["request_id"]));
  request.entity = optional_text(json, "entity");
  request.product = optional_text(json, "product");
  if (const Json* slots = find(json, "slots")) {
    if (!slots->is_number_integer() || *slots < 1 || *slots > kMaxSlots)
      refuse("slots", "expected a whole number from 1 to " + std::to_string(kMaxSlots) + ", found " + shown(*slots));
    request.slots = slots->get<int>();
  }
  if (const Json* features = find(json, "features")) {
    if (!features->is_array() || features->size() > kMaxFeatures)
      refuse("features",
             "expected a list of at most " + std::to_string(kMaxFeatures) + " numbers, found " + shown(*features));
    for (std::size_t i = 0; i < features->size(); ++i) {
      const Json& value = (*features)[i];
      if (!value.is_number() || !std::isfinite(value.get<double>()) || std::abs(value.get<double>()) > 1e6)
        refuse("features[" + std::to_string(i) + "]", "expected a number from -1e6 to 1e6, found " + shown(value));
      request.features.push_back(value.get<double>());
    }
  }
  if (const Json* candidates = find(json, "candidates")) {
    if (!candidates->is_array() || candidates->empty() || candidates->size() > kMaxCandidates)
      refuse("candidates",
             "expected a list of 1 to " + std::to_string(kMaxCandidates) + " theme ids, found " + shown(*candidates));
    request.candidates.emplace();
    for (std::size_t i = 0; i < candidates->size(); ++i)
      request.candidates->push_back(text((*candidates)[i], "candidates[" + std::to_string(i) + "]"));
  }
  return request;
}

std::vector<OutcomeRequest> parse_outcomes(std::string_view body) {
  const Json json = parse_body(body, {"outcomes", "impression_id", "reward"});
  const Json* list = find(json, "outcomes");
  if (list == nullptr) return {outcome(json, "")};
  if (json.size() > 1) refuse("outcomes", "expected no other member beside it");
  if (!list->is_array() || list->empty() || list->size() > kMaxOutcomes)
    refuse("outcomes", "expected a list of 1 to " + std::to_string(kMaxOutcomes) + " objects, found " + shown(*list));
  std::vector<OutcomeRequest> outcomes;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string path = "outcomes[" + std::to_string(i) + "]";
    const Json& one = (*list)[i];
    if (!one.is_object()) refuse(path, "expected an object, found " + shown(one));
    for (const auto& [name, value] : one.items())
      if (name != "impression_id" && name != "reward")
        refuse(path + "." + name.substr(0, 60), "there is no such member");
    outcomes.push_back(outcome(one, path + "."));
  }
  return outcomes;
}

}  // namespace onggi::recommend
