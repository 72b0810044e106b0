#include "onggi/pictures/font.h"

#include <algorithm>

#include <harfbuzz/hb.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/text/line_text.h"
#include "onggi/text/utf8.h"

namespace onggi::pictures {
namespace {

constexpr std::string_view kDebianFonts = "/usr/share/fonts/truetype";

/// What the outline of a glyph is appended to.
struct Pen {
  Path* path;
  double scale, x, y;

  Point at(float px, float py) const { return {x + px * scale, y - py * scale}; }
};

Pen& pen_of(void* data) { return *static_cast<Pen*>(data); }

hb_draw_funcs_t* make_draw_functions() {
  hb_draw_funcs_t* functions = hb_draw_funcs_create();
  hb_draw_funcs_set_move_to_func(
      functions,
      [](hb_draw_funcs_t*, void* data, hb_draw_state_t*, float x, float y, void*) {
        pen_of(data).path->move_to(pen_of(data).at(x, y));
      },
      nullptr, nullptr);
  hb_draw_funcs_set_line_to_func(
      functions,
      [](hb_draw_funcs_t*, void* data, hb_draw_state_t*, float x, float y, void*) {
        pen_of(data).path->line_to(pen_of(data).at(x, y));
      },
      nullptr, nullptr);
  hb_draw_funcs_set_quadratic_to_func(
      functions,
      [](hb_draw_funcs_t*, void* data, hb_draw_state_t*, float cx, float cy, float x, float y, void*) {
        pen_of(data).path->quad_to(pen_of(data).at(cx, cy), pen_of(data).at(x, y));
      },
      nullptr, nullptr);
  hb_draw_funcs_set_cubic_to_func(
      functions,
      [](hb_draw_funcs_t*, void* data, hb_draw_state_t*, float ax, float ay, float bx, float by, float x, float y,
         void*) {
        const Pen& pen = pen_of(data);
        pen.path->curve_to(pen.at(ax, ay), pen.at(bx, by), pen.at(x, y));
      },
      nullptr, nullptr);
  hb_draw_funcs_set_close_path_func(
      functions, [](hb_draw_funcs_t*, void* data, hb_draw_state_t*, void*) { pen_of(data).path->close(); }, nullptr,
      nullptr);
  hb_draw_funcs_make_immutable(functions);
  return functions;
}

hb_draw_funcs_t* draw_functions() {
  static hb_draw_funcs_t* const functions = make_draw_functions();
  return functions;
}

hb_script_t script_of(char32_t code) { return hb_unicode_script(hb_unicode_funcs_get_default(), code); }

bool is_own_script(hb_script_t script) {
  return script != HB_SCRIPT_COMMON && script != HB_SCRIPT_INHERITED && script != HB_SCRIPT_UNKNOWN;
}

const Font* font_for(char32_t code, const FontChain& chain) {
  const auto found = std::find_if(chain.begin(), chain.end(), [&](const Font* font) { return font->has_glyph(code); });
  return found == chain.end() ? nullptr : *found;
}

/// A stretch of one font and one script, in the order of the text.
struct Run {
  std::size_t begin, end;
  const Font* font;
  hb_script_t script;
};

std::vector<Run> split_runs(std::string_view text, const FontChain& chain) {
  std::vector<Run> runs;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = text::next_utf8(text, at);
    const std::size_t end = at + static_cast<std::size_t>(c.length);
    const hb_script_t script = script_of(c.code);
    // Marks stay with their letter; spaces and punctuation with what is before them where its font has them.
    const bool joins =
        !runs.empty() && runs.back().font != nullptr && !is_own_script(script) && runs.back().font->has_glyph(c.code);
    const Font* font = joins ? runs.back().font : font_for(c.code, chain);
    const bool same_script =
        !runs.empty() && (!is_own_script(script) || !is_own_script(runs.back().script) || script == runs.back().script);
    if (!runs.empty() && font == runs.back().font && same_script) {
      runs.back().end = end;
      if (!is_own_script(runs.back().script)) runs.back().script = script;
    } else {
      runs.push_back({at, end, font, script});
    }
    at = end;
  }
  return runs;
}

}  // namespace

