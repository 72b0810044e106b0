#include "onggi/server/key_ring.h"

#include <algorithm>
#include <utility>

#include <sys/stat.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/system_random.h"
#include "onggi/core/yaml.h"

namespace onggi::server {
namespace {

constexpr std::size_t kMaxFileBytes = 16 << 20;
constexpr std::array<std::pair<Scope, std::string_view>, 5> kScopes = {{{Scope::kInfer, "infer"},
                                                                        {Scope::kEmbed, "embed"},
                                                                        {Scope::kBatch, "batch"},
                                                                        {Scope::kAdmin, "admin"},
                                                                        {Scope::kMetrics, "metrics"}}};
constexpr std::string_view kHashed = "sha256:";

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<Scope> all_scopes() {
  std::vector<Scope> scopes;
  for (const auto& [scope, name] : kScopes) scopes.push_back(scope);
  return scopes;
}

std::vector<Scope> read_scopes(const Yaml& entry, const std::string& where) {
  const auto names = texts_member(entry, where, "scopes");
  std::vector<Scope> scopes;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = std::ranges::find(kScopes, names[i], [](const auto& row) { return row.second; });
    if (found == kScopes.end())
      refuse_yaml(entry.find("scopes")->items[i], where, "scopes", "infer, embed, batch, admin or metrics");
    scopes.push_back(found->first);
  }
  return names.empty() ? std::vector<Scope>{Scope::kInfer, Scope::kEmbed, Scope::kBatch} : scopes;
}

Caller read_entry(const Yaml& entry, const std::string& where) {
  static const std::vector<std::string> kMembers = {
      "name", "sha256", "scopes", "models", "requests_per_minute", "tokens_per_minute", "tokens_per_day"};
  require_members(entry, where, "a key", kMembers);
  Caller caller{.name = text_member(entry, where, "name"),
                .hash = text_member(entry, where, "sha256"),
                .scopes = read_scopes(entry, where),
                .models = texts_member(entry, where, "models"),
                .limits = {.requests_per_minute = whole_member(entry, where, "requests_per_minute", 1, 0),
                           .tokens_per_minute = whole_member(entry, where, "tokens_per_minute", 1, 0),
                           .tokens_per_day = whole_member(entry, where, "tokens_per_day", 1, 0)},
                .budget = nullptr};
  if (!is_caller_name(caller.name))
    refuse_yaml(entry.find("name") != nullptr ? *entry.find("name") : entry, where, "name",
                "1 to 64 of A-Z, a-z, 0-9, '.', '_', '-'");
  if (!is_hash(caller.hash))
    refuse_yaml(entry.find("sha256") != nullptr ? *entry.find("sha256") : entry, where, "sha256",
                "64 digits of 0-9a-f, the SHA-256 of the key");
  return caller;
}

std::vector<Caller> read_yaml(std::string_view text, const std::string& where, bool may_hold_more) {
  const Yaml root = parse_yaml(text, where);
  static const std::vector<std::string> kMembers = {"keys"};
  if (!may_hold_more) require_members(root, where, "a file of keys", kMembers);
  const Yaml* list = root.find("keys");
  if (list == nullptr || list->kind != Yaml::Kind::kList)
    refuse_yaml(list == nullptr ? root : *list, where, "keys", "a list of keys");
  std::vector<Caller> callers;
  for (const Yaml& entry : list->items) {
    Caller caller = read_entry(entry, where);
    for (const Caller& other : callers) {
      if (other.name == caller.name) refuse_yaml(*entry.find("name"), where, "name", "a name that no other key has");
      if (other.hash == caller.hash) refuse_yaml(*entry.find("sha256"), where, "sha256", "another key than before");
    }
    callers.push_back(std::move(caller));
  }
  return callers;
}

std::vector<Caller> read_lines(std::string_view text, const std::string& where) {
  std::vector<Caller> callers;
  int number = 0;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ++number;
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '\t')) line.remove_suffix(1);
    if (line.empty() || line[0] == '#') continue;
    Caller caller{.name = "line-" + std::to_string(number),
                  .hash = line.starts_with(kHashed) ? std::string(line.substr(kHashed.size())) : sha256_hex(line),
                  .scopes = all_scopes(),
                  .models = {},
                  .limits = {},
                  .budget = nullptr};
    require(is_hash(caller.hash), "sha256: is not followed by 64 digits of 0-9a-f", ErrorCode::kInvalidArgument,
            where + ":" + std::to_string(number));
    callers.push_back(std::move(caller));
  }
  return callers;
}

