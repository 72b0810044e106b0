#include "onggi/pictures/sheet.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/error.h"

namespace onggi::pictures {
namespace {

constexpr int kLeastCell = 24;  // Smaller ones are specks.
constexpr int kMaxHeight = 16000;

}  // namespace

ContactSheet::ContactSheet(int num_pictures, double picture_width, double picture_height, int width) {
  const double shape = picture_height / picture_width;
  columns_ =
      std::clamp(static_cast<int>(std::lround(std::sqrt(num_pictures * shape))), 1, std::max(1, width / kLeastCell));
  cell_width_ = width / columns_;
  scale_ = cell_width_ / picture_width;
  cell_height_ = static_cast<int>(std::lround(picture_height * scale_));
  const int rows = (std::max(1, num_pictures) + columns_ - 1) / columns_;
  require(cell_width_ >= kLeastCell && rows * cell_height_ <= kMaxHeight, [&] {
    return std::to_string(num_pictures) + " cards do not fit on a contact sheet " + std::to_string(width) +
           " pixels wide";
  });
  image_ = {columns_ * cell_width_, rows * cell_height_, {}};
  image_.pixels.assign(static_cast<std::size_t>(image_.width) * static_cast<std::size_t>(image_.height), 0xFFFFFF);
}

void ContactSheet::add(int index, const Scene& scene) {
  const Image small = render(scene, scale_);
  const int left = index % columns_ * cell_width_, top = index / columns_ * cell_height_;
  for (int y = 0; y < std::min(small.height, cell_height_); ++y) {
    for (int x = 0; x < std::min(small.width, cell_width_); ++x) image_.at(left + x, top + y) = small.at(x, y);
  }
}

}  // namespace onggi::pictures
