#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/text/tokenizer.h"

namespace onggi::text {

/// A chat template in the part of Jinja2 that published checkpoints use (docs/formats/tokenizers.md lists it), run as
/// transformers runs it: trim_blocks, lstrip_blocks, `tojson` without HTML escapes, `raise_exception`.
///
/// Where each byte of the result comes from is kept: every string that came in with messages, tools or extra carries
/// marks byte by byte, and the engine's operations (+, ~, trim, replace, split, slices, tojson ...) cut and join text
/// and marks together. `render_spans` hands the two kinds out apart, so that a user's "<end_of_turn>" is never a
/// control token while the template's own is. What a template only compares (a role, a flag) leaves no trace.
///
/// A hostile template ends with an error: source at most 1 MiB, text 32 MiB, work and depth are bounded.
/// Immutable and thread-safe.
class ChatTemplate {
 public:
  struct Options {
    Json tools;                         ///< JSON schemas of functions, or null.
    bool add_generation_prompt = false; ///< Ends with the header of the answer to come.
    std::string bos_token;              ///< Template text, as are the others.
    std::string eos_token;
    std::string date;  ///< YYYY-MM-DD for strftime_now; "" leaves it undefined, and templates fall back to a date of theirs.
    Json extra;        ///< Object of further variables (enable_thinking ...); they are content.
  };

  /// Throws kInvalidArgument with line and column where the source can't be read.
  explicit ChatTemplate(std::string source);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  const std::string& source() const { return source_; }

  /// `messages` is an array of {"role": ..., "content": ...}. Throws kInvalidArgument where the template refuses them
  /// (raise_exception) or goes wrong, naming line and column; kExhausted past a bound.
  std::string render(const Json& messages, const Options& options) const;
  /// The same text in spans, template's and content's in turn, none empty; for Tokenizer::encode_spans.
  std::vector<TextSpan> render_spans(const Json& messages, const Options& options) const;

 private:
  struct Parsed;
  std::string source_;
  std::unique_ptr<Parsed> parsed_;
};

/// The template of a checkpoint: its own, else one of ours that fits the turn tokens in its vocabulary ("gemma" by
/// <start_of_turn>, "llama3" by <|start_header_id|>, "chatml" by <|im_start|>), else "".
std::string chat_template_of(const Tokenizer& tokenizer);

/// Source of our own "gemma", "chatml" or "llama3" template; throws kNotFound for another name.
std::string_view builtin_chat_template(std::string_view name);

/// Options with the BOS and EOS spelt as the vocabulary has them.
ChatTemplate::Options chat_options_of(const Tokenizer& tokenizer);

}  // namespace onggi::text
