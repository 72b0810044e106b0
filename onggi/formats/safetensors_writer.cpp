#include "onggi/formats/safetensors_writer.h"

#include <algorithm>
#include <cstring>

#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/json.h"

namespace onggi::formats {
namespace {

using quant::DType;

const char* name_of(DType type) {
  switch (type) {
    case DType::kF32: return "F32";
    case DType::kF16: return "F16";
    case DType::kBF16: return "BF16";
    case DType::kI64: return "I64";
    case DType::kI32: return "I32";
    case DType::kI8: return "I8";
    case DType::kU8: return "U8";
    default: return nullptr;
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const TensorToWrite*> order;
  for (const auto& t : tensors) {
    const char* type = name_of(t.type);
    require(type != nullptr, [&] { return "tensor \"" + t.name + "\" is " + std::string(quant::traits(t.type).name) + ", which safetensors has no name for"; });
    std::int64_t elements = 1;
    for (const auto d : t.shape) elements *= d;
    require(static_cast<std::int64_t>(t.data.size()) == quant::num_bytes(t.type, elements),
            [&] { return "tensor \"" + t.name + "\" has " + std::to_string(t.data.size()) + " bytes, its shape needs " + std::to_string(quant::num_bytes(t.type, elements)); });
    order.push_back(&t);
  }
  std::sort(order.begin(), order.end(), [](const TensorToWrite* a, const TensorToWrite* b) {
    const int x = quant::traits(a->type).block_bytes;
    const int y = quant::traits(b->type).block_bytes;
    return x != y ? x > y : a->name < b->name;
  });
  Json header = Json::object();
  if (!metadata.empty()) {
    Json values = Json::object();
    for (const auto& [key, value] : metadata) values[key] = value;
    header["__metadata__"] = std::move(values);
  }
  std::uint64_t offset = 0;
  for (const auto* t : order) {
    require(!header.contains(t->name), [&] { return "tensor \"" + t->name + "\" is given twice"; });
    header[t->name] = {{"dtype", name_of(t->type)}, {"shape", t->shape}, {"data_offsets", {offset, offset + t->data.size()}}};
    offset += t->data.size();
  }
  std::string text = dump_json(header);
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  std::string start(8, '\0');
  std::memcpy(start.data(), &length, 8);

  const std::filesystem::path temporary = path.string() + ".tmp." + std::to_string(::getpid());
  try {
    AppendFile file(temporary, 0);
    file.append(start + text);
    for (const auto* t : order) file.append({reinterpret_cast<const char*>(t->data.data()), t->data.size()});
    file.sync();
    std::filesystem::rename(temporary, path);
  } catch (const std::filesystem::filesystem_error& e) {
    std::filesystem::remove(temporary);
    throw Error(ErrorCode::kUnavailable, "can't rename into place: " + e.code().message(), path.string());
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

}  // namespace onggi::formats
