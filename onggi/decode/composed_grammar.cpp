#include "onggi/decode/composed_grammar.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/decode/rule_machine.h"
#include "onggi/decode/schema.h"
#include "onggi/decode/schema_grammar.h"
#include "onggi/decode/spec.h"

namespace onggi::decode {
namespace {

constexpr const char* kRule = "rule";  ///< The kind of a slot that is a call.

/// A machine of another grammar, whose rules have other numbers here.
class MovedMachine : public Machine {
 public:
  MovedMachine(std::unique_ptr<Machine> machine, int first_rule)
      : machine_(std::move(machine)), first_rule_(first_rule) {}

  int start() override { return machine_->start(); }
  int next(int state, std::uint8_t byte) override { return machine_->next(state, byte); }
  bool is_accepting(int state) override { return machine_->is_accepting(state); }
  bool is_last(int state) override { return machine_->is_last(state); }
  void calls(int state, std::vector<Call>& out) override {
    const std::size_t before = out.size();
    machine_->calls(state, out);
    for (std::size_t i = before; i < out.size(); ++i) out[i].rule += first_rule_;
  }
  int plain_run(int state) override { return machine_->plain_run(state); }
  Likeness like(int state, int max_bytes) override { return machine_->like(state, max_bytes); }
  void forget() override { machine_->forget(); }

 private:
  std::unique_ptr<Machine> machine_;
  int first_rule_;
};

class Composer {
 public:
  std::unique_ptr<Grammar> compose(const Json& spec) {
    const Pattern body = spec_pattern(spec, {}, [this](const Json& part) { return schema_part(part); });
    std::vector<int> called;
    for (const SlotPart& part : slot_parts(body)) {
      require(part.kind == kRule, "guide: what quotes a row can't stand beside a schema that is no regular language");
      called.push_back(std::stoi(part.slot));
    }
    grammar_->root = static_cast<int>(grammar_->rules.size());
    grammar_->rules.push_back({static_cast<int>(grammar_->machines.size())});
    std::vector<SlotContent> contents(called.size(), SlotContent::kText);
    grammar_->machines.push_back(
        std::make_unique<RuleMachine>(build_nfa(body, SlotUse::kEdges, {}), std::move(called), std::move(contents)));
    return std::move(grammar_);
  }

 private:
  /// The schema's regular language, or a call of its grammar.
  Pattern schema_part(const Json& spec) {
    const Json whitespace = spec.value("whitespace", Json("compact"));
    require(whitespace == "compact" || whitespace == "flexible", "guide: /whitespace must be compact or flexible");
    const Json& schema = spec.at("schema");
    try {
      return schema_pattern(schema, whitespace.get<std::string>());
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kInvalidArgument && e.code() != ErrorCode::kExhausted) throw;
    }
    SchemaReading reading;
    reading.is_flexible = whitespace == "flexible";
    auto grammar = schema_grammar(schema, reading);
    require(!grammar->is_json,
            "guide schema: an object of names that it does not list can't be part of another guide; give it "
            "\"additionalProperties\": false",
            ErrorCode::kInvalidArgument, "#");
    return {.kind = Pattern::Kind::kSlot, .slot = std::to_string(add(*grammar)), .piece = kRule};
  }

  /// The number of the other grammar's start here.
  int add(Grammar& other) {
    const auto first_rule = static_cast<int>(grammar_->rules.size());
    const auto first_machine = static_cast<int>(grammar_->machines.size());
    for (auto& machine : other.machines)
      grammar_->machines.push_back(std::make_unique<MovedMachine>(std::move(machine), first_rule));
    for (auto& rule : other.rules) {
      for (int& machine : rule) machine += first_machine;
      grammar_->rules.push_back(std::move(rule));
    }
    return first_rule + other.root;
  }

  std::unique_ptr<Grammar> grammar_ = std::make_unique<Grammar>();
};

}  // namespace

std::unique_ptr<Grammar> composed_grammar(const Json& spec) { return Composer().compose(spec); }

void check_part(const Json& schema_spec) { composed_grammar(schema_spec); }

}  // namespace onggi::decode
