#include "onggi/nn/adapter_config.h"

#include <cmath>

#include <gtest/gtest.h>

#include "onggi/core/error.h"

namespace onggi::nn {
namespace {

AdapterConfig parse(std::string_view text) { return parse_adapter_config(parse_json(text, "test"), "test"); }

std::string refusal(const std::string& members) {
  const std::string text = R"({"peft_type": "LORA", "target_modules": ["q_proj"])" + members + "}";
  try {
    parse(text);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(e.where(), "test");
    return e.message();
  }
  return "accepted";
}

TEST(AdapterConfig, LeastFileHasPeftDefaults) {
  const auto config = parse(R"({"peft_type": "LORA", "target_modules": ["q_proj"]})");
  EXPECT_EQ(config.rank, 8);
  EXPECT_EQ(config.alpha, 8.0);
  EXPECT_EQ(config.dropout, 0.0);
  EXPECT_EQ(config.targets.names, std::vector<std::string>{"q_proj"});
}

TEST(AdapterConfig, WrittenFileReadsBackToTheSame) {
  AdapterConfig config;
  config.base_model = "google/gemma-3-270m";
  config.rank = 16;
  config.alpha = 24.5;
  config.use_rslora = true;
  config.targets.names = {"q_proj", "up_proj"};
  config.excluded.regex = ".*\\.0\\..*";
  config.layers_to_transform = {0, 3};
  config.layers_pattern = {"layers"};
  config.rank_pattern = {{"up_proj", 4}, {"layers\\.3\\..*", 2}};
  config.alpha_pattern = {{"up_proj", 3.0}};
  config.initialisation = "gaussian";
  const Json json = adapter_config_json(config);
  EXPECT_EQ(dump_json(adapter_config_json(parse_adapter_config(json, "test"))), dump_json(json));
  EXPECT_EQ(json["lora_alpha"], 24.5);
  EXPECT_TRUE(json["alpha_pattern"]["up_proj"].is_number_integer());
}

TEST(AdapterConfig, RefusesWhatItDoesNotCompute) {
  for (const char* key :
       {"lora_bias", "trainable_token_indices", "layer_replication", "target_parameters", "ensure_weight_tying",
        "alora_invocation_tokens", "use_qalora", "loftq_config", "corda_config", "lora_ga_config", "velora_config",
        "monteclora_config", "arrow_config", "kasa_config", "use_bdlora", "megatron_config", "modules_to_save",
        "fan_in_fan_out", "a_key_of_next_year"}) {
    const std::string name = key;
    for (const char* value : {"true", "[1]", "{\"x\": 1}", "\"x\"", "7"}) {
      EXPECT_NE(refusal(", \"" + name + "\": " + value).find(name), std::string::npos) << name << " " << value;
    }
    for (const char* value : {"null", "false", "[]", "{}", "\"\""}) {
      EXPECT_EQ(refusal(", \"" + name + "\": " + value), "accepted") << name << " " << value;
    }
  }
}

TEST(AdapterConfig, RefusesBadValues) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("r": 0)", "\"r\""},
      {R"("r": 4097)", "\"r\""},
      {R"("r": 18446744073709551615)", "\"r\""},
      {R"("r": 4.5)", "\"r\""},
      {R"("r": "8")", "\"r\""},
      {R"("lora_alpha": 0)", "lora_alpha"},
      {R"("lora_alpha": -1)", "lora_alpha"},
      {R"("lora_alpha": "16")", "lora_alpha"},
      {R"("lora_dropout": 1)", "lora_dropout"},
      {R"("bias": "all")", "bias"},
      {R"("task_type": "SEQ_CLS")", "task_type"},
      {R"("use_dora": 1)", "use_dora"},
      {R"("init_lora_weights": "pissa_niter_4")", "init_lora_weights"},
      {R"("init_lora_weights": "olora")", "init_lora_weights"},
      {R"("auto_mapping": {"strange": 1})", "auto_mapping"},
      {R"("rank_pattern": {"q_proj": 0})", "rank_pattern"},
      {R"("rank_pattern": ["q_proj"])", "rank_pattern"},
      {R"("alpha_pattern": {"(": 2})", "alpha_pattern"},
      {R"("alpha_pattern": {"a)(b": 2})", "alpha_pattern"},
      {R"("exclude_modules": "(?=x).*")", "exclude_modules"},
      {R"("layers_pattern": "layers")", "layers_pattern"},
      {R"("layers_to_transform": [1], "layers_pattern": "(layers)s?")", "layers_pattern"},
      {R"("layers_to_transform": [-1])", "layers_to_transform"},
  };
  for (const auto& [members, expected] : cases) {
    EXPECT_NE(refusal(std::string(", ") + members).find(expected), std::string::npos)
        << members << ": " << refusal(std::string(", ") + members);
  }
  EXPECT_THROW(parse("[]"), Error);
  EXPECT_THROW(parse(R"({"peft_type": "LOHA", "target_modules": ["q_proj"]})"), Error);
  EXPECT_THROW(parse(R"({"peft_type": "LORA"})"), Error);
  EXPECT_THROW(parse(R"({"peft_type": "LORA", "target_modules": []})"), Error);
  EXPECT_THROW(parse(R"({"peft_type": "LORA", "target_modules": ".*", "layers_to_transform": 1})"), Error);
}

TEST(AdapterConfig, AcceptsTheClassNamesOfAutoMapping) {
  EXPECT_EQ(refusal(R"(, "auto_mapping": {"base_model_class": "Gemma3ForCausalLM", "parent_library": "x"})"),
            "accepted");
}

struct MatchCase {
  const char* config;
  const char* path;
  int rank;  ///< 0: no adapter.
  double alpha;
  double scale;
};

