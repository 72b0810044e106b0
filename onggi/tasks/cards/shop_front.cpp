#include "onggi/tasks/cards/shop_front.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "onggi/core/base64.h"
#include "onggi/core/hash.h"
#include "onggi/pictures/svg.h"
#include "onggi/tasks/cards/shop_style.h"
#include "onggi/tasks/cards/shop_text.h"

namespace onggi::tasks {
namespace {

using pictures::escape_markup;

constexpr std::size_t kMaxRows = 10, kCardsPerRow = 12, kLeastPerRow = 3, kMaxAll = 400;

std::string escape(std::string_view s) { return escape_markup(s); }

/// Names in the folder hold ASCII letters, digits and "-_." only (`file_name_of`): they are addresses as they are.
const std::string& source_of(const CardLine& line) {
  const auto& files = line.files[0];
  return files.png.empty() ? files.svg : files.png;
}

const std::string& large_of(const CardLine& line) {
  const auto& files = line.files[0];
  return files.svg.empty() ? files.png : files.svg;
}

std::string image(const CardLine& line, bool is_first) {
  const auto size = line.files[0].size;
  return "<img src=\"" + source_of(line) + "\" width=\"" + std::to_string(size.width) + "\" height=\"" +
         std::to_string(size.height) + "\" alt=\"" + escape(pictures::alt_text(line.card)) + "\"" +
         (is_first ? " fetchpriority=\"high\"" : " loading=\"lazy\"") + " decoding=\"async\">";
}

std::string card(const CardLine& line, bool with_caption) {
  std::string html = "<a class=\"card\" href=\"" + large_of(line) + "\"><span class=\"picture\">" +
                     image(line, !with_caption) + "</span>";
  if (with_caption) {
    // The picture says the expression; below it stands what the shop sells.
    const std::string product = pictures::products_line(line.card);
    html += "<b>" + escape(product.empty() ? line.card.entity : product) + "</b><small>" + escape(line.card.aspect) +
            "</small>";
  }
  return html + "</a>";
}

std::string list(const std::vector<const CardLine*>& cards, std::size_t most) {
  std::string html;
  for (std::size_t i = 0; i < std::min(cards.size(), most); ++i) html += "<li>" + card(*cards[i], true) + "</li>\n";
  return html;
}

struct Topic {
  std::string aspect;
  std::vector<const CardLine*> cards;
};

/// Aspects with the most cards first; of equals the one that came first.
std::vector<Topic> topics_of(const std::vector<const CardLine*>& cards) {
  std::vector<Topic> topics;
  std::map<std::string, std::size_t> places;
  for (const CardLine* line : cards) {
    const auto [found, is_new] = places.emplace(line->card.aspect, topics.size());
    if (is_new) topics.push_back({line->card.aspect, {}});
    topics[found->second].cards.push_back(line);
  }
  std::stable_sort(topics.begin(), topics.end(),
                   [](const Topic& a, const Topic& b) { return a.cards.size() > b.cards.size(); });
  std::erase_if(topics, [](const Topic& topic) { return topic.cards.size() < kLeastPerRow; });
  if (topics.size() > kMaxRows) topics.resize(kMaxRows);
  return topics;
}

/// Three cards of different aspects, and of different layouts where there are such.
std::vector<const CardLine*> stage_of(const std::vector<const CardLine*>& cards) {
  std::vector<const CardLine*> stage;
  std::set<std::string> aspects, layouts;
  for (const CardLine* line : cards) {
    const std::string layout = line->design.substr(0, line->design.find('/'));
    if (stage.size() == 3) break;
    if (aspects.contains(line->card.aspect) || layouts.contains(layout)) continue;
    aspects.insert(line->card.aspect);
    layouts.insert(layout);
    stage.push_back(line);
  }
  return stage;
}

std::string hero(const std::vector<const CardLine*>& cards) {
  const auto stage = stage_of(cards);
  const auto& first = stage[0]->card;
  std::string html = "<div class=\"wide hero\"><div><p class=\"eyebrow\">" + std::string(ShopText::kToday) +
                     " &middot; " + escape(first.aspect) + "</p><h1><span>" + escape(first.expression) + "</span> " +
                     escape(first.entity) + "</h1>";
  if (!first.products.empty()) html += "<ul><li>" + escape(pictures::products_line(first)) + "</li></ul>";
  html += "<a class=\"button\" href=\"" + large_of(*stage[0]) + "\">" + std::string(ShopText::kSeePicture) +
          "</a></div><div class=\"stage\">";
  for (const CardLine* line : stage) html += card(*line, false);
  return html + "</div></div>\n";
}

std::string count_text(std::size_t count) { return std::to_string(count) + std::string(ShopText::kCards); }

std::string policy() {
  const std::string digits = sha256_hex(kShopStyle);
  std::vector<std::byte> bytes;
  for (std::size_t k = 0; k < digits.size(); k += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(k, 2), nullptr, 16)));
  return "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self' file:; style-src 'sha256-" +
         base64(bytes) + "'";
}

}  // namespace

std::string shop_front_page(std::span<const CardLine> lines, std::string_view shop_name) {
  std::vector<const CardLine*> cards;
  for (const CardLine& line : lines) {
    if (line.failure.empty()) cards.push_back(&line);
  }
  const std::string name = escape(shop_name);
  const auto topics = topics_of(cards);
  std::string html =
      "<!doctype html>\n<html lang=\"ko\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "http-equiv=\"Content-Security-Policy\" content=\"" +
      policy() + "\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" + name +
      "</title>\n<style>" + std::string(kShopStyle) +
      "</style>\n</head>\n<body id=\"top\">\n<a class=\"skip\" href=\"#main\">" + std::string(ShopText::kSkip) +
      "</a>\n<header class=\"bar\"><div class=\"wide\"><a class=\"name\" href=\"#top\">" + name + "</a>";
  if (!topics.empty()) {
    html += "<nav aria-label=\"" + std::string(ShopText::kTopics) + "\"><ul class=\"topics\">";
    for (std::size_t i = 0; i < topics.size(); ++i)
      html += "<li><a href=\"#t" + std::to_string(i + 1) + "\">" + escape(topics[i].aspect) + "</a></li>";
    html += "</ul></nav>";
  }
  html += "</div></header>\n<main id=\"main\">\n";
  if (!cards.empty()) html += hero(cards);
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const std::string id = "t" + std::to_string(i + 1);
    html += "<section class=\"wide\" id=\"" + id + "\" aria-labelledby=\"" + id + "h\"><div class=\"head\"><h2 id=\"" +
            id + "h\">" + escape(topics[i].aspect) + "</h2><span>" + count_text(topics[i].cards.size()) +
            "</span></div>\n<ul class=\"row\" tabindex=\"0\" aria-label=\"" + escape(topics[i].aspect) + ", " +
            std::string(ShopText::kRowHelp) + "\">\n" + list(topics[i].cards, kCardsPerRow) + "</ul></section>\n";
  }
  html += "<section class=\"wide\" id=\"all\" aria-labelledby=\"allh\"><div class=\"head\"><h2 id=\"allh\">" +
          std::string(ShopText::kAll) + "</h2><span>" + count_text(cards.size()) +
          "</span></div>\n<ul class=\"all\">\n" + list(cards, kMaxAll) +
          "</ul></section>\n</main>\n<footer><div class=\"wide\">" + name + " &middot; " +
          std::string(ShopText::kTagline) + "<br>" + std::string(ShopText::kSource) + " <a href=\"#top\">" +
          std::string(ShopText::kTop) + "</a></div></footer>\n</body>\n</html>\n";
  return html;
}

}  // namespace onggi::tasks
