#include "onggi/tasks/sft/adapter_init.h"

#include <cmath>

#include "onggi/core/error.h"
#include "onggi/core/random.h"

namespace onggi::tasks {
namespace {

bool matches(const std::string& path, const std::vector<std::string>& targets) {
  if (targets.empty()) return true;
  for (const auto& target : targets) {
    if (path == target || path.ends_with("." + target)) return true;
  }
  return false;
}

}  // namespace

nn::Adapter make_lora(nn::Context& context, const models::Decoder& decoder, const LoraOptions& o, std::uint64_t seed) {
  require(o.rank >= 1 && o.rank <= 4096, [&] { return "LoRA rank is " + std::to_string(o.rank) + ", expected 1 to 4096"; });
  nn::Adapter adapter = decoder.empty_adapter();
  bool any = false;
  for (std::size_t i = 0; i < adapter.linears.size(); ++i) {
    const models::LinearLayer& linear = decoder.linear_at(i);
    if (!matches(linear.path, o.targets)) continue;
    any = true;
    const std::int64_t in = linear.weight.columns;
    const std::int64_t out = linear.weight.rows;
    nn::LoraLinear lora;
    lora.scale = o.alpha / (o.rslora ? std::sqrt(static_cast<float>(o.rank)) : static_cast<float>(o.rank));
    lora.a = {.name = linear.path + ".lora_A.weight", .shape = {o.rank, in}, .value = std::vector<float>(static_cast<std::size_t>(o.rank * in)), .grad = {}};
    lora.b = {.name = linear.path + ".lora_B.weight", .shape = {out, o.rank}, .value = std::vector<float>(static_cast<std::size_t>(out * o.rank)), .grad = {}};
    const float bound = 1.0F / std::sqrt(static_cast<float>(in));
    for (std::size_t j = 0; j < lora.a.value.size(); ++j) {
      lora.a.value[j] = bound * (2.0F * uniform_float(seed, 0x10fa0000 + i, j) - 1.0F);
    }
    if (o.dora) {
      lora.magnitude = nn::Parameter{.name = linear.path + ".lora_magnitude_vector", .shape = {out}, .value = std::vector<float>(static_cast<std::size_t>(out)), .grad = {}, .decay = true};
    }
    lora.pack(context, linear.weight);
    if (o.dora) lora.magnitude->value = lora.row_norm;
    adapter.linears[i] = std::move(lora);
  }
  if (!any) {
    std::string named;
    for (const auto& t : o.targets) named += (named.empty() ? "" : ", ") + t;
    throw Error(ErrorCode::kInvalidArgument, "no linear layer matches the targets: " + named +
                                                 " (layers are q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj)");
  }
  return adapter;
}

}  // namespace onggi::tasks
