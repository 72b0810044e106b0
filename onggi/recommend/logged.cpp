#include "onggi/recommend/logged.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/datasets/rows.h"

namespace onggi::recommend {
namespace {

using datasets::Row;

constexpr std::string_view kOpenBanditColumns = "arm=item_id,slot=position,reward=click,propensity=propensity_score";
constexpr int kMaxSlots = 1000;

[[noreturn]] void fail(const Row& row, const std::string& message) {
  throw Error(ErrorCode::kCorrupt, message, datasets::place_of(row));
}

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

bool as_number(const Json& value, double& number) {
  if (value.is_number()) {
    number = value.get<double>();
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc() || end != text.data() + text.size()) return false;
  } else {
    return false;
  }
  return std::isfinite(number);
}

double number_of(const Row& row, std::string_view column) {
  double number = 0.0;
  const Json& value = datasets::column_of(row, column);
  if (!as_number(value, number)) fail(row, std::string(column) + " is " + shown(value) + ", expected a number");
  return number;
}

/// Numbers for texts, in the order in which they come.
class Names {
 public:
  int number(const std::string& name) {
    const auto [it, is_new] = numbers_.try_emplace(name, static_cast<int>(names_.size()));
    if (is_new) names_.push_back(name);
    return it->second;
  }
  std::vector<std::string>& names() { return names_; }

 private:
  std::unordered_map<std::string, int> numbers_;
  std::vector<std::string> names_;
};

std::vector<std::string> split_names(const std::string& list) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  while (begin <= list.size() && !list.empty()) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    require(end > begin, [&] { return "--features is \"" + list + "\", expected names with a comma between"; });
    names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

/// Columns of the context as numbers: a column of numbers is one feature, one of texts a feature for each text but the
/// first.
std::vector<std::vector<double>> feature_rows(const std::vector<Row>& rows, const std::string& list) {
  std::vector<std::vector<double>> features(rows.size());
  constexpr std::size_t kMaxTexts = 200;
  for (const auto& name : split_names(list)) {
    double number = 0.0;
    const bool is_numeric =
        std::ranges::all_of(rows, [&](const Row& row) { return as_number(datasets::column_of(row, name), number); });
    if (is_numeric) {
      for (std::size_t i = 0; i < rows.size(); ++i) features[i].push_back(number_of(rows[i], name));
      continue;
    }
    std::map<std::string, std::size_t> texts;
    for (const Row& row : rows) texts.try_emplace(datasets::text_of(row, name), 0);
    require(texts.size() <= kMaxTexts, [&] {
      return "column " + name + " has " + std::to_string(texts.size()) + " different texts, expected at most " +
             std::to_string(kMaxTexts);
    });
    std::size_t next = 0;
    for (auto& [text, index] : texts) index = next++;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t index = texts[datasets::text_of(rows[i], name)];
      for (std::size_t k = 1; k < texts.size(); ++k) features[i].push_back(k == index ? 1.0 : 0.0);
    }
  }
  return features;
}

LoggedImpression read_row(const Row& row) {
  LoggedImpression impression;
  const double slot = number_of(row, "slot");
  if (slot < 1 || slot > kMaxSlots || slot != std::floor(slot))
    fail(row, "slot is " + shown(datasets::column_of(row, "slot")) + ", expected a whole number from 1 to " +
                  std::to_string(kMaxSlots));
  impression.slot = static_cast<int>(slot) - 1;
  impression.reward = number_of(row, "reward");
  if (impression.reward != 0.0 && impression.reward != 1.0)
    fail(row, "reward is " + shown(datasets::column_of(row, "reward")) + ", expected 0 or 1");
  impression.propensity = number_of(row, "propensity");
  if (impression.propensity <= 0.0 || impression.propensity > 1.0)
    fail(row, "propensity is " + shown(datasets::column_of(row, "propensity")) +
                  ", expected more than 0 and at most 1: without it nothing can be estimated from this log");
  return impression;
}

bool is_csv(std::string_view file) { return file.ends_with(".csv"); }

