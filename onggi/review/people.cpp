#include "onggi/review/people.h"

#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/core/json.h"
#include "onggi/core/yaml.h"
#include "onggi/review/client_event.h"

namespace onggi::review {
namespace {

bool is_same_hash(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

Person read_person(const Yaml& entry, const std::string& where) {
  static const std::vector<std::string> kMembers = {"name", "role", "sha256"};
  require_members(entry, where, "a person", kMembers);
  const auto place = [&](const char* member) -> const Yaml& {
    const auto* found = entry.find(member);
    return found == nullptr ? entry : *found;
  };
  Person person{.name = text_member(entry, where, "name"), .token_hash = text_member(entry, where, "sha256")};
  if (!is_person_name(person.name))
    refuse_yaml(place("name"), where, "name", "1 to 64 bytes without control characters");
  const std::string role = text_member(entry, where, "role");
  if (!role.empty() && role != "reviewer" && role != "adjudicator")
    refuse_yaml(place("role"), where, "role", "reviewer or adjudicator");
  person.may_settle = role == "adjudicator";
  const bool is_hash =
      person.token_hash.size() == 64 && person.token_hash.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!person.token_hash.empty() && !is_hash)
    refuse_yaml(place("sha256"), where, "sha256", "64 digits of 0-9a-f, the SHA-256 of the token");
  return person;
}

}  // namespace

People::People(std::string_view text, const std::string& where) {
  const Yaml root = parse_yaml(text, where);
  static const std::vector<std::string> kMembers = {"people"};
  require_members(root, where, "a file of people", kMembers);
  const Yaml* list = root.find("people");
  if (list == nullptr || list->kind != Yaml::Kind::kList || list->items.empty())
    refuse_yaml(list == nullptr ? root : *list, where, "people", "a list of people");
  for (const Yaml& entry : list->items) {
    Person person = read_person(entry, where);
    for (const Person& other : people_) {
      if (other.name == person.name) refuse_yaml(*entry.find("name"), where, "name", "a name that nobody else has");
      if (!person.token_hash.empty() && other.token_hash == person.token_hash)
        refuse_yaml(*entry.find("sha256"), where, "sha256", "another token than before");
    }
    people_.push_back(std::move(person));
  }
}

bool People::have_tokens() const {
  return !people_.empty() && std::ranges::none_of(people_, [](const Person& p) { return p.token_hash.empty(); });
}

std::unique_ptr<Person> People::find(std::string_view name, std::string_view token) const {
  if (is_open()) return is_person_name(name) ? std::make_unique<Person>(Person{.name = std::string(name)}) : nullptr;
  const std::string hash = token.empty() ? std::string() : sha256_hex(token);
  const Person* found = nullptr;
  for (const Person& person : people_) {
    const bool is_this =
        person.token_hash.empty() ? token.empty() && person.name == name : is_same_hash(person.token_hash, hash);
    if (is_this) found = &person;
  }
  return found == nullptr ? nullptr : std::make_unique<Person>(*found);
}

std::string person_entry(const std::string& name, const std::string& token, bool may_settle) {
  std::string entry =
      "  - name: " + dump_json(Json(name)) + "\n    role: " + (may_settle ? "adjudicator" : "reviewer") + "\n";
  if (!token.empty()) entry += "    sha256: \"" + sha256_hex(token) + "\"\n";
  return entry;
}

}  // namespace onggi::review
