#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/schema_structures.h"

namespace onggi::decode {
namespace {

constexpr std::size_t kMaxNames = 20'000;
constexpr std::size_t kMaxKinds = 256;
constexpr std::size_t kMaxWanted = 4;

const Json* member_of(const Json& object, const std::string& name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

/// One alternative's members.
class ObjectReader {
 public:
  ObjectReader(const Conjunction& c, const RuleMaker& maker) : c_(c), maker_(maker) {}

  std::optional<ObjectSpec> read(std::vector<NameKind>& kept) {
    if (c_.max_members >= 0 && c_.max_members < c_.min_members) return std::nullopt;
    if (c_.wanted.size() > kMaxWanted)
      throw Error(ErrorCode::kExhausted, "guide schema: \"not\" asks for too many members",
                  maker_.document.pointer(*c_.wanted[0].domain));
    ObjectSpec spec;
    spec.is_flexible = maker_.reading.is_flexible;
    spec.min_members = c_.min_members;
    spec.max_members = c_.max_members;
    spec.num_wanted = static_cast<int>(c_.wanted.size());
    spec.is_ordered = maker_.reading.is_ordered || !c_.wanted.empty();
    find_names();
    find_allowed();
    find_patterns();
    if (!add_names(spec)) return std::nullopt;
    for (const NameKind& kind : kinds()) add_others(kind, spec, kept);
    return spec;
  }

 private:
  /// Names in order: of "properties", of what "not" names, then what is only required.
  void find_names() {
    const auto add_name = [&](const std::string& name) {
      if (is_required_.try_emplace(name, false).second) names_.push_back(name);
    };
    const auto add_all = [&](const Json* properties) {
      if (properties == nullptr) return;
      for (const auto& [name, value] : properties->items()) add_name(name);
    };
    for (const ObjectLayer& layer : c_.objects) add_all(layer.properties);
    for (const WantedMember& wanted : c_.wanted) add_all(member_of(*wanted.domain, "properties"));
    for (const auto& [place, name] : c_.required) {
      add_name(name);
      is_required_[name] = true;
    }
    require(names_.size() <= kMaxNames, "guide schema: \"properties\" has too many names", ErrorCode::kExhausted);
  }

  /// Names that "propertyNames" allows.
  void find_allowed() {
    if (c_.names.empty()) return;
    const ByteDfa& all = ByteDfa::universal();
    ByteDfa others = all;
    for (const Conjunction& part : maker_.expander.expand(c_.names)) {
      if ((part.types & kStringType) != 0) others = ByteDfa::minus(others, maker_.scalars.texts_of(part, *c_.names[0]));
    }
    allowed_ = ByteDfa::minus(all, others);
  }

  /// Each of them splits the names that are left.
  void find_patterns() {
    const auto add_patterns = [&](const Json* object) {
      if (object == nullptr) return;
      for (const auto& [source, value] : object->items()) {
        if (pattern_at_.try_emplace(source, object).second) patterns_.push_back(source);
      }
    };
    for (const ObjectLayer& layer : c_.objects) add_patterns(layer.patterns);
    for (const WantedMember& wanted : c_.wanted) add_patterns(member_of(*wanted.domain, "patternProperties"));
  }

  const ByteDfa& pattern(const std::string& source) const {
    return maker_.expander.pattern(source, *pattern_at_.at(source), "patternProperties");
  }

  /// What a member must fit. `named` gives the part of an object of "properties" that names it, `matched` says whether
  /// a pattern does.
  template <class Named, class Matched>
  ObjectSpec::Value value_of(const Named& named, const Matched& matched) const {
    Schemas all;
    for (const ObjectLayer& layer : c_.objects) {
      bool is_named = false;
      if (layer.properties != nullptr) {
        if (const Json* part = named(*layer.properties)) {
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
    value.rule = maker_.rule_of(all);
    for (const WantedMember& wanted : c_.wanted) {
      Schemas with = all;
      with.push_back(wanted.schema);
      const bool counts = value.rule != kNoRule && fulfils(wanted, named, matched);
      value.wanted.push_back(counts ? maker_.rule_of(with) : kNoRule);
    }
    return value;
  }

  template <class Named, class Matched>
  static bool fulfils(const WantedMember& wanted, const Named& named, const Matched& matched) {
    if (!wanted.pattern.empty()) return matched(wanted.pattern);
    const Json* properties = member_of(*wanted.domain, "properties");
    if (properties != nullptr && named(*properties) != nullptr) return false;
    const Json* patterns = member_of(*wanted.domain, "patternProperties");
    if (patterns == nullptr) return true;
    for (const auto& [source, part] : patterns->items()) {
      if (matched(source)) return false;
    }
    return true;
  }

  /// False if a member that is required can't be.
  bool add_names(ObjectSpec& spec) const {
    for (const std::string& name : names_) {
      ObjectSpec::Name made{spelt(name), is_required_.at(name), {}};
      made.value = value_of([&](const Json& properties) { return member_of(properties, name); },
                            [&](const std::string& source) { return pattern(source).accepts(name); });
      if (allowed_ && !allowed_->accepts(name)) made.value = {kNoRule, std::vector<int>(c_.wanted.size(), kNoRule)};
      if (made.value.rule == kNoRule && made.is_required) return false;
      if (made.value.rule != kNoRule) spec.names.push_back(std::move(made));
    }
    return true;
  }

  /// Other names, by the patterns that match them. Names have one spelling each, so that equal names are equal texts.
  std::vector<NameKind> kinds() const {
    if (c_.max_members == 0) return {};
    std::vector<NameKind> kinds = {
        {std::shared_ptr<const ByteDfa>(std::shared_ptr<void>(), &ByteDfa::universal()), {}, nullptr}};
    if (patterns_.empty() && !allowed_ && !names_.empty()) {
      std::vector<std::string> spellings;
      for (const std::string& name : names_) {
        const std::string text = spelt(name);
        spellings.push_back(text.substr(1, text.size() - 2));
      }
      kinds[0].excluded = std::make_shared<const NameTrie>(spellings);
    } else if (!names_.empty() || allowed_) {
      ByteDfa left = allowed_ ? *allowed_ : ByteDfa::universal();
      if (!names_.empty()) left = ByteDfa::minus(left, ByteDfa::of_texts(names_));
      if (left.is_empty()) return {};
      kinds[0].names = std::make_shared<const ByteDfa>(std::move(left));
    }
    for (const std::string& source : patterns_) {
      kinds = split(kinds, pattern(source));
      require(kinds.size() <= kMaxKinds, "guide schema: too many expressions in \"patternProperties\" overlap",
              ErrorCode::kExhausted);
    }
    return kinds;
  }

  static std::vector<NameKind> split(const std::vector<NameKind>& kinds, const ByteDfa& pattern) {
    std::vector<NameKind> out;
    for (const NameKind& kind : kinds) {
      for (const bool is_matched : {true, false}) {
        ByteDfa part = is_matched ? ByteDfa::both(*kind.names, pattern) : ByteDfa::minus(*kind.names, pattern);
        if (part.is_empty()) continue;
        out.push_back({std::make_shared<const ByteDfa>(std::move(part)), kind.matched, nullptr});
        out.back().matched.push_back(is_matched);
      }
    }
    return out;
  }

  void add_others(const NameKind& kind, ObjectSpec& spec, std::vector<NameKind>& kept) const {
    ObjectSpec::Others made;
    made.value = value_of([](const Json&) -> const Json* { return nullptr; },
                          [&](const std::string& source) {
                            const auto at = std::find(patterns_.begin(), patterns_.end(), source) - patterns_.begin();
                            return static_cast<bool>(kind.matched[static_cast<std::size_t>(at)]);
                          });
    if (made.value.rule == kNoRule) return;
    // Equal languages from different places are the same machine only if their spelling is the same.
    const int machine = maker_.scalars.string_machine(StringSpec{kind.names, 0, -1, kind.excluded});
    kept.push_back(kind);
    if (machine < 0) return;
    made.key_rule = maker_.rule_of_machine(machine);
    spec.others.push_back(std::move(made));
  }

  const Conjunction& c_;
  const RuleMaker& maker_;
  std::vector<std::string> names_;
  std::map<std::string, bool> is_required_;
  std::optional<ByteDfa> allowed_;  ///< None: all.
  std::vector<std::string> patterns_;
  std::map<std::string, const Json*> pattern_at_;  ///< The "patternProperties" that has it.
};

}  // namespace

std::optional<ObjectSpec> object_spec(const Conjunction& c, const RuleMaker& maker, std::vector<NameKind>& kept) {
  return ObjectReader(c, maker).read(kept);
}

}  // namespace onggi::decode
