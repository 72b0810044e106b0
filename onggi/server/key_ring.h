#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/server/budget.h"

namespace onggi::server {

/// What a key opens. kAny: every key does.
enum class Scope { kAny, kInfer, kEmbed, kBatch, kAdmin, kMetrics };
std::string_view scope_name(Scope scope);

/// Whoever holds a key.
struct Caller {
  std::string name;                 ///< Shown in the log and in metrics; the key itself never is.
  std::string hash;                 ///< SHA-256 of the key in hex.
  std::vector<Scope> scopes;        ///< Without kAny.
  std::vector<std::string> models;  ///< Empty: all.
  KeyLimits limits;
  std::shared_ptr<Budget> budget;  ///< Shared by all callers of this name, over reloads too.

  bool has(Scope scope) const;
  bool may_use(std::string_view model) const;
};

/// The keys of a file, by their hashes. The file is YAML where its name ends in .yaml or .yml, with a list `keys` of
/// {name, sha256, scopes, models, requests_per_minute, tokens_per_minute, tokens_per_day}; else a line a key, as it is
/// or as sha256:HEX, which opens everything. Thread-safe.
class KeyRing {
 public:
  struct Source {
    std::string path;
    bool may_hold_more = false;  ///< YAML: what stands beside `keys` is somebody else's.
  };

  /// Throws kNotFound, kCorrupt or kInvalidArgument naming the place; kInvalidArgument where the file holds no key, or
  /// keys as they are that everyone on this machine may read.
  explicit KeyRing(Source source);
  /// Reads the file anew; throws as the constructor, and then nothing has changed. Budgets go on under their names.
  void reload();
  /// The caller with this key; null if there is none. Takes as long for a wrong key as for a right one.
  std::shared_ptr<const Caller> find(std::string_view key) const;
  /// The caller of this name; null if there is none any more.
  std::shared_ptr<const Caller> find_name(std::string_view name) const;
  std::size_t size() const;
  /// What is to be said of the file, if there is something: others may read it.
  std::string warning() const;

 private:
  const Source source_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const Caller>> callers_;
  std::string warning_;
};

/// Callers of a file's text, without budgets; `where` names the file. Throws as KeyRing's constructor.
std::vector<Caller> parse_keys(std::string_view text, const std::string& where, bool is_yaml, bool may_hold_more);
bool is_yaml_path(std::string_view path);
/// 1 to 64 of [A-Za-z0-9._-].
bool is_caller_name(std::string_view name);
/// "onggi-" and 256 random bits.
std::string make_key();

}  // namespace onggi::server
