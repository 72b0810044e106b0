#include <cstdio>

#include <unistd.h>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"
#include "onggi/tasks/cards/cards.h"
#include "onggi/tasks/cards/check.h"

namespace onggi::cli {
namespace {

int run_check(const std::string& folder, const std::string& fonts, int threads) {
  ThreadPool pool(threads);
  const auto check = tasks::check_cards(folder, fonts, pool);
  for (const auto& problem : check.problems) std::printf("%s\n", problem.c_str());
  std::printf("%lld cards, %lld pictures, %lld texts, %lld refused: %zu problems\n",
              static_cast<long long>(check.num_cards), static_cast<long long>(check.num_pictures),
              static_cast<long long>(check.num_texts), static_cast<long long>(check.num_refused),
              check.problems.size());
  if (check.num_cards == 0) return check.problems.empty() ? 0 : 1;
  std::printf("least contrast %.2f; least share of the needed %.2f (%s)\n", check.least_contrast, check.least_margin,
              check.least_card.c_str());
  std::printf("%lld designs; nearest of %lld pairs: %d of 128 slopes, %.1f levels of colour (%s)\n",
              static_cast<long long>(check.num_designs), static_cast<long long>(check.num_pairs), check.nearest_slopes,
              check.nearest_color, check.nearest_pair.c_str());
  std::printf("%.1f ms of processor time a card, all its files\n",
              1e3 * check.draw_seconds / static_cast<double>(check.num_cards));
  return check.problems.empty() ? 0 : 1;
}

}  // namespace

int run_cards(std::span<const std::string_view> arguments) {
  tasks::CardsOptions options;
  datasets::RowsOptions row_options;
  int threads = 0;
  OptionList list(options);
  // Rows have a --format of their own, which here is the pictures': a file's ending says what it is.
  list.add("columns", row_options.columns, "Column map: ours=theirs, comma between, as in name=aspect,product=title.");
  list.add("id", row_options.id, "Column with the id of a row.");
  list.add("max_rows", row_options.max_rows, "Read at most this many rows of each file; 0 reads all.");
  list.add("threads", threads, "Threads; 0 = all cores of this process.");
  static constexpr std::string_view kExamples[] = {
      "onggi cards --input cards.jsonl --output pictures",
      "onggi cards --input answers.jsonl --rows reviews.jsonl --output pictures --shop-front pictures/index.html",
      "onggi cards --input examples/review-themes/data --output pictures --size 640x800 --size 1200x628 \\\n"
      "              --contact-sheet sheet.png --seed 7",
      "onggi cards check pictures"};
  if (wants_help(arguments)) {
    print_help("cards --input FILE --output FOLDER [options] | cards check FOLDER",
               "Draws a picture of every card, as SVG and PNG, each in a design of its own: chosen by seed and id, "
               "text never\n"
               "cut, contrast measured on the pixels. Stopped at any point, the same command goes on. `check` draws a "
               "folder's\n"
               "cards again and measures them.",
               list.help_text(), kExamples);
    return 0;
  }
  const auto positional = list.parse_flags(arguments);
  if (!positional.empty() && positional[0] == "check") {
    require(positional.size() == 2, "cards check takes one folder, as `onggi cards` wrote it");
    return run_check(positional[1], options.fonts, threads);
  }
  require(positional.empty(),
          [&] { return "cards \"" + positional[0] + "\": expected check, or options alone; cards are --input FILE"; });
  ThreadPool pool(threads);
  const auto summary =
      tasks::draw_cards(options, row_options, pool, ::isatty(STDERR_FILENO) == 1,
                        [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); });
  std::printf("%lld cards drawn, %lld refused, %lld rows without a card; %.1f cards/s\n",
              static_cast<long long>(summary.num_cards), static_cast<long long>(summary.num_refused),
              static_cast<long long>(summary.num_without), summary.cards_per_s);
  return 0;
}

}  // namespace onggi::cli
