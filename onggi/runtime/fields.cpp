#include "onggi/runtime/fields.h"

#include <cctype>

#include "onggi/core/error.h"
#include "onggi/core/json.h"

namespace onggi::runtime {
namespace {

/// Walks JSON that parse_json has accepted, so it need not check the syntax again.
class Walker {
 public:
  Walker(std::string_view text, std::vector<FieldSpan>& fields) : text_(text), fields_(fields) {}

  void value(const std::string& pointer) {
    skip_space();
    if (peek() == '{') {
      object(pointer);
    } else if (peek() == '[') {
      array(pointer);
    } else if (peek() == '"') {
      const std::size_t begin = at_ + 1;
      skip_string();
      add_string(pointer, begin, at_ - 1);
    } else {
      const std::size_t begin = at_;
      while (at_ < text_.size() && std::string_view(",]} \t\r\n").find(text_[at_]) == std::string_view::npos) ++at_;
      fields_.push_back({pointer, begin, at_});
    }
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  void skip_string() {
    for (++at_; text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }
  void object(const std::string& pointer) {
    ++at_;
    for (skip_space(); peek() != '}'; skip_space()) {
      const std::size_t begin = at_ + 1;
      skip_string();
      const auto raw = parse_json(text_.substr(begin - 1, at_ - begin + 1), "name").get<std::string>();
      std::string name;
      for (const char c : raw) name += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
      skip_space();
      ++at_;  // colon
      value(pointer + "/" + name);
      skip_space();
      if (peek() == ',') ++at_;
    }
    ++at_;
  }
  void array(const std::string& pointer) {
    ++at_;
    int index = 0;
    for (skip_space(); peek() != ']'; skip_space()) {
      value(pointer + "/" + std::to_string(index++));
      skip_space();
      if (peek() == ',') ++at_;
    }
    ++at_;
  }
  void add_string(const std::string& pointer, std::size_t begin, std::size_t end) {
    const std::string_view s = text_.substr(begin, end - begin);
    const auto open = s.find(" '");
    const auto close = open == std::string_view::npos ? open : s.find("' : ", open + 2);
    if (close == std::string_view::npos || open == 0 || close == open + 2 || close + 4 == s.size()) {
      fields_.push_back({pointer, begin, end});
      return;
    }
    fields_.push_back({pointer + "#expression", begin, begin + open});
    fields_.push_back({pointer + "#entity", begin + open + 2, begin + close});
    fields_.push_back({pointer + "#name", begin + close + 4, end});
  }

  std::string_view text_;
  std::vector<FieldSpan>& fields_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<FieldSpan> find_fields(std::string_view json_text) {
  std::vector<FieldSpan> fields;
  try {
    parse_json(json_text, "answer");
  } catch (const Error&) {
    return fields;
  }
  Walker(json_text, fields).value("");
  return fields;
}

}  // namespace onggi::runtime
