#include "onggi/formats/safetensors_writer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/core/json.h"
#include "onggi/formats/quote.h"

namespace onggi::formats {
namespace {

using quant::DType;

/// Largest first, as the reference orders tensors: every tensor is then aligned to its element.
constexpr std::array<DType, 7> kOrder = {DType::kI64, DType::kF32, DType::kI32, DType::kBF16,
                                         DType::kF16, DType::kI8,  DType::kU8};

std::optional<std::size_t> rank_of(DType type) {
  const auto it = std::find(kOrder.begin(), kOrder.end(), type);
  if (it == kOrder.end()) return std::nullopt;
  return static_cast<std::size_t>(it - kOrder.begin());
}

std::vector<const TensorToWrite*> in_order(std::span<const TensorToWrite> tensors, const std::string& where) {
  std::vector<const TensorToWrite*> order;
  std::set<std::string_view> names;
  for (const auto& t : tensors) {
    const auto check = [&](bool ok, const std::string& what) {
      require(
          ok, [&] { return "can't write tensor " + quote(t.name) + ": " + what; }, ErrorCode::kInvalidArgument, where);
    };
    check(!t.name.empty() && t.name != "__metadata__" && is_utf8(t.name), "the name is not allowed in safetensors");
    check(names.insert(t.name).second, "there is another one of this name");
    check(rank_of(t.type).has_value(), "safetensors has no type " + std::string(quant::traits(t.type).name));
    order.push_back(&t);
  }
  std::sort(order.begin(), order.end(), [](const TensorToWrite* a, const TensorToWrite* b) {
    return std::tuple(*rank_of(a->type), std::string_view(a->name)) <
           std::tuple(*rank_of(b->type), std::string_view(b->name));
  });
  return order;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string where = path.string();
  const auto order = in_order(tensors, where);
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t end = 0;
  for (const TensorToWrite* t : order) {
    const std::uint64_t begin = end;
    end += num_bytes(*t, where);
    // Names are known to differ, so append without the search that operator[] makes.
    header.get_ref<Json::object_t&>().emplace_back(
        t->name, Json{{"dtype", quant::traits(t->type).name}, {"shape", t->shape}, {"data_offsets", {begin, end}}});
  }
  std::string text = dump_json(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t header_bytes = text.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header_bytes, 1)));
  file.write(text);
  for (const TensorToWrite* t : order) write_tensor(file, *t, where);
  file.commit();
}

}  // namespace onggi::formats