/// The list of a row's `candidates` or numbers of its `features`.
const Json& list_of(const Row& row, std::string_view column) {
  const Json& value = datasets::column_of(row, column);
  if (!value.is_array()) fail(row, std::string(column) + " is " + shown(value) + ", expected a list");
  return value;
}

}  // namespace

double LoggedData::mean_reward() const {
  const double sum =
      std::accumulate(rows.begin(), rows.end(), 0.0, [](double s, const auto& row) { return s + row.reward; });
  return rows.empty() ? 0.0 : sum / static_cast<double>(rows.size());
}

LoggedData read_log(const std::filesystem::path& path, const LogOptions& options) {
  constexpr std::size_t kMaxBytes = std::size_t{4} << 30;
  return read_log_text(read_file(path, kMaxBytes), path.string(), options);
}

LoggedData read_log_text(std::string_view text, std::string_view file, const LogOptions& options) {
  const bool has_header = is_csv(file);
  require(has_header || (options.features.empty() && options.columns.empty()),
          "--features and --columns are for CSV files", ErrorCode::kInvalidArgument, file);
  datasets::RowsOptions row_options{.columns = options.columns};
  row_options.id.clear();
  row_options.format = has_header ? "csv" : "jsonl";
  auto rows = datasets::read_rows_text(text, file, row_options);
  if (has_header && options.columns.empty() && !rows.empty() && rows[0].fields.contains("propensity_score")) {
    row_options.columns = kOpenBanditColumns;
    rows = datasets::read_rows_text(text, file, row_options);
  }
  const auto features = has_header ? feature_rows(rows, options.features) : std::vector<std::vector<double>>();
  LoggedData log;
  Names arms, units;
  std::map<std::vector<int>, int> sets;
  const auto set_number = [&](std::vector<int> set) {
    return sets.try_emplace(std::move(set), static_cast<int>(sets.size())).first->second;
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (!has_header && datasets::column_of(row, "reward").is_null()) {
      ++log.num_open;
      continue;
    }
    LoggedImpression impression = read_row(row);
    impression.arm = arms.number(datasets::text_of(row, "arm"));
    impression.unit =
        units.number(row.fields.contains("unit") ? datasets::text_of(row, "unit") : "#" + std::to_string(row.line));
    log.num_slots = std::max(log.num_slots, impression.slot + 1);
    if (has_header) {
      impression.features = features[i];
    } else {
      std::vector<int> set;
      for (const Json& name : list_of(row, "candidates")) {
        if (!name.is_string()) fail(row, "candidates holds " + shown(name) + ", expected texts");
        set.push_back(arms.number(name.get<std::string>()));
      }
      std::ranges::sort(set);
      if (std::ranges::adjacent_find(set) != set.end()) fail(row, "candidates holds an arm twice");
      if (!std::ranges::binary_search(set, impression.arm)) fail(row, "the arm shown is not among the candidates");
      impression.candidates = set_number(std::move(set));
      for (const Json& value : list_of(row, "features")) {
        double number = 0.0;
        if (!as_number(value, number)) fail(row, "features holds " + shown(value) + ", expected numbers");
        impression.features.push_back(number);
      }
      if (!log.rows.empty() && impression.features.size() != log.rows[0].features.size())
        fail(row, "features has " + std::to_string(impression.features.size()) + " numbers, the first row's " +
                      std::to_string(log.rows[0].features.size()));
    }
    log.rows.push_back(std::move(impression));
  }
  require(!log.rows.empty(), "the log holds no impression whose outcome is known", ErrorCode::kCorrupt, file);
  log.arms = std::move(arms.names());
  log.num_units = static_cast<int>(units.names().size());
  if (has_header) {
    log.candidate_sets.emplace_back(log.arms.size());
    std::iota(log.candidate_sets[0].begin(), log.candidate_sets[0].end(), 0);
  } else {
    log.candidate_sets.resize(sets.size());
    for (const auto& [set, number] : sets) log.candidate_sets[static_cast<std::size_t>(number)] = set;
  }
  return log;
}

}  // namespace onggi::recommend
