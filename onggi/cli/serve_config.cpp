#include "onggi/cli/serve_config.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/yaml.h"
#include "onggi/server/api_error.h"

namespace onggi::cli {
namespace {

constexpr std::size_t kMaxConfigBytes = 16 << 20;
constexpr std::string_view kPaths[] = {"base", "keys", "log"};
/// Not of a file: they say which file, and what to do with it.
constexpr std::string_view kOnlyFlags[] = {"config", "check", "adapter"};

template <class List>
bool holds(const List& list, std::string_view name) {
  return std::ranges::find(list, name) != std::end(list);
}

std::string from_folder(const std::filesystem::path& folder, const std::string& path) {
  return path.empty() ? path : (folder / path).lexically_normal().string();
}

std::vector<ServeConfig::Adapter> read_adapters(const Yaml& map, const std::string& where,
                                                const std::filesystem::path& folder) {
  if (map.kind != Yaml::Kind::kMap) refuse_yaml(map, where, "adapters", "a map of names to folders");
  std::vector<ServeConfig::Adapter> adapters;
  for (const auto& member : map.members) {
    const std::string path = text_member(map, where, member.name);
    if (path.empty() || member.name.empty()) refuse_yaml(member.value, where, "adapters", "a name and its folder");
    adapters.push_back({member.name, from_folder(folder, path), place_of(member.value, where)});
  }
  return adapters;
}

/// Why nobody could listen there; empty if one could.
std::string fault_of_address(const std::string& host, int port) {
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(static_cast<std::uint16_t>(port))};
  sockaddr_in6 v6{.sin6_family = AF_INET6, .sin6_port = htons(static_cast<std::uint16_t>(port))};
  const bool is_v4 = inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return "expected an address as 127.0.0.1 or ::1";
  if (port < 0 || port > 65535) return "expected a port from 0 to 65535";
  const int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const auto* address = is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const bool is_free = bind(fd, address, is_v4 ? sizeof v4 : sizeof v6) == 0 && listen(fd, 1) == 0;
  std::string fault = is_free ? "" : std::strerror(errno);
  close(fd);
  return fault;
}

bool report(const std::string& what, const std::string& fault) {
  if (fault.empty()) {
    std::printf("ok     %s\n", what.c_str());
  } else {
    std::printf("FAULT  %s: %s\n", what.c_str(), fault.c_str());
  }
  return fault.empty();
}

}  // namespace

ServeConfig read_serve_config(const std::string& path, OptionList& options) {
  const Yaml root = parse_yaml(read_file(path, kMaxConfigBytes), path);
  const auto folder = std::filesystem::path(path).parent_path();
  std::vector<std::string> known;
  const Json all = options.to_json();
  for (const auto& option : all.items()) {
    if (!holds(kOnlyFlags, option.key())) known.push_back(option.key());
  }
  known.emplace_back("adapters");
  require_members(root, path, "the configuration", known);
  ServeConfig config;
  for (const auto& member : root.members) {
    const std::string& name = member.name;
    const Yaml& value = member.value;
    if (name == "adapters") {
      config.adapters = read_adapters(value, path, folder);
    } else if (name == "keys" && value.kind == Yaml::Kind::kList) {
      config.has_keys = true;
    } else {
      Json option = Json::object();
      option[name] = holds(kPaths, name) ? Json(from_folder(folder, text_member(root, path, name))) : value.to_json();
      options.parse_json(option, place_of(value, path));
    }
  }
  return config;
}

void require_folder(const ServeConfig::Adapter& adapter) {
  require(
      std::filesystem::exists(std::filesystem::path(adapter.folder) / "adapter_config.json"),
      [&] { return "adapter " + adapter.name + ": there is no adapter_config.json in " + adapter.folder; },
      ErrorCode::kNotFound, adapter.place);
}

bool check_folders(std::span<const ServeConfig::Adapter> adapters) {
  bool is_well = true;
  for (const auto& adapter : adapters) {
    try {
      require_folder(adapter);
    } catch (const Error& e) {
      is_well = report("adapter " + adapter.name + " (" + adapter.place + ")", e.what()) && is_well;
    }
  }
  return is_well;
}

bool check_served(server::ModelRegistry& models, std::span<const ServeConfig::Adapter> adapters,
                  const std::string& host, int port) {
  bool is_well = true;
  for (const auto& adapter : adapters) {
    std::string fault;
    try {
      models.find(adapter.name);
    } catch (const server::ApiError& e) {
      fault = e.message();
    }
    is_well = report("adapter " + adapter.name + " (" + adapter.place + ")", fault) && is_well;
  }
  return report("address " + host + ":" + std::to_string(port), fault_of_address(host, port)) && is_well;
}

}  // namespace onggi::cli
