#include "onggi/eval/rules/adnominal.h"

#include <algorithm>
#include <array>

#include "onggi/datasets/characters.h"
#include "onggi/eval/rules/clauses.h"

namespace onggi::eval {
namespace {

using datasets::final_consonant;
using datasets::is_hangul;
using datasets::with_final_consonant;

constexpr std::size_t kMinCharacters = 5, kMaxCharacters = 30;
constexpr int kNoFinal = 0, kFinalN = 4, kFinalL = 8, kFinalM = 16, kFinalB = 17, kFinalSs = 20;

struct Ending {
  std::u32string_view from, to;
};

// Contracted endings first: the longest suffix wins.
constexpr std::array<Ending, 34> kEndings = {{
    {U"해요", U"한"},     {U"했어요", U"한"},   {U"해서", U"한"},     {U"해", U"한"},       {U"합니다", U"한"},   {U"하네요", U"한"},
    {U"하고", U"한"},     {U"함", U"한"},       {U"하다", U"한"},     {U"한데", U"한"},     {U"돼요", U"되는"},   {U"됐어요", U"된"},
    {U"돼서", U"되는"},   {U"돼", U"되는"},     {U"져요", U"지는"},   {U"졌어요", U"진"},   {U"져서", U"지는"},   {U"줘요", U"주는"},
    {U"줘서", U"주는"},   {U"와요", U"오는"},   {U"나와요", U"나오는"}, {U"려요", U"리는"},   {U"보여요", U"보이는"}, {U"켜요", U"키는"},
    {U"쳐요", U"치는"},   {U"여요", U"이는"},   {U"워요", U"운"},     {U"워서", U"운"},     {U"움", U"운"},       {U"뻐요", U"쁜"},
    {U"뻐서", U"쁜"},     {U"쁨", U"쁜"},       {U"커요", U"큰"},     {U"라요", U"른"},
}};

// What comes off a stem, longest first; the stem then takes -neun, or -eun if it is an adjective's.
constexpr std::array<std::u32string_view, 24> kStemEndings = {
    U"습니다", U"는데요", U"더라고요", U"더라구요", U"네요", U"어요", U"아요", U"어서", U"아서", U"구요", U"고요", U"는데",
    U"은데", U"지만", U"는다", U"더라", U"고", U"네", U"음", U"며", U"다", U"어", U"아", U"요"};

constexpr std::u32string_view kAdjectiveStems = U"좋많넓얇작짧높밝맑같낮얕깊굵젊옅짙";

std::u32string adnominal_of_stem(std::u32string stem) {
  const char32_t last = stem.back();
  if (last == U'쁘' || last == U'크' || last == U'하' || last == U'르' || last == U'싸' || last == U'세') {
    stem.back() = with_final_consonant(last, kFinalN);
  } else if (final_consonant(last) == kFinalL) {  // the l falls before n
    stem.back() = with_final_consonant(last, kNoFinal);
    stem += U"는";
  } else if (kAdjectiveStems.find(last) != std::u32string_view::npos) {
    stem += U"은";
  } else if (final_consonant(last) == kFinalB && !stem.ends_with(U"잡") && !stem.ends_with(U"뽑") && !stem.ends_with(U"입")) {
    stem.back() = with_final_consonant(last, kNoFinal);  // b-irregular adjectives: gabyeop-da, gabyeoun
    stem += U"운";
  } else {
    stem += U"는";
  }
  return stem;
}

std::optional<std::u32string> convert(const std::u32string& text) {
  const Ending* best = nullptr;
  for (const Ending& ending : kEndings) {
    if (text.ends_with(ending.from) && (best == nullptr || ending.from.size() > best->from.size())) best = &ending;
  }
  if (best != nullptr) return text.substr(0, text.size() - best->from.size()) + std::u32string(best->to);
  const char32_t last = text.back();
  if (final_consonant(last) == kFinalN || final_consonant(last) == kFinalL) return text;
  if (text.size() > 2 && text.ends_with(U"니다") && final_consonant(text[text.size() - 3]) == kFinalB) {
    std::u32string stem = text.substr(0, text.size() - 2);
    stem.back() = with_final_consonant(stem.back(), kNoFinal);
    return adnominal_of_stem(std::move(stem));
  }
  for (const auto ending : kStemEndings) {
    if (!text.ends_with(ending) || text.size() <= ending.size()) continue;
    std::u32string stem = text.substr(0, text.size() - ending.size());
    if (!is_hangul(stem.back()) || final_consonant(stem.back()) == kFinalSs) {
      // Past tense, or "iss-" and "eops-", whose last consonant belongs to the stem.
      if (stem.ends_with(U"있")) return stem + U"는";
      return std::nullopt;
    }
    return adnominal_of_stem(std::move(stem));
  }
  if (final_consonant(last) == kFinalM) {
    std::u32string stem = text;
    stem.back() = with_final_consonant(last, kNoFinal);
    return adnominal_of_stem(std::move(stem));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> adnominal_phrase(std::string_view clause) {
  const std::u32string text = datasets::to_code_points(plain_text(clause));
  if (text.empty() || !is_hangul(text.back())) return std::nullopt;
  auto phrase = convert(text);
  if (!phrase) return std::nullopt;
  while (phrase->size() > kMaxCharacters) {
    const std::size_t space = phrase->find(U' ');
    if (space == std::u32string::npos) return std::nullopt;
    phrase->erase(0, space + 1);
  }
  if (phrase->size() < kMinCharacters || phrase->find(U' ') == std::u32string::npos) return std::nullopt;
  return datasets::to_utf8(*phrase);
}

std::string plain_expression(std::string_view aspect) {
  const auto code_points = datasets::to_code_points(aspect);
  const bool has_final = !code_points.empty() && final_consonant(code_points.back()) > kNoFinal;
  return std::string(aspect) + (has_final ? "이 좋은" : "가 좋은");
}

}  // namespace onggi::eval