struct Font::Loaded {
  explicit Loaded(const std::filesystem::path& path) : file(path) {
    const auto bytes = file.bytes();
    hb_blob_t* blob = hb_blob_create(reinterpret_cast<const char*>(bytes.data()), static_cast<unsigned>(bytes.size()),
                                     HB_MEMORY_MODE_READONLY, nullptr, nullptr);
    face = hb_face_create(blob, 0);
    hb_blob_destroy(blob);
    font = hb_font_create(face);
    hb_font_make_immutable(font);
  }
  ~Loaded() {
    hb_font_destroy(font);
    hb_face_destroy(face);
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;

  MappedFile file;
  hb_face_t* face = nullptr;
  hb_font_t* font = nullptr;
};

Font::Font(const std::filesystem::path& path) : loaded_(std::make_unique<Loaded>(path)) {
  require(hb_face_get_glyph_count(loaded_->face) > 0, "this is no TrueType or OpenType font", ErrorCode::kCorrupt,
          path.string());
}

Font::~Font() = default;

bool Font::has_glyph(char32_t code) const {
  hb_codepoint_t glyph = 0;
  if (hb_font_get_nominal_glyph(loaded_->font, code, &glyph) == 0 || glyph == 0) return false;
  // Some fonts have blanks in the place of the Chinese characters that they lack.
  hb_glyph_extents_t extents{};
  return code == U' ' ||
         (hb_font_get_glyph_extents(loaded_->font, glyph, &extents) != 0 && extents.width != 0 && extents.height != 0);
}

double Font::shape(std::string_view text, bool is_right_to_left, double tracking, double x, Path* path) const {
  struct Destroy {
    void operator()(hb_buffer_t* buffer) const { hb_buffer_destroy(buffer); }
  };
  const std::unique_ptr<hb_buffer_t, Destroy> buffer(hb_buffer_create());
  hb_buffer_add_utf8(buffer.get(), text.data(), static_cast<int>(text.size()), 0, static_cast<int>(text.size()));
  hb_buffer_set_direction(buffer.get(), is_right_to_left ? HB_DIRECTION_RTL : HB_DIRECTION_LTR);
  hb_buffer_guess_segment_properties(buffer.get());
  // Debian's language of the user must not choose glyphs.
  hb_buffer_set_language(buffer.get(), hb_language_from_string("ko", 2));
  hb_shape(loaded_->font, buffer.get(), nullptr, 0);
  unsigned count = 0;
  const hb_glyph_info_t* glyphs = hb_buffer_get_glyph_infos(buffer.get(), &count);
  const hb_glyph_position_t* positions = hb_buffer_get_glyph_positions(buffer.get(), &count);
  const double scale = 1.0 / hb_face_get_upem(loaded_->face);
  double y = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (path != nullptr) {
      Pen pen{path, scale, x + positions[i].x_offset * scale, y - positions[i].y_offset * scale};
      hb_font_get_glyph_shape(loaded_->font, glyphs[i].codepoint, draw_functions(), &pen);
    }
    x += positions[i].x_advance * scale;
    y -= positions[i].y_advance * scale;
    if (i + 1 == count || glyphs[i + 1].cluster != glyphs[i].cluster) x += tracking;
  }
  return x;
}

FontShelf::FontShelf(std::filesystem::path folder) : folder_(folder.empty() ? kDebianFonts : std::move(folder)) {}

const Font& FontShelf::font(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  auto& slot = fonts_[name];
  if (slot == nullptr) {
    const bool is_nanum = name.starts_with("Nanum");
    std::filesystem::path path = folder_ / (name + ".ttf");
    if (!std::filesystem::exists(path)) path = folder_ / (is_nanum ? "nanum" : "dejavu") / (name + ".ttf");
    require(
        std::filesystem::exists(path),
        [&] {
          return "the font " + name + ".ttf is not there; install " +
                 (is_nanum ? "fonts-nanum and fonts-nanum-extra" : "fonts-dejavu-core") +
                 " (Debian packages), or name a folder that has it with --fonts";
        },
        ErrorCode::kNotFound, path.string());
    slot = std::make_unique<Font>(path);
  }
  return *slot;
}

LineOutline outline_line(std::string_view line, const FontChain& chain, double tracking) {
  LineOutline result;
  for (const auto& direction : text::direction_runs(line)) {
    const std::string_view part = line.substr(direction.begin, direction.end - direction.begin);
    std::vector<Run> runs = split_runs(part, chain);
    if (direction.is_right_to_left) std::reverse(runs.begin(), runs.end());
    for (const Run& run : runs) {
      if (run.font == nullptr) continue;
      // Letters that join must not be pulled apart.
      const double apart = direction.is_right_to_left ? 0 : tracking;
      result.width = run.font->shape(part.substr(run.begin, run.end - run.begin), direction.is_right_to_left, apart,
                                     result.width, &result.path);
    }
  }
  result.width -= tracking;
  return result;
}

std::optional<char32_t> first_missing(std::string_view text, const FontChain& chain) {
  for (std::size_t at = 0; at < text.size();) {
    const auto c = text::next_utf8(text, at);
    if (font_for(c.code, chain) == nullptr) return c.code;
    at += static_cast<std::size_t>(c.length);
  }
  return std::nullopt;
}

}  // namespace onggi::pictures
