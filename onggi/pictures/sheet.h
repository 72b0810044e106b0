#pragma once

#include "onggi/pictures/image.h"

namespace onggi::pictures {

/// Many pictures of one size, small, in rows: as many columns as make the sheet about as wide as it is high.
class ContactSheet {
 public:
  /// `width` of the sheet in pixels; it is made a little smaller so that all places are alike.
  ContactSheet(int num_pictures, double picture_width, double picture_height, int width);

  /// Draws a scene into place `index`. Different places by different threads at once are fine.
  void add(int index, const Scene& scene);
  const Image& image() const { return image_; }

 private:
  int columns_ = 1;
  int cell_width_ = 0, cell_height_ = 0;
  double scale_ = 1;
  Image image_;
};

}  // namespace onggi::pictures
