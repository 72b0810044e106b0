#pragma once

#include <span>
#include <string_view>

namespace onggi::cli {

// The words of `onggi display`; each as a command's `run`.
int run_display_evaluate(std::span<const std::string_view> arguments);
int run_display_log(std::span<const std::string_view> arguments);
int run_display_policy(std::span<const std::string_view> arguments);
int run_display_promote(std::span<const std::string_view> arguments);
int run_display_rollback(std::span<const std::string_view> arguments);
int run_display_serve(std::span<const std::string_view> arguments);
int run_display_simulate(std::span<const std::string_view> arguments);
int run_display_verify(std::span<const std::string_view> arguments);

}  // namespace onggi::cli
