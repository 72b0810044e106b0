#include "onggi/text/chat_template.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "onggi/core/error.h"
#include "onggi/text/jinja/interpreter.h"

namespace onggi::text {

namespace {

using jinja::MarkedText;
using jinja::Value;

/// A value from outside: all its strings are content.
Value content_of(const Json& json) {
  switch (json.type()) {
    case Json::value_t::boolean: return Value::of(json.get<bool>());
    case Json::value_t::number_integer: return Value::of(json.get<std::int64_t>());
    case Json::value_t::number_unsigned: {
      const auto v = json.get<std::uint64_t>();
      const bool fits = v <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
      return fits ? Value::of(static_cast<std::int64_t>(v)) : Value::of(static_cast<double>(v));
    }
    case Json::value_t::number_float: return Value::of(json.get<double>());
    case Json::value_t::string: return Value::of(MarkedText(json.get_ref<const std::string&>(), true));
    case Json::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const Json& v : json) items.push_back(content_of(v));
      return Value::list(std::move(items));
    }
    case Json::value_t::object: {
      std::vector<std::pair<MarkedText, Value>> members;
      members.reserve(json.size());
      for (const auto& [key, v] : json.items()) members.emplace_back(MarkedText(key, true), content_of(v));
      return Value::dict(std::move(members));
    }
    default: return Value();
  }
}

}  // namespace

struct ChatTemplate::Parsed {
  jinja::Block block;
};

ChatTemplate::ChatTemplate(std::string source)
    : source_(std::move(source)), parsed_(std::make_unique<Parsed>(Parsed{jinja::parse_template(source_)})) {}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

std::string ChatTemplate::render(const Json& messages, const Options& options) const {
  std::string out;
  for (TextSpan& span : render_spans(messages, options)) out += span.text;
  return out;
}

std::vector<TextSpan> ChatTemplate::render_spans(const Json& messages, const Options& options) const {
  require(messages.is_array(), "chat messages should be an array");
  std::vector<jinja::Interpreter::Variable> context;
  if (options.extra.is_object()) {  // First, so that they win.
    for (const auto& [name, value] : options.extra.items()) context.push_back({name, content_of(value)});
  }
  context.push_back({"messages", content_of(messages)});
  context.push_back({"tools", content_of(options.tools)});
  context.push_back({"documents", Value()});
  context.push_back({"add_generation_prompt", Value::of(options.add_generation_prompt)});
  context.push_back({"bos_token", Value::of(std::string_view(options.bos_token))});
  context.push_back({"eos_token", Value::of(std::string_view(options.eos_token))});

  const MarkedText text = jinja::Interpreter(parsed_->block, std::move(context), options.date).run();
  std::vector<TextSpan> spans;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.marks.find_first_not_of(text.marks[begin], begin), text.size());
    spans.push_back({text.bytes.substr(begin, end - begin), text.marks[begin] != 0});
    begin = end;
  }
  return spans;
}

}  // namespace onggi::text
