#include "onggi/decode/schema_grammar.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/array_machine.h"
#include "onggi/decode/json_patterns.h"
#include "onggi/decode/object_machine.h"
#include "onggi/decode/rule_machine.h"
#include "onggi/decode/string_machine.h"

namespace onggi::decode {
namespace {

constexpr std::size_t kMaxRules = 20'000;
constexpr std::size_t kMaxNames = 20'000;
constexpr int kMaxNameLength = 256;  ///< Where a length bounds the names of members.

bool is_true(const Json& schema) {
  return schema.is_boolean() ? schema.get<bool>() : schema.is_object() && schema.empty();
}
bool is_false(const Json& schema) { return schema.is_boolean() && !schema.get<bool>(); }

std::string spelt(const std::string& text) { return dump_json(Json(text)); }

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
        grammar_(std::make_unique<Grammar>()) {}

  std::unique_ptr<Grammar> compile() {
    const int root = rule_of({&document_.root()});
    for (std::size_t i = 0; i < rules_.size(); ++i) at_place(i, [&] { read_rule(static_cast<int>(i)); });
    find_texts();
    if (root == kNoRule || !has_text_[static_cast<std::size_t>(root)]) refuse_empty();
    grammar_->rules.resize(rules_.size());
    for (std::size_t i = 0; i < rules_.size(); ++i) at_place(i, [&] { add_machines(i); });
    grammar_->root = root;
    grammar_->is_json = true;
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
      add_scalars(c, found);
      if ((c.types & kArrayType) != 0) {
        if (auto spec = array_of(c)) add_unlike(found.arrays, std::move(*spec), array_keys_, index);
      }
      if ((c.types & kObjectType) != 0) {
        if (auto spec = object_of(c)) add_unlike(found.objects, std::move(*spec), object_keys_, index);
      }
    }
    rules_[static_cast<std::size_t>(index)] = std::move(found);
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

  int add_machine(std::unique_ptr<Machine> machine) {
    grammar_->machines.push_back(std::move(machine));
    return static_cast<int>(grammar_->machines.size()) - 1;
  }

  /// A machine of some texts, made once for each description of it.
  int literal_machine(const std::vector<Pattern>& texts, const std::string& key) {
    const auto [at, is_new] = machines_.try_emplace(key, -1);
    if (is_new)
      at->second = add_machine(std::make_unique<RuleMachine>(build_nfa(Pattern::any_of(texts), SlotUse::kNone, {}),
                                                             std::vector<int>(), std::vector<SlotContent>()));
    return at->second;
  }

  void add_scalars(const Conjunction& c, Alternatives& out) {
    const auto add = [&](int machine) {
      if (machine >= 0 && std::find(out.machines.begin(), out.machines.end(), machine) == out.machines.end())
        out.machines.push_back(machine);
    };
    std::vector<Pattern> words;
    if ((c.types & kNullType) != 0) words.push_back(Pattern::literal("null"));
    if ((c.types & kTrueType) != 0) words.push_back(Pattern::literal("true"));
    if ((c.types & kFalseType) != 0) words.push_back(Pattern::literal("false"));
    if (!words.empty()) add(literal_machine(words, "words " + std::to_string(c.types & 7)));
    if ((c.types & kStringType) != 0) add(string_machine(c));
    if ((c.types & kNumberTypes) != 0) add(number_machine(c));
  }

  /// Everything that a string's value is held to but its lengths; null: nothing.
  std::shared_ptr<const ByteDfa> content_of(const Conjunction& c) {
    if (c.texts.empty() && c.other_texts.empty() && c.excluded_texts.empty()) return nullptr;
    std::string key;
    for (const auto& part : c.texts) key += std::to_string(reinterpret_cast<std::uintptr_t>(part.get())) + "+";
    for (const auto& part : c.other_texts) key += std::to_string(reinterpret_cast<std::uintptr_t>(part.get())) + "-";
    for (const auto& text : c.excluded_texts) key += spelt(text);
    auto& kept = contents_[key];
    if (kept) return kept;
    ByteDfa all = c.texts.empty() ? ByteDfa::universal() : *c.texts[0];
    for (std::size_t i = 1; i < c.texts.size(); ++i) all = ByteDfa::both(all, *c.texts[i]);
    for (const auto& part : c.other_texts) all = ByteDfa::minus(all, *part);
    if (!c.excluded_texts.empty()) all = ByteDfa::minus(all, ByteDfa::of_texts(c.excluded_texts));
    return kept = std::make_shared<const ByteDfa>(std::move(all));
  }

