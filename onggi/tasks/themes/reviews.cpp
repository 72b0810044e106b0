#include "onggi/tasks/themes/reviews.h"

#include <set>

#include "onggi/cluster/duplicates.h"
#include "onggi/core/error.h"
#include "onggi/datasets/characters.h"

namespace onggi::tasks {
namespace {

/// What shows nothing and carries no meaning in a review (operations of text, not of it).
bool is_unseen(char32_t c) {
  const bool is_control = (c < 0x20 && c != U'\t' && c != U'\n') || (c >= 0x7F && c <= 0x9F);
  const bool is_direction =
      (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0x061C;
  return is_control || is_direction || c == 0xFEFF || c == 0x200B || c == 0x2060;
}

/// Roughly: what joiners stand between in emoji sequences.
bool is_pictograph(char32_t c) { return c >= 0x2190 && (c < 0x2E80 || c == 0xFE0F || c >= 0x1F000); }

std::string text_or_empty(const datasets::Row& row, std::string_view column) {
  if (!row.fields.contains(column) || row.fields[std::string(column)].is_null()) return "";
  return clean_text(datasets::text_of(row, column));
}

}  // namespace

std::string clean_text(std::string_view text) {
  const auto points = datasets::to_code_points(text);
  std::u32string kept;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const char32_t c = points[i];
    if (is_unseen(c)) continue;
    const bool is_joiner = c == 0x200C || c == 0x200D;
    if (is_joiner &&
        (kept.empty() || i + 1 == points.size() || !is_pictograph(kept.back()) || !is_pictograph(points[i + 1])))
      continue;
    kept.push_back(c);
  }
  return datasets::to_nfc(datasets::collapse_spaces(datasets::to_utf8(kept)));
}

CleanReviews clean_reviews(std::span<const datasets::Row> rows, const ReviewOptions& options, ThreadPool& pool,
                           const cluster::Report& report) {
  require(options.least_characters >= 1 && options.most_characters >= options.least_characters,
          "--least-characters and --most-characters leave no length that a review may have");
  require(options.similarity > 0 && options.similarity <= 1,
          "--similarity is out of range, expected above 0 and at most 1");
  std::set<std::string> ids;
  std::vector<datasets::Row> candidates;
  std::vector<std::string> texts, reasons(rows.size());
  std::vector<std::size_t> places;  // of the candidates
  for (std::size_t i = 0; i < rows.size(); ++i) {
    require(
        ids.insert(rows[i].id).second, [&] { return "the id \"" + rows[i].id + "\" has been there before"; },
        ErrorCode::kInvalidArgument, datasets::place_of(rows[i]));
    datasets::Row row = rows[i];
    const std::string review = text_or_empty(row, "review");
    std::string product = text_or_empty(row, "product");
    if (product.empty()) product = clean_text(options.product);
    const auto length = static_cast<std::int64_t>(datasets::num_characters(review));
    if (review.empty()) {
      reasons[i] = "no_review";
    } else if (product.empty()) {
      reasons[i] = "no_product";
    } else if (length < options.least_characters) {
      reasons[i] = "short";
    } else if (length > options.most_characters) {
      reasons[i] = "long";
    } else {
      row.fields["id"] = row.id;
      row.fields["product"] = product;
      row.fields["review"] = review;
      texts.push_back(review);
      candidates.push_back(std::move(row));
      places.push_back(i);
    }
  }
  cluster::DuplicateOptions how;
  how.threshold = options.similarity;
  how.seed = static_cast<std::uint64_t>(options.seed);
  const auto duplicates = cluster::find_duplicates(texts, how, pool, report);
  CleanReviews clean;
  std::vector<std::string> kept(rows.size());
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const auto canonical = static_cast<std::size_t>(duplicates.canonical[c]);
    if (canonical == c) {
      clean.rows.push_back(std::move(candidates[c]));
    } else {
      reasons[places[c]] = "duplicate";
      kept[places[c]] = rows[places[canonical]].id;
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (reasons[i].empty()) continue;
    clean.left_out.push_back({.id = rows[i].id, .reason = reasons[i], .kept = kept[i]});
    ++clean.reasons[reasons[i]];
  }
  return clean;
}

}  // namespace onggi::tasks
