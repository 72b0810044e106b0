#include "onggi/text/jinja/interpreter.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/text/utf8.h"

namespace onggi::text::jinja {
namespace {

constexpr std::size_t kMaxWork = 128 << 20;  // Bytes moved, and 64 for each step: under a second.
constexpr std::size_t kStepCost = 64;
constexpr std::size_t kMaxTextBytes = 32 << 20;
constexpr int kMaxDepth = 500;  // Of evaluation, over macros too.

/// Counts a level of recursion for as long as it lives.
class Level {
 public:
  Level(int& depth, Place place) : depth_(depth) {
    if (++depth_ > kMaxDepth) {
      --depth_;
      throw Error(ErrorCode::kExhausted, "chat template: recursion deeper than 500 levels",
                  "line " + std::to_string(place.line) + ", column " + std::to_string(place.column));
    }
  }
  ~Level() { --depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  int& depth_;
};

}  // namespace

const Value* Arguments::find(std::size_t index, std::string_view name) const {
  if (index < positional.size()) return &positional[index];
  for (const auto& [n, v] : named) {
    if (n == name) return &v;
  }
  return nullptr;
}

Interpreter::Interpreter(const Block& block, std::vector<Variable> context, std::string date)
    : block_(block), context_(std::move(context)), date_(std::move(date)) {}

Interpreter::~Interpreter() {
  // A namespace may hold itself; its members let go of each other here.
  for (const auto& ns : namespaces_) ns->members.clear();
}

MarkedText Interpreter::run() {
  MarkedText out;
  frames_.assign(1, {});
  run_block(block_, out);
  return out;
}

void Interpreter::charge(std::size_t bytes) {
  work_ += bytes;
  require(work_ <= kMaxWork, "chat template: it does not end, or does too much work", ErrorCode::kExhausted);
}

Value Interpreter::checked(MarkedText text) {
  require(text.size() <= kMaxTextBytes, "chat template: a text larger than 32 MiB", ErrorCode::kExhausted);
  charge(text.size());
  return Value::of(std::move(text));
}

// Statements.

Interpreter::Flow Interpreter::run_block(const Block& block, MarkedText& out) {
  for (const Statement& s : block) {
    if (const Flow flow = run_statement(s, out); flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::run_statement(const Statement& s, MarkedText& out) {
  const Level level(depth_, s.place);
  charge(kStepCost);
  switch (s.kind) {
    case Statement::Kind::kText:
      charge(s.text.size());
      out.append(s.text);
      break;
    case Statement::Kind::kOutput: {
      const Value v = evaluate(*s.expression);
      charge(v.extent().weight);
      const MarkedText text = v.text() != nullptr ? MarkedText() : to_text(v);
      const MarkedText& printed = v.text() != nullptr ? *v.text() : text;
      out.append(printed);
      break;
    }
    case Statement::Kind::kFor: return run_for(s, out);
    case Statement::Kind::kIf:
      for (const auto& [condition, body] : s.branches) {
        if (condition == nullptr || evaluate(*condition).truthy()) return run_block(body, out);
      }
      break;
    case Statement::Kind::kSet: run_set(s); break;
    case Statement::Kind::kSetBlock: {
      MarkedText text;
      frames_.emplace_back();
      const Flow flow = run_block(s.body, text);
      frames_.pop_back();
      assign(s.names[0], checked(std::move(text)));
      return flow;
    }
    case Statement::Kind::kMacro: assign(s.text, Value::of(Function{s.text, &s, nullptr})); break;
    case Statement::Kind::kBreak: return Flow::kBreak;
    case Statement::Kind::kContinue: return Flow::kContinue;
    case Statement::Kind::kScope: {
      frames_.emplace_back();
      const Flow flow = run_block(s.body, out);
      frames_.pop_back();
      return flow;
    }
  }
  require(out.size() <= kMaxTextBytes, "chat template: its text is larger than 32 MiB", ErrorCode::kExhausted);
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::run_for(const Statement& s, MarkedText& out) {
  std::vector<Value> items = items_of(evaluate(*s.expression), s.place);
  charge(items.size() * kStepCost);
  if (s.condition != nullptr) {
    std::vector<Value> kept;
    for (Value& item : items) {
      frames_.emplace_back();
      unpack(s.names, item, frames_.back(), s.place);
      const bool keep = evaluate(*s.condition).truthy();
      frames_.pop_back();
      if (keep) kept.push_back(std::move(item));
    }
    items.swap(kept);
  }
  if (items.empty()) return run_block(s.otherwise, out);
  const auto n = static_cast<std::int64_t>(items.size());
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto neighbour = [&](bool exists, std::size_t where) {
      return exists ? items[where] : Value::undefined("there is no such item in the loop");
    };
    Frame frame;
    auto loop = std::make_shared<Dict>();  // Not by Value::dict: it may be past the bounds until someone keeps it.
    const auto put = [&](const char* name, Value v) { loop->members.emplace_back(MarkedText(name, false), std::move(v)); };
    put("index", Value::of(i + 1));
    put("index0", Value::of(i));
    put("revindex", Value::of(n - i));
    put("revindex0", Value::of(n - i - 1));
    put("first", Value::of(i == 0));
    put("last", Value::of(i + 1 == n));
    put("length", Value::of(n));
    put("previtem", neighbour(i > 0, at - 1));
    put("nextitem", neighbour(i + 1 < n, at + 1));
    put("cycle", Value::of(Function{"loop.cycle", nullptr, Value::list({Value::of(i)}).shared_list()}));
    for (const auto& [name, v] : loop->members) loop->extent.include(v);
    frame.emplace_back("loop", Value::of(std::move(loop)));
    unpack(s.names, items[at], frame, s.place);
    frames_.push_back(std::move(frame));
    const Flow flow = run_block(s.body, out);
    frames_.pop_back();
    if (flow == Flow::kBreak) break;
  }
  return Flow::kNormal;
}

void Interpreter::unpack(const std::vector<std::string>& names, const Value& value, Frame& frame, Place place) {
  if (names.size() == 1) {
    frame.emplace_back(names[0], value);
    return;
  }
  const std::vector<Value> parts = items_of(value, place);
  if (parts.size() != names.size()) {
    fail_at(place, "expected " + std::to_string(names.size()) + " values to unpack, found " + std::to_string(parts.size()));
  }
  for (std::size_t i = 0; i < names.size(); ++i) frame.emplace_back(names[i], parts[i]);
}

void Interpreter::assign(std::string_view name, Value value) {
  for (auto& [n, v] : frames_.back()) {
    if (n == name) {
      v = std::move(value);
      return;
    }
  }
  frames_.back().emplace_back(name, std::move(value));
}

void Interpreter::run_set(const Statement& s) {
  Value value = evaluate(*s.expression);
  if (!s.attribute.empty()) {
    const Value object = look_up(s.names[0]);
    const Dict* dict = object.dict();
    if (dict == nullptr || !dict->is_namespace) fail_at(s.place, "only a namespace's attributes can be set");
    // The interpreter made it, so it may write to it.
    const auto own = std::find_if(namespaces_.begin(), namespaces_.end(), [&](const auto& ns) { return ns.get() == dict; });
    for (auto& [key, member] : (*own)->members) {
      if (key.bytes == s.attribute) {
        member = std::move(value);
        return;
      }
    }
    charge((*own)->members.size());
    (*own)->members.emplace_back(MarkedText(s.attribute, false), std::move(value));
    return;
  }
  Frame frame;
  unpack(s.names, value, frame, s.place);
  for (auto& [name, v] : frame) assign(name, std::move(v));
}

Value Interpreter::look_up(const std::string& name) const {
  const auto in_frame = [&](const Frame& frame) -> const Value* {
    for (auto it = frame.rbegin(); it != frame.rend(); ++it) {
      if (it->first == name) return &it->second;
    }
    return nullptr;
  };
  for (std::size_t i = frames_.size(); i-- > macro_base_;) {
    if (const Value* v = in_frame(frames_[i])) return *v;
  }
  if (const Value* v = in_frame(frames_[0])) return *v;
  for (const Variable& v : context_) {
    if (v.name == name) return v.value;
  }
  for (const char* function : {"raise_exception", "namespace", "range", "dict"}) {
    if (name == function) return Value::of(Function{name, nullptr, nullptr});
  }
  if (name == "strftime_now" && !date_.empty()) return Value::of(Function{name, nullptr, nullptr});
  return Value::undefined("\"" + name + "\" is undefined");
}

// Expressions.

Value Interpreter::evaluate(const Expression& e) {
  const Level level(depth_, e.place);
  charge(kStepCost);
  switch (e.kind) {
    case Expression::Kind::kLiteral: return e.value;
    case Expression::Kind::kName: return look_up(e.name);
    case Expression::Kind::kAttribute:
      return attribute_of(evaluate(*e.children[0]), MarkedText(e.name, false), e.place);
    case Expression::Kind::kIndex: {
      const Value object = evaluate(*e.children[0]);
      return item_of(object, evaluate(*e.children[1]), e.place);
    }
    case Expression::Kind::kSlice: return evaluate_slice(e);
    case Expression::Kind::kCall: return evaluate_call(e);
    case Expression::Kind::kFilter: {
      const Value value = evaluate(*e.children[0]);
      return call_filter(e.name, value, evaluate_arguments(e), e.place);
    }
    case Expression::Kind::kTest: {
      const Value value = evaluate(*e.children[0]);
      return Value::of(call_test(e.name, value, evaluate_arguments(e), e.place) != e.negated);
    }
    case Expression::Kind::kUnary: {
      const Value value = evaluate(*e.children[0]);
      if (e.name == "not") return Value::of(!value.truthy());
      if (!value.is_number()) fail_at(e.place, std::string("a sign before a ") + value.kind_name());
      if (e.name == "+") return value;
      return arithmetic("-", Value::of(std::int64_t{0}), value, e.place);
    }
    case Expression::Kind::kBinary: return evaluate_binary(e);
    case Expression::Kind::kCompare: return evaluate_compare(e);
    case Expression::Kind::kChoice:
      if (evaluate(*e.children[0]).truthy()) return evaluate(*e.children[1]);
      if (e.children[2] == nullptr) return Value::undefined("the inline if has no else");
      return evaluate(*e.children[2]);
    case Expression::Kind::kList: {
      std::vector<Value> items;
      for (const auto& child : e.children) items.push_back(evaluate(*child));
      return Value::list(std::move(items), e.is_tuple);
    }
    case Expression::Kind::kDict: {
      auto members = std::vector<std::pair<MarkedText, Value>>();
      for (std::size_t i = 0; i < e.children.size(); i += 2) {
        const Value key = evaluate(*e.children[i]);
        if (key.text() == nullptr) fail_at(e.children[i]->place, "a dict's key should be a string");
        Value value = evaluate(*e.children[i + 1]);
        const auto same = std::find_if(members.begin(), members.end(),
                                       [&](const auto& m) { return m.first.bytes == key.text()->bytes; });
        if (same != members.end()) {
          same->second = std::move(value);
        } else {
          members.emplace_back(*key.text(), std::move(value));
        }
      }
      return Value::dict(std::move(members));
    }
  }
  return {};
}

Value Interpreter::attribute_of(const Value& object, const MarkedText& name, Place place) {
  if (object.is_undefined()) fail_at(place, object.undefined_reason());
  if (const Dict* dict = object.dict()) {
    charge(dict->members.size());
    if (const Value* v = dict->find(name.bytes)) return *v;
  }
  return Value::undefined(std::string("a ") + object.kind_name() + " has no attribute \"" + name.bytes + "\"");
}

Value Interpreter::item_of(const Value& object, const Value& key, Place place) {
  if (object.is_undefined()) fail_at(place, object.undefined_reason());
  if (key.text() != nullptr) return attribute_of(object, *key.text(), place);
  if (key.is_int() || key.is_bool()) {
    std::int64_t index = key.as_int();
    if (const List* list = object.list()) {
      const auto n = static_cast<std::int64_t>(list->items.size());
      if (index < 0) index += n;
      if (index >= 0 && index < n) return list->items[static_cast<std::size_t>(index)];
    } else if (const MarkedText* text = object.text()) {
      const auto offsets = char_offsets(*text);
      charge(text->size());
      const auto n = static_cast<std::int64_t>(offsets.size()) - 1;
      if (index < 0) index += n;
      if (index >= 0 && index < n) {
        const auto i = static_cast<std::size_t>(index);
        return Value::of(text->slice(offsets[i], offsets[i + 1]));
      }
    }
  }
  return Value::undefined(std::string("a ") + object.kind_name() + " has no such item");
}

std::vector<Value> Interpreter::items_of(const Value& value, Place place) {
  std::vector<Value> items;
  if (const List* list = value.list()) {
    items = list->items;
  } else if (const Dict* dict = value.dict(); dict != nullptr && !dict->is_namespace) {
    for (const auto& [key, member] : dict->members) items.push_back(Value::of(key));
  } else if (const MarkedText* text = value.text()) {
    const auto offsets = char_offsets(*text);
    charge(text->size() * kStepCost);
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i) items.push_back(Value::of(text->slice(offsets[i], offsets[i + 1])));
  } else if (!value.is_undefined()) {
    fail_at(place, std::string("a ") + value.kind_name() + " has no items to go through");
  }
  charge(items.size() * sizeof(Value));
  return items;
}

Value Interpreter::evaluate_slice(const Expression& e) {
  const Value object = evaluate(*e.children[0]);
  if (object.is_undefined()) fail_at(e.place, object.undefined_reason());
  std::int64_t bounds[3] = {0, 0, 1};
  bool given[3] = {};
  for (std::size_t i = 0; i < 3; ++i) {
    if (e.children[i + 1] == nullptr) continue;
    const Value v = evaluate(*e.children[i + 1]);
    if (v.is_none()) continue;
    if (!v.is_int() && !v.is_bool()) fail_at(e.children[i + 1]->place, "a slice's bounds should be integers");
    bounds[i] = v.as_int();
    given[i] = true;
  }
  const List* list = object.list();
  const MarkedText* text = object.text();
  if (list == nullptr && text == nullptr) fail_at(e.place, std::string("a ") + object.kind_name() + " can't be sliced");
  const std::vector<std::size_t> offsets = text != nullptr ? char_offsets(*text) : std::vector<std::size_t>();
  const auto n = static_cast<std::int64_t>(text != nullptr ? offsets.size() - 1 : list->items.size());
  const std::int64_t step = std::clamp<std::int64_t>(bounds[2], -n - 1, n + 1);
  if (bounds[2] == 0) fail_at(e.place, "a slice's step can't be 0");
  const auto clamped = [&](std::int64_t v) {
    if (v < 0) v = v < -n ? -1 : v + n;
    return step > 0 ? std::clamp<std::int64_t>(v, 0, n) : std::clamp<std::int64_t>(v, -1, n - 1);
  };
  const std::int64_t begin = given[0] ? clamped(bounds[0]) : step > 0 ? 0 : n - 1;
  const std::int64_t end = given[1] ? clamped(bounds[1]) : step > 0 ? n : -1;
  MarkedText out;
  std::vector<Value> items;
  for (std::int64_t i = begin; step > 0 ? i < end : i > end; i += step) {
    const auto at = static_cast<std::size_t>(i);
    if (text != nullptr) {
      out.append_slice(*text, offsets[at], offsets[at + 1]);
    } else {
      items.push_back(list->items[at]);
    }
  }
  if (text != nullptr) {
    charge(text->size());
    return checked(std::move(out));
  }
  charge(items.size() * sizeof(Value));
  return Value::list(std::move(items), list->is_tuple);
}

Value Interpreter::evaluate_binary(const Expression& e) {
  const Value a = evaluate(*e.children[0]);
  if (e.name == "and") return a.truthy() ? evaluate(*e.children[1]) : a;
  if (e.name == "or") return a.truthy() ? a : evaluate(*e.children[1]);
  const Value b = evaluate(*e.children[1]);
  if (e.name == "~") {
    charge(a.extent().weight + b.extent().weight);
    MarkedText out = to_text(a);
    out.append(to_text(b));
    return checked(std::move(out));
  }
  for (const Value* v : {&a, &b}) {
    if (v->is_undefined()) fail_at(e.place, v->undefined_reason());
  }
  return e.name == "+" ? add(a, b, e.place) : arithmetic(e.name, a, b, e.place);
}

Value Interpreter::add(const Value& a, const Value& b, Place place) {
  if (a.text() != nullptr && b.text() != nullptr) {
    MarkedText out = *a.text();
    out.append(*b.text());
    return checked(std::move(out));
  }
  if (a.list() != nullptr && b.list() != nullptr && a.list()->is_tuple == b.list()->is_tuple) {
    std::vector<Value> items = a.list()->items;
    items.insert(items.end(), b.list()->items.begin(), b.list()->items.end());
    charge(items.size() * sizeof(Value));
    return Value::list(std::move(items), a.list()->is_tuple);
  }
  return arithmetic("+", a, b, place);
}

Value Interpreter::arithmetic(const std::string& op, const Value& a, const Value& b, Place place) {
  const Value* text = a.text() != nullptr ? &a : &b;
  const Value* times = a.text() != nullptr ? &b : &a;
  if (op == "*" && text->text() != nullptr && (times->is_int() || times->is_bool())) {
    const auto n = static_cast<std::size_t>(std::max<std::int64_t>(0, times->as_int()));
    require(text->text()->empty() || n <= kMaxTextBytes / text->text()->size(), "chat template: a text larger than 32 MiB",
            ErrorCode::kExhausted);
    MarkedText out;
    if (!text->text()->empty()) {
      for (std::size_t i = 0; i < n; ++i) out.append(*text->text());
    }
    return checked(std::move(out));
  }
  if (!a.is_number() || !b.is_number()) {
    fail_at(place, std::string("\"") + op + "\" between a " + a.kind_name() + " and a " + b.kind_name());
  }
  const bool in_floats = a.is_float() || b.is_float() || op == "/";
  if (in_floats || (op == "**" && b.as_int() < 0)) {
    const double x = a.as_float();
    const double y = b.as_float();
    if ((op == "/" || op == "//" || op == "%") && y == 0) fail_at(place, "division by zero");
    if (op == "+") return Value::of(x + y);
    if (op == "-") return Value::of(x - y);
    if (op == "*") return Value::of(x * y);
    if (op == "/") return Value::of(x / y);
    if (op == "//") return Value::of(std::floor(x / y));
    if (op == "%") return Value::of(x - y * std::floor(x / y));
    return Value::of(std::pow(x, y));
  }
  const std::int64_t x = a.as_int();
  const std::int64_t y = b.as_int();
  std::int64_t result = 0;
  bool overflow = false;
  if (op == "+") {
    overflow = __builtin_add_overflow(x, y, &result);
  } else if (op == "-") {
    overflow = __builtin_sub_overflow(x, y, &result);
  } else if (op == "*") {
    overflow = __builtin_mul_overflow(x, y, &result);
  } else if (op == "**") {
    result = 1;
    // Only 0, 1 and -1 have powers beyond 63 that fit.
    const std::int64_t exponent = y > 64 && x >= -1 && x <= 1 ? 2 - y % 2 : y;
    if (exponent > 64) overflow = true;
    for (std::int64_t i = 0; i < exponent && !overflow; ++i) overflow = __builtin_mul_overflow(result, x, &result);
  } else {
    if (y == 0) fail_at(place, "division by zero");
    if (y == -1) {
      overflow = op == "//" && __builtin_sub_overflow(std::int64_t{0}, x, &result);
    } else {
      const std::int64_t quotient = x / y - ((x % y != 0 && (x < 0) != (y < 0)) ? 1 : 0);
      result = op == "//" ? quotient : x - quotient * y;
    }
  }
  if (overflow) fail_at(place, "the integer result of \"" + op + "\" is too large");
  return Value::of(result);
}

int Interpreter::compare(const Value& a, const Value& b, Place place) {
  if (a.is_number() && b.is_number()) {
    if (a.is_float() || b.is_float()) return a.as_float() < b.as_float() ? -1 : a.as_float() > b.as_float() ? 1 : 0;
    return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int() ? 1 : 0;
  }
  if (a.text() != nullptr && b.text() != nullptr) {
    charge(std::min(a.text()->size(), b.text()->size()));
    const int order = a.text()->bytes.compare(b.text()->bytes);
    return order < 0 ? -1 : order > 0 ? 1 : 0;
  }
  if (a.list() != nullptr && b.list() != nullptr) {
    charge(std::min(a.extent().weight, b.extent().weight));
    const auto& x = a.list()->items;
    const auto& y = b.list()->items;
    for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
      if (const int order = compare(x[i], y[i], place); order != 0) return order;
    }
    return x.size() < y.size() ? -1 : x.size() > y.size() ? 1 : 0;
  }
  fail_at(place, std::string("a ") + a.kind_name() + " and a " + b.kind_name() + " can't be ordered");
}

bool Interpreter::contains(const Value& container, const Value& item, Place place) {
  if (const MarkedText* text = container.text()) {
    if (item.text() == nullptr) fail_at(place, std::string("a ") + item.kind_name() + " can't be in a string");
    charge(text->size());
    return text->bytes.find(item.text()->bytes) != std::string::npos;
  }
  if (const Dict* dict = container.dict()) {
    charge(dict->members.size());
    return item.text() != nullptr && dict->find(item.text()->bytes) != nullptr;
  }
  if (const List* list = container.list()) {
    charge(list->extent.weight);
    return std::find(list->items.begin(), list->items.end(), item) != list->items.end();
  }
  if (container.is_undefined()) return false;
  fail_at(place, std::string("nothing can be in a ") + container.kind_name());
}

Value Interpreter::evaluate_compare(const Expression& e) {
  Value left = evaluate(*e.children[0]);
  for (std::size_t i = 0; i < e.operators.size(); ++i) {
    const std::string& op = e.operators[i];
    Value right = evaluate(*e.children[i + 1]);
    bool holds = false;
    if (op == "==" || op == "!=") {
      charge(std::min(left.extent().weight, right.extent().weight));
      holds = (left == right) == (op == "==");
    } else if (op == "in" || op == "not in") {
      holds = contains(right, left, e.place) == (op == "in");
    } else {
      for (const Value* v : {&left, &right}) {
        if (v->is_undefined()) fail_at(e.place, v->undefined_reason());
      }
      const int order = compare(left, right, e.place);
      holds = op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0;
    }
    if (!holds) return Value::of(false);
    left = std::move(right);
  }
  return Value::of(true);
}

// Calls.

Arguments Interpreter::evaluate_arguments(const Expression& e) {
  Arguments out;
  for (const auto& a : e.arguments) out.positional.push_back(evaluate(*a));
  for (const auto& [name, a] : e.named) out.named.emplace_back(name, evaluate(*a));
  return out;
}

Value Interpreter::evaluate_call(const Expression& e) {
  const Expression& callee = *e.children[0];
  if (callee.kind == Expression::Kind::kAttribute) {
    const Value object = evaluate(*callee.children[0]);
    if (object.is_undefined()) fail_at(callee.place, object.undefined_reason());
    // A member that can be called (a macro in a namespace, loop.cycle) before a method.
    if (const Value* member = object.dict() != nullptr ? object.dict()->find(callee.name) : nullptr;
        member != nullptr && member->function() != nullptr) {
      return call_function(*member->function(), evaluate_arguments(e), e.place);
    }
    return call_method(*this, object, callee.name, evaluate_arguments(e), e.place);
  }
  const Value function = evaluate(callee);
  if (function.is_undefined()) fail_at(e.place, function.undefined_reason());
  if (function.function() == nullptr) fail_at(e.place, std::string("a ") + function.kind_name() + " can't be called");
  return call_function(*function.function(), evaluate_arguments(e), e.place);
}

Value Interpreter::call_function(const Function& function, const Arguments& arguments, Place place) {
  if (function.macro != nullptr) return call_macro(*function.macro, arguments, place);
  const auto text_argument = [&]() -> const MarkedText& {
    if (arguments.positional.size() != 1 || arguments.positional[0].text() == nullptr) {
      fail_at(place, function.name + " takes one string");
    }
    return *arguments.positional[0].text();
  };
  if (function.name == "raise_exception") fail_at(place, text_argument().bytes);
  if (function.name == "strftime_now") return Value::of(std::string_view(format_date(text_argument().bytes, date_, place)));
  if (function.name == "namespace") return make_namespace(arguments, place);
  if (function.name == "loop.cycle") {
    if (arguments.positional.empty()) fail_at(place, "loop.cycle takes at least one value");
    const auto index = static_cast<std::size_t>(function.bound->items[0].as_int());
    return arguments.positional[index % arguments.positional.size()];
  }
  if (function.name == "dict") {
    std::vector<std::pair<MarkedText, Value>> members;
    for (const auto& [name, v] : arguments.named) members.emplace_back(MarkedText(name, false), v);
    return Value::dict(std::move(members));
  }
  // range
  std::int64_t bounds[3] = {0, 0, 1};
  const std::size_t n = arguments.positional.size();
  if (n < 1 || n > 3) fail_at(place, "range takes one to three integers");
  for (std::size_t i = 0; i < n; ++i) {
    if (!arguments.positional[i].is_int()) fail_at(place, "range takes one to three integers");
    bounds[n == 1 ? 1 : i] = arguments.positional[i].as_int();
  }
  if (bounds[2] == 0) fail_at(place, "range with a step of 0");
  std::vector<Value> items;
  for (std::int64_t i = bounds[0]; bounds[2] > 0 ? i < bounds[1] : i > bounds[1];) {
    charge(kStepCost);
    items.push_back(Value::of(i));
    if (__builtin_add_overflow(i, bounds[2], &i)) break;
  }
  return Value::list(std::move(items));
}

Value Interpreter::make_namespace(const Arguments& arguments, Place place) {
  auto dict = std::make_shared<Dict>();
  dict->is_namespace = true;
  for (const Value& v : arguments.positional) {
    if (v.dict() == nullptr) fail_at(place, "namespace takes named values or a dict");
    dict->members = v.dict()->members;
  }
  for (const auto& [name, v] : arguments.named) dict->members.emplace_back(MarkedText(name, false), v);
  namespaces_.push_back(dict);
  return Value::of(std::move(dict));
}

Value Interpreter::call_macro(const Statement& macro, const Arguments& arguments, Place place) {
  if (arguments.positional.size() > macro.names.size()) {
    fail_at(place, "macro " + macro.text + " takes at most " + std::to_string(macro.names.size()) + " values");
  }
  for (const auto& [name, v] : arguments.named) {
    if (std::find(macro.names.begin(), macro.names.end(), name) == macro.names.end()) {
      fail_at(place, "macro " + macro.text + " has no parameter \"" + name + "\"");
    }
  }
  const std::size_t caller_base = std::exchange(macro_base_, frames_.size());
  frames_.emplace_back();
  for (std::size_t i = 0; i < macro.names.size(); ++i) {
    const Value* given = arguments.find(i, macro.names[i]);
    Value v = given != nullptr               ? *given
              : macro.defaults[i] != nullptr ? evaluate(*macro.defaults[i])
                                             : Value::undefined("parameter \"" + macro.names[i] + "\" was not given");
    frames_.back().emplace_back(macro.names[i], std::move(v));
  }
  MarkedText out;
  run_block(macro.body, out);
  frames_.resize(macro_base_);
  macro_base_ = caller_base;
  return checked(std::move(out));
}

}  // namespace onggi::text::jinja
