// Masks against an oracle: in every state that random walks come to, each token of a small vocabulary is allowed if and
// only if its bytes can be taken one by one, and every byte that can be taken leads to a text that ends.
// ONGGI_ORACLE_STATES sets the number of states; the gate takes a few.

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "onggi/core/error.h"
#include "onggi/decode/test_support.h"

namespace onggi::decode {
namespace {

using testing::Dice;
using testing::FakeTokenizer;

/// Every byte and random pieces of what the languages are made of.
std::vector<std::string> random_tokens(Dice& dice, int count) {
  static const std::vector<std::string> kPieces = {
      "{",        "}",    "[",        "]", "\"", ":", ",", " ",    "\n",   "a",  "b", "ab",  "name", "id",
      "kind",     "1",    "12",       "0", "-",  ".", "e", "true", "null", "\\", "n", "u00", "x",    "\xEA\xB0\x80",
      "\xEA\xB0", "\x80", "\xF0\x9F", "(", "+",  "*", ")"};
  std::set<std::string> made;
  while (static_cast<int>(made.size()) < count) {
    std::string token;
    for (int n = 2 + dice.roll(4); n > 0; --n)
      token += kPieces[static_cast<std::size_t>(dice.roll(static_cast<int>(kPieces.size())))];
    made.insert(token);
  }
  return {made.begin(), made.end()};
}

/// Can be brought to an end: tries what closes things first.
bool can_finish(const GuideState& from, Dice& dice) {
  for (int attempt = 0; attempt < 40; ++attempt) {
    const auto state = from.fork();
    for (int step = 0; step < 400; ++step) {
      const auto ids = state->allowed();
      if (std::binary_search(ids.begin(), ids.end(), FakeTokenizer::kEos)) return true;
      static const std::string kClosers = "\"}]),:0123456789lsen";
      int id = -1;
      for (const char c : kClosers) {
        const int closer = FakeTokenizer::kFirstByte + static_cast<unsigned char>(c);
        if (std::binary_search(ids.begin(), ids.end(), closer)) {
          id = closer;
          break;
        }
      }
      if (id < 0 || dice.roll(4) < std::min(attempt, 3))
        id = ids[static_cast<std::size_t>(dice.roll(static_cast<int>(ids.size())))];
      state->advance(id);
    }
  }
  return false;
}

const std::vector<const char*>& schemas() {
  static const std::vector<const char*> all = {
      R"({})",
      R"({"type": "object"})",
      R"({"type": "object", "properties": {"id": {"type": "integer", "minimum": 3, "maximum": 212}, "name": {"type": "string", "maxLength": 3}}, "required": ["name", "kind"]})",
      R"({"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/n"}, "maxItems": 3}, {"enum": ["a", 1, null, {"id": [1]}]}]}}})",
      R"({"oneOf": [{"properties": {"kind": {"const": "a"}, "a": {"type": "number"}}, "required": ["kind"], "type": "object"}, {"properties": {"kind": {"const": "b"}}, "required": ["kind", "id"], "type": "object", "additionalProperties": false}]})",
      R"({"type": "object", "patternProperties": {"^a": {"type": "boolean"}, "b$": {"enum": [true, 1]}}, "minProperties": 1, "maxProperties": 2, "propertyNames": {"minLength": 2}})",
      R"({"type": "number", "minimum": -1.5, "exclusiveMaximum": 12.25})",
      R"({"type": "number", "exclusiveMinimum": 0})",
      R"({"type": "integer", "multipleOf": 6, "minimum": -20, "maximum": 100, "not": {"enum": [0, 12]}})",
      R"({"type": "number", "multipleOf": 0.25, "maximum": 3})",
      R"({"type": "string", "pattern": "^(a|b\n)+$", "minLength": 3, "maxLength": 5})",
      R"({"type": "string", "format": "date-time"})",
      R"({"type": "string", "not": {"pattern": "a$"}, "minLength": 1})",
      R"({"type": "string", "format": "ipv4"})",
      R"({"type": "array", "contains": {"type": "integer"}, "minContains": 2, "maxContains": 3, "items": {"type": ["integer", "string"]}, "maxItems": 4})",
      R"({"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}, "properties": {"a": {"type": "null"}, "b": {"type": "null"}}, "additionalProperties": false})",
      R"({"type": "object", "properties": {"a": {"type": "integer"}}, "not": {"properties": {"a": {"minimum": 3}}, "additionalProperties": {"type": "string"}}})",
      R"({"type": "object", "dependentRequired": {"a": ["b"]}, "properties": {"a": {}, "b": {"type": "string"}}, "maxProperties": 2})",
  };
  return all;
}

