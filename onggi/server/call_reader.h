#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "onggi/server/call_form.h"

namespace onggi::server {

/// Tells text from calls in an answer as it grows. What it is given must belong to answers_guide of the same form, or
/// be the beginning of such an answer. Confined to one thread.
class CallReader {
 public:
  struct Piece {
    enum class Kind { kText, kName, kArguments };
    Kind kind;
    int call = 0;  ///< Number of the call, for kName (the whole name, once) and kArguments.
    std::string text;
  };

  /// `may_be_text`: false where an answer is calls only, so that a cut beginning of one is not taken for text.
  CallReader(CallForm form, bool may_be_text) : form_(std::move(form)), may_be_text_(may_be_text) {}

  /// The pieces that are new since the last call. `answer` is the whole text so far; `is_end`: nothing comes after it.
  std::vector<Piece> read(std::string_view answer, bool is_end);

  int num_calls() const { return num_calls_; }
  /// Whether the answer so far ends inside a call.
  bool is_in_call() const { return num_calls_ > 0 && state_ != State::kAfter; }

 private:
  enum class State { kText, kPlain, kName, kArguments, kAfter };
  /// Each takes what it can of `rest` and says how much; 0: it needs more.
  std::size_t read_text(std::string_view rest, bool is_end, std::vector<Piece>& pieces);
  std::size_t read_name(std::string_view rest, std::vector<Piece>& pieces);
  std::size_t read_arguments(std::string_view rest, std::vector<Piece>& pieces);
  std::size_t read_after(std::string_view rest);

  const CallForm form_;
  const bool may_be_text_;
  State state_ = State::kText;
  std::size_t num_read_ = 0;  ///< Bytes of the answer.
  int num_calls_ = 0;
  int depth_ = 0;  ///< Of brackets in arguments.
  bool is_in_string_ = false, is_escaped_ = false;
};

}  // namespace onggi::server
