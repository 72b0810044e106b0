#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/random.h"
#include "onggi/datasets/characters.h"
#include "onggi/tasks/cluster/planted.h"
#include "onggi/tasks/text_rows.h"

namespace onggi::tasks {
namespace {

constexpr std::uint64_t kPlantStream = 0x706C616E74;     // "plant"
constexpr std::size_t kLeastOther = 5, kMostOther = 24;  // Characters of a text of another domain.

/// A theme of a labelled row.
struct Expression {
  std::string entity, expression, aspect, category;
};

class Draw {
 public:
  explicit Draw(std::int64_t seed) : seed_(static_cast<std::uint64_t>(seed)) {}
  std::size_t below(std::size_t bound) { return uniform_int(seed_, kPlantStream, next_++, bound); }
  template <class T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::uint64_t seed_, next_ = 0;
};

std::vector<Expression> read_expressions(const PlantOptions& options, const datasets::RowsOptions& row_options) {
  std::vector<Expression> result;
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& row : read_all_rows(options.rows, row_options)) {
    const Json& themes = datasets::column_of(row, "themes");
    const auto bad = [&](const char* what) { throw Error(ErrorCode::kInvalidArgument, what, datasets::place_of(row)); };
    if (!themes.is_array()) bad("\"themes\" must be a list of {entity, expression, name}");
    for (const auto& theme : themes) {
      for (const char* name : {"entity", "expression", "name"}) {
        if (!theme.is_object() || !theme.contains(name) || !theme[name].is_string())
          bad("a theme needs entity, expression and name as texts");
      }
      Expression e{theme["entity"], theme["expression"], theme["name"], datasets::text_of(row, "category")};
      if (seen.emplace(e.entity, e.expression).second) result.push_back(std::move(e));
    }
  }
  return result;
}

/// An expression whose aspect the entity's category never has.
std::vector<Expression> wrong_types(const std::vector<Expression>& real, int each, Draw& draw) {
  std::map<std::string, std::set<std::string>> aspects;
  for (const auto& e : real) aspects[e.category].insert(e.aspect);
  std::vector<Expression> result;
  for (int tries = 0; static_cast<int>(result.size()) < each && tries < 100 * each && !real.empty(); ++tries) {
    const auto& of = real[draw.below(real.size())];
    const auto& from = real[draw.below(real.size())];
    if (aspects[of.category].contains(from.aspect)) continue;
    result.push_back({of.entity, from.expression, from.aspect, of.category});
  }
  return result;
}

std::vector<std::u32string> words_of(const std::string& text) {
  std::vector<std::u32string> words(1);
  for (const char32_t c : datasets::to_code_points(text)) {
    if (c != U' ') {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

std::string joined(const std::vector<std::u32string>& words) {
  std::u32string text;
  for (const auto& word : words) text += (text.empty() ? U"" : U" ") + word;
  return datasets::to_utf8(text);
}

/// As a model that lost its way writes: words in disorder, syllables swapped, a repeated part, an ending cut off.
std::string broken(const std::string& expression, Draw& draw) {
  auto words = words_of(expression);
  if (words.empty()) return expression;
  switch (draw.below(4)) {
    case 0:
      if (words.size() > 2) {
        draw.shuffle(words);
        break;
      }
      [[fallthrough]];
    case 1: {
      auto& word = *std::ranges::max_element(words, {}, &std::u32string::size);
      std::vector<char32_t> syllables(word.begin(), word.end());
      draw.shuffle(syllables);
      word.assign(syllables.begin(), syllables.end());
      break;
    }
    case 2: words.insert(words.end(), 2, words[draw.below(words.size())]); break;
    default: {
      auto& last = words.back();
      last.resize((last.size() + 1) / 2);
      words.push_back(words.front().substr(0, 1));
    }
  }
  return joined(words);
}

std::vector<Expression> broken_ones(const std::vector<Expression>& real, int each, Draw& draw) {
  std::vector<Expression> result;
  std::set<std::string> taken;  // Words in another order may be a real expression.
  for (const auto& e : real) taken.insert(e.expression);
  for (int tries = 0; static_cast<int>(result.size()) < each && tries < 100 * each && !real.empty(); ++tries) {
    auto e = real[draw.below(real.size())];
    auto text = broken(e.expression, draw);
    if (!taken.insert(text).second) continue;
    e.expression = std::move(text);
    result.push_back(std::move(e));
  }
  return result;
}

std::vector<Expression> of_other_domain(const std::vector<Expression>& real, const PlantOptions& options, Draw& draw) {
  std::vector<Expression> result;
  if (options.other.empty() || real.empty()) return result;
  std::set<std::string> texts;
  for (const auto& row : read_all_rows(options.other, {})) {
    const auto text = datasets::collapse_spaces(datasets::to_nfc(datasets::text_of(row, options.other_text)));
    const auto length = datasets::num_characters(text);
    if (length >= kLeastOther && length <= kMostOther) texts.insert(text);
  }
  std::vector<std::string> order(texts.begin(), texts.end());
  draw.shuffle(order);
  order.resize(std::min<std::size_t>(order.size(), static_cast<std::size_t>(options.each)));
  for (auto& text : order) {
    const auto& of = real[draw.below(real.size())];
    result.push_back({of.entity, std::move(text), "", of.category});
  }
  return result;
}

}  // namespace

PlantSummary plant_outliers(const PlantOptions& options, const datasets::RowsOptions& row_options) {
  require(!options.rows.empty(), "--rows is missing: labelled rows with themes");
  require(!options.output.empty(), "--output is missing: the JSONL file to write");
  require(options.each >= 1, [&] { return "--each is " + std::to_string(options.each) + ", expected 1 or more"; });
  const auto real = read_expressions(options, row_options);
  require(!real.empty(), "the rows have no themes");
  Draw draw(options.seed);
  const auto wrong = wrong_types(real, options.each, draw), grammar = broken_ones(real, options.each, draw),
             other = of_other_domain(real, options, draw);
  std::string lines;
  std::int64_t number = 0;
  const auto write = [&](const std::vector<Expression>& list, const Json& kind) {
    for (const auto& e : list) {
      lines += dump_json(Json{{"id", "e" + std::to_string(number++)},
                              {"entity", e.entity},
                              {"expression", e.expression},
                              {"text", e.entity + ": " + e.expression},
                              {"aspect", e.aspect},
                              {"category", e.category},
                              {"planted", kind}}) +
               "\n";
    }
    return static_cast<std::int64_t>(list.size());
  };
  PlantSummary summary;
  summary.num_real = write(real, nullptr);
  summary.num_wrong_type = write(wrong, "wrong type");
  summary.num_broken = write(grammar, "broken grammar");
  summary.num_other = write(other, "other domain");
  write_file_atomic(options.output, lines);
  return summary;
}

}  // namespace onggi::tasks
