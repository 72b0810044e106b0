#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "onggi/models/decoder.h"
#include "onggi/nn/lora.h"
#include "onggi/text/tokenizer.h"

namespace onggi::tasks {

/// The model that a job of rows runs on.
struct RowModel {
  nn::Context& context;
  models::Decoder& decoder;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::string base_hash;
};

/// A PEFT folder, read and ready to run.
struct RowAdapter {
  nn::Adapter adapter;
  std::string hash;  ///< SHA-256 of its tensors' file, for manifests.
};

/// Throws as nn::read_adapter, nn::check_adapter_origin and models::adapter_from_files.
RowAdapter load_row_adapter(const RowModel& model, const std::string& folder, nn::AdapterType type);

/// "train", "validation" or "test". Throws kInvalidArgument.
void require_part_name(const std::string& part);

/// How far a job of rows is: a line now and then, or one that is redrawn on a terminal. Confined to one thread.
class RowProgress {
 public:
  struct Counts {
    std::int64_t num_done = 0;    ///< Of the whole output, earlier calls included.
    std::int64_t num_new = 0;     ///< In this call.
    std::int64_t num_failed = 0;  ///< Of these.
    std::int64_t num_tokens = 0;  ///< In this call.
  };

  RowProgress(std::int64_t num_rows, bool is_terminal, std::function<void(std::string_view)> write);

  void show(const Counts& counts) { show(counts, false); }
  /// The last line, whenever the one before was.
  void finish(const Counts& counts) { show(counts, true); }
  double seconds() const;  ///< Since the start; above 0.

 private:
  void show(const Counts& counts, bool is_last);

  const std::int64_t num_rows_;
  const bool is_terminal_;
  const std::function<void(std::string_view)> write_;
  const double start_;
  double shown_;
};

}  // namespace onggi::tasks
