#include "onggi/pictures/text_block.h"

#include <algorithm>
#include <limits>

#include "onggi/text/line_text.h"

namespace onggi::pictures {
namespace {

std::string_view without_end_space(std::string_view s) {
  while (s.ends_with(' ')) s.remove_suffix(1);
  return s;
}

}  // namespace

ShapedText::ShapedText(std::string text, const FontChain& chain, double tracking)
    : text_(std::move(text)), chain_(chain), tracking_(tracking), ends_(text::line_breaks(text_)) {
  std::size_t begin = 0;
  double at = 0;
  for (const std::size_t end : ends_) {
    const std::string_view piece = std::string_view(text_).substr(begin, end - begin);
    const double whole = outline_line(piece, chain_, tracking_).width;
    starts_.push_back(at);
    stops_.push_back(at + outline_line(without_end_space(piece), chain_, tracking_).width);
    at += whole + tracking_;
    begin = end;
  }
  broken_.resize(ends_.size() + 1);
}

ShapedText::Broken ShapedText::break_into(int count) const {
  // best[k][i]: the narrowest widest line when the first i pieces stand in k lines.
  const std::size_t n = ends_.size();
  const auto k_max = static_cast<std::size_t>(count);
  constexpr double kNever = std::numeric_limits<double>::infinity();
  std::vector<std::vector<double>> best(k_max + 1, std::vector<double>(n + 1, kNever));
  std::vector<std::vector<std::size_t>> from(k_max + 1, std::vector<std::size_t>(n + 1, 0));
  best[0][0] = 0;
  for (std::size_t k = 1; k <= k_max; ++k) {
    for (std::size_t i = k; i <= n; ++i) {
      for (std::size_t j = k - 1; j < i; ++j) {
        const double width = std::max(best[k - 1][j], stops_[i - 1] - starts_[j]);
        if (width < best[k][i]) {
          best[k][i] = width;
          from[k][i] = j;
        }
      }
    }
  }
  std::vector<std::size_t> cuts = {n};
  for (std::size_t k = k_max; k > 0; --k) cuts.push_back(from[k][cuts.back()]);
  std::reverse(cuts.begin(), cuts.end());
  Broken result;
  for (std::size_t k = 0; k + 1 < cuts.size(); ++k) {
    const std::size_t begin = cuts[k] == 0 ? 0 : ends_[cuts[k] - 1];
    const std::string line(without_end_space(std::string_view(text_).substr(begin, ends_[cuts[k + 1] - 1] - begin)));
    result.lines.push_back({line, outline_line(line, chain_, tracking_)});
    result.width = std::max(result.width, result.lines.back().outline.width);
  }
  return result;
}

const std::vector<ShapedText::Line>& ShapedText::lines(int count) const {
  auto& slot = broken_[std::min(static_cast<std::size_t>(std::max(count, 0)), ends_.size())];
  if (!slot) slot = break_into(static_cast<int>(&slot - broken_.data()));
  return slot->lines;
}

double ShapedText::width(int count) const {
  lines(count);
  return broken_[std::min(static_cast<std::size_t>(std::max(count, 0)), ends_.size())]->width;
}

std::string_view ShapedText::longest_piece() const {
  std::size_t longest = 0;
  for (std::size_t i = 1; i < ends_.size(); ++i) {
    if (stops_[i] - starts_[i] > stops_[longest] - starts_[longest]) longest = i;
  }
  if (ends_.empty()) return {};
  const std::size_t begin = longest == 0 ? 0 : ends_[longest - 1];
  return without_end_space(std::string_view(text_).substr(begin, ends_[longest] - begin));
}

std::optional<TextFit> fit_text(const ShapedText& text, const TextLimits& limits) {
  std::optional<TextFit> best;
  for (int count = 1; count <= limits.max_lines; ++count) {
    const auto num_lines = static_cast<int>(text.lines(count).size());
    if (num_lines < count) break;
    const double width = text.width(count);
    const double height = kTextAscent + kTextDescent + (num_lines - 1) * limits.leading;
    const double size =
        std::min({limits.max_size, limits.max_width / std::max(width, 1e-9), limits.max_height / height});
    if (size < limits.min_size || (best && size <= best->size * 1.02)) continue;
    best = TextFit{num_lines, size, width * size, height * size};
  }
  return best;
}

}  // namespace onggi::pictures
