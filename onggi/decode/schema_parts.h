#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/decode/byte_dfa.h"
#include "onggi/decode/number_machine.h"
#include "onggi/decode/schema_document.h"

namespace onggi::decode {

/// How a schema is read where JSON Schema leaves it open.
struct SchemaReading {
  enum class Formats { kAssert, kAssertKnown, kAnnotate };
  bool is_flexible = false;            ///< White space between tokens, and every form of a number.
  bool is_ordered = true;              ///< Members in the schema's order; else in any, but where "not" asks for one.
  bool passes_over_unknown = false;    ///< Keywords that we do not know say nothing (2020-12, 6.5); else refused.
  Formats formats = Formats::kAssert;  ///< kAssert refuses names that we do not know.
  Draft draft = Draft::k202012;        ///< Of a schema that names none.
  Json documents = Json::object();     ///< Other schemas, by the URIs that references and "$schema" name.
};

/// Kinds of value, one bit each.
constexpr unsigned kNullType = 1;
constexpr unsigned kTrueType = 2;
constexpr unsigned kFalseType = 4;
constexpr unsigned kObjectType = 8;
constexpr unsigned kArrayType = 16;
constexpr unsigned kStringType = 32;
constexpr unsigned kWholeType = 64;
constexpr unsigned kFractionType = 128;  ///< Numbers that are not whole.
constexpr unsigned kNumberTypes = kWholeType | kFractionType;
constexpr unsigned kAllTypes = 255;

using Schemas = std::vector<const Json*>;  ///< All of which hold.
using Place = std::vector<int>;            ///< Where a part stands in the schema, for the order of names.

/// Where an annotation comes from. A schema sees those of the parts below its place, but not out of a "not": `silenced`
/// is the place of the innermost schema around it that was made, whose annotations end there.
struct Origin {
  Place place;
  Place silenced;
  bool is_seen_from(const Place& scope) const;
};

/// A part's place among others, and the part.
struct ObjectLayer {
  Origin origin;
  const Json* properties = nullptr;
  const Json* patterns = nullptr;
  const Json* additional = nullptr;  ///< What neither of the two names.
};
/// Some member that `domain` leaves to "additionalProperties", or whose name matches one of its patterns, fits a
/// schema.
struct WantedMember {
  const Json* domain = nullptr;
  std::string pattern;  ///< Empty: additional.
  const Json* schema = nullptr;
};
struct ArrayLayer {
  Origin origin;
  Schemas prefix;
  const Json* rest = nullptr;
  const Json* contains = nullptr;  ///< Items that fit it count as evaluated.
};
/// "unevaluatedProperties" or "unevaluatedItems" of a schema.
struct Unevaluated {
  Origin origin;
  const Json* schema = nullptr;  ///< That has it.
  const Json* value = nullptr;
  bool is_of_items = false;
};
struct Contained {
  const Json* schema = nullptr;
  int fewest = 1;
  int most = -1;
};

/// Values that fit all of some keywords, one part for each kind of value: an alternative of a schema.
struct Conjunction {
  unsigned types = kAllTypes;

  std::vector<std::shared_ptr<const ByteDfa>> texts;
  std::vector<std::shared_ptr<const ByteDfa>> other_texts;  ///< None of these.
  std::optional<std::vector<std::string>> listed_texts;
  std::vector<std::string> excluded_texts;
  int min_length = 0;
  int max_length = -1;

  NumberSpec numbers;
  std::optional<std::vector<Json>> listed_numbers;

  std::vector<ArrayLayer> arrays;
  std::vector<Contained> contained;
  bool has_unique_items = false;
  const Json* unique_at = nullptr;
  int min_items = 0;
  int max_items = -1;

  std::vector<ObjectLayer> objects;
  std::vector<std::pair<Place, std::string>> required;
  Schemas names;  ///< "propertyNames"
  std::vector<WantedMember> wanted;
  int min_members = 0;
  int max_members = -1;
};

/// Exact value of a JSON number.
Decimal decimal_of(const Json& number);

/// Turns schemas into alternatives, each a conjunction: "anyOf" and its kin are multiplied out, "not" is pushed down to
/// the keywords. Subschemas of members and items stay as they are.
class SchemaExpander {
 public:
  SchemaExpander(SchemaDocument& document, const SchemaReading& reading) : document_(document), reading_(reading) {}

