#include "onggi/train/doctor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/core/json.h"
#include "onggi/core/random.h"

namespace onggi::train {
namespace {

constexpr std::int32_t kBos = 2;
constexpr std::int32_t kEnd = 106;
constexpr std::int32_t kPad = 0;

DoctorRow clean_row(const std::string& file, int index, std::uint64_t seed) {
  DoctorRow row;
  row.where = file + ", line " + std::to_string(index + 1);
  row.inputs = {"review " + std::to_string(seed) + " " + file + " " + std::to_string(index) +
                " \xEC\x98\xB9\xEA\xB8\xB0"};
  row.prompt = "<start>user\n" + row.inputs[0] + "<start>model\n";
  row.answer = "[\"" + std::to_string(index) + "\"]";
  row.group = file + std::to_string(index / 3);
  row.labels = {index % 2 == 0 ? "taste" : "size"};
  row.roles = {"system", "user", "assistant", "user", "model"};
  row.renderings = {"a", "ab", "abc"};
  row.ids = {kBos};
  row.supervised = {0};
  const int prompt = 3 + static_cast<int>(uniform_int(seed, 1, static_cast<std::uint64_t>(index), 20));
  const int answer = 1 + static_cast<int>(uniform_int(seed, 2, static_cast<std::uint64_t>(index), 9));
  for (int i = 0; i < prompt + answer; ++i) {
    row.ids.push_back(200 + index + i);
    row.supervised.push_back(i >= prompt ? 1 : 0);
  }
  row.ids.push_back(kEnd);
  row.supervised.push_back(1);
  return row;
}

std::optional<std::string> json_problem(std::string_view answer) {
  try {
    parse_json(answer, "answer");
    return std::nullopt;
  } catch (const Error& e) {
    return e.message();
  }
}

DoctorInput clean_input(std::uint64_t seed = 1, int rows = 12) {
  DoctorInput in;
  for (int i = 0; i < rows; ++i) in.train.push_back(clean_row("train.jsonl", i, seed));
  for (int i = 0; i < 4; ++i) in.validation.push_back(clean_row("valid.jsonl", i, seed));
  in.bos_id = kBos;
  in.end_id = kEnd;
  in.pad_id = kPad;
  in.vocab_size = 1000;
  in.special_texts = {"<end_of_turn>", "<bos>"};
  in.max_tokens = 64;
  in.closed_labels = {"taste", "size"};
  in.response_marker = "<start>model";
  in.answer_problem = json_problem;
  in.learning_rate = 1e-4;
  in.warmup_steps = 2;
  in.total_steps = 30;
  in.batch_rows = 4;
  in.hashes = {{"tokenizer", "aa", "aa"}, {"template", "bb", ""}, {"serving_prompt", "cc", "cc"}};
  in.has_tied_head = true;
  in.adapted_paths = {"model.layers.0.self_attn.q_proj"};
  return in;
}

struct Case {
  const char* code;
  const char* words;  ///< Must be in the message: row, file or key.
  void (*spoil)(DoctorInput& in);
  Severity severity = Severity::kError;
};

void replace_id(DoctorRow& row, std::int32_t from, std::int32_t to) {
  std::replace(row.ids.begin(), row.ids.end(), from, to);
}

const Case kCases[] = {
    {"no_rows", "no rows", [](DoctorInput& in) { in.train.clear(); }},
    {"all_masked", "no row",
     [](DoctorInput& in) {
       for (auto* set : {&in.train, &in.validation}) {
         for (auto& row : *set) std::fill(row.supervised.begin(), row.supervised.end(), 0);
       }
     }},
    {"row_without_target", "train.jsonl, line 3",
     [](DoctorInput& in) { std::fill(in.train[2].supervised.begin(), in.train[2].supervised.end(), 0); }},
    {"first_token_scored", "train.jsonl, line 1", [](DoctorInput& in) { in.train[0].supervised[0] = 1; }},
    {"mask_size", "valid.jsonl, line 2", [](DoctorInput& in) { in.validation[1].supervised.push_back(1); }},
    {"empty_answer", "2 rows have an empty answer, first train.jsonl, line 4",
     [](DoctorInput& in) {
       in.train[3].answer = "";
       in.train[5].answer = " \n";
     }},
    {"answer_cut", "train.jsonl, line 2", [](DoctorInput& in) { in.train[1].answer_cut = true; }},
    {"answer_invalid", "train.jsonl, line 2 (not valid JSON", [](DoctorInput& in) { in.train[1].answer = "[1,"; }},
    {"label_outside_set", "\"tste\"",
     [](DoctorInput& in) {
       in.train[1].labels = {"taste", "tste"};
     }},
    {"end_token_missing", "train.jsonl, line 5", [](DoctorInput& in) { replace_id(in.train[4], kEnd, 300); }},
    {"pad_masks_end", "valid.jsonl, line 1",
     [](DoctorInput& in) {
       in.pad_id = kEnd;
       in.validation[0].supervised.back() = 0;
     }},
    {"double_bos", "train.jsonl, line 1", [](DoctorInput& in) { in.train[0].ids[1] = kBos; }},
    {"bos_missing", "12 rows",
     [](DoctorInput& in) {
       for (auto& row : in.train) row.ids[0] = 7;
     }},
    {"id_outside_vocabulary", "id 1000", [](DoctorInput& in) { in.train[0].ids[1] = 1000; }},
    {"rows_too_long", "20 tokens that fit", [](DoctorInput& in) { in.max_tokens = 20; }},
    {"two_system_messages", "train.jsonl, line 6",
     [](DoctorInput& in) {
       in.train[5].roles = {"system", "developer", "user"};
     }},
    {"roles_do_not_alternate", "\"user\"",
     [](DoctorInput& in) {
       in.train[5].roles = {"user", "user", "model"};
     }},
    {"unknown_role", "\"bot\"",
     [](DoctorInput& in) {
       in.train[5].roles = {"user", "bot"};
     }},
    {"leading_assistant", "line 6",
     [](DoctorInput& in) {
       in.train[5].roles = {"system", "model", "user"};
     }},
    {"template_not_prefix_stable", "turn 3",
     [](DoctorInput& in) {
       in.train[5].renderings = {"a", "ab", "acb"};
     }},
    {"marker_not_found", "16 rows", [](DoctorInput& in) { in.response_marker = "### Response"; }},
    {"marker_in_content", "line 3", [](DoctorInput& in) { in.train[2].inputs = {"x <start>model y"}; }},
    {"duplicate_row", "first at train.jsonl, line 1",
     [](DoctorInput& in) {
       const std::string where = in.train[6].where;
       in.train[6] = in.train[0];
       in.train[6].where = where;
     },
     Severity::kWarning},
    {"conflicting_answers", "line 7", [](DoctorInput& in) { in.train[6].prompt = in.train[0].prompt; },
     Severity::kWarning},
    {"row_in_both_splits", "as train.jsonl, line 1",
     [](DoctorInput& in) { in.validation[3].prompt = in.train[0].prompt; }},
    {"group_in_both_splits", "\"train.jsonl1\"", [](DoctorInput& in) { in.validation[3].group = "train.jsonl1"; }},
    {"invalid_utf8", "line 1", [](DoctorInput& in) { in.train[0].inputs = {"\xED\xA0\x80"}; }},
    {"mojibake", "line 1", [](DoctorInput& in) { in.train[0].inputs = {"\xC3\xAC\xC2\x98\xC2\xB9"}; },
     Severity::kWarning},
    {"mojibake", "line 2", [](DoctorInput& in) { in.train[1].inputs = {"caf\xC3\x83\xC2\xA9"}; }, Severity::kWarning},
    {"control_character", "byte order mark", [](DoctorInput& in) { in.train[0].inputs = {"\xEF\xBB\xBFgood"}; },
     Severity::kWarning},
    {"control_character", "U+FFFD", [](DoctorInput& in) { in.train[0].inputs = {"\xEF\xBF\xBD"}; }, Severity::kWarning},
    {"control_character", "control character 27", [](DoctorInput& in) { in.train[0].inputs = {"\x1b[31m"}; },
     Severity::kWarning},
    {"mixed_normal_forms", "line 1", [](DoctorInput& in) { in.train[0].inputs = {"\xE1\x84\x8B\xE1\x85\xA9"}; },
     Severity::kWarning},
    {"special_token_text", "<end_of_turn>", [](DoctorInput& in) { in.train[0].inputs = {"ha <end_of_turn> ha"}; },
     Severity::kWarning},
    {"learning_rate", "0.0", [](DoctorInput& in) { in.learning_rate = 0.0; }},
    {"learning_rate", "nan", [](DoctorInput& in) { in.learning_rate = std::nan(""); }},
    {"learning_rate_high", "0.003", [](DoctorInput& in) { in.learning_rate = 3e-3; }, Severity::kWarning},
    {"learning_rate_high", "full training",
     [](DoctorInput& in) {
       in.learning_rate = 2e-4;
       in.trains_all_weights = true;
     },
     Severity::kWarning},
    {"one_answer_in_most_rows", "7 of 12 training rows have the answer []",
     [](DoctorInput& in) {
       for (int i = 0; i < 7; ++i) in.train[static_cast<std::size_t>(i)].answer = "[]";
     },
     Severity::kWarning},
    {"warmup_too_long", "warmup_steps is 30", [](DoctorInput& in) { in.warmup_steps = 30; }},
    {"batch_above_data", "batch_rows is 13", [](DoctorInput& in) { in.batch_rows = 13; }, Severity::kWarning},
    {"seed_unset", "seed", [](DoctorInput& in) { in.has_seed = false; }, Severity::kWarning},
    {"full_training_of_quantised_base", "quantised",
     [](DoctorInput& in) {
       in.trains_all_weights = true;
       in.base_is_quantised = true;
     }},
    {"nothing_trainable", "targets match no layer", [](DoctorInput& in) { in.parameters.emplace(); }},
    {"decay_on_norm_or_bias", "\"norm.weight\"",
     [](DoctorInput& in) {
       static const nn::Parameter norm{.name = "norm.weight", .shape = {4}, .value = {1, 1, 1, 1}};
       in.parameters = std::vector<const nn::Parameter*>{&norm};
       in.weight_decay = 0.1;
     },
     Severity::kWarning},
    {"loss_denominator", "step 2",
     [](DoctorInput& in) {
       static TrainPlan plan;
       std::vector<RowSize> rows;
       for (const auto& row : in.train) {
         rows.push_back(
             {static_cast<std::int64_t>(row.ids.size()), std::count(row.supervised.begin(), row.supervised.end(), 1)});
       }
       plan = make_plan(rows, {.batch_rows = 4});
       in.plan = &plan;
       EXPECT_TRUE(examine(in).empty());
       ++plan.steps[1].supervised;
     }},
    {"base_not_finite", "layers.3.w",
     [](DoctorInput& in) {
       in.non_finite_weights = {{"layers.3.w", 2}};
     }},
    {"tokenizer_differs", "SHA-256 aa, expected zz", [](DoctorInput& in) { in.hashes[0].expected = "zz"; }},
    {"template_differs", "expected zz", [](DoctorInput& in) { in.hashes[1].expected = "zz"; }, Severity::kWarning},
    {"serving_prompt_differs", "expected zz", [](DoctorInput& in) { in.hashes[2].expected = "zz"; },
     Severity::kWarning},
    {"tied_head_untied", "lm_head", [](DoctorInput& in) { in.adapted_paths.push_back("lm_head"); }},
};

TEST(Doctor, EachFailureGivesItsOneFinding) {
  for (const Case& c : kCases) {
    DoctorInput in = clean_input();
    c.spoil(in);
    const auto findings = examine(in);
    ASSERT_EQ(findings.size(), 1U) << c.code
                                   << (findings.empty() ? "" : ": " + findings[0].code + " " + findings.back().code);
    EXPECT_EQ(findings[0].code, c.code);
    EXPECT_EQ(findings[0].severity, c.severity) << c.code;
    EXPECT_NE(findings[0].message.find(c.words), std::string::npos) << c.code << ": " << findings[0].message;
  }
}

TEST(Doctor, AShownAnswerEndsWithAWholeCharacter) {
  DoctorInput in = clean_input();
  std::string answer = "[\"";
  for (int i = 0; i < 20; ++i) answer += "\xEA\xB0\x80";
  for (auto& row : in.train) row.answer = answer + "\"]";
  const auto findings = examine(in);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_NE(findings[0].message.find("\x80...: the model"), std::string::npos) << findings[0].message;
  EXPECT_NO_THROW(dump_json(Json(findings[0].message)));
}

TEST(Doctor, EveryCodeHasACase) {
  std::set<std::string> tested;
  for (const Case& c : kCases) tested.insert(c.code);
  EXPECT_EQ(std::vector<std::string>(tested.begin(), tested.end()), doctor_codes());
}

TEST(Doctor, CleanSetsRaiseNothing) {
  const auto expect_clean = [](const DoctorInput& in, const std::string& name) {
    const auto findings = examine(in);
    EXPECT_TRUE(findings.empty()) << name << ": " << findings[0].code << " " << findings[0].message;
  };
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    expect_clean(clean_input(seed, 4 + static_cast<int>(seed) * 3), "seed " + std::to_string(seed));
  }
  DoctorInput in = clean_input();
  in.validation.clear();
  expect_clean(in, "no validation");
  in = clean_input();
  for (auto& row : in.train) row.roles.clear(), row.renderings.clear(), row.labels.clear(), row.group.clear();
  expect_clean(in, "plain rows");
  in = clean_input();
  for (auto& row : in.train) row.prompt.clear(), row.answer.clear(), row.inputs.clear();
  expect_clean(in, "ids only");
  in = clean_input();
  for (auto& row : in.train) row.ids.clear(), row.supervised.clear();
  expect_clean(in, "text only");
  in = clean_input();
  in.train[0].inputs = {"caf\xC3\xA9 na\xC3\xAFve \xC3\x84rger 20\xC2\xB0 \xE2\x82\xAC \xF0\x9F\x98\x80\tx\r\n"};
  expect_clean(in, "accents, signs, emoji");
  in = clean_input();
  for (auto& row : in.train) row.ids.push_back(108), row.supervised.push_back(1);
  expect_clean(in, "newline after the end token");
  in = clean_input();
  in.pad_id = kEnd;
  expect_clean(in, "pad is end, masked by position");
  in = clean_input();
  in.bos_id.reset();
  for (auto& row : in.train) row.ids[0] = 500;
  expect_clean(in, "a model without BOS");
  in = clean_input();
  in.trains_embedding = true;
  in.train[0].ids[1] = 1003;
  expect_clean(in, "new tokens that are trained");
  in = clean_input();
  in.train[0].roles = {"user", "assistant", "tool", "tool", "assistant"};
  expect_clean(in, "two tool answers");
  in = clean_input(3, 300);
  in.train[0].ids.insert(in.train[0].ids.begin() + 1, 100, 400);
  in.train[0].supervised.insert(in.train[0].supervised.begin() + 1, 100, 0);
  expect_clean(in, "one long row in 300");
  in = clean_input();
  for (auto* set : {&in.train, &in.validation}) {
    for (auto& row : *set) row.inputs = {"cafe\xCC\x81 " + row.where}, row.prompt = "<start>model " + row.where;
  }
  expect_clean(in, "all decomposed");
}

TEST(Doctor, HostileTextDoesNoHarm) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    DoctorInput in = clean_input();
    std::string bytes(seed % 17, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(philox(seed, 3, i)[0]);
    in.train[0].inputs = {bytes};
    in.train[0].answer = bytes;
    in.train[1].ids.clear();
    in.train[2].supervised.clear();
    examine(in);
  }
}

