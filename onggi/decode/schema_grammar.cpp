#include "onggi/decode/schema_grammar.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/schema_scalars.h"
#include "onggi/decode/schema_structures.h"

namespace onggi::decode {
namespace {

constexpr std::size_t kMaxRules = 20'000;

/// What a rule's texts are, with the rules that they call.
struct Alternatives {
  std::vector<int> machines;  ///< Scalars: known as soon as they are read.
  std::vector<ArraySpec> arrays;
  std::vector<ObjectSpec> objects;
};

class Compiler {
 public:
  Compiler(const Json& schema, const SchemaReading& reading)
      : reading_(reading),
        document_(schema, reading.draft, reading.documents),
        expander_(document_, reading_),
        grammar_(std::make_unique<Grammar>()),
        scalars_(*grammar_, document_, reading_),
        maker_{document_,
               expander_,
               reading_,
               scalars_,
               [this](Schemas schemas) { return rule_of(std::move(schemas)); },
               [this](int machine) { return rule_of_machine(machine); }} {}

  std::unique_ptr<Grammar> compile() {
    const int root = rule_of({&document_.root()});
    for (std::size_t i = 0; i < rules_.size(); ++i) at_place(i, [&] { read_rule(static_cast<int>(i)); });
    find_texts();
    if (root == kNoRule || !has_text_[static_cast<std::size_t>(root)]) refuse_empty();
    grammar_->rules.resize(rules_.size());
    for (std::size_t i = 0; i < rules_.size(); ++i) at_place(i, [&] { add_machines(i); });
    grammar_->root = root;
    return std::move(grammar_);
  }

 private:
  /// Errors of what is done for a rule tell the place of its schema.
  template <class Work>
  void at_place(std::size_t rule, Work work) const {
    try {
      work();
    } catch (const Error& e) {
      if (!e.where().empty() || schemas_[rule].empty()) throw;
      throw Error(e.code(), e.message(), document_.pointer(*schemas_[rule][0]));
    }
  }

  /// Names the keyword that no value fits, where there is one.
  [[noreturn]] void refuse_empty() {
    const Json& root = document_.root();
    require(!is_false(root), "guide schema: it is false, which no value fits", ErrorCode::kInvalidArgument, "#");
    std::string keyword;
    for (const auto& [name, value] : root.items()) {
      try {
        if (keyword.empty() && expander_.expand({&document_.keep({{name, value}}, root)}).empty()) keyword = name;
      } catch (const Error&) {  // Not by itself, then.
      }
    }
    if (!keyword.empty()) document_.refuse(root, keyword, "allows no value");
    throw Error(ErrorCode::kInvalidArgument, "guide schema: no value fits all of its keywords", "#");
  }

  /// The rule of the values that fit all of some schemas.
  int rule_of(Schemas schemas) {
    std::erase_if(schemas, [](const Json* s) { return is_true(*s); });
    if (std::any_of(schemas.begin(), schemas.end(), [](const Json* s) { return is_false(*s); })) return kNoRule;
    Schemas unique;
    for (const Json* s : schemas) {
      if (std::find(unique.begin(), unique.end(), s) == unique.end()) unique.push_back(s);
    }
    const auto [at, is_new] = rule_index_.try_emplace(unique, static_cast<int>(rules_.size()));
    if (is_new) {
      require(
          rules_.size() < kMaxRules,
          [] { return "guide schema: more than " + std::to_string(kMaxRules) + " different combinations of schemas"; },
          ErrorCode::kExhausted);
      schemas_.push_back(unique);
      rules_.emplace_back();
    }
    return at->second;
  }

  /// The rule of one machine.
  int rule_of_machine(int machine) {
    const auto [at, is_new] = machine_rules_.try_emplace(machine, static_cast<int>(rules_.size()));
    if (is_new) {
      schemas_.emplace_back();
      rules_.emplace_back();
      rules_.back().machines.push_back(machine);
      is_read_.insert(at->second);
    }
    return at->second;
  }

  void read_rule(int index) {
    if (is_read_.contains(index)) return;
    Alternatives found;
    const Schemas schemas = schemas_[static_cast<std::size_t>(index)];
    for (const Conjunction& c : expander_.expand(schemas)) {
      scalars_.add(c, found.machines);
      if ((c.types & kArrayType) != 0 && needs_unique_items(c)) {
        add_unique_array(c, found);
      } else if ((c.types & kArrayType) != 0) {
        if (auto spec = array_spec(c, maker_)) add_unlike(found.arrays, std::move(*spec), array_keys_, index);
      }
      if ((c.types & kObjectType) != 0) {
        if (auto spec = object_spec(c, maker_, kept_names_))
          add_unlike(found.objects, std::move(*spec), object_keys_, index);
      }
    }
    rules_[static_cast<std::size_t>(index)] = std::move(found);
  }

  /// Calls no rules: its items are scalars.
  void add_unique_array(const Conjunction& c, Alternatives& found) {
    auto spec = unique_array_spec(c, maker_);
    if (!spec) return;
    auto machine = std::make_unique<UniqueArrayMachine>(std::move(*spec));
    if (!machine->is_empty()) found.machines.push_back(add_machine(*grammar_, std::move(machine)));
  }

