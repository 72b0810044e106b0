#include "onggi/train/doctor.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>

#include "onggi/train/doctor_checks.h"

namespace onggi::train {
namespace {

std::vector<DoctorCheck> all_checks() {
  std::vector<DoctorCheck> all = row_checks();
  for (auto&& more : {text_checks(), option_checks()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

void RowFinding::add(const DoctorRow& row, const std::string& detail) {
  if (count_++ == 0) first_ = row.where + (detail.empty() ? "" : " (" + detail + ")");
}

void RowFinding::report(std::vector<Finding>& findings) {
  if (count_ == 0) return;
  finding_.message = count_ == 1 ? first_ + " has " + problem_
                                 : std::to_string(count_) + " rows have " + problem_ + ", first " + first_;
  findings.push_back(finding_);
}

std::vector<Finding> examine(const DoctorInput& input) {
  std::vector<Finding> findings;
  if (input.train.empty()) findings.push_back({"no_rows", Severity::kError, "the training set has no rows"});
  for (const DoctorCheck& check : all_checks()) check.run(input, findings);
  return findings;
}

std::vector<std::string> doctor_codes() {
  std::vector<std::string> codes = {"no_rows"};
  for (const DoctorCheck& check : all_checks()) codes.insert(codes.end(), check.codes.begin(), check.codes.end());
  std::sort(codes.begin(), codes.end());
  return codes;
}

TokenSummary summarize_tokens(std::span<const DoctorRow> rows) {
  TokenSummary summary{.num_rows = static_cast<std::int64_t>(rows.size())};
  std::vector<std::int64_t> sizes;
  std::map<std::int64_t, std::int64_t> bins;
  std::map<std::string, std::int64_t> labels;
  for (const DoctorRow& row : rows) {
    sizes.push_back(static_cast<std::int64_t>(row.ids.size()));
    std::int64_t bin = 1;
    while (bin < sizes.back()) bin *= 2;
    ++bins[bin];
    summary.num_tokens += sizes.back();
    summary.num_supervised +=
        std::count_if(row.supervised.begin(), row.supervised.end(), [](std::uint8_t s) { return s != 0; });
    for (const std::string& label : row.labels) ++labels[label];
  }
  std::sort(sizes.begin(), sizes.end());
  if (!sizes.empty()) {
    summary.shortest = sizes.front();
    summary.median = sizes[sizes.size() / 2];
    summary.longest = sizes.back();
  }
  summary.histogram.assign(bins.begin(), bins.end());
  summary.label_counts.assign(labels.begin(), labels.end());
  std::stable_sort(summary.label_counts.begin(), summary.label_counts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return summary;
}

std::string mask_preview(const DoctorRow& row, const std::function<std::string(std::int32_t id)>& piece, bool colour) {
  const std::string begin = colour ? "\x1b[32m" : "[[";
  const std::string end = colour ? "\x1b[0m" : "]]";
  std::string text;
  bool is_open = false;
  for (std::size_t i = 0; i < row.ids.size(); ++i) {
    const bool is_scored = i < row.supervised.size() && row.supervised[i] != 0;
    if (is_scored != is_open) text += is_scored ? begin : end;
    is_open = is_scored;
    for (const char c : piece(row.ids[i])) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte != 0x7F) {
        text += c;
        continue;
      }
      char escape[8];
      std::snprintf(escape, sizeof escape, c == '\n' ? "\\n" : "\\x%02X", byte);
      text += escape;
    }
  }
  return is_open ? text + end : text;
}

}  // namespace onggi::train
