#include "onggi/core/json.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "onggi/core/error.h"

namespace onggi {
namespace {

/// Builds the value while refusing what nlohmann's own builder lets through: duplicate names and deep nesting.
class StrictBuilder : public nlohmann::json_sax<Json> {
 public:
  StrictBuilder(std::string_view text, std::string_view where, int max_depth)
      : text_(text), where_(where), max_depth_(max_depth) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool v) override { return add(v); }
  bool number_integer(number_integer_t v) override { return add(v); }
  bool number_unsigned(number_unsigned_t v) override { return add(v); }
  bool number_float(number_float_t v, const string_t&) override { return add(v); }
  bool string(string_t& v) override { return add(std::move(v)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (!names_.back().insert(name).second) {
      throw Error(ErrorCode::kCorrupt, "JSON object has the member \"" + name + "\" twice", std::string(where_));
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    std::string reason = e.what();
    if (const auto at = reason.rfind("; "); at != std::string::npos) reason = reason.substr(at + 2);
    if (const auto at = reason.find(": "); reason.rfind("[json", 0) == 0 && at != std::string::npos) {
      reason = reason.substr(at + 2);
    }
    fail_at(position > 0 ? position - 1 : 0, reason);
  }

  [[noreturn]] void fail_at(std::size_t offset, const std::string& reason) const {
    const std::string_view before = text_.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0: the first line.
    throw Error(ErrorCode::kCorrupt,
                "not valid JSON at line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + reason,
                std::string(where_));
  }

 private:
  bool add(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (stack_.back()->is_array()) {
      stack_.back()->push_back(std::move(value));
    } else {
      // The name is new (checked in key), so append without ordered_json's linear search.
      static_cast<Json::object_t::Container&>(stack_.back()->get_ref<Json::object_t&>())
          .emplace_back(std::move(key_), std::move(value));
    }
    return true;
  }

  bool open(Json value) {
    if (static_cast<int>(stack_.size()) >= max_depth_) {
      throw Error(ErrorCode::kCorrupt, "JSON is nested deeper than " + std::to_string(max_depth_) + " levels",
                  std::string(where_));
    }
    add(std::move(value));
    Json* added = &root_;
    if (!stack_.empty()) {
      Json& parent = *stack_.back();
      added = parent.is_array() ? &parent.back() : &parent.get_ref<Json::object_t&>().back().second;
    }
    stack_.push_back(added);
    names_.emplace_back();
    return true;
  }

  bool close() {
    stack_.pop_back();
    names_.pop_back();
    return true;
  }

  std::string_view text_;
  std::string_view where_;
  int max_depth_;
  Json root_;
  std::string key_;
  std::vector<Json*> stack_;
  std::vector<std::unordered_set<std::string>> names_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view where, int max_depth) {
  StrictBuilder builder(text, where, max_depth);
  // The library takes a NUL byte for the end of the text and would not look at what follows.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) builder.fail_at(nul, "a NUL byte");
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

std::string dump_json(const Json& value, int indent) {
  try {
    return value.dump(indent, ' ', false, Json::error_handler_t::strict);
  } catch (const Json::exception& e) {
    throw Error(ErrorCode::kInvalidArgument, std::string("text is not valid UTF-8: ") + e.what());
  }
}

}  // namespace onggi
