#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"

namespace {

void print_usage() {
  std::printf("onggi: turns a small open language model and your own data into a domain model\n\nusage: onggi COMMAND ...\n\n");
  for (const auto& command : onggi::cli::commands()) {
    std::printf("  %-11s %s\n", std::string(command.name).c_str(), std::string(command.summary).c_str());
  }
  std::printf("\n`onggi COMMAND --help` shows options and examples; `onggi --version` commit and instruction sets.\n");
}

int run(const std::vector<std::string_view>& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    print_usage();
    return arguments.empty() ? 2 : 0;
  }
  if (arguments[0] == "--version") {
    std::fputs(onggi::cli::version_text().c_str(), stdout);
    return 0;
  }
  std::vector<std::string> names;
  for (const auto& command : onggi::cli::commands()) {
    if (command.name == arguments[0]) return command.run(std::span(arguments).subspan(1));
    names.emplace_back(command.name);
  }
  const std::string near = onggi::nearest_name(arguments[0], names);
  throw onggi::Error(onggi::ErrorCode::kInvalidArgument,
                     "there is no command \"" + std::string(arguments[0]) + "\"" +
                         (near.empty() ? "; `onggi --help` lists them" : "; did you mean \"" + near + "\"?"));
}

/// What was printed must have arrived: `onggi inspect model > file` on a full disk is no success.
void require_printed() {
  const bool is_printed = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  onggi::require(is_printed, [] { return std::string("can't write to standard output: ") + std::strerror(errno); },
                 onggi::ErrorCode::kUnavailable);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // A file over the limit of its size is an error like a full disk.
  try {
    const int status = run({argv + 1, argv + argc});
    require_printed();
    return status;
  } catch (const onggi::Error& e) {
    std::fprintf(stderr, "onggi: %s\n", e.what());
    return e.code() == onggi::ErrorCode::kInvalidArgument ? 2 : 1;
  } catch (const std::filesystem::filesystem_error& e) {
    std::fprintf(stderr, "onggi: %s (%s)\n", e.code().message().c_str(), e.path1().c_str());
    return 1;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "onggi: out of memory\n");
    return 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "onggi: internal error: %s\n", e.what());
    return 1;
  }
}