TEST(TokenSummary, CountsTokensAndLabels) {
  std::vector<DoctorRow> rows(3);
  rows[0].ids = {1, 2, 3};
  rows[0].supervised = {0, 1, 1};
  rows[1].ids = {1, 2, 3, 4, 5, 6, 7, 8};
  rows[1].supervised = std::vector<std::uint8_t>(8, 0);
  rows[2].ids = {1, 2, 3, 4};
  rows[0].labels = {"b", "a"};
  rows[1].labels = {"b"};
  const auto summary = summarize_tokens(rows);
  EXPECT_EQ(summary.shortest, 3);
  EXPECT_EQ(summary.median, 4);
  EXPECT_EQ(summary.longest, 8);
  EXPECT_EQ(summary.num_tokens, 15);
  EXPECT_EQ(summary.num_supervised, 2);
  EXPECT_EQ(summary.histogram, (std::vector<std::pair<std::int64_t, std::int64_t>>{{4, 2}, {8, 1}}));
  EXPECT_EQ(summary.label_counts, (std::vector<std::pair<std::string, std::int64_t>>{{"b", 2}, {"a", 1}}));
  EXPECT_EQ(summarize_tokens({}).longest, 0);
}

TEST(MaskPreview, SetsScoredTokensApart) {
  DoctorRow row;
  row.ids = {0, 1, 2, 3};
  row.supervised = {0, 1, 1, 0};
  const auto piece = [](std::int32_t id) {
    return std::string(id == 2 ? "c\n\x1b" : std::string(1, static_cast<char>('a' + id)));
  };
  EXPECT_EQ(mask_preview(row, piece, false), "a[[bc\\n\\x1B]]d");
  row.supervised[3] = 1;
  EXPECT_EQ(mask_preview(row, piece, true), "a\x1b[32mbc\\n\\x1Bd\x1b[0m");
}

}  // namespace
}  // namespace onggi::train
