#include "onggi/tasks/cards/check.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/pictures/svg.h"

namespace onggi::tasks {
namespace {

namespace fs = std::filesystem;

/// Of the calling thread.
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// What one card has to say.
struct Finding {
  std::vector<std::string> problems;
  std::int64_t num_texts = 0;
  double contrast = 21, margin = 1e9, seconds = 0;
};

void compare_file(const fs::path& path, const std::string& expected, Finding& finding) {
  if (!fs::exists(path)) {
    finding.problems.push_back(path.filename().string() + " is missing");
  } else if (read_file(path) != expected) {
    finding.problems.push_back(path.filename().string() + " holds other bytes than what is drawn here");
  }
}

Finding check_card(const CardLine& line, const CardFolder& folder, const fs::path& path,
                   const pictures::FontShelf& fonts) {
  Finding finding;
  const double start = processor_seconds();
  try {
    const auto prepared = pictures::prepare_card(line.card, fonts);
    if (pictures::alt_text(prepared) != pictures::alt_text(line.card))
      finding.problems.push_back("its texts are not those that were drawn");
  } catch (const Error& error) {
    finding.problems.push_back(error.message());
  }
  if (!finding.problems.empty()) return finding;
  const auto design = pictures::choose_design(line.card, static_cast<std::uint64_t>(folder.seed), line.attempt);
  if (pictures::design_signature(design) != line.design)
    finding.problems.push_back("the design is " + line.design + ", expected " + pictures::design_signature(design));
  for (const auto& files : line.files) {
    const auto picture = pictures::compose_card(line.card, design, files.size, fonts);
    if (!picture) {
      finding.problems.push_back("the text has no room at " + pictures::size_text(files.size));
      continue;
    }
    pictures::Image image = pictures::render(picture->scene, 1, pictures::Layers::kWithoutText);
    const auto measures = pictures::measure_texts(picture->scene, picture->texts, image);
    pictures::draw(picture->scene, pictures::Layers::kTextOnly, image);
    for (std::size_t i = 0; i < measures.size(); ++i) {
      const auto& text = picture->texts[i];
      const std::string what =
          std::string(pictures::role_name(text.role)) + " \"" + text.text + "\" at " + pictures::size_text(files.size);
      if (!measures[i].is_whole) finding.problems.push_back(what + " is cut or covered");
      if (measures[i].contrast < text.needed_contrast())
        finding.problems.push_back(what + " has a contrast of " + std::to_string(measures[i].contrast));
      ++finding.num_texts;
      finding.contrast = std::min<double>(finding.contrast, measures[i].contrast);
      finding.margin = std::min<double>(finding.margin, measures[i].contrast / text.needed_contrast());
    }
    if (!files.png.empty()) compare_file(path / files.png, pictures::encode_png(image), finding);
    if (!files.svg.empty()) {
      const std::string title = line.card.expression + " " + line.card.entity;
      compare_file(path / files.svg, pictures::encode_svg(picture->scene, title, pictures::alt_text(line.card)),
                   finding);
    }
  }
  finding.seconds = processor_seconds() - start;
  return finding;
}

void compare_pairs(const CardFolder& folder, CardsCheck& check) {
  std::set<std::string> designs;
  for (std::size_t i = 0; i < folder.lines.size(); ++i) {
    const CardLine& a = folder.lines[i];
    if (!a.failure.empty()) continue;
    if (!designs.insert(a.design).second)
      check.problems.push_back(a.card.id + ": another card has its design, " + a.design);
    for (std::size_t k = 0; k < i; ++k) {
      const CardLine& b = folder.lines[k];
      if (!b.failure.empty()) continue;
      ++check.num_pairs;
      const auto likeness = pictures::compare(a.fingerprint, b.fingerprint);
      if (pictures::are_alike(a.fingerprint, b.fingerprint))
        check.problems.push_back(a.card.id + ": looks like " + b.card.id);
      if (likeness.slopes < check.nearest_slopes) {
        check.nearest_slopes = likeness.slopes;
        check.nearest_color = likeness.color;
        check.nearest_pair = b.card.id + " and " + a.card.id;
      }
    }
  }
  check.num_designs = static_cast<std::int64_t>(designs.size());
}

}  // namespace

CardsCheck check_cards(const std::string& folder_path, const std::string& fonts_path, ThreadPool& pool) {
  const CardFolder folder = read_card_folder(folder_path);
  const pictures::FontShelf fonts(fonts_path);
  std::vector<Finding> findings(folder.lines.size());
  pool.run(static_cast<std::int64_t>(findings.size()), [&](std::int64_t i, int) {
    const auto index = static_cast<std::size_t>(i);
    if (folder.lines[index].failure.empty())
      findings[index] = check_card(folder.lines[index], folder, folder_path, fonts);
  });
  CardsCheck check;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const CardLine& line = folder.lines[i];
    if (!line.failure.empty()) {
      ++check.num_refused;
      continue;
    }
    ++check.num_cards;
    check.num_pictures += static_cast<std::int64_t>(line.files.size());
    check.num_texts += findings[i].num_texts;
    check.draw_seconds += findings[i].seconds;
    for (const auto& problem : findings[i].problems) check.problems.push_back(line.card.id + ": " + problem);
    check.least_contrast = std::min(check.least_contrast, findings[i].contrast);
    if (findings[i].margin < check.least_margin) {
      check.least_margin = findings[i].margin;
      check.least_card = line.card.id;
    }
  }
  compare_pairs(folder, check);
  return check;
}

}  // namespace onggi::tasks