/// Whether a line holds a key as it is.
bool has_plain_key(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.empty() && line[0] != '#' && line[0] != '\r' && !line.starts_with(kHashed)) return true;
  }
  return false;
}

}  // namespace

std::string_view scope_name(Scope scope) {
  const auto found = std::ranges::find(kScopes, scope, [](const auto& row) { return row.first; });
  return found == kScopes.end() ? "any" : found->second;
}

bool Caller::has(Scope scope) const { return scope == Scope::kAny || std::ranges::find(scopes, scope) != scopes.end(); }

bool Caller::may_use(std::string_view model) const {
  return models.empty() || std::ranges::find(models, model) != models.end();
}

bool is_yaml_path(std::string_view path) { return path.ends_with(".yaml") || path.ends_with(".yml"); }

bool is_caller_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

std::string make_key() { return "onggi-" + system_random_hex(32); }

std::vector<Caller> parse_keys(std::string_view text, const std::string& where, bool is_yaml, bool may_hold_more) {
  auto callers = is_yaml ? read_yaml(text, where, may_hold_more) : read_lines(text, where);
  require(!callers.empty(), "the file has no key", ErrorCode::kInvalidArgument, where);
  return callers;
}

KeyRing::KeyRing(Source source) : source_(std::move(source)) { reload(); }

void KeyRing::reload() {
  const std::string text = read_file(source_.path, kMaxFileBytes);
  const bool is_yaml = is_yaml_path(source_.path);
  auto read = parse_keys(text, source_.path, is_yaml, source_.may_hold_more);
  struct stat facts {};
  const bool is_open =
      stat(source_.path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && (facts.st_mode & S_IROTH) != 0;
  require(!is_open || is_yaml || !has_plain_key(text),
          "holds keys as they are, and every user of this machine may read it: chmod 600, or write sha256: and their "
          "hashes",
          ErrorCode::kInvalidArgument, source_.path);
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const Caller>> fresh;
  for (Caller& caller : read) {
    const auto old = std::ranges::find(callers_, caller.name, [](const auto& c) { return c->name; });
    caller.budget = old == callers_.end() ? std::make_shared<Budget>(caller.limits) : (*old)->budget;
    caller.budget->set_limits(caller.limits);
    fresh.push_back(std::make_shared<const Caller>(std::move(caller)));
  }
  callers_ = std::move(fresh);
  warning_ = is_open ? source_.path + " may be read by every user of this machine: chmod 600" : "";
}

std::shared_ptr<const Caller> KeyRing::find(std::string_view key) const {
  const std::string hash = sha256_hex(key);
  std::shared_ptr<const Caller> found;
  const std::lock_guard lock(mutex_);
  for (const auto& caller : callers_) {
    unsigned difference = 0;
    for (std::size_t i = 0; i < hash.size(); ++i) difference |= static_cast<unsigned char>(hash[i] ^ caller->hash[i]);
    if (difference == 0) found = caller;
  }
  return found;
}

std::shared_ptr<const Caller> KeyRing::find_name(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(callers_, name, [](const auto& caller) { return caller->name; });
  return found == callers_.end() ? nullptr : *found;
}

std::size_t KeyRing::size() const {
  const std::lock_guard lock(mutex_);
  return callers_.size();
}

std::string KeyRing::warning() const {
  const std::lock_guard lock(mutex_);
  return warning_;
}

}  // namespace onggi::server