  int string_machine(const Conjunction& c) {
    if (c.listed_texts) {
      std::vector<Pattern> texts;
      std::string key = "texts ";
      for (const std::string& text : *c.listed_texts) {
        if (!fits(c, text)) continue;
        texts.push_back(Pattern::literal(spelt(text)));
        key += spelt(text);
      }
      return texts.empty() ? -1 : literal_machine(texts, key);
    }
    const StringSpec spec{content_of(c), c.min_length, c.max_length, nullptr};
    return string_machine(spec);
  }

  int string_machine(const StringSpec& spec) {
    const std::string key = "string " + std::to_string(reinterpret_cast<std::uintptr_t>(spec.content.get())) + " " +
                            std::to_string(spec.min_length) + " " + std::to_string(spec.max_length) + " " +
                            std::to_string(reinterpret_cast<std::uintptr_t>(spec.excluded.get()));
    const auto [at, is_new] = machines_.try_emplace(key, -1);
    if (!is_new) return at->second;
    if (spec.content && spec.content->is_empty()) return -1;
    auto machine = std::make_unique<StringMachine>(spec);
    if (!machine->is_empty()) at->second = add_machine(std::move(machine));
    return at->second;
  }

  static int code_points(const std::string& text) {
    return static_cast<int>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  }
  static bool fits(const Conjunction& c, const std::string& text) {
    const int length = code_points(text);
    if (length < c.min_length || (c.max_length >= 0 && length > c.max_length)) return false;
    const auto holds = [&](const auto& dfa) { return dfa->accepts(text); };
    return std::all_of(c.texts.begin(), c.texts.end(), holds) &&
           std::none_of(c.other_texts.begin(), c.other_texts.end(), holds) &&
           std::find(c.excluded_texts.begin(), c.excluded_texts.end(), text) == c.excluded_texts.end();
  }

  int number_machine(const Conjunction& c) {
    NumberSpec spec = c.numbers;
    spec.is_whole = (c.types & kFractionType) == 0;
    spec.has_all_forms =
        reading_.is_flexible && !(spec.is_whole && document_.draft() == Draft::k4);  // There 1.0 is no integer.
    if (c.listed_numbers) {
      std::vector<Pattern> texts;
      std::string key = "numbers ";
      for (const Json& number : *c.listed_numbers) {
        const Decimal value = decimal_of(number);
        if ((c.types & (value.is_whole() ? kWholeType : kFractionType)) == 0 || !spec.holds(value)) continue;
        texts.push_back(number_text(number));
        key += number.dump() + " ";
      }
      return texts.empty() ? -1 : literal_machine(texts, key);
    }
    if ((c.types & kWholeType) == 0) {
      require(spec.factors.empty(), "guide schema: \"multipleOf\" of numbers that must not be whole is not supported",
              ErrorCode::kInvalidArgument);
      spec.is_fraction = true;
    }
    std::string key = "number " + std::to_string(spec.is_whole) + std::to_string(spec.is_fraction);
    for (const auto* bound : {&spec.low, &spec.high})
      key += *bound ? " " + (*bound)->value.text() + ((*bound)->is_open ? "<" : "=") : " none";
    for (const Decimal& factor : spec.factors) key += " *" + factor.text();
    for (const Decimal& value : spec.excluded) key += " -" + value.text();
    const auto [at, is_new] = machines_.try_emplace(key, -1);
    if (!is_new) return at->second;
    auto machine = std::make_unique<NumberMachine>(std::move(spec));
    if (!machine->is_empty()) at->second = add_machine(std::move(machine));
    return at->second;
  }

