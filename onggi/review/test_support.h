#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include "onggi/review/client_event.h"
#include "onggi/review/desk.h"
#include "onggi/review/import.h"
#include "onggi/review/review_store.h"

namespace onggi::review::testing {

/// A folder that is gone at the test's end, with a store in it.
class Workplace {
 public:
  Workplace() {
    std::string name = (std::filesystem::temp_directory_path() / "onggi-review-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~Workplace() { std::filesystem::remove_all(folder_); }
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name).string();
  }
  std::unique_ptr<ReviewStore> store() const { return open_store(path("review.db").string()); }

 private:
  std::filesystem::path folder_;
};

// In JSON's own escapes, since sources are ASCII. Names: moisture, absorption, scent.
inline const char* kGuide =
    R"({"cards": {"entity_slot": "product", "entity": "noun", "expression_class": "[\uac00-\ud7a30-9 .,%]", "expression_length": [5, 30], "expression_words": 2, "expression_ending": "adnominal", "max_cards": 3, "names": ["\ubcf4\uc2b5\ub825", "\ud761\uc218\ub825", "\ud5a5"]}})";
/// A theme of the product below that breaks no rule: "without tightness until morning 'cream' : moisture".
inline const char* kThemes =
    R"([{"entity": "\ud06c\ub9bc", "expression": "\uc544\uce68\uae4c\uc9c0 \ub2f9\uae40 \uc5c6\ub294", "name": "\ubcf4\uc2b5\ub825"}])";

/// A row of review themes.
inline Json theme_row(const std::string& id, const std::string& themes = kThemes) {
  Json row = Json::parse(
      R"({"id": "", "product": "\ub204\ubca8\ub974\uc628 \uc218\ubd84 \ud06c\ub9bc 50ml", "rating": 5, "review": "\uc544\uce68\uae4c\uc9c0 \ub2f9\uae40\uc774 \uc5c6\uc5b4\uc694 "})");
  row["id"] = id;
  row["review"] = row["review"].get<std::string>() + id;
  row["themes"] = Json::parse(themes);
  return row;
}

inline std::string jsonl(const std::vector<Json>& rows) {
  std::string text;
  for (const auto& row : rows) text += dump_json(row) + "\n";
  return text;
}

/// A desk over rows that have been imported, with a clock that the test moves.
class Office {
 public:
  explicit Office(const std::vector<Json>& rows, const std::vector<Json>& gold = {}, double overlap = 0,
                  int gold_every = 0)
      : gold_every_(gold_every) {
    ImportOptions options;
    options.input = {workplace.write("rows.jsonl", jsonl(rows))};
    if (!gold.empty()) options.gold = {workplace.write("gold.jsonl", jsonl(gold))};
    options.overlap = overlap;
    store = workplace.store();
    counts = import_rows(*store, options, Json::parse(kGuide));
    open();
  }
  void open() {
    desk = nullptr;
    store = nullptr;
    store = workplace.store();
    desk = std::make_unique<Desk>(
        *store, Json::parse(kGuide),
        DeskOptions{.lease_ms = 1000, .gold_every = gold_every_, .now_ms = [this] { return now_ms; }});
  }
  /// Keys of what a person is given.
  std::vector<std::string> keys(const std::string& person, int count = 10, const std::vector<std::string>& have = {}) {
    std::vector<std::string> found;
    const Json body = desk->lease({.name = person}, count, have);
    for (const auto& item : body["items"]) found.push_back(item["key"]);
    return found;
  }
  Json submit(const std::string& person, const Json& event) {
    return desk->submit({.name = person}, parse_client_events({{"events", Json::array({event})}}))["results"][0];
  }
  Json decide(const std::string& person, const std::string& key, const std::string& action,
              Json more = Json::object()) {
    Json event = {
        {"id", "event-" + std::to_string(++num_events)}, {"kind", "decide"}, {"item", key}, {"action", action}};
    event.update(more);
    return submit(person, event);
  }
  std::string last_id() const { return "event-" + std::to_string(num_events); }

  Workplace workplace;
  std::int64_t now_ms = 1'000'000;
  int num_events = 1000;
  ImportCounts counts;
  std::unique_ptr<ReviewStore> store;
  std::unique_ptr<Desk> desk;

 private:
  int gold_every_;
};

}  // namespace onggi::review::testing
