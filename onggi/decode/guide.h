#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/text/tokenizer.h"

namespace onggi::decode {

/// The texts that an input row gives to a guide, by slot name ("product", "review"): what "a piece of the row's own
/// input" refers to.
using Slots = std::vector<std::pair<std::string, std::string>>;

/// The ids that may come next: as bits where they are many, else as a list. One of the two is empty.
struct TokenMask {
  std::span<const int> ids;            ///< Ascending.
  std::span<const std::uint64_t> bits;  ///< One an id, in words of 64.

  bool holds(int id) const {
    if (bits.empty()) return std::binary_search(ids.begin(), ids.end(), id);
    const auto word = static_cast<std::size_t>(id) / 64;
    return id >= 0 && word < bits.size() && (bits[word] >> (id % 64) & 1) != 0;
  }
};

/// One row's walk through a guide. Confined to one thread.
class GuideState {
 public:
  virtual ~GuideState() = default;
  /// Ids that may come next, ascending, at least one (else the guide is a bug). Contains the tokenizer's stop id
  /// exactly where the text so far is complete. The span lives until the next call of advance.
  virtual std::span<const int> allowed() = 0;
  /// The same set in the form that is cheapest to give; lives as long.
  virtual TokenMask mask() { return {allowed(), {}}; }
  /// Takes an allowed id. Throws kInvalidArgument on another.
  virtual void advance(int id) = 0;
  /// True after a stop id was taken.
  virtual bool is_finished() const = 0;
  /// A second walk from here. Both stay with the thread of this one: they share what they learn about the language,
  /// so a span from `allowed` ends with the next call on either.
  virtual std::unique_ptr<GuideState> fork() const = 0;
};

/// A language that answers must belong to, compiled once and used by many rows. Immutable and thread-safe.
class Guide {
 public:
  virtual ~Guide() = default;
  virtual std::unique_ptr<GuideState> start(const Slots& slots) const = 0;
  /// Every id that any row's walk can ever allow, without what comes from slots; ascending. The head is computed for
  /// these rows of the vocabulary only.
  virtual std::span<const int> reachable() const = 0;
  /// What a row's slots add to `reachable` (ascending, may overlap with it).
  virtual std::vector<int> reachable_from(const Slots& slots) const = 0;
  /// Whole text belongs to the language? The same compiled form that masks also judges.
  virtual bool accepts(std::string_view text, const Slots& slots) const = 0;
};

/// Compiles a guide. `spec` is one of
///   {"choices": ["a", "b"]}                     one of the texts
///   {"regex": "..."}                            syntax in docs/formats/guides.md, with {slot:words} and {slot:piece}
///   {"schema": {...}}                           JSON Schema, beside which some more may stand
///   {"json_object": true}                       any JSON object; "whitespace" may stand beside it
///   {"grammar": "root ::= ..."}                 EBNF
///   {"cards": {...}}                            review-theme cards
/// Throws kInvalidArgument naming the keyword and its JSON pointer for anything that can't be enforced exactly.
std::shared_ptr<const Guide> compile_guide(const Json& spec, std::shared_ptr<const text::Tokenizer> tokenizer);
/// The guide of a file; errors name the file, and the place in it where there is one.
std::shared_ptr<const Guide> load_guide(const std::filesystem::path& path, std::shared_ptr<const text::Tokenizer> tokenizer);

}  // namespace onggi::decode
