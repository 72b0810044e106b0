#include "onggi/tasks/row_job.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/models/adapter_io.h"
#include "onggi/nn/adapter_files.h"
#include "onggi/train/progress.h"

namespace onggi::tasks {
namespace {

double clock_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

RowAdapter load_row_adapter(const RowModel& model, const std::string& folder, nn::AdapterType type) {
  const auto files = nn::read_adapter(folder);
  const std::vector<std::pair<std::string, std::string>> hashes = {{"base", model.base_hash},
                                                                   {"tokenizer", model.tokenizer->content_hash()}};
  nn::check_adapter_origin(files, hashes, folder);
  return {.adapter = models::serving_adapter(model.context, model.decoder, files, folder, type),
          .hash = sha256_file(std::filesystem::path(folder) / "adapter_model.safetensors")};
}

void require_part_name(const std::string& part) {
  require(part == "train" || part == "validation" || part == "test",
          [&] { return "--part is \"" + part + "\", expected train, validation or test"; });
}

RowProgress::RowProgress(std::int64_t num_rows, bool is_terminal, std::function<void(std::string_view)> write)
    : num_rows_(num_rows),
      is_terminal_(is_terminal),
      write_(std::move(write)),
      start_(clock_seconds()),
      shown_(start_) {}

double RowProgress::seconds() const { return std::max(1e-9, clock_seconds() - start_); }

void RowProgress::show(const Counts& counts, bool is_last) {
  const double now = clock_seconds();
  if (!is_last && now - shown_ < (is_terminal_ ? 0.2 : 10.0)) return;
  shown_ = now;
  const double rate = static_cast<double>(counts.num_new) / seconds();
  const auto left = static_cast<double>(num_rows_ - counts.num_done);
  char line[200];
  std::snprintf(line, sizeof line, "%s%lld/%lld rows  %.1f rows/s  %.0f tokens/s  %lld failed  %s left%s",
                is_terminal_ ? "\r" : "", static_cast<long long>(counts.num_done), static_cast<long long>(num_rows_),
                rate, static_cast<double>(counts.num_tokens) / seconds(), static_cast<long long>(counts.num_failed),
                train::format_duration(rate > 0 ? left / rate : 0).c_str(), is_terminal_ && !is_last ? "" : "\n");
  if (write_) write_(line);
}

}  // namespace onggi::tasks
