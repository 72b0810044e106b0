#include "onggi/tasks/cards/cards.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <span>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/pictures/sheet.h"
#include "onggi/pictures/svg.h"
#include "onggi/tasks/cards/card_line.h"
#include "onggi/tasks/cards/card_rows.h"
#include "onggi/tasks/cards/shop_front.h"
#include "onggi/tasks/ordered_output.h"
#include "onggi/tasks/text_rows.h"
#include "onggi/train/progress.h"

namespace onggi::tasks {
namespace {

namespace fs = std::filesystem;

/// Cards drawn at a time, and pixels that they may have together: all are in memory.
constexpr std::int64_t kCardsPerBlock = 32, kPixelsPerBlock = std::int64_t{1} << 26;

std::int64_t cards_per_block(std::span<const pictures::Size> sizes) {
  std::int64_t pixels = 0;
  for (const auto size : sizes) pixels += std::int64_t{size.width} * size.height;
  return std::clamp<std::int64_t>(kPixelsPerBlock / pixels, 1, kCardsPerBlock);
}

/// One card on its way to the disk.
struct Result {
  std::optional<pictures::CardText> card;  ///< Prepared.
  std::optional<pictures::DrawnCard> drawn;
  pictures::Fingerprint fingerprint;
  std::string failure;
};

/// What no other card may repeat.
class Looks {
 public:
  bool has(const std::string& design, const pictures::Fingerprint& print) const {
    return designs_.contains(design) || std::any_of(prints_.begin(), prints_.end(), [&](const auto& other) {
             return pictures::are_alike(print, other);
           });
  }
  void add(const std::string& design, const pictures::Fingerprint& print) {
    designs_.insert(design);
    prints_.push_back(print);
  }

 private:
  std::set<std::string> designs_;
  std::vector<pictures::Fingerprint> prints_;
};

class Progress {
 public:
  Progress(std::int64_t total, bool is_terminal, const std::function<void(std::string_view)>& write)
      : total_(total), is_terminal_(is_terminal), write_(write), start_(Clock::now()), shown_(start_) {}

