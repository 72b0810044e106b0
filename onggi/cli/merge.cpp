#include <cstdio>
#include <filesystem>

#include <unistd.h>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/models/adapter_io.h"
#include "onggi/tasks/merge/merge.h"
#include "onggi/train/progress.h"

namespace onggi::cli {
namespace {

struct MergeFiles {
  std::string base;
  std::string adapter;
  int threads = 0;

  template <class V>
  void visit(V&& field) {
    field("base", base, "Model that the adapter was trained on; empty = the demo's Gemma 3 270M.");
    field("adapter", adapter, "PEFT folder: LoRA, rsLoRA or DoRA.");
    field("threads", threads, "Threads; 0 = all cores of this process.");
  }
};

bool has_tokenizer(const formats::Checkpoint& checkpoint) {
  if (checkpoint.kind() == formats::CheckpointKind::kGguf)
    return checkpoint.metadata().contains("tokenizer.ggml.model");
  const std::filesystem::path folder =
      std::filesystem::is_directory(checkpoint.path()) ? checkpoint.path() : checkpoint.path().parent_path();
  return std::filesystem::exists(folder / "tokenizer.json") || std::filesystem::exists(folder / "tokenizer.model");
}

}  // namespace

int run_merge(std::span<const std::string_view> arguments) {
  MergeFiles files;
  tasks::MergeOptions options;
  OptionList list(files, options);
  static constexpr std::string_view kExamples[] = {
      "onggi merge --adapter runs/first/adapter --output themes.gguf",
      "onggi merge --base model.gguf --adapter runs/first/adapter --output themes-bf16 --type BF16",
      "onggi merge --base ./gemma-3-1b --adapter ./my-dora --output ./gemma-3-1b-themes"};
  if (wants_help(arguments)) {
    print_help(
        "merge --adapter FOLDER --output PATH [options]",
        "Folds an adapter into its base: one model that needs no adapter. Computed in f32 from the weights that the\n"
        "adapter was trained on, rounded once, written tensor by tensor; the output appears whole or not at all.",
        list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "merge takes no positional argument; the adapter is --adapter FOLDER");
  require(!files.adapter.empty(), "--adapter is missing: a PEFT folder");
  require(!options.output.empty(), "--output is missing: a .gguf file or a folder");

  ThreadPool pool(files.threads);
  nn::Context context(pool);
  const std::shared_ptr<const formats::Checkpoint> checkpoint = formats::open_checkpoint(resolve_base(files.base));
  const auto adapter_files = nn::read_adapter(files.adapter);
  std::vector<std::pair<std::string, std::string>> hashes = {{"base", base_hash(*checkpoint)}};
  if (has_tokenizer(*checkpoint)) hashes.emplace_back("tokenizer", text::open_tokenizer(*checkpoint)->content_hash());
  nn::check_adapter_origin(adapter_files, hashes, files.adapter);
  // Merged from the weights that the adapter was trained on, whatever the file holds.
  const auto base_type = models::base_type_from_name(nn::adapter_base_type(adapter_files, files.adapter));
  const auto decoder = models::Decoder::load(checkpoint, context, models::Compute::kF32, base_type);
  const auto adapter = models::adapter_from_files(context, *decoder, adapter_files, files.adapter);
  const auto tensors = std::filesystem::path(files.adapter) / "adapter_model.safetensors";
  const Json origin = {{"tool", "onggi " + commit()},
                       {"base", checkpoint->path().filename().string()},
                       {"hashes", {{"base", hashes[0].second}, {"adapter", sha256_file(tensors)}}},
                       {"adapter_origin", adapter_files.origin}};
  const auto summary =
      tasks::merge_adapter({.context = context,
                            .decoder = *decoder,
                            .adapter = adapter,
                            .origin = origin,
                            .is_terminal = ::isatty(STDERR_FILENO) == 1,
                            .write = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }},
                           options);
  std::fprintf(stderr, "%lld matrices merged, %lld tensors kept, %s of weights\n",
               static_cast<long long>(summary.num_merged), static_cast<long long>(summary.num_kept),
               train::format_bytes(summary.num_bytes).c_str());
  std::printf("%s\n", options.output.c_str());
  return 0;
}

}  // namespace onggi::cli