  /// The forms of one number: as it is listed, and with zeros at the end of its fraction where every form is taken.
  Pattern number_text(const Json& number) const {
    const JsonSpacing none{Pattern::literal(", "), Pattern::literal(": "), {}};
    if (!reading_.is_flexible) return json_value(number, none);
    std::string text = number.dump();
    if (text.find_first_of("eE") != std::string::npos) return Pattern::literal(text);
    const auto point = text.find('.');
    if (point != std::string::npos) {
      text.erase(text.find_last_not_of('0') + 1);
      if (text.ends_with('.')) text.pop_back();
    }
    const Pattern zeros = Pattern::repeat(Pattern::literal("0"), 0, Pattern::kUnbounded);
    if (text.find('.') != std::string::npos) return Pattern::sequence({Pattern::literal(text), zeros});
    const Pattern fraction = Pattern::repeat(Pattern::sequence({Pattern::literal(".0"), zeros}), 0, 1);
    return Pattern::sequence({Pattern::literal(text), fraction});
  }

  std::optional<ArraySpec> array_of(const Conjunction& c) {
    ArraySpec spec;
    spec.is_flexible = reading_.is_flexible;
    spec.min_items = c.min_items;
    spec.max_items = c.max_items;
    if (c.max_items >= 0 && c.max_items < c.min_items) return std::nullopt;
    if (c.contained.size() > 1)
      document_.refuse(*c.contained[1].schema, "contains", "twice for one list is not supported");
    if (c.has_unique_items && (c.max_items < 0 || c.max_items > 1))
      document_.refuse(*c.unique_at, "uniqueItems", "is not supported");
    const Contained* contained = c.contained.empty() ? nullptr : &c.contained[0];
    if (contained != nullptr) {
      spec.min_counted = contained->fewest;
      spec.max_counted = contained->most;
      if (contained->most >= 0 && contained->most < contained->fewest) return std::nullopt;
    }
    std::size_t num_fixed = 0;
    for (const ArrayLayer& layer : c.arrays) num_fixed = std::max(num_fixed, layer.prefix.size());
    const auto item = [&](std::size_t index) {
      Schemas all;
      for (const ArrayLayer& layer : c.arrays) {
        if (index < layer.prefix.size()) {
          all.push_back(layer.prefix[index]);
        } else if (layer.rest != nullptr) {
          all.push_back(layer.rest);
        }
      }
      ArraySpec::Item made;
      if (contained == nullptr) {
        made.any = rule_of(all);
        return made;
      }
      Schemas counted = all;
      counted.push_back(contained->schema);
      made.counted = rule_of(counted);
      if (contained->most >= 0) all.push_back(&expander_.negation(*contained->schema));
      made.any = rule_of(all);
      return made;
    };
    if (c.max_items >= 0) num_fixed = std::min(num_fixed, static_cast<std::size_t>(c.max_items));
    for (std::size_t i = 0; i < num_fixed; ++i) spec.prefix.push_back(item(i));
    spec.rest = item(num_fixed);
    return spec;
  }

  /// Names of members that "propertyNames" allows; null: all.
  std::optional<ByteDfa> names_of(const Conjunction& c) {
    if (c.names.empty()) return std::nullopt;
    const ByteDfa& all = ByteDfa::universal();
    ByteDfa others = all;
    for (const Conjunction& part : expander_.expand(c.names)) {
      if ((part.types & kStringType) == 0) continue;
      ByteDfa some = all;
      if (part.listed_texts) {
        std::vector<std::string> texts = *part.listed_texts;
        std::erase_if(texts, [&](const std::string& text) { return !fits(part, text); });
        some = ByteDfa::of_texts(texts);
      } else {
        if (const auto content = content_of(part)) some = *content;
        if (part.min_length > 0 || part.max_length >= 0) {
          if (part.min_length > kMaxNameLength || part.max_length > kMaxNameLength)
            document_.refuse(*c.names[0], "maxLength", "of names is too large");
          const Pattern any{.kind = Pattern::Kind::kClass, .ranges = {{0, 0x10FFFF}}};
          some = ByteDfa::both(
              some, ByteDfa::of_pattern(Pattern::repeat(any, part.min_length,
                                                        part.max_length < 0 ? Pattern::kUnbounded : part.max_length)));
        }
      }
      others = ByteDfa::minus(others, some);
    }
    return ByteDfa::minus(all, others);
  }

