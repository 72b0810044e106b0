#pragma once

#include <string>
#include <utility>
#include <vector>

#include "onggi/eval/evaluate.h"
#include "onggi/eval/report/report.h"
#include "onggi/tasks/experiment/prompt_figures.h"

namespace onggi::tasks {

/// Several prompts trained alike and judged on the same rows.
struct PromptStudy {
  std::vector<PromptFigures> prompts;
  std::vector<eval::Curves> curves;  ///< Of each prompt's training.
  eval::EvalResult judged;           ///< A system a prompt, in the same order.
  double price_per_hour = 0.0;
  std::vector<std::pair<std::string, std::string>> facts;  ///< Shown with the table: base, rows, updates, seed ...
};

/// A table for the terminal, a prompt a line.
std::string study_text(const PromptStudy& study);
/// All figures with their intervals (docs/how_to/compare_prompts.md).
Json study_json(const PromptStudy& study);
/// One self-contained HTML page: the table, bars of every figure, F1 by prompt length, losses while training.
std::string study_html(const PromptStudy& study);

}  // namespace onggi::tasks
