#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/datasets/rows.h"

namespace onggi::datasets {

/// A piece of a rendered prompt. Every piece is tokenised literally: text that spells a control token stays text.
struct Segment {
  std::string text;
  bool is_slot = false;  ///< Came from the row.
  std::string slot;      ///< The slot's name, empty for template text.
  bool operator==(const Segment&) const = default;
};

/// A prompt with named slots and, for training, the answer that follows it. Immutable and thread-safe.
/// The file format is docs/formats/dataset.md, "Prompt templates":
///
///   ---                      optional front section, `key: value` lines
///   format: cards            how answers are checked: text (default), json or cards
///   ---
///   Product: {{product}}     {{column}} or {{column|json}}; \{{ is a literal {{
///   Themes:
///   ---answer---             the answer: one template more
///   {{themes|cards}}
///
/// The line break right before ---answer--- and the one at the end of the file belong to neither.
class PromptTemplate {
 public:
  /// Throws kNotFound, or kInvalidArgument with file and line: an open or empty slot, an unknown converter or key.
  static PromptTemplate load(const std::filesystem::path& path);
  static PromptTemplate parse(std::string_view source, std::string_view where);

  /// The prompt's pieces for a row, neighbouring template text joined, no empty template piece.
  /// Throws kInvalidArgument naming template, row and slot where a column is missing (with the nearest column).
  std::vector<Segment> render(const Row& row) const;
  /// The answer that training teaches. Throws as `render`; kInvalidArgument where the template has no answer part.
  std::string render_answer(const Row& row) const;

  /// Text before the first slot: the same for all rows, so it is computed once a batch.
  const std::string& shared_prefix() const { return shared_prefix_; }
  /// Names of the prompt's slots in order of first use.
  std::vector<std::string> slots() const;
  /// The row's values of those slots, as guides want them.
  std::vector<std::pair<std::string, std::string>> slot_values(const Row& row) const;

  bool has_answer() const { return has_answer_; }
  /// "text", "json" or "cards".
  const std::string& answer_format() const { return answer_format_; }
  /// The front section's `name`, else the file's stem.
  const std::string& name() const { return name_; }
  /// Characters of template text in the prompt: what shortening a prompt saves.
  std::size_t num_static_characters() const;
  /// SHA-256 of the source.
  const std::string& content_hash() const { return content_hash_; }

 private:
  struct Piece {
    std::string text;  ///< Template text, or the column's name.
    bool is_slot = false;
    std::string converter;
  };
  std::vector<Piece> parse_pieces(std::string_view text, int first_line) const;
  void parse_front_section(std::string_view& source, int& line);
  std::string piece_text(const Piece& piece, const Row& row) const;

  std::vector<Piece> prompt_, answer_;
  std::string where_, name_, answer_format_ = "text", shared_prefix_, content_hash_;
  bool has_answer_ = false;
};

/// Text of all pieces.
std::string joined_text(std::span<const Segment> segments);

}  // namespace onggi::datasets
