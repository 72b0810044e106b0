#pragma once

#include <memory>
#include <span>
#include <string>

#include "onggi/core/thread_pool.h"
#include "onggi/models/decoder.h"
#include "onggi/nn/lora.h"
#include "onggi/text/tokenizer.h"

namespace onggi::cli {

/// A model ready to run, as most commands need it.
struct Session {
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<nn::Context> context;
  std::shared_ptr<const formats::Checkpoint> checkpoint;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::unique_ptr<models::Decoder> decoder;
};

/// `base` empty: the demo's Gemma 3 270M in the cache. Throws kNotFound with the way to get it.
std::string resolve_base(const std::string& base);
/// SHA-256 of what a checkpoint holds (a file, or config and every shard), for manifests.
std::string base_hash(const formats::Checkpoint& checkpoint);
/// What the linear layers of the base must be held as for these PEFT folders to answer side by side; "keep" for none.
/// Throws kInvalidArgument naming the first that was trained on another type than those before it.
std::string adapters_base_type(std::span<const std::string> folders);
/// Commit that this binary was built from.
std::string commit();
Session open_session(const std::string& base, int num_threads, models::Compute compute,
                     models::BaseType base_type = models::BaseType::kKeep);

}  // namespace onggi::cli
