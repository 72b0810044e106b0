#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/options.h"
#include "onggi/server/model_registry.h"

namespace onggi::cli {

/// What a configuration file says beside the options.
struct ServeConfig {
  struct Adapter {
    std::string name, folder;
    std::string place;  ///< In the file.
  };
  std::vector<Adapter> adapters;
  bool has_keys = false;  ///< A list of keys stands in the file itself.
};

/// Sets options from a YAML file: each by its name with underscores, `adapters` as a map of names to folders, `keys` as
/// a path or as a list. Paths are from the file's folder. Throws with file:line:column.
ServeConfig read_serve_config(const std::string& path, OptionList& options);

/// Reads each adapter, and tries whether the address is free. Prints a line for each; true if all is well.
bool check_served(server::ModelRegistry& models, std::span<const ServeConfig::Adapter> adapters,
                  const std::string& host, int port);
/// Throws kNotFound, with the place in the file, where the folder holds no adapter.
void require_folder(const ServeConfig::Adapter& adapter);
/// Prints what that says of each; true if it is nothing.
bool check_folders(std::span<const ServeConfig::Adapter> adapters);

/// `onggi serve keys new NAME`.
int run_serve_keys(std::span<const std::string_view> arguments);

}  // namespace onggi::cli