const std::vector<const char*>& grammars() {
  static const std::vector<const char*> all = {
      "root ::= root \"+\" term | term\nterm ::= [0-9]+ | \"(\" root \")\" | name\nname ::= \"name\" | \"n\" | \"id\" "
      "[ab]*",
      "root ::= a b a\na ::= \"a\"*\nb ::= (\"b\" | a)?",
      "root ::= \"a\" root \"b\" | \"ab\" | pair{2,3}\npair ::= \"(\" pair? \")\"",
      "root ::= .{0,4} \"\\n\" [^a-z]{2,} | \"\\uac00\"+",
  };
  return all;
}

TEST(MaskOracle, ATokenIsAllowedWhereItsBytesAreAndEveryStateCanEnd) {
  const char* wanted = std::getenv("ONGGI_ORACLE_STATES");
  const int num_states = wanted != nullptr ? std::atoi(wanted) : 1500;
  std::vector<Json> specs;
  for (const char* schema : schemas()) {
    specs.push_back({{"schema", parse_json(schema, "schema")}, {"whitespace", "flexible"}, {"open", true}});
    specs.push_back({{"schema", parse_json(schema, "schema")}});
  }
  specs.push_back(parse_json(
      R"({"sequence": [{"choices": ["a", "name"]}, {"any_of": [{"schema": {"$ref": "#/$defs/n", "$defs": {"n": {"type": "array",
          "items": {"anyOf": [{"$ref": "#/$defs/n"}, {"enum": [1, "b"]}]}, "maxItems": 2}}}}, {"regex": "x+"}]},
          {"repeat": {"sequence": [{"choices": [","]}, {"schema": {"type": "object", "additionalProperties": false,
          "properties": {"a": {"$ref": "#"}}}}]}}]})",
      "spec"));
  for (const char* grammar : grammars()) specs.push_back({{"grammar", grammar}});
  Dice dice(20261127);
  int seen = 0;
  for (int round = 0; seen < num_states; ++round) {
    const Json& spec = specs[static_cast<std::size_t>(round) % specs.size()];
    const auto tokenizer = std::make_shared<const FakeTokenizer>(random_tokens(dice, 150));
    const auto bytes = std::make_shared<const FakeTokenizer>();
    const auto guide = compile_guide(spec, tokenizer);
    const auto byte_guide = compile_guide(spec, bytes);
    for (int walk = 0; walk < 3 && seen < num_states; ++walk) {
      const auto state = guide->start({});
      auto place = byte_guide->start({});
      std::string text;
      for (int step = 0; step < 30 && !state->is_finished() && seen < num_states; ++step, ++seen) {
        const std::vector<int> allowed(state->allowed().begin(), state->allowed().end());
        const auto at_byte = place->allowed();
        const std::set<int> byte_ids(at_byte.begin(), at_byte.end());
        for (int id = 0; id < tokenizer->vocab_size(); ++id) {
          bool expected = id == FakeTokenizer::kEos && byte_ids.contains(FakeTokenizer::kEos);
          if (id >= FakeTokenizer::kFirstByte) {
            const auto& token = tokenizer->token_bytes(id);
            expected = byte_ids.contains(FakeTokenizer::kFirstByte + static_cast<unsigned char>(token[0]));
            if (expected && token.size() > 1) {
              const auto reader = place->fork();
              for (const char c : token) {
                const auto next = reader->allowed();
                const int byte = FakeTokenizer::kFirstByte + static_cast<unsigned char>(c);
                expected = std::binary_search(next.begin(), next.end(), byte);
                if (!expected) break;
                reader->advance(byte);
              }
            }
          }
          ASSERT_EQ(std::binary_search(allowed.begin(), allowed.end(), id), expected)
              << dump_json(spec) << " after " << text << ": token " << tokenizer->token_bytes(id);
        }
        ASSERT_TRUE(can_finish(*place, dice)) << dump_json(spec) << " after " << text;
        if (allowed.size() == 1 && allowed[0] == FakeTokenizer::kEos) break;
        int id = FakeTokenizer::kEos;
        while (id == FakeTokenizer::kEos)
          id = allowed[static_cast<std::size_t>(dice.roll(static_cast<int>(allowed.size())))];
        state->advance(id);
        for (const char c : tokenizer->token_bytes(id)) {
          text += c;
          place->advance(FakeTokenizer::kFirstByte + static_cast<unsigned char>(c));
        }
      }
    }
  }
}

}  // namespace
}  // namespace onggi::decode
