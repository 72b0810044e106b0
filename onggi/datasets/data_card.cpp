#include "onggi/datasets/data_card.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/datasets/characters.h"
#include "onggi/datasets/split.h"

namespace onggi::datasets {
namespace {

LengthSummary summarise(std::vector<std::int64_t> lengths) {
  LengthSummary summary;
  if (lengths.empty()) return summary;
  std::ranges::sort(lengths);
  const auto nearest_rank = [&](std::size_t percent) {
    return lengths[(lengths.size() * percent + 99) / 100 - 1];
  };
  summary.min = lengths.front();
  summary.median = nearest_rank(50);
  summary.p95 = nearest_rank(95);
  summary.max = lengths.back();
  summary.mean = static_cast<double>(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})) /
                 static_cast<double>(lengths.size());
  std::size_t counted = 0;
  for (std::int64_t bound = 8; counted < lengths.size(); bound *= 2) {
    const auto end = static_cast<std::size_t>(std::ranges::upper_bound(lengths, bound) - lengths.begin());
    summary.histogram.emplace_back(bound, end - counted);
    counted = end;
  }
  return summary;
}

std::vector<std::string> labels_of(const Row& row, const DataCardOptions& options) {
  const Json& value = column_of(row, options.label);
  std::vector<std::string> labels;
  const auto add = [&](const Json& label) {
    require(label.is_string() || label.is_number(),
            "column \"" + options.label + "\": expected a label, a list of labels or of objects with \"" +
                options.label_key + "\", found " + dump_json(value),
            ErrorCode::kInvalidArgument, place_of(row));
    std::string text = label.is_string() ? label.get<std::string>() : dump_json(label);
    if (!text.empty()) labels.push_back(std::move(text));
  };
  if (!value.is_array()) {
    add(value);
    return labels;
  }
  for (const Json& item : value) add(item.is_object() && item.contains(options.label_key) ? item[options.label_key] : item);
  return labels;
}

std::string percent(std::int64_t part, std::int64_t whole) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

}  // namespace

DataCard make_data_card(std::span<const Row> rows, const DataCardOptions& options) {
  DataCard card{.rows = static_cast<std::int64_t>(rows.size())};
  std::map<std::string, std::vector<std::int64_t>> lengths;
  std::map<std::string, std::int64_t> label_counts;
  for (const Row& row : rows) {
    for (const auto& item : row.fields.items()) {
      ++card.fields[item.key()];
      const bool is_wanted = options.texts.empty() ? item.key() != options.id
                                                   : std::ranges::find(options.texts, item.key()) != options.texts.end();
      if (!is_wanted || !item.value().is_string()) continue;
      lengths[item.key()].push_back(static_cast<std::int64_t>(num_characters(item.value().get_ref<const std::string&>())));
    }
    const auto labels = options.label.empty() ? std::vector<std::string>{} : labels_of(row, options);
    for (const auto& label : labels) ++label_counts[label];
    card.empty += labels.empty();
    for (const auto& column : options.by) {
      GroupSummary& group = card.by[column][text_of(row, column)];
      ++group.rows;
      group.empty += labels.empty();
      group.labels += static_cast<std::int64_t>(labels.size());
    }
  }
  if (options.label.empty()) card.empty = 0;
  for (auto& [column, values] : lengths) card.lengths[column] = summarise(std::move(values));
  card.labels.assign(label_counts.begin(), label_counts.end());
  std::ranges::stable_sort(card.labels, std::ranges::greater{}, &std::pair<std::string, std::int64_t>::second);
  card.duplicates = count_duplicates(rows, options.texts, options.id);
  card.content_hash = content_hash(rows);
  return card;
}

std::string content_hash(std::span<const Row> rows) {
  std::string canonical;
  for (const Row& row : rows) canonical += nlohmann::json(row.fields).dump() + "\n";  // this type sorts its members
  return sha256_hex(canonical);
}

Json DataCard::to_json() const {
  Json lengths_json = Json::object();
  for (const auto& [column, length] : lengths) {
    Json histogram = Json::array();
    for (const auto& [bound, count] : length.histogram) histogram.push_back({{"at_most", bound}, {"rows", count}});
    lengths_json[column] = {{"min", length.min}, {"median", length.median}, {"p95", length.p95},
                            {"max", length.max}, {"mean", length.mean},     {"histogram", histogram}};
  }
  Json by_json = Json::object();
  for (const auto& [column, groups] : by) {
    for (const auto& [value, group] : groups) {
      by_json[column][value] = {{"rows", group.rows}, {"empty", group.empty}, {"labels", group.labels}};
    }
  }
  Json labels_json = Json::object();
  for (const auto& [label, count] : labels) labels_json[label] = count;
  return {{"rows", rows},     {"content_hash", content_hash}, {"duplicates", duplicates}, {"fields", fields},
          {"empty", empty},   {"labels", labels_json},        {"lengths", lengths_json},  {"by", by_json}};
}

std::string DataCard::to_text() const {
  std::string text = "rows        " + std::to_string(rows) + "\nhash        " + content_hash + "\nduplicates  " +
                     std::to_string(duplicates) + "\n";
  if (!labels.empty() || empty > 0) text += "empty       " + std::to_string(empty) + " (" + percent(empty, rows) + ")\n";
  text += "\ncolumns\n";
  for (const auto& [column, count] : fields) {
    text += "  " + column + ": " + std::to_string(count) + " rows";
    if (const auto length = lengths.find(column); length != lengths.end()) {
      const LengthSummary& l = length->second;
      text += ", characters " + std::to_string(l.min) + " to " + std::to_string(l.max) + ", median " +
              std::to_string(l.median) + ", 95 % at most " + std::to_string(l.p95);
    }
    text += "\n";
  }
  if (!labels.empty()) text += "\nlabels (" + std::to_string(labels.size()) + ")\n ";
  for (const auto& [label, count] : labels) text += " " + label + " " + std::to_string(count);
  if (!labels.empty()) text += "\n";
  for (const auto& [column, groups] : by) {
    text += "\nby " + column + "\n";
    for (const auto& [value, group] : groups) {
      text += "  " + value + ": " + std::to_string(group.rows) + " rows, " + std::to_string(group.labels) + " labels, " +
              percent(group.empty, group.rows) + " empty\n";
    }
  }
  return text;
}

}  // namespace onggi::datasets
