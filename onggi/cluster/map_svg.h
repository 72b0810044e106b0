#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onggi/cluster/projection.h"

namespace onggi::cluster {

struct MapPoint {
  Place place = {0, 0};
  std::int32_t cluster = -1;  ///< Below 0 is noise.
  bool is_outlier = false;
  std::string text;  ///< Shown where the pointer rests.
};

struct MapTheme {
  std::int32_t cluster = 0;
  std::string name;
  std::int64_t num_texts = 0;
  Place place = {0, 0};  ///< Of the medoid.
};

struct MapPicture {
  std::string title;
  std::string note;  ///< One line below the title.
  std::vector<MapPoint> points;
  std::vector<MapTheme> themes;
};

/// One SVG, 960 by 720 and wider by a legend where there are themes: points by cluster in eight colours that people
/// with weak colour vision tell apart (Okabe and Ito 2008) and, past eight, in further shapes; noise grey, outliers
/// crossed; the names of the greatest themes where they do not cover each other. Follows the reader's light or dark.
/// Nothing from elsewhere, no script. Texts are any UTF-8; the same input gives the same bytes.
std::string map_svg(const MapPicture& picture);

}  // namespace onggi::cluster