  // Alternatives that are the same would only be walked twice.
  static std::string key_of(const ArraySpec& a) {
    std::string key;
    const auto add = [&](int n) { key += std::to_string(n) + ","; };
    for (const auto& item : a.prefix) {
      add(item.any);
      add(item.counted);
    }
    key += "|";
    for (const int n : {a.rest.any, a.rest.counted, a.min_items, a.max_items, a.min_counted, a.max_counted}) add(n);
    return key;
  }
  static std::string key_of(const ObjectSpec& o) {
    std::string key;
    const auto add = [&](const ObjectSpec::Value& v) {
      key += std::to_string(v.rule) + ",";
      for (const int n : v.wanted) key += std::to_string(n) + ",";
    };
    for (const auto& name : o.names) {
      key += name.key + (name.is_required ? "!" : "?");
      add(name.value);
    }
    for (const auto& other : o.others) {
      key += "|" + std::to_string(other.key_rule) + ":";
      add(other.value);
    }
    return key + "|" + std::to_string(o.min_members) + "," + std::to_string(o.max_members) + "," +
           std::to_string(o.num_wanted);
  }
  template <class Spec>
  static void add_unlike(std::vector<Spec>& list, Spec&& spec, std::map<std::string, int>& keys, int rule) {
    const std::string key = key_of(spec);
    if (!keys.try_emplace(std::to_string(rule) + ":" + key, 0).second) return;
    list.push_back(std::move(spec));
  }

  bool has_text(int rule) const { return rule != kNoRule && has_text_[static_cast<std::size_t>(rule)]; }
  int kept(int rule) const { return has_text(rule) ? rule : kNoRule; }

  ArraySpec without_empty(ArraySpec spec) const {
    for (auto& item : spec.prefix) item = {kept(item.any), kept(item.counted)};
    spec.rest = {kept(spec.rest.any), kept(spec.rest.counted)};
    return spec;
  }
  /// None where a member that must be there can't be.
  std::optional<ObjectSpec> without_empty(ObjectSpec spec) const {
    const auto keep = [&](ObjectSpec::Value& value) {
      value.rule = kept(value.rule);
      for (int& rule : value.wanted) rule = kept(rule);
      return value.rule != kNoRule;
    };
    for (auto& name : spec.names) {
      if (!keep(name.value) && name.is_required) return std::nullopt;
    }
    std::erase_if(spec.names, [](const auto& name) { return name.value.rule == kNoRule; });
    std::erase_if(spec.others, [&](auto& other) { return !keep(other.value); });
    return spec;
  }

  bool can_have_text(const Alternatives& rule) const {
    if (!rule.machines.empty()) return true;
    for (const ArraySpec& spec : rule.arrays) {
      if (spec.min_items == 0 && spec.min_counted == 0) return true;
      if (!ArrayMachine(without_empty(spec)).is_empty()) return true;
    }
    return std::any_of(rule.objects.begin(), rule.objects.end(), [&](const ObjectSpec& spec) {
      const bool is_bound = spec.min_members > 0 || spec.max_members >= 0 || spec.num_wanted > 0;
      if (!is_bound)
        return std::all_of(spec.names.begin(), spec.names.end(),
                           [&](const auto& name) { return !name.is_required || has_text(name.value.rule); });
      const auto left = without_empty(spec);
      return left && !ObjectMachine(*left).is_empty();
    });
  }

  /// Rules that have a text: the least set in which every one's texts are made of the others'.
  void find_texts() {
    has_text_.assign(rules_.size(), false);
    for (bool changes = true; changes;) {
      changes = false;
      for (std::size_t i = rules_.size(); i-- > 0;) {
        if (has_text_[i] || !can_have_text(rules_[i])) continue;
        has_text_[i] = changes = true;
      }
    }
  }

  void add_machines(std::size_t index) {
    auto& machines = grammar_->rules[index];
    machines = rules_[index].machines;
    for (const ArraySpec& spec : rules_[index].arrays) {
      const ArraySpec left = without_empty(spec);
      auto& machine = array_machines_.try_emplace(key_of(left), -1).first->second;
      if (machine == -1) {
        auto made = std::make_unique<ArrayMachine>(left);
        if (made->is_empty()) continue;
        machine = add_machine(*grammar_, std::move(made));
      }
      machines.push_back(machine);
    }
    for (const ObjectSpec& spec : rules_[index].objects) {
      const auto left = without_empty(spec);
      if (!left) continue;
      if (!left->others.empty()) grammar_->is_json = true;
      auto& machine = object_machines_.try_emplace(key_of(*left), -1).first->second;
      if (machine == -1) {
        auto made = std::make_unique<ObjectMachine>(*left);
        if (made->is_empty()) continue;
        machine = add_machine(*grammar_, std::move(made));
      }
      machines.push_back(machine);
    }
    std::sort(machines.begin(), machines.end());
    machines.erase(std::unique(machines.begin(), machines.end()), machines.end());
  }

  SchemaReading reading_;
  SchemaDocument document_;
  SchemaExpander expander_;
  std::unique_ptr<Grammar> grammar_;
  ScalarMachines scalars_;
  RuleMaker maker_;
  std::map<Schemas, int> rule_index_;
  std::vector<Schemas> schemas_;
  std::deque<Alternatives> rules_;
  std::set<int> is_read_;  ///< Rules that need no reading.
  std::vector<bool> has_text_;
  std::map<int, int> machine_rules_;
  std::vector<NameKind> kept_names_;  ///< Machines are told apart by their addresses.
  std::map<std::string, int> array_keys_;
  std::map<std::string, int> object_keys_;
  std::map<std::string, int> array_machines_;
  std::map<std::string, int> object_machines_;
};

}  // namespace

std::unique_ptr<Grammar> schema_grammar(const Json& schema, const SchemaReading& reading) {
  return Compiler(schema, reading).compile();
}

}  // namespace onggi::decode
