#include <cstring>

#include <cairo/cairo.h>
#include <gtest/gtest.h>

#include "onggi/pictures/fingerprint.h"
#include "onggi/pictures/image.h"
#include "onggi/pictures/palette.h"
#include "onggi/pictures/quantize.h"
#include "onggi/pictures/sheet.h"
#include "onggi/pictures/svg.h"

#include "onggi/core/error.h"

namespace onggi::pictures {
namespace {

/// Pixels of a PNG file, read by a library that is not ours.
Image decode(const std::string& png) {
  struct Reader {
    const std::string& bytes;
    std::size_t at;
  } reader{png, 0};
  cairo_surface_t* surface = cairo_image_surface_create_from_png_stream(
      [](void* closure, unsigned char* data, unsigned length) {
        auto& r = *static_cast<Reader*>(closure);
        if (r.at + length > r.bytes.size()) return CAIRO_STATUS_READ_ERROR;
        std::memcpy(data, r.bytes.data() + r.at, length);
        r.at += length;
        return CAIRO_STATUS_SUCCESS;
      },
      &reader);
  EXPECT_EQ(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
  Image image{cairo_image_surface_get_width(surface), cairo_image_surface_get_height(surface), {}};
  const int stride = cairo_image_surface_get_stride(surface);
  for (int y = 0; y < image.height; ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(cairo_image_surface_get_data(surface) + y * stride);
    for (int x = 0; x < image.width; ++x) image.pixels.push_back(row[x] & 0xFFFFFF);
  }
  cairo_surface_destroy(surface);
  return image;
}

Scene example_scene() {
  Scene scene(61, 40);
  scene.fill(Path::rect(scene.area()), Paint::linear({0, 0}, {61, 40}, rgb(0xFFEEDD), rgb(0x225588)));
  {
    const ClipScope clip(scene, Path::circle({30, 20}, 18));
    scene.fill(Path::rect({20, 0, 41, 40}), Paint::radial({30, 20}, 20, rgb(0xFF0000, 0.5f), rgb(0x00FF00, 0.25f)));
    scene.stroke(Path::arc({30, 20}, 10, 0, 200), rgb(0x123456), 3);
  }
  scene.dashed(Path::line({2, 38}, {58, 38}), rgb(0), 1, 2, 3);
  return scene;
}

TEST(Contrast, IsWcags) {
  EXPECT_NEAR(contrast_ratio(rgb(0), rgb(0xFFFFFF)), 21.0f, 1e-3f);
  EXPECT_NEAR(contrast_ratio(rgb(0x777777), rgb(0xFFFFFF)), 4.478f, 2e-3f);
  EXPECT_NEAR(contrast_ratio(rgb(0xFF0000), rgb(0xFFFFFF)), 3.998f, 2e-3f);
  EXPECT_EQ(contrast_ratio(rgb(0x336699), rgb(0x336699)), 1.0f);
}

TEST(Palettes, TextIsReadableOnEveryGround) {
  for (const Palette& palette : palettes()) {
    for (int ground = 0; ground < kNumGrounds; ++ground) {
      const Tones tones = tones_on(palette, static_cast<Ground>(ground));
      EXPECT_GE(contrast_ratio(tones.ink, tones.ground), 4.5f) << palette.name << " " << ground;
      EXPECT_GE(contrast_ratio(tones.accent, tones.ground), 4.5f) << palette.name << " " << ground;
      EXPECT_GE(contrast_ratio(tones.main, tones.ground), 1.25f) << palette.name << " " << ground;
      EXPECT_GE(contrast_ratio(tones.pop, tones.ground), 1.1f) << palette.name << " " << ground;
    }
  }
}

TEST(Png, HoldsThePixelsThatWereDrawn) {
  for (const double scale : {1.0, 0.37, 2.0}) {
    const Image image = render(example_scene(), scale);
    const Image read = decode(encode_png(image));
    EXPECT_EQ(read.width, image.width);
    EXPECT_EQ(read.height, image.height);
    EXPECT_EQ(read.pixels, image.pixels);
  }
}

TEST(Png, OfFewColoursIsNearAndSmaller) {
  const Image image = render(example_scene(), 4);
  const std::string small = encode_png(image, true);
  EXPECT_LT(small.size(), encode_png(image).size());
  const Image read = decode(small);
  ASSERT_EQ(read.pixels.size(), image.pixels.size());
  double sum = 0;
  for (std::size_t i = 0; i < read.pixels.size(); ++i) {
    for (const int shift : {0, 8, 16})
      sum +=
          std::abs(static_cast<int>(read.pixels[i] >> shift & 255) - static_cast<int>(image.pixels[i] >> shift & 255));
  }
  EXPECT_LT(sum / (3.0 * static_cast<double>(read.pixels.size())), 6.0);
}

TEST(Quantize, KeepsAPictureOfFewColours) {
  Image image{3, 2, {0, 0xFFFFFF, 0x123456, 0x123456, 0, 0xFEDCBA}};
  const IndexedImage indexed = quantize(image);
  ASSERT_EQ(indexed.indices.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(indexed.colors[indexed.indices[i]], image.pixels[i]);
}

TEST(Svg, IsOneFileWithATitleAndNothingFromOutside) {
  const std::string svg = encode_svg(example_scene(), "크림 <b> & \"당김\"", "설명");
  EXPECT_NE(svg.find("<title id=\"title\">크림 &lt;b&gt; &amp; &quot;당김&quot;</title>"), std::string::npos);
  EXPECT_NE(svg.find("<desc id=\"desc\">설명</desc>"), std::string::npos);
  EXPECT_NE(svg.find("viewBox=\"0 0 61 40\""), std::string::npos);
  for (const char* odd : {"<script", "href", "<style", "<image", "url(http", "nan", "inf"})
    EXPECT_EQ(svg.find(odd), std::string::npos) << odd;
  EXPECT_EQ(svg, encode_svg(example_scene(), "크림 <b> & \"당김\"", "설명"));
}

TEST(Scene, TakesNoTextInsideAClip) {
  Scene scene(10, 10);
  scene.clip(Path::rect({0, 0, 5, 5}));
  EXPECT_THROW(scene.fill_text(Path::rect({1, 1, 2, 2}), rgb(0)), Error);
}

TEST(Fingerprint, SurvivesBeingWrittenAndTellsPicturesApart) {
  const Fingerprint print = fingerprint_of(render(example_scene(), 4));
  EXPECT_EQ(Fingerprint::parse(print.text(), "test"), print);
  EXPECT_TRUE(are_alike(print, fingerprint_of(render(example_scene(), 5))));
  Scene other(61, 40);
  other.fill(Path::rect(other.area()), Paint::linear({61, 0}, {0, 40}, rgb(0xFFEEDD), rgb(0x882255)));
  EXPECT_FALSE(are_alike(print, fingerprint_of(render(other, 4))));
  for (const std::string& bad : {std::string(), std::string("12"), std::string(128, 'g'), std::string(127, '0')})
    EXPECT_THROW(Fingerprint::parse(bad, "test"), Error);
}

TEST(ContactSheet, HasAPlaceForEveryPicture) {
  for (const int count : {1, 2, 7, 500}) {
    ContactSheet sheet(count, 61, 40, 800);
    for (int i = 0; i < count; ++i) sheet.add(i, example_scene());
    EXPECT_LE(sheet.image().width, 800);
  }
  EXPECT_THROW(ContactSheet(100000, 640, 800, 800), Error);
}

}  // namespace
}  // namespace onggi::pictures
