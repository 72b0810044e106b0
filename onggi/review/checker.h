#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/decode/guide.h"
#include "onggi/review/records.h"

namespace onggi::review {

/// A rule that an answer breaks, and where.
struct Fault {
  std::string code;     ///< Of eval::card_faults, or: empty, again, many, guide.
  int card = -1;        ///< Of themes, from 0; -1: the whole answer.
  std::string field;    ///< "entity", "expression" or "name"; empty: all of it.
  std::string message;  ///< English.
  int at = -1;          ///< guide: characters of the answer's text that it allows; -1 for other codes.
};

/// Judges answers by the rules that answers of models are held to and scored by: the guide, compiled by the same code
/// and walked byte by byte, and for themes the rules of well-formed cards. Not thread-safe.
class Checker {
 public:
  /// `guide` as in guide files; null: no guide. Throws as decode::compile_guide.
  Checker(AnswerKind kind, const Json& guide);

  /// `answer` in normal form, `fields` the row's columns. Empty if nothing is wrong.
  std::vector<Fault> check(const Json& fields, const Json& answer) const;
  /// The closed list of aspects; empty where the guide has none.
  const std::vector<std::string>& names() const { return names_; }
  /// Themes a row may have; 0: no bound.
  int max_themes() const { return max_themes_; }

 private:
  void check_themes(const Json& fields, const Json& answer, std::vector<Fault>& faults) const;
  void check_guide(const Json& fields, const Json& answer, std::vector<Fault>& faults) const;

  const AnswerKind kind_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::shared_ptr<const decode::Guide> guide_;
  std::vector<std::string> names_;
  int max_themes_ = 0;
};

/// [{"code", "message"} and, where they say something, "card", "field", "at"].
Json faults_json(std::span<const Fault> faults);
/// The codes, each once, as a JSON list.
std::string fault_codes(std::span<const Fault> faults);

}  // namespace onggi::review
