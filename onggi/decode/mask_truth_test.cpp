// Masks against a truth that knows nothing of guides: every value of a small world, judged by a validator that is
// written here, spelt as guides spell JSON. In every state that random walks come to, a token is allowed if and only if
// a text of that set begins with what is written and the token. ONGGI_TRUTH_STATES sets the number of states.

#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>
#include <set>

#include "onggi/core/error.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

using testing::Dice;
using testing::FakeTokenizer;

/// The world: scalars, and lists and objects of at most two of them.
const char* const kWorld = R"({"anyOf": [
  {"enum": [null, true, false]},
  {"type": "integer", "minimum": 0, "maximum": 2},
  {"type": "string", "pattern": "^(a|b){0,2}$"},
  {"type": "array", "maxItems": 2, "items": {"anyOf": [
    {"enum": [null, true, false]}, {"type": "integer", "minimum": 0, "maximum": 2}, {"type": "string", "pattern": "^(a|b){0,2}$"}]}},
  {"type": "object", "additionalProperties": false, "properties": {
    "a": {"anyOf": [{"enum": [null, true, false]}, {"type": "integer", "minimum": 0, "maximum": 2}, {"type": "string", "pattern": "^(a|b){0,2}$"}]},
    "b": {"anyOf": [{"enum": [null, true, false]}, {"type": "integer", "minimum": 0, "maximum": 2}, {"type": "string", "pattern": "^(a|b){0,2}$"}]}}}
]})";

const std::vector<Json>& scalars() {
  static const std::vector<Json> all = {nullptr, true, false, 0, 1, 2, "", "a", "b", "aa", "ab", "ba", "bb"};
  return all;
}

const std::vector<Json>& world() {
  static const std::vector<Json> all = [] {
    std::vector<Json> values = scalars();
    values.push_back(Json::array());
    values.push_back(Json::object());
    for (const Json& x : scalars()) {
      values.push_back(Json::array({x}));
      for (const char* name : {"a", "b"}) values.push_back(Json{{name, x}});
      for (const Json& y : scalars()) {
        values.push_back(Json::array({x, y}));
        values.push_back(Json{{"a", x}, {"b", y}});
      }
    }
    return values;
  }();
  return all;
}

bool is_of_type(const Json& value, const std::string& type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return value.is_number();  // "integer" and "number": the world has whole numbers only.
}

bool fits(const Json& value, const Json& schema);

bool fits_list(const Json& value, const Json& s) {
  const std::size_t size = value.size();
  if (s.contains("minItems") && size < s["minItems"]) return false;
  if (s.contains("maxItems") && size > s["maxItems"]) return false;
  const std::size_t num_fixed = s.contains("prefixItems") ? s["prefixItems"].size() : 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (i < num_fixed ? !fits(value[i], s["prefixItems"][i]) : s.contains("items") && !fits(value[i], s["items"]))
      return false;
  }
  if (s.contains("contains")) {
    const auto count = std::count_if(value.begin(), value.end(), [&](const Json& x) { return fits(x, s["contains"]); });
    if (count < s.value("minContains", 1) || count > s.value("maxContains", 100)) return false;
  }
  return !s.contains("uniqueItems") || std::set<Json>(value.begin(), value.end()).size() == size;
}

bool fits_object(const Json& value, const Json& s) {
  if (s.contains("minProperties") && value.size() < s["minProperties"]) return false;
  if (s.contains("maxProperties") && value.size() > s["maxProperties"]) return false;
  for (const Json& name : s.value("required", Json::array())) {
    if (!value.contains(name.get<std::string>())) return false;
  }
  for (const auto& [name, member] : value.items()) {
    bool is_named = false;
    if (s.contains("properties") && s["properties"].contains(name)) {
      is_named = true;
      if (!fits(member, s["properties"][name])) return false;
    }
    const Json patterns = s.value("patternProperties", Json::object());
    for (const auto& [pattern, inner] : patterns.items()) {
      if (!std::regex_search(name, std::regex(pattern))) continue;
      is_named = true;
      if (!fits(member, inner)) return false;
    }
    if (!is_named && s.contains("additionalProperties") && !fits(member, s["additionalProperties"])) return false;
    if (s.contains("propertyNames") && !fits(name, s["propertyNames"])) return false;
  }
  const Json dependent = s.value("dependentRequired", Json::object());
  return std::ranges::all_of(dependent.items(), [&](const auto& item) {
    return !value.contains(item.key()) || std::ranges::all_of(item.value(), [&](const Json& name) {
      return value.contains(name.template get<std::string>());
    });
  });
}

