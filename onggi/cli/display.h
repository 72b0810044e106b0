#pragma once

#include <span>
#include <string_view>

namespace onggi::cli {

// The words of `onggi display`; each as a command's `run`.
int run_display_simulate(std::span<const std::string_view> arguments);
int run_display_evaluate(std::span<const std::string_view> arguments);

}  // namespace onggi::cli
