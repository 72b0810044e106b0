#include "onggi/tasks/merge/merge.h"

#include <algorithm>
#include <cctype>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/tasks/merge/merge_job.h"

namespace onggi::tasks {
namespace {

namespace fs = std::filesystem;
using quant::DType;

std::optional<DType> parse_type(const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::string name = text;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto type = quant::dtype_from_name(name);
  const bool is_known = type && (is_float_type(*type) || *type == DType::kQ8_0 || *type == DType::kQ4_0);
  require(is_known, [&] { return "--type is \"" + text + "\", expected F32, F16, BF16, Q8_0 or Q4_0"; });
  return type;
}

/// Whether `path` is `folder` or lies in it.
bool lies_in(const fs::path& path, const fs::path& folder) {
  std::error_code error;
  for (fs::path p = fs::canonical(path, error); !error && !p.empty(); p = p.parent_path()) {
    std::error_code absent;
    if (fs::equivalent(p, folder, absent)) return true;
    if (p == p.parent_path()) break;
  }
  return false;
}

/// Refuses a place that is taken by something that must not go.
void check_output(const fs::path& output, bool is_file, bool force, const fs::path& base) {
  const auto check = [&](bool ok, const char* message) {
    require(ok, message, ErrorCode::kInvalidArgument, output.string());
  };
  std::error_code error;
  if (!fs::exists(output, error)) return;
  check(!lies_in(base, output), "the output is the base itself, or holds it; choose another place");
  if (is_file) {
    check(fs::is_regular_file(output), "the output is there and is no file; choose another name");
  } else {
    check(fs::is_directory(output), "the output is there and is no folder; a GGUF file's name must end in .gguf");
    if (fs::is_empty(output, error)) return;
  }
  check(force, "the output is there already; choose another name, or replace it with --force");
  check(is_file || fs::exists(output / "config.json", error),
        "the folder holds something that is no model, and is never replaced; choose another");
}

void make_parent(const fs::path& output) {
  std::error_code error;
  if (output.has_parent_path()) fs::create_directories(output.parent_path(), error);
  require(
      !error, [&] { return "can't make the folder: " + error.message(); }, ErrorCode::kUnavailable,
      output.parent_path().string());
}

void write_folder(MergeJob& job, const fs::path& output, const MergeOptions& options) {
  const fs::path fresh = temporary_beside(output);
  std::error_code error;
  fs::create_directories(fresh, error);
  require(
      !error, [&] { return "can't make the folder: " + error.message(); }, ErrorCode::kUnavailable, fresh.string());
  try {
    merge_to_folder(job, fresh, options);
    replace_folder(fresh, output);
  } catch (...) {
    fs::remove_all(fresh, error);
    throw;
  }
}

}  // namespace

MergeSummary merge_adapter(const MergeInput& input, const MergeOptions& options) {
  require(!options.output.empty(), "--output is missing: a .gguf file or a folder");
  const bool has_layers =
      std::ranges::any_of(input.adapter.linears, [](const auto& linear) { return linear.has_value(); });
  require(has_layers, "the adapter has no layers");
  fs::path output = fs::path(options.output).lexically_normal();
  if (output.filename().empty()) output = output.parent_path();
  const bool is_file = output.extension() == ".gguf";
  check_output(output, is_file, options.force, input.decoder.checkpoint().path());
  make_parent(output);
  MergeJob job(input, parse_type(options.type));
  if (is_file) {
    merge_to_gguf(job, output);
  } else {
    write_folder(job, output, options);
  }
  return job.summary();
}

}  // namespace onggi::tasks