  /// Alternatives of what fits all of the schemas. Throws kInvalidArgument naming keyword and pointer for what can't be
  /// enforced, kExhausted for what grows too large.
  std::vector<Conjunction> expand(const Schemas& schemas);
  /// A schema of the values that do not fit.
  const Json& negation(const Json& schema);
  /// Texts in which an expression is found; `keyword` of `schema` asks for it ("patternProperties": the value of it).
  const ByteDfa& pattern(const std::string& source, const Json& schema, const std::string& keyword);

 private:
  struct Chain;  ///< The schemas that one is part of.
  struct Step {
    const Json* schema = nullptr;
    Place place;
    std::shared_ptr<const Chain> chain;
    std::vector<Schemas> choices;  ///< One of these instead, where `schema` is null.
    int index = 0;                 ///< Of the keyword that it comes from.
  };
  struct Work {
    Conjunction conjunction;
    std::vector<Step> open;
    std::vector<Step> choices;
    Schemas seen;
    std::vector<Unevaluated> unevaluated;
  };
  void run(Work work, std::vector<Conjunction>& out);
  [[noreturn]] void refuse_size() const;
  void read(const Step& step, Work& work);
  bool read_applicator(const Json& schema, const std::string& keyword, const Json& value, const Step& step, int index,
                       Work& work);
  void read_any_of(const Json& schema, const Json& value, const Step& step, int index, Work& work);
  void read_if(const Json& schema, const Json& value, const Step& step, int index, Work& work);
  void read_dependent(const Json& schema, const std::string& keyword, const Json& value, const Step& step, int index,
                      Work& work);
  void resolve_unevaluated(Work& work);
  void close_items(const Unevaluated& u, Conjunction& c);
  void close_members(const Unevaluated& u, Conjunction& c);
  static Origin origin_of(const Step& step, int index);
  void read_keyword(const Json& schema, const std::string& keyword, const Json& value, const Step& step, int index,
                    Work& work);
  bool read_text_or_number(const Json& schema, const std::string& keyword, const Json& value, Conjunction& c);
  bool read_array(const Json& schema, const std::string& keyword, const Json& value, const Origin& origin,
                  Conjunction& c);
  bool read_object(const Json& schema, const std::string& keyword, const Json& value, const Origin& origin, Work& work);
  void read_listed(const Json& schema, const std::string& keyword, const Json& value, const Step& step, int index,
                   Work& work);
  void read_one_of(const Json& value, const Step& step, int index, Work& work);
  void choose(const Step& step, int index, std::vector<Schemas> choices, Work& work);
  void also(const Step& step, int index, const Json& schema, Work& work);
  bool are_disjoint(const Json& a, const Json& b);
  bool is_surely_empty(const Schemas& schemas, int depth);
  bool are_surely_empty(const std::vector<Conjunction>& all, int depth);
  bool is_ignored(const Json& schema, const std::string& keyword) const;
  bool is_left_out(const Json& schema, const std::string& keyword) const;
  bool asserts_formats(const Json& schema, const std::string& keyword) const;
  bool read_content(const Json& schema, const std::string& keyword, const Json& value, Conjunction& c);
  unsigned types_of(const Json& schema, const Json& value) const;
  int bound(const Json& schema, const std::string& keyword, const Json& value) const;
  const Json& list(const Json& schema, const std::string& keyword, const Json& value) const;
  void negate_keyword(const Json& schema, const std::string& keyword, const Json& value, Json& alternatives);
  Json reference(const Json& schema);

  SchemaDocument& document_;
  const SchemaReading& reading_;
  std::map<std::string, ByteDfa> patterns_;
  std::map<std::string, std::shared_ptr<const ByteDfa>> encodings_;
  std::vector<const Json*> nodes_;  ///< That schemas made here refer to, by index.
  std::map<const Json*, const Json*> negations_;
  std::map<const Json*, const Json*> closed_;  ///< Schemas of listed objects and arrays.
  std::map<std::pair<const Json*, const Json*>, bool> disjoint_;
  std::map<std::string, const Json*> evaluated_;  ///< Objects of what "unevaluatedProperties" leaves alone.
  std::map<Schemas, const Json*> options_;        ///< "anyOf" of some schemas.
  std::size_t widest_ = 0;  ///< Most options of one choice in this call of expand, and where it stands.
  const Json* widest_at_ = nullptr;
  std::string widest_keyword_;
  int num_steps_ = 0;
  int nesting_ = 0;        ///< Of is_surely_empty.
  int num_own_steps_ = 0;  ///< Of one call of expand.
};

}  // namespace onggi::decode