  /// Names of members that `properties` does not name and that the same patterns match.
  struct Kind {
    std::shared_ptr<const ByteDfa> names;
    std::vector<bool> matched;
    std::shared_ptr<const NameTrie> excluded = nullptr;  ///< Instead, where that is all: less to compute.
  };

  std::optional<ObjectSpec> object_of(const Conjunction& c) {
    if (c.max_members >= 0 && c.max_members < c.min_members) return std::nullopt;
    ObjectSpec spec;
    spec.is_flexible = reading_.is_flexible;
    spec.min_members = c.min_members;
    spec.max_members = c.max_members;
    spec.num_wanted = static_cast<int>(c.wanted.size());
    if (c.wanted.size() > 4)
      throw Error(ErrorCode::kExhausted, "guide schema: too many members that \"not\" asks for",
                  document_.pointer(*c.wanted[0].domain));
    spec.is_ordered = reading_.is_ordered || !c.wanted.empty();
    // Names in order: of "properties", of what "not" names, then what is only required.
    std::vector<std::string> names;
    std::map<std::string, bool> is_required;
    const auto add_name = [&](const std::string& name) {
      if (is_required.try_emplace(name, false).second) names.push_back(name);
    };
    for (const ObjectLayer& layer : c.objects) {
      if (layer.properties != nullptr) {
        for (const auto& [name, value] : layer.properties->items()) add_name(name);
      }
    }
    for (const WantedMember& wanted : c.wanted) {
      if (wanted.domain->contains("properties")) {
        for (const auto& [name, value] : (*wanted.domain)["properties"].items()) add_name(name);
      }
    }
    for (const auto& [place, name] : c.required) {
      add_name(name);
      is_required[name] = true;
    }
    require(names.size() <= kMaxNames, "guide schema: too many properties", ErrorCode::kExhausted);
    const auto allowed_names = names_of(c);

    // Every pattern splits the names that are left.
    std::vector<std::string> patterns;
    std::map<std::string, const Json*> pattern_at;  ///< The "patternProperties" that has it.
    const auto add_patterns = [&](const Json& object) {
      for (const auto& [source, value] : object.items()) {
        if (pattern_at.try_emplace(source, &object).second) patterns.push_back(source);
      }
    };
    for (const ObjectLayer& layer : c.objects) {
      if (layer.patterns != nullptr) add_patterns(*layer.patterns);
    }
    for (const WantedMember& wanted : c.wanted) {
      if (wanted.domain->contains("patternProperties")) add_patterns((*wanted.domain)["patternProperties"]);
    }
    const auto matches = [&](const std::string& source, const std::string& name) {
      return expander_.pattern(source, *pattern_at[source], "patternProperties").accepts(name);
    };

    // `has_name` says whether an object of "properties" names the member, `matched` whether a pattern does.
    const auto value_of = [&](const auto& has_name, const auto& matched) {
      Schemas all;
      for (const ObjectLayer& layer : c.objects) {
        bool is_named = false;
        if (layer.properties != nullptr) {
          if (const Json* part = has_name(*layer.properties)) {
            all.push_back(part);
            is_named = true;
          }
        }
        if (layer.patterns != nullptr) {
          for (const auto& [source, part] : layer.patterns->items()) {
            if (!matched(source)) continue;
            all.push_back(&part);
            is_named = true;
          }
        }
        if (!is_named && layer.additional != nullptr) all.push_back(layer.additional);
      }
      ObjectSpec::Value value;
      value.rule = rule_of(all);
      for (const WantedMember& wanted : c.wanted) {
        bool counts = !wanted.pattern.empty() && matched(wanted.pattern);
        if (wanted.pattern.empty()) {
          counts = !(wanted.domain->contains("properties") && has_name((*wanted.domain)["properties"]) != nullptr);
          if (wanted.domain->contains("patternProperties")) {
            for (const auto& [source, part] : (*wanted.domain)["patternProperties"].items())
              counts = counts && !matched(source);
          }
        }
        Schemas with = all;
        with.push_back(wanted.schema);
        value.wanted.push_back(counts && value.rule != kNoRule ? rule_of(with) : kNoRule);
      }
      return value;
    };

    for (const std::string& name : names) {
      ObjectSpec::Name made{spelt(name), is_required[name], {}};
      made.value = value_of(
          [&](const Json& properties) {
            const auto found = properties.find(name);
            return found == properties.end() ? nullptr : &*found;
          },
          [&](const std::string& source) { return matches(source, name); });
      if (allowed_names && !allowed_names->accepts(name))
        made.value = {kNoRule, std::vector<int>(c.wanted.size(), kNoRule)};
      if (made.value.rule == kNoRule && made.is_required) return std::nullopt;
      if (made.value.rule != kNoRule) spec.names.push_back(std::move(made));
    }

    // Names have one spelling each, so that equal names are equal texts.
    std::vector<Kind> kinds = {
        {std::shared_ptr<const ByteDfa>(std::shared_ptr<void>(), &ByteDfa::universal()), {}, nullptr}};
    if (c.max_members >= 0 && c.max_members == 0) kinds.clear();
    if (patterns.empty() && !allowed_names && !names.empty() && !kinds.empty()) {
      std::vector<std::string> spellings;
      for (const std::string& name : names) {
        spellings.push_back(spelt(name));
        spellings.back() = spellings.back().substr(1, spellings.back().size() - 2);
      }
      kinds[0].excluded = std::make_shared<const NameTrie>(spellings);
    } else if (!names.empty() || allowed_names) {
      ByteDfa left = allowed_names ? *allowed_names : ByteDfa::universal();
      if (!names.empty()) left = ByteDfa::minus(left, ByteDfa::of_texts(names));
      if (left.is_empty()) kinds.clear();
      if (!kinds.empty()) kinds[0].names = std::make_shared<const ByteDfa>(std::move(left));
    }
    for (const std::string& source : patterns) {
      std::vector<Kind> split;
      for (Kind& kind : kinds) {
        const ByteDfa& pattern = expander_.pattern(source, *pattern_at[source], "patternProperties");
        const ByteDfa& all = *kind.names;
        for (const bool is_matched : {true, false}) {
          ByteDfa part = is_matched ? ByteDfa::both(all, pattern) : ByteDfa::minus(all, pattern);
          if (part.is_empty()) continue;
          Kind made{std::make_shared<const ByteDfa>(std::move(part)), kind.matched, nullptr};
          made.matched.push_back(is_matched);
          split.push_back(std::move(made));
        }
      }
      kinds = std::move(split);
      require(kinds.size() <= 256, "guide schema: too many patterns of property names that overlap",
              ErrorCode::kExhausted);
    }
    for (const Kind& kind : kinds) {
      ObjectSpec::Others made;
      made.value = value_of([](const Json&) -> const Json* { return nullptr; },
                            [&](const std::string& source) {
                              const auto at = std::find(patterns.begin(), patterns.end(), source) - patterns.begin();
                              return static_cast<bool>(kind.matched[static_cast<std::size_t>(at)]);
                            });
      if (made.value.rule == kNoRule) continue;
      // Equal languages from different places are the same machine only if their spelling is the same.
      const int machine = string_machine(StringSpec{kind.names, 0, -1, kind.excluded});
      kept_names_.push_back(kind);
      if (machine < 0) continue;
      made.key_rule = rule_of_machine(machine);
      spec.others.push_back(std::move(made));
    }
    return spec;
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
        machine = add_machine(std::move(made));
      }
      machines.push_back(machine);
    }
    for (const ObjectSpec& spec : rules_[index].objects) {
      const auto left = without_empty(spec);
      if (!left) continue;
      auto& machine = object_machines_.try_emplace(key_of(*left), -1).first->second;
      if (machine == -1) {
        auto made = std::make_unique<ObjectMachine>(*left);
        if (made->is_empty()) continue;
        machine = add_machine(std::move(made));
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
  std::map<Schemas, int> rule_index_;
  std::vector<Schemas> schemas_;
  std::deque<Alternatives> rules_;
  std::set<int> is_read_;  ///< Rules that need no reading.
  std::vector<bool> has_text_;
  std::map<std::string, int> machines_;
  std::map<int, int> machine_rules_;
  std::map<std::string, std::shared_ptr<const ByteDfa>> contents_;
  std::vector<Kind> kept_names_;  ///< Machines are told apart by their addresses.
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