bool fits_scalar(const Json& value, const Json& s) {
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    return (!s.contains("minLength") || text.size() >= s["minLength"]) &&
           (!s.contains("maxLength") || text.size() <= s["maxLength"]) &&
           (!s.contains("pattern") || std::regex_search(text, std::regex(s["pattern"].get<std::string>())));
  }
  if (!value.is_number()) return true;
  const int number = value.get<int>();
  return (!s.contains("minimum") || number >= s["minimum"]) && (!s.contains("maximum") || number <= s["maximum"]) &&
         (!s.contains("exclusiveMinimum") || number > s["exclusiveMinimum"]) &&
         (!s.contains("multipleOf") || number % s["multipleOf"].get<int>() == 0);
}

bool fits(const Json& value, const Json& s) {
  if (s.is_boolean()) return s.get<bool>();
  if (s.contains("type")) {
    const Json types = s["type"].is_array() ? s["type"] : Json::array({s["type"]});
    if (std::none_of(types.begin(), types.end(), [&](const Json& t) { return is_of_type(value, t); })) return false;
  }
  if (s.contains("const") && value != s["const"]) return false;
  if (s.contains("enum") && std::find(s["enum"].begin(), s["enum"].end(), value) == s["enum"].end()) return false;
  const auto count = [&](const char* keyword) {
    return std::count_if(s[keyword].begin(), s[keyword].end(), [&](const Json& part) { return fits(value, part); });
  };
  if (s.contains("allOf") && count("allOf") != static_cast<std::ptrdiff_t>(s["allOf"].size())) return false;
  if (s.contains("anyOf") && count("anyOf") == 0) return false;
  if (s.contains("oneOf") && count("oneOf") != 1) return false;
  if (s.contains("not") && fits(value, s["not"])) return false;
  if (s.contains("if")) {
    const char* branch = fits(value, s["if"]) ? "then" : "else";
    if (s.contains(branch) && !fits(value, s[branch])) return false;
  }
  if (value.is_array()) return fits_list(value, s);
  if (value.is_object()) return fits_object(value, s);
  return fits_scalar(value, s);
}

class SchemaMaker {
 public:
  explicit SchemaMaker(Dice& dice) : dice_(dice) {}

  Json make(int depth) {
    if (dice_.roll(12) == 0) return dice_.flip();
    Json schema = Json::object();
    for (int n = 1 + dice_.roll(3); n > 0; --n) add(schema, depth);
    return schema;
  }

 private:
  const Json& value() { return world()[static_cast<std::size_t>(dice_.roll(static_cast<int>(world().size())))]; }
  const Json& scalar() { return scalars()[static_cast<std::size_t>(dice_.roll(static_cast<int>(scalars().size())))]; }
  std::string type() {
    static const std::vector<std::string> kTypes = {"null",   "boolean", "string", "array",
                                                    "object", "integer", "number"};
    return kTypes[static_cast<std::size_t>(dice_.roll(7))];
  }
  std::string name() { return dice_.flip() ? "a" : "b"; }
  Json some(int depth, int most) {
    Json list = Json::array();
    for (int n = 1 + dice_.roll(most); n > 0; --n) list.push_back(make(depth));
    return list;
  }

  void add(Json& s, int depth) {
    static const std::vector<const char*> kPatterns = {"^a", "b$", "a", "^b?$", "ab"};
    const auto pattern = [&] { return kPatterns[static_cast<std::size_t>(dice_.roll(5))]; };
    switch (dice_.roll(depth > 0 ? 27 : 13)) {
      case 0: s["type"] = type(); return;
      case 1: s["type"] = Json::array({type(), "string"}); return;
      case 2: s["enum"] = Json::array({value(), scalar(), scalar(), value()}); return;
      case 3: s["const"] = dice_.flip() ? value() : scalar(); return;
      case 4: s["minimum"] = dice_.roll(3); return;
      case 5: s["maximum"] = dice_.roll(3); return;
      case 6: s["exclusiveMinimum"] = dice_.roll(2); return;
      case 7: s["multipleOf"] = 2; return;
      case 8: s["minLength"] = dice_.roll(3); return;
      case 9: s["maxLength"] = dice_.roll(3); return;
      case 10: s["pattern"] = pattern(); return;
      case 11: s["required"] = Json::array({name()}); return;
      case 12: s[dice_.flip() ? "minProperties" : "maxProperties"] = dice_.roll(3); return;
      case 13: s["items"] = make(depth - 1); return;
      case 14: s["prefixItems"] = some(depth - 1, 2); return;
      case 15: s[dice_.flip() ? "minItems" : "maxItems"] = dice_.roll(3); return;
      case 16:
        s["contains"] = make(depth - 1);
        if (dice_.flip()) s["maxContains"] = 1 + dice_.roll(2);
        return;
      case 17: s["uniqueItems"] = true; return;
      case 18: s["properties"] = {{"a", make(depth - 1)}, {"b", make(depth - 1)}}; return;
      case 19:
        s["properties"] = {{name(), make(depth - 1)}};
        s["additionalProperties"] = make(depth - 1);
        return;
      case 20: s["patternProperties"] = {{dice_.flip() ? "^a" : "b", make(depth - 1)}}; return;
      case 21: s["dependentRequired"] = {{"a", Json::array({"b"})}}; return;
      case 22: s["propertyNames"] = make(0); return;
      case 23: s["not"] = make(depth - 1); return;
      case 24: s["anyOf"] = some(depth - 1, 3); return;
      case 25: s[dice_.flip() ? "oneOf" : "allOf"] = some(depth - 1, 3); return;
      default:
        s["if"] = make(depth - 1);
        s["then"] = make(depth - 1);
        if (dice_.flip()) s["else"] = make(depth - 1);
    }
  }

