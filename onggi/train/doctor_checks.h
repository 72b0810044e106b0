#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/train/doctor.h"

namespace onggi::train {

/// Counts the rows that have one problem and gives them one finding, which names the first.
class RowFinding {
 public:
  RowFinding(std::string code, Severity severity, std::string problem)
      : finding_{std::move(code), severity, {}}, problem_(std::move(problem)) {}

  void add(const DoctorRow& row, const std::string& detail = {});
  std::int64_t count() const { return count_; }
  void report(std::vector<Finding>& findings);

 private:
  Finding finding_;
  std::string problem_;
  std::string first_;
  std::int64_t count_ = 0;
};

/// One entry of the suite. Appends to `findings` what it finds; `codes` are those it may give.
struct DoctorCheck {
  std::vector<std::string_view> codes;
  void (*run)(const DoctorInput& input, std::vector<Finding>& findings);
};

/// Rows: masks, tokens, roles, answers, splits (doctor_rows.cpp).
std::vector<DoctorCheck> row_checks();
/// Text: encoding, normal forms, special tokens (doctor_text.cpp).
std::vector<DoctorCheck> text_checks();
/// Optimisation and files (doctor_options.cpp).
std::vector<DoctorCheck> option_checks();

/// Calls use(row) for every row of both sets.
template <class Use>
void for_each_row(const DoctorInput& input, Use&& use) {
  for (const DoctorRow& row : input.train) use(row);
  for (const DoctorRow& row : input.validation) use(row);
}

}  // namespace onggi::train