TEST(AdapterRules, MatchLikePeft) {
  const MatchCase cases[] = {
      // A list: the exact path, or its end after a dot.
      {R"("target_modules": ["q_proj"])", "model.layers.0.self_attn.q_proj", 8, 8, 1},
      {R"("target_modules": ["q_proj"])", "q_proj", 8, 8, 1},
      {R"("target_modules": ["q_proj"])", "model.layers.0.self_attn.xq_proj", 0, 0, 0},
      {R"("target_modules": ["q_proj"])", "model.layers.0.self_attn.k_proj", 0, 0, 0},
      {R"("target_modules": ["0.self_attn.q_proj"])", "model.layers.10.self_attn.q_proj", 0, 0, 0},
      {R"("target_modules": ["q_proj"], "r": 16, "lora_alpha": 4)", "a.q_proj", 16, 4, 0.25},
      // A string: a regular expression over the whole path.
      {R"("target_modules": ".*\\.(q_proj|up_proj)$")", "model.layers.1.mlp.up_proj", 8, 8, 1},
      {R"("target_modules": "q_proj")", "model.layers.1.self_attn.q_proj", 0, 0, 0},
      {R"("target_modules": ".*q")", "model.layers.1.self_attn.q_proj", 0, 0, 0},
      // All linear layers but the head.
      {R"("target_modules": "all-linear")", "model.layers.1.mlp.down_proj", 8, 8, 1},
      {R"("target_modules": "All-Linear")", "model.layers.1.mlp.down_proj", 8, 8, 1},
      {R"("target_modules": "all-linear")", "lm_head", 0, 0, 0},
      {R"("target_modules": "all-linear", "exclude_modules": ["down_proj"])", "m.down_proj", 0, 0, 0},
      {R"("target_modules": "all-linear", "exclude_modules": ["down_proj"])", "m.xdown_proj", 8, 8, 1},
      {R"("target_modules": "all-linear", "exclude_modules": ".*\\.0\\..*")", "model.layers.0.mlp.up_proj", 0, 0, 0},
      {R"("target_modules": "all-linear", "exclude_modules": ".*\\.0\\..*")", "model.layers.1.mlp.up_proj", 8, 8, 1},
      // Layers: the first numbered segment, or the one after a name.
      {R"("target_modules": ["q"], "layers_to_transform": [1])", "model.layers.1.q", 8, 8, 1},
      {R"("target_modules": ["q"], "layers_to_transform": 1)", "model.layers.11.q", 0, 0, 0},
      {R"("target_modules": ["q"], "layers_to_transform": [1])", "model.layers.1.experts.5.q", 8, 8, 1},
      {R"("target_modules": ["q"], "layers_to_transform": [5])", "model.layers.1.experts.5.q", 0, 0, 0},
      {R"("target_modules": ["q"], "layers_to_transform": [5], "layers_pattern": "experts")",
       "model.layers.1.experts.5.q", 8, 8, 1},
      {R"("target_modules": ["q"], "layers_to_transform": [1], "layers_pattern": ["blocks"])", "model.layers.1.q", 0, 0,
       0},
      {R"("target_modules": ["q"], "layers_to_transform": [1])", "model.q", 0, 0, 0},
      // Patterns: the first that matches the end of the path, and the scale comes after them.
      {R"("target_modules": ["q", "k"], "rank_pattern": {"q": 2})", "a.q", 2, 8, 4},
      {R"("target_modules": ["q", "k"], "rank_pattern": {"q": 2})", "a.k", 8, 8, 1},
      {R"("target_modules": ["q"], "rank_pattern": {"a": 2, "[a-z]": 4, "q": 16})", "a.q", 4, 8, 2},
      {R"("target_modules": ["xq"], "rank_pattern": {"q": 2})", "a.xq", 8, 8, 1},
      {R"("target_modules": ["q"], "alpha_pattern": {"0\\.q": 3}, "r": 4)", "l.0.q", 4, 3, 0.75},
      {R"("target_modules": ["q"], "alpha_pattern": {"x|q": 3}, "r": 4)", "l.0.q", 4, 3, 0.75},
      {R"("target_modules": ["q"], "r": 16, "use_rslora": true)", "a.q", 16, 8, 2},
      {R"("target_modules": ["q"], "r": 16, "use_rslora": true, "rank_pattern": {"q": 4})", "a.q", 4, 8, 4},
  };
  for (const MatchCase& c : cases) {
    const AdapterConfig config = parse(R"({"peft_type": "LORA", )" + std::string(c.config) + "}");
    const auto rule = AdapterRules(config).find(c.path);
    ASSERT_EQ(rule.has_value(), c.rank != 0) << c.config << " " << c.path;
    if (!rule) continue;
    EXPECT_EQ(rule->rank, c.rank) << c.config << " " << c.path;
    EXPECT_EQ(rule->alpha, c.alpha) << c.config << " " << c.path;
    EXPECT_EQ(rule->scale, static_cast<float>(c.scale)) << c.config << " " << c.path;
  }
}

TEST(AdapterRules, ScaleIsTheDoubleQuotientRoundedOnce) {
  AdapterConfig config;
  config.targets.names = {"q"};
  config.rank = 3;
  config.alpha = 10;
  config.use_rslora = true;
  EXPECT_EQ(AdapterRules(config).find("q")->scale, static_cast<float>(10.0 / std::sqrt(3.0)));
}

TEST(AdapterRules, HostileExpressionsEndQuickly) {
  AdapterConfig config;
  config.targets.regex = "(a*)*(a*)*(a*)*(a*)*b";
  EXPECT_FALSE(AdapterRules(config).find(std::string(5000, 'a')));
  config.targets.regex = "((a{1000}){1000}){1000}";
  EXPECT_THROW(AdapterRules{config}, Error);
}

}  // namespace
}  // namespace onggi::nn
