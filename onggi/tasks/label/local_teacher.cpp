#include "onggi/tasks/label/local_teacher.h"

#include <cstdlib>
#include <map>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/runtime/engine.h"
#include "onggi/tasks/label/reply.h"
#include "onggi/text/chat_template.h"
#include "onggi/text/utf8.h"

namespace onggi::tasks {
namespace {

constexpr std::int64_t kCacheTokens = 32'768;  // of guidelines and examples that rows share
constexpr int kCallsPerRow = 4;                // under way for each place in the batch, so that it stays full

std::unique_ptr<const text::ChatTemplate> template_of(const text::Tokenizer& tokenizer) {
  std::string source = text::chat_template_of(tokenizer);
  return source.empty() ? nullptr : std::make_unique<const text::ChatTemplate>(std::move(source));
}

class LocalTeacher : public Teacher {
 public:
  LocalTeacher(RowModel model, LocalTeacherOptions options)
      : model_(std::move(model)),
        options_(std::move(options)),
        template_(template_of(*model_.tokenizer)),
        settings_(std::make_shared<runtime::AnswerSettings>()),
        engine_(model_.context, model_.decoder, *model_.tokenizer,
                {.batch_rows = options_.batch_rows, .cache_tokens = kCacheTokens}) {
    decode::check_sampling(options_.sampling);
    if (options_.adapter)
      settings_->adapter = std::shared_ptr<const nn::Adapter>(options_.adapter, &options_.adapter->adapter);
    settings_->guide = options_.guide;
    settings_->sampling = options_.sampling;
    settings_->max_new_tokens = options_.max_tokens;
    settings_->seed = static_cast<std::uint64_t>(options_.seed);
    settings_->cache_key = options_.adapter ? options_.adapter->hash : std::string("base");
    identity_ = dump_json(description());
  }

  const std::string& identity() const override { return identity_; }

  Json description() const override {
    decode::SamplingOptions sampling = options_.sampling;
    return {{"checkpoint", model_.base_hash},
            {"adapter", options_.adapter ? Json(options_.adapter->hash) : Json(nullptr)},
            {"tokenizer", model_.tokenizer->content_hash()},
            {"template", template_ ? Json(sha256_hex(template_->source())) : Json(nullptr)},
            {"guide", options_.guide_hash.empty() ? Json(nullptr) : Json(options_.guide_hash)},
            {"sampling", OptionList(sampling).to_json()},
            {"max_tokens", options_.max_tokens},
            {"seed", options_.seed}};
  }

  std::string body(const Json& messages, int) const override { return dump_json({{"messages", messages}}); }
  int most_in_flight() const override { return options_.batch_rows * kCallsPerRow; }
  int first_in_flight() const override { return most_in_flight(); }
  void ask(TeacherCall call) override { waiting_.push_back(std::move(call)); }

  /// Answers come a call at a time as they end; the clock does not matter.
  std::vector<TeacherReply> wait(std::chrono::milliseconds) override {
    submit();
    while (replies_.empty() && engine_.step() != runtime::Step::kIdle) {
    }
    return std::exchange(replies_, {});
  }

 private:
  std::vector<int> prompt_ids(const Json& messages) const {
    std::vector<text::TextSpan> spans;
    if (template_) {
      text::ChatTemplate::Options how = text::chat_options_of(*model_.tokenizer);
      how.add_generation_prompt = true;
      spans = template_->render_spans(messages, how);
    } else {
      std::string joined;
      for (const Json& message : messages)
        joined += (joined.empty() ? "" : "\n\n") + message["content"].get<std::string>();
      spans.push_back({joined + "\n", true});
    }
    std::vector<int> ids;
    // A chat template writes its own beginning.
    if (!template_ && model_.tokenizer->adds_bos()) ids.push_back(model_.tokenizer->bos_id());
    model_.tokenizer->encode_spans(spans, ids);
    return ids;
  }

  void submit() {
    std::vector<runtime::Job> jobs;
    for (auto& call : waiting_) {
      runtime::Job job;
      // The call's own number for its random numbers: what is asked decides, not where it stands in a file.
      job.request.index =
          static_cast<std::int64_t>(std::strtoull(sha256_hex(call.body).substr(0, 15).c_str(), nullptr, 16));
      job.request.first_sample = call.sample;
      job.request.slots = std::move(call.slots);
      job.settings = settings_;
      job.done = [this, ticket = call.ticket](runtime::Answer&& answer) {
        replies_.push_back(reply_of(ticket, answer));
      };
      try {
        job.request.prompt = prompt_ids(call.messages);
      } catch (const Error& e) {  // a template that refuses these messages
        replies_.push_back({.ticket = call.ticket, .kind = TeacherReply::Kind::kRefused, .reason = e.message()});
        continue;
      }
      jobs.push_back(std::move(job));
    }
    waiting_.clear();
    if (!jobs.empty()) engine_.submit(std::move(jobs));
  }

  TeacherReply reply_of(std::int64_t ticket, const runtime::Answer& answer) const {
    if (!answer.complete && !answer.is_cut)
      return {.ticket = ticket, .kind = TeacherReply::Kind::kRefused, .reason = answer.failure};
    if (answer.is_cut && answer.tokens.empty())
      return {.ticket = ticket, .kind = TeacherReply::Kind::kRefused, .reason = answer.failure};
    ChatReply reply{.text = answer.text, .refusal = {}, .finish_reason = answer.complete ? "stop" : "length"};
    if (!text::is_valid_utf8(reply.text))
      return {.ticket = ticket, .kind = TeacherReply::Kind::kRefused, .reason = "the answer is no UTF-8 text"};
    for (const auto& token : answer.tokens) {
      if (token.end_byte > token.begin_byte)
        reply.tokens.push_back({token.begin_byte, token.end_byte, token.log_probability});
    }
    reply.completion_tokens = static_cast<std::int64_t>(answer.tokens.size());
    return {.ticket = ticket, .kind = TeacherReply::Kind::kAnswer, .body = chat_reply_body(reply)};
  }

  RowModel model_;
  const LocalTeacherOptions options_;
  const std::unique_ptr<const text::ChatTemplate> template_;
  const std::shared_ptr<runtime::AnswerSettings> settings_;
  std::string identity_;
  std::vector<TeacherCall> waiting_;
  std::vector<TeacherReply> replies_;
  runtime::Engine engine_;
};

}  // namespace

std::unique_ptr<Teacher> make_local_teacher(RowModel model, LocalTeacherOptions options) {
  return std::make_unique<LocalTeacher>(std::move(model), std::move(options));
}

}  // namespace onggi::tasks