  Dice& dice_;
};

bool begins_one(const std::set<std::string>& texts, const std::string& text) {
  const auto found = texts.lower_bound(text);
  return found != texts.end() && found->starts_with(text);
}

TEST(MaskTruth, ATokenIsAllowedWhereATextOfTheTruthGoesOnWithIt) {
  const char* wanted = std::getenv("ONGGI_TRUTH_STATES");
  const int num_states = wanted != nullptr ? std::atoi(wanted) : 3000;
  const auto tokenizer = std::make_shared<const FakeTokenizer>(std::vector<std::string>{
      "{\"",     "\"a\"", "\": ", ", ",  "true", "false", "null", "fal", "ab",  "aa",          "a\"",    "b\"}",
      "\"}",     "[[",    "[0",   "[\"", "1, ",  "2]",    "]]",   "{}",  "[]",  "\"\"",        "\", \"", "a\": ",
      "\"b\": ", "u",     "nul",  "0}",  "bb\"", ", \"b", "12",   "00",  "abc", "\xEA\xB0\x80"});
  const Json universe = parse_json(kWorld, "world");
  Dice dice(20261128);
  SchemaMaker maker(dice);
  int seen = 0, num_refused = 0, num_schemas = 0;
  while (seen < num_states) {
    const Json schema = maker.make(2);
    const Json spec = {{"schema", {{"allOf", Json::array({universe, schema})}}}};
    std::set<std::string> truth;
    for (const Json& value : world()) {
      if (fits(value, schema)) truth.insert(testing::render(value));
    }
    ++num_schemas;
    std::shared_ptr<const Guide> guide;
    try {
      guide = compile_guide(spec, tokenizer);
    } catch (const Error& e) {
      const bool is_empty = std::string_view(e.what()).find("no value fits") != std::string_view::npos;
      ASSERT_TRUE(!is_empty || truth.empty()) << dump_json(schema) << ": " << e.what() << ", but " << *truth.begin();
      num_refused += is_empty ? 0 : 1;
      continue;
    }
    ASSERT_FALSE(truth.empty()) << dump_json(schema) << " compiles, and no value fits it";
    for (int walk = 0; walk < 3 && seen < num_states; ++walk) {
      const auto state = guide->start({});
      std::string text;
      for (; seen < num_states && !state->is_finished(); ++seen) {
        const std::vector<int> allowed(state->allowed().begin(), state->allowed().end());
        for (int id = 0; id < tokenizer->vocab_size(); ++id) {
          bool expected = id == FakeTokenizer::kEos && truth.contains(text);
          if (id >= FakeTokenizer::kFirstByte)
            expected = begins_one(truth, text + std::string(tokenizer->token_bytes(id)));
          ASSERT_EQ(std::binary_search(allowed.begin(), allowed.end(), id), expected)
              << dump_json(schema) << " after " << text << ": token " << tokenizer->token_bytes(id);
        }
        const int id = allowed[static_cast<std::size_t>(dice.roll(static_cast<int>(allowed.size())))];
        if (id == FakeTokenizer::kEos) {
          ++seen;
          break;
        }
        state->advance(id);
        text += tokenizer->token_bytes(id);
      }
    }
  }
  EXPECT_LT(num_refused, num_schemas / 2) << "too much is refused for this to say something";
}

}  // namespace
}  // namespace onggi::decode
