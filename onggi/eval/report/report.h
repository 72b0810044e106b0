#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/eval/evaluate.h"

namespace onggi::eval {

/// (step, value) by step.
using Curve = std::vector<std::pair<double, double>>;

struct Curves {
  Curve loss, eval_loss;
};

/// Reads a run's metrics.jsonl: objects with "step" and any of "loss", "eval_loss"; other members and lines are
/// skipped, and a torn last line is no error (the run may be writing). Throws kNotFound, kCorrupt.
Curves read_curves(const std::filesystem::path& path);

struct ReportOptions {
  std::string title = "Review themes";
  std::vector<std::pair<std::string, std::string>> facts;  ///< (name, value) below the title: base, adapter, seed ...
  int max_examples = 60;                                   ///< Side-by-side examples, worst first.
  int max_card_products = 24;                              ///< Products in the card section.
};

/// One self-contained HTML file: headline figures with intervals, bars beside the other systems, loss curves, confusion of
/// aspects, tables by aspect, category and rating, examples worst first, theme cards. Layout: docs/formats/report.md.
std::string report_html(const EvalResult& result, const Curves& curves, const ReportOptions& options = {});

/// `report_html` written so that a crash leaves the old file or the new one. Throws kUnavailable.
void write_report(const std::filesystem::path& path, const EvalResult& result, const Curves& curves,
                  const ReportOptions& options = {});

/// A review's cards, for the page of cards.
struct CardRow {
  std::string product, category;
  std::vector<Card> cards;
};

/// Rows whose prediction is valid and not empty.
std::vector<CardRow> card_rows(std::span<const ThemeRow> rows, std::span<const ThemePrediction> predictions);

/// The cards as a shop would group them: by product, then by aspect; equal cards once.
std::string cards_html(std::span<const CardRow> rows, std::string_view title);
void write_cards(const std::filesystem::path& path, std::span<const CardRow> rows, std::string_view title);

}  // namespace onggi::eval
