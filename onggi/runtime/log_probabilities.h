#pragma once

#include <span>
#include <vector>

#include "onggi/runtime/request.h"

namespace onggi::runtime {

/// The `count` likeliest of ids, ties by id, with their log softmax over all of them (decode::LogSoftmax).
std::vector<TokenAlternative> likeliest(std::span<const int> ids, std::span<const float> logits, int count);

}  // namespace onggi::runtime
