#include "onggi/decode/json_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

/// Builds a value from events; numbers that would lose digits keep their text.
class ExactReader : public nlohmann::json_sax<Json> {
 public:
  Json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    const bool is_integer = text.find_first_of(".eE") == std::string::npos;
    if (is_integer || !std::isfinite(value)) return put({{"\1number", text}});
    return put(value);
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool key(string_t& name) override {
    name_ = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception& e) override {
    throw Error(ErrorCode::kCorrupt, "JSON: " + std::string(e.what()) + " at byte " + std::to_string(at));
  }

 private:
  Json* place(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& top = *stack_.back();
    if (top.is_object()) return &(top[name_] = std::move(value));
    top.push_back(std::move(value));
    return &top.back();
  }
  bool put(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json value) {
    stack_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> stack_;  ///< Only the last grows, so the others' addresses stay.
  std::string name_;
};

/// Shortest digits that read back, as Python's repr writes them.
std::string float_text(double value) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, std::abs(value), std::chars_format::scientific);
  std::string mantissa(digits, end.ptr);
  const auto e = mantissa.find('e');
  const int exponent = std::atoi(mantissa.c_str() + e + 1);
  mantissa.resize(e);
  std::string all = mantissa.substr(0, 1) + (mantissa.size() > 2 ? mantissa.substr(2) : "");
  std::string out;
  if (value == 0.0) {
    out = "0.0";
  } else if (exponent < -4 || exponent >= 16) {
    const std::string power = std::to_string(std::abs(exponent));
    out = mantissa + (exponent < 0 ? "e-" : "e+") + (power.size() < 2 ? "0" : "") + power;
  } else if (exponent < 0) {
    out = "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + all;
  } else {
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    if (all.size() < whole) all.append(whole - all.size(), '0');
    out = all.substr(0, whole) + "." + (all.size() > whole ? all.substr(whole) : "0");
  }
  return (std::signbit(value) ? "-" : "") + out;
}

}  // namespace

Json parse_json_exactly(std::string_view text) {
  ExactReader reader;
  Json::sax_parse(text, &reader);
  return reader.take();
}

std::string python_text(const Json& value) {
  if (value.is_number_float()) return float_text(value.get<double>());
  if (!value.is_structured()) return dump_json(value);
  if (value.is_object() && value.size() == 1 && value.contains("\1number")) return value["\1number"].get<std::string>();
  std::string out(value.is_array() ? "[" : "{");
  for (const auto& [name, part] : value.items()) {
    if (out.size() > 1) out += ", ";
    if (value.is_object()) out += dump_json(Json(name)) + ": ";
    out += python_text(part);
  }
  return out + (value.is_array() ? "]" : "}");
}

}  // namespace onggi::decode
