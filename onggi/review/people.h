#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::review {

/// Who reviews.
struct Person {
  std::string name;
  bool may_settle = true;  ///< Has the last word where others disagree, and sees how everybody does.
  std::string token_hash;  ///< SHA-256 in hex; empty: whoever says the name.
};

/// The people of a YAML file: a list `people` of {name, role, sha256}; role is reviewer (if not given) or adjudicator.
/// Immutable.
class People {
 public:
  /// Nobody in particular: every name is let in, with every right.
  People() = default;
  /// Throws kInvalidArgument or kCorrupt naming the place.
  People(std::string_view text, const std::string& where);

  bool is_open() const { return people_.empty(); }
  /// True where nobody gets in without a token.
  bool have_tokens() const;
  /// Who has this token, else who has this name and no token; null: nobody that is let in. Takes as long for a wrong
  /// token as for a right one.
  std::unique_ptr<Person> find(std::string_view name, std::string_view token) const;

 private:
  std::vector<Person> people_;
};

/// An entry for such a file.
std::string person_entry(const std::string& name, const std::string& token, bool may_settle);

}  // namespace onggi::review
