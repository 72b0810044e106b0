#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/text/jinja/value.h"

namespace onggi::text::jinja {

/// Where something stands in the template, both from 1.
struct Place {
  int line = 1;
  int column = 1;
};

/// Throws kInvalidArgument "chat template: message" at "line L, column C".
[[noreturn]] void fail_at(Place place, const std::string& message);

/// A node of an expression. `depth` is bounded by the parser, so that recursion over a tree is safe.
struct Expression {
  enum class Kind {
    kLiteral,    // value
    kName,       // name
    kAttribute,  // children[0].name
    kIndex,      // children[0][children[1]]
    kSlice,      // children[0][a:b:c]; absent bounds are null pointers
    kCall,       // children[0](arguments, named)
    kFilter,     // children[0] | name(arguments, named)
    kTest,       // children[0] is name(arguments)
    kUnary,      // name is "-", "+" or "not"
    kBinary,     // name is the operator; also "and", "or"
    kCompare,    // children[0] operators[0] children[1] operators[1] ...
    kChoice,     // children[1] if children[0] else children[2] (may be null)
    kList,
    kDict,  // keys and values in turn
  };
  Kind kind = Kind::kLiteral;
  Place place;
  int depth = 1;
  std::string name;
  bool negated = false;   // kTest: is not.
  bool is_tuple = false;  // kList: in round brackets or none.
  Value value;
  std::vector<std::unique_ptr<Expression>> children;
  std::vector<std::unique_ptr<Expression>> arguments;
  std::vector<std::pair<std::string, std::unique_ptr<Expression>>> named;
  std::vector<std::string> operators;
};
using ExpressionPtr = std::unique_ptr<Expression>;

struct Statement;
using Block = std::vector<Statement>;

struct Statement {
  enum class Kind {
    kText,      // text
    kOutput,    // {{ expression }}
    kFor,       // for names in expression if condition: body; else: otherwise
    kIf,        // branches, in order; a branch without condition is else
    kSet,       // names = expression; with `attribute`: names[0].attribute = expression
    kSetBlock,  // names[0] = what body prints
    kMacro,     // macro text(names with defaults): body
    kBreak,
    kContinue,
    kScope,  // body as it is (transformers' {% generation %})
  };
  Kind kind = Kind::kText;
  Place place;
  std::string text;
  std::string attribute;
  std::vector<std::string> names;
  std::vector<ExpressionPtr> defaults;  // Of a macro's last parameters; as long as names, null where there is none.
  ExpressionPtr expression;
  ExpressionPtr condition;
  Block body;
  Block otherwise;
  std::vector<std::pair<ExpressionPtr, Block>> branches;
};

/// Parses a template with trim_blocks and lstrip_blocks, as transformers does. Throws kInvalidArgument with the place.
Block parse_template(std::string_view source);

}  // namespace onggi::text::jinja