  void show(std::int64_t num_done, std::int64_t num_new, bool is_last = false) {
    const auto now = Clock::now();
    if (!is_last && now - shown_ < std::chrono::milliseconds(is_terminal_ ? 200 : 10'000)) return;
    shown_ = now;
    const double rate = static_cast<double>(num_new) / seconds();
    char line[160];
    std::snprintf(line, sizeof line, "%s%lld/%lld cards  %.1f cards/s  %s left%s", is_terminal_ ? "\r" : "",
                  static_cast<long long>(num_done), static_cast<long long>(total_), rate,
                  train::format_duration(rate > 0 ? static_cast<double>(total_ - num_done) / rate : 0).c_str(),
                  is_terminal_ && !is_last ? "" : "\n");
    if (write_) write_(line);
  }
  double seconds() const { return std::max(1e-9, std::chrono::duration<double>(Clock::now() - start_).count()); }

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t total_;
  bool is_terminal_;
  const std::function<void(std::string_view)>& write_;
  Clock::time_point start_, shown_;
};

class CardsJob {
 public:
  CardsJob(const CardsOptions& options, const datasets::RowsOptions& row_options, ThreadPool& pool)
      : options_(options), pool_(pool), fonts_(options.fonts), folder_(options.output) {
    require(!options.input.empty(), "--input is missing: a file of cards");
    require(!options.output.empty(), "--output is missing: a folder for the pictures");
    require(options.seed >= 0, "--seed must not be negative");
    require(options.sheet_width >= 160 && options.sheet_width <= 8000, "--sheet-width must be 160 to 8000");
    read_formats();
    for (const auto& text : options.size) {
      const auto size = pictures::parse_size(text);
      require(std::find(sizes_.begin(), sizes_.end(), size) == sizes_.end(),
              [&] { return "--size " + text + " is given twice"; });
      sizes_.push_back(size);
    }
    require(!sizes_.empty(), "--size is missing");
    if (!options.shop_front.empty()) require_in_folder(options.shop_front);
    rows_ = read_all_rows(options.input, row_options);
    std::vector<datasets::Row> sources;
    if (!options.rows.empty()) sources = read_all_rows(options.rows, row_options);
    input_ = cards_of_rows(rows_, sources);
    require(!input_.cards.empty(), "the input holds no card", ErrorCode::kInvalidArgument, options.input[0]);
  }

  CardsSummary run(bool is_terminal, const std::function<void(std::string_view)>& write);

 private:
  void read_formats();
  void require_in_folder(const std::string& page) const;
  Json manifest() const;
  Result draw_first(const CardRow& row) const;
  void make_distinct(Result& result);
  void write_files(const Result& result, const CardLine& line) const;
  CardLine line_of(const Result& result) const;
  void resume();
  void write_sheet() const;

  const CardsOptions& options_;
  ThreadPool& pool_;
  const pictures::FontShelf fonts_;
  const fs::path folder_;
  bool has_svg_ = false, has_png_ = false;
  std::vector<pictures::Size> sizes_;
  std::vector<datasets::Row> rows_;
  CardRows input_;
  Looks looks_;
  std::vector<CardLine> lines_;
};

void CardsJob::read_formats() {
  std::string_view rest = options_.format;
  while (true) {
    const auto comma = rest.find(',');
    const std::string_view name = rest.substr(0, comma);
    require(name == "svg" || name == "png",
            [&] { return "--format \"" + options_.format + "\": expected svg, png or svg,png"; });
    (name == "svg" ? has_svg_ : has_png_) = true;
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
}

void CardsJob::require_in_folder(const std::string& page) const {
  const fs::path parent = fs::absolute(fs::path(page)).lexically_normal().parent_path();
  const fs::path folder = (fs::absolute(folder_) / "x").lexically_normal().parent_path();
  require(parent == folder, [&] {
    return "--shop-front must lie in --output, beside its pictures, as in " + (folder_ / "index.html").string() +
           "; found " + page;
  });
}

Json CardsJob::manifest() const {
  Json sizes = Json::array(), formats = Json::array();
  for (const auto size : sizes_) sizes.push_back(pictures::size_text(size));
  if (has_svg_) formats.push_back("svg");
  if (has_png_) formats.push_back("png");
  std::string texts;
  for (const auto& row : input_.cards) texts += row.card.id + '\n' + pictures::alt_text(row.card) + '\n';
  return {{"drawing_version", kDrawingVersion}, {"seed", options_.seed},     {"sizes", sizes}, {"formats", formats},
          {"num_cards", input_.cards.size()},   {"cards", sha256_hex(texts)}};
}

Result CardsJob::draw_first(const CardRow& row) const {
  Result result;
  try {
    result.card = pictures::prepare_card(row.card, fonts_);
    result.drawn = pictures::draw_card(*result.card, static_cast<std::uint64_t>(options_.seed), sizes_, fonts_);
    result.fingerprint = pictures::fingerprint_of(result.drawn->pictures[0].image);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument) throw;
    result.card = row.card;
    result.failure = error.message();
  }
  return result;
}

/// Draws a card again in its next designs while it looks like one before it.
void CardsJob::make_distinct(Result& result) {
  constexpr int kMaxTries = 200;
  const auto seed = static_cast<std::uint64_t>(options_.seed);
  try {
    for (int i = 0; i < kMaxTries; ++i) {
      const std::string design = pictures::design_signature(result.drawn->design);
      if (!looks_.has(design, result.fingerprint)) {
        looks_.add(design, result.fingerprint);
        return;
      }
      result.drawn = pictures::draw_card(*result.card, seed, sizes_, fonts_, result.drawn->attempt + 1);
      result.fingerprint = pictures::fingerprint_of(result.drawn->pictures[0].image);
    }
    result.failure = "no design was found that differs enough from the cards before it";
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument) throw;
    result.failure = error.message();
  }
}

CardLine CardsJob::line_of(const Result& result) const {
  CardLine line{*result.card, result.failure, 0, {}, {}, {}};
  if (!result.failure.empty()) return line;
  line.attempt = result.drawn->attempt;
  line.design = pictures::design_signature(result.drawn->design);
  line.fingerprint = result.fingerprint;
  const std::string name = file_name_of(line.card.id);
  for (const auto size : sizes_) {
    const std::string stem = name + "-" + pictures::size_text(size);
    line.files.push_back({size, has_png_ ? stem + ".png" : "", has_svg_ ? stem + ".svg" : ""});
  }
  return line;
}

void CardsJob::write_files(const Result& result, const CardLine& line) const {
  for (std::size_t i = 0; i < line.files.size(); ++i) {
    const auto& drawn = result.drawn->pictures[i];
    if (has_png_) write_file_atomic(folder_ / line.files[i].png, pictures::encode_png(drawn.image));
    if (has_svg_) {
      const std::string title = line.card.expression + " " + line.card.entity;
      write_file_atomic(folder_ / line.files[i].svg,
                        pictures::encode_svg(drawn.picture.scene, title, pictures::alt_text(line.card)));
    }
  }
}

/// Takes over what an earlier call has drawn.
void CardsJob::resume() {
  if (!fs::exists(folder_ / "cards.jsonl")) return;
  lines_ = read_card_folder(options_.output).lines;
  for (const CardLine& line : lines_) {
    if (line.failure.empty()) looks_.add(line.design, line.fingerprint);
  }
}

void CardsJob::write_sheet() const {
  std::vector<const CardLine*> drawn;
  for (const CardLine& line : lines_) {
    if (line.failure.empty()) drawn.push_back(&line);
  }
  const auto size = sizes_[0];
  pictures::ContactSheet sheet(static_cast<int>(drawn.size()), size.width, size.height, options_.sheet_width);
  // Places are apart, so threads may fill them at once.
  pool_.run(static_cast<std::int64_t>(drawn.size()), [&](std::int64_t i, int) {
    const CardLine& line = *drawn[static_cast<std::size_t>(i)];
    const auto design = pictures::choose_design(line.card, static_cast<std::uint64_t>(options_.seed), line.attempt);
    if (const auto picture = pictures::compose_card(line.card, design, size, fonts_))
      sheet.add(static_cast<int>(i), picture->scene);
  });
  write_file_atomic(options_.contact_sheet, pictures::encode_png(sheet.image(), true));
}

CardsSummary CardsJob::run(bool is_terminal, const std::function<void(std::string_view)>& write) {
  OrderedOutput output({.lines = folder_ / "cards.jsonl",
                        .records = {},
                        .manifest = folder_ / "cards.manifest.json",
                        .command = "onggi cards"},
                       manifest());
  resume();
  const auto total = static_cast<std::int64_t>(input_.cards.size());
  Progress progress(total, is_terminal, write);
  CardsSummary summary;
  const std::int64_t block = cards_per_block(sizes_);
  for (std::int64_t begin = output.num_done(); begin < total; begin += block) {
    const std::int64_t count = std::min(block, total - begin);
    std::vector<Result> results(static_cast<std::size_t>(count));
    pool_.run(count, [&](std::int64_t i, int) {
      results[static_cast<std::size_t>(i)] = draw_first(input_.cards[static_cast<std::size_t>(begin + i)]);
    });
    // In order, so that which of two alike cards is drawn anew depends on the input alone.
    for (Result& result : results) {
      if (result.failure.empty()) make_distinct(result);
      lines_.push_back(line_of(result));
    }
    const auto first_line = lines_.size() - results.size();
    pool_.run(count, [&](std::int64_t i, int) {
      const auto index = static_cast<std::size_t>(i);
      if (results[index].failure.empty()) write_files(results[index], lines_[first_line + index]);
    });
    for (std::size_t i = 0; i < results.size(); ++i) {
      const CardLine& line = lines_[first_line + i];
      output.add(begin + static_cast<std::int64_t>(i), line.failure.empty()
                                                           ? write_card_line(line, *results[i].drawn)
                                                           : write_failure_line(line.card, line.failure));
    }
    summary.num_drawn_now += count;
    progress.show(output.num_done(), summary.num_drawn_now);
  }
  output.sync();
  summary.cards_per_s = static_cast<double>(summary.num_drawn_now) / progress.seconds();
  if (summary.num_drawn_now > 0) progress.show(output.num_done(), summary.num_drawn_now, true);
  for (const CardLine& line : lines_) ++(line.failure.empty() ? summary.num_cards : summary.num_refused);
  summary.num_without = input_.num_without;
  require(
      summary.num_cards > 0,
      [&] { return "none of the " + std::to_string(total) + " cards can be drawn; the first: " + lines_[0].failure; },
      ErrorCode::kInvalidArgument, input_.cards[0].place);
  if (!options_.contact_sheet.empty()) write_sheet();
  if (!options_.shop_front.empty()) write_file_atomic(options_.shop_front, shop_front_page(lines_, options_.shop_name));
  return summary;
}

}  // namespace

CardsSummary draw_cards(const CardsOptions& options, const datasets::RowsOptions& row_options, ThreadPool& pool,
                        bool is_terminal, const std::function<void(std::string_view)>& write) {
  return CardsJob(options, row_options, pool).run(is_terminal, write);
}

}  // namespace onggi::tasks
