#pragma once

#include <cstdint>
#include <string>

#include "onggi/core/json.h"

namespace onggi::server {

/// Throws ApiError 400 that names the member `param`.
[[noreturn]] void refuse(const std::string& param, const std::string& message);

/// A value as an error's message shows it: its JSON, cut where it is long.
std::string shown(const Json& value);

/// Members of a body by name; null counts as absent. Whatever is there and not what it should be is refused.
class Members {
 public:
  /// `object` must outlive this. `path` stands before each name in errors ("tools[0]."); the names asked for do not
  /// hold it.
  explicit Members(const Json& object, std::string path = {}) : object_(object), path_(std::move(path)) {}

  const Json* find(const std::string& name) const {
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }
  double number(const std::string& name, double low, double high, double otherwise) const;
  std::int64_t whole(const std::string& name, std::int64_t low, std::int64_t high, std::int64_t otherwise) const;
  bool truth(const std::string& name, bool otherwise) const;
  /// Empty where there is none.
  std::string text(const std::string& name) const;
  /// A member that must be there and an object.
  const Json& object(const std::string& name) const;

 private:
  const Json& object_;
  const std::string path_;
};

}  // namespace onggi::server
