#include "onggi/review/import.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/core/system_random.h"
#include "onggi/datasets/rows.h"
#include "onggi/review/answer_form.h"
#include "onggi/review/checker.h"
#include "onggi/review/desk.h"

namespace onggi::review {
namespace {

using datasets::Row;

constexpr const char* kShownColumn = "shown";
/// What the queue is told, and what other tools say of an answer: a person is to see none of it.
const std::set<std::string, std::less<>> kHiddenColumns = {"id", "priority", "confidence", kShownColumn, "review_of"};

std::vector<Row> read_all(const std::vector<std::string>& files, const std::string& columns) {
  std::vector<Row> rows;
  for (const auto& file : files) {
    auto more = datasets::read_rows(file, {.columns = columns});
    rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  std::map<std::string_view, const Row*> seen;
  for (const auto& row : rows) {
    const auto [known, is_new] = seen.emplace(row.id, &row);
    require(
        is_new,
        [&, place = known->second] {
          return "the id \"" + row.id + "\" is " + datasets::place_of(*place) + "'s already";
        },
        ErrorCode::kInvalidArgument, datasets::place_of(row));
  }
  return rows;
}

/// From the row's `priority`: a number, or in CSV the text of one.
double priority_of(const Row& row) {
  const auto found = row.fields.find("priority");
  if (found == row.fields.end() || found->is_null()) return 0;
  if (found->is_number()) return found->get<double>();
  double value = 0;
  const std::string text = found->is_string() ? found->get<std::string>() : std::string();
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(
      code == std::errc() && end == text.data() + text.size() && !text.empty(),
      [&] { return "priority: expected a number, found " + dump_json(*found); }, ErrorCode::kInvalidArgument,
      datasets::place_of(row));
  return value;
}

/// A share of 0 to 1 that belongs to the id alone, so that later imports move nothing.
double drawn(std::string_view id, std::int64_t seed) {
  const std::string digits = sha256_hex(std::to_string(seed) + "\n" + std::string(id)).substr(0, 12);
  return static_cast<double>(std::stoull(digits, nullptr, 16)) / static_cast<double>(1ULL << 48);
}

class Importer {
 public:
  Importer(ReviewStore& store, const ImportOptions& options, const Json& guide)
      : store_(store), options_(options), guide_(guide) {}

  ImportCounts run() {
    require(options_.overlap >= 0 && options_.overlap <= 1, "overlap: expected a share of 0 to 1");
    require(options_.overlap_people >= 2 && options_.overlap_people <= 100, "overlap_people: expected 2 to 100");
    const auto rows = read_all(options_.input, options_.columns);
    const auto gold = read_all(options_.gold, options_.columns);
    auto settings = store_.settings();
    const bool is_new = !settings.contains("store_id");
    if (is_new) {
      require(!rows.empty(), "the input has no rows", ErrorCode::kInvalidArgument,
              options_.input.empty() ? "--input" : options_.input[0]);
      settings = first_settings(rows);
    }
    kind_ = kind_from_name(settings["kind"]);
    column_ = settings["answer_column"];
    is_json_text_ = settings["is_json_text"] == "1";
    require_same("answer", options_.answer, column_);
    require_same("kind", options_.kind, settings["kind"]);
    salt_ = settings["store_id"];
    for (const auto& column : parse_json(settings["columns"], "columns")) columns_.push_back(column);
    checker_ = std::make_unique<Checker>(kind_, guide_);
    known_ = store_.numbers_by_id();
    next_ = static_cast<std::int64_t>(known_.size()) + 1;
    add_all(rows, gold);
    if (is_new) store_.set(settings);
    if (!items_.empty()) store_.add_items(items_);
    return counts_;
  }

 private:
  std::map<std::string, std::string> first_settings(const std::vector<Row>& rows) {
    const Row& first = rows[0];
    const std::string column = options_.answer.empty() ? "themes" : options_.answer;
    const Json& answer = datasets::column_of(first, column);
    bool is_json_text = false;
    AnswerKind kind = kind_of_column(answer, is_json_text);
    if (!options_.kind.empty()) kind = kind_from_name(options_.kind);
    if (kind == AnswerKind::kText) is_json_text = false;
    Json columns = Json::array();
    for (const auto& item : first.fields.items()) {
      if (item.key() != column && !kHiddenColumns.contains(item.key())) columns.push_back(item.key());
    }
    return {{"store_id", system_random_hex(16)}, {"kind", std::string(kind_name(kind))},
            {"answer_column", column},           {"is_json_text", is_json_text ? "1" : "0"},
            {"columns", dump_json(columns)},     {"seed", std::to_string(static_cast<std::uint64_t>(options_.seed))}};
  }

  static void require_same(const char* name, const std::string& asked, const std::string& known) {
    require(asked.empty() || asked == known, [&] {
      return "--" + std::string(name) + " is \"" + asked + "\", but the store was made with \"" + known +
             "\"; make another store";
    });
  }

  Json answer_of(const Row& row, const std::string& column) const {
    const Json& value = datasets::column_of(row, column);
    const std::string place = datasets::place_of(row) + ", " + column;
    if (is_json_text_ && value.is_string()) return parse_json(value.get<std::string>(), place);
    return normal_answer(kind_, value, place);
  }

  Json empty_answer() const {
    switch (kind_) {
      case AnswerKind::kThemes: return Json::array();
      case AnswerKind::kText: return "";
      default: return Json::object();
    }
  }

  Item new_item(const Row& row, const Json& shown) {
    Item item;
    item.head.key = sha256_hex(salt_ + "\n" + row.id).substr(0, 20);
    item.head.priority = priority_of(row);
    const bool is_shared = drawn(row.id, options_.seed) < options_.overlap;
    item.head.wanted = is_shared ? options_.overlap_people : 1;
    item.content.id = row.id;
    item.content.row = dump_json(row.fields);
    item.content.source_hash = sha256_hex(item.content.row);
    item.content.shown = dump_json(shown);
    require(
        item.content.shown.size() <= kMaxAnswerBytes,
        [&] {
          return "the answer has " + std::to_string(item.content.shown.size()) + " bytes, at most " +
                 std::to_string(kMaxAnswerBytes) + " are shown";
        },
        ErrorCode::kInvalidArgument, datasets::place_of(row));
    Json fields = Json::object();
    for (const auto& column : columns_) {
      if (const auto found = row.fields.find(column); found != row.fields.end()) fields[column] = *found;
    }
    const std::string labels = dump_json(Json(answer_labels(kind_, shown)));
    if (checker_->check(fields, shown).empty()) item.head.set = sha256_hex(labels).substr(0, 20);
    if (labels.size() <= 500) item.head.labels = labels;
    if (item.head.labels.empty()) item.head.set.clear();  // Too long to be looked at as one of many.
    return item;
  }

  /// True where the store has this row already.
  bool is_known(const Row& row) {
    const auto found = known_.find(row.id);
    if (found == known_.end()) return false;
    const auto content = store_.content(found->second);
    require(
        content.source_hash == sha256_hex(dump_json(row.fields)),
        [&] { return "the row \"" + row.id + "\" has changed since it was imported; give it another id"; },
        ErrorCode::kInvalidArgument, datasets::place_of(row));
    ++counts_.known;
    return true;
  }

  void add(Item item) {
    item.head.number = next_++;
    (item.head.is_gold ? counts_.gold : counts_.added) += 1;
    items_.push_back(std::move(item));
  }

  void add_all(const std::vector<Row>& rows, const std::vector<Row>& gold) {
    std::map<std::string_view, const Row*> right;
    for (const auto& row : gold) right.emplace(row.id, &row);
    std::set<std::string_view> in_input;
    for (const auto& row : rows) {
      const auto found = right.find(row.id);
      if (found != right.end()) in_input.insert(row.id);
      if (is_known(row)) continue;
      Item item = new_item(row, answer_of(row, column_));
      if (found != right.end()) make_gold(item, answer_of(*found->second, column_));
      add(std::move(item));
    }
    for (const auto& row : gold) {
      if (in_input.contains(row.id) || is_known(row)) continue;
      Item item = new_item(row, row.fields.contains(kShownColumn) ? answer_of(row, kShownColumn) : empty_answer());
      make_gold(item, answer_of(row, column_));
      add(std::move(item));
    }
  }

  void make_gold(Item& item, const Json& answer) const {
    item.head.is_gold = true;
    item.content.gold = dump_json(answer);
  }

  ReviewStore& store_;
  const ImportOptions& options_;
  const Json& guide_;
  AnswerKind kind_ = AnswerKind::kThemes;
  std::string column_, salt_;
  bool is_json_text_ = false;
  std::vector<std::string> columns_;
  std::unique_ptr<Checker> checker_;
  std::map<std::string, std::int64_t, std::less<>> known_;
  std::int64_t next_ = 1;
  std::vector<Item> items_;
  ImportCounts counts_;
};

}  // namespace

ImportCounts import_rows(ReviewStore& store, const ImportOptions& options, const Json& guide) {
  return Importer(store, options, guide).run();
}

}  // namespace onggi::review
