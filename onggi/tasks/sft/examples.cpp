#include "onggi/tasks/sft/examples.h"

#include <algorithm>

#include "onggi/core/error.h"

namespace onggi::tasks {
namespace {

/// False if the guide can't produce the answer.
bool add_masks(const text::Tokenizer& tokenizer, const decode::Guide& guide, const TextRow& row, std::span<const int> columns,
               train::Example& e, EncodeReport& report) {
  const auto state = guide.start(row.slots);
  for (std::size_t i = 0; i < e.answer.size(); ++i) {
    const auto allowed = state->allowed();
    if (!std::binary_search(allowed.begin(), allowed.end(), e.answer[i])) {
      if (report.num_unreachable++ == 0) {
        report.first_unreachable = row.where + ": " + row.answer + " stops before \"" + std::string(tokenizer.token_bytes(e.answer[i])) + "\"";
      }
      return false;
    }
    std::vector<std::uint64_t> mask;
    if (allowed.size() > 1) {
      mask.resize((columns.size() + 63) / 64);
      auto column = columns.begin();
      for (const int id : allowed) {
        column = std::lower_bound(column, columns.end(), id);
        require(column != columns.end() && *column == id, "the guide allows a token outside its reachable set", ErrorCode::kInternal);
        const auto at = static_cast<std::size_t>(column - columns.begin());
        mask[at / 64] |= std::uint64_t{1} << (at % 64);
      }
    }
    e.allowed.push_back(std::move(mask));
    state->advance(e.answer[i]);
  }
  return true;
}

}  // namespace

std::vector<int> encode_prefix(const text::Tokenizer& tokenizer, const std::string& prefix) {
  std::vector<int> ids;
  if (tokenizer.adds_bos() && tokenizer.bos_id() >= 0) ids.push_back(tokenizer.bos_id());
  if (!prefix.empty()) tokenizer.encode(prefix, ids);
  return ids;
}

std::vector<int> encode_prompt(const text::Tokenizer& tokenizer, const std::string& prompt) {
  std::vector<int> ids;
  tokenizer.encode(prompt, ids);
  return ids;
}

std::vector<int> guide_columns(const decode::Guide& guide, std::span<const TextSet* const> sets) {
  std::vector<int> ids(guide.reachable().begin(), guide.reachable().end());
  for (const TextSet* set : sets) {
    for (const auto& row : set->rows) {
      const auto extra = guide.reachable_from(row.slots);
      ids.insert(ids.end(), extra.begin(), extra.end());
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }
  return ids;
}

train::ExampleSet encode_examples(const text::Tokenizer& tokenizer, const TextSet& set, std::int64_t max_tokens,
                                  const decode::Guide* guide, std::span<const int> columns, EncodeReport& report) {
  require(!tokenizer.stop_ids().empty(), "the tokenizer has no end token, so answers could never end");
  const int end_id = tokenizer.eos_id() >= 0 ? tokenizer.eos_id() : tokenizer.stop_ids()[0];
  train::ExampleSet out;
  out.prefix = encode_prefix(tokenizer, set.prefix);
  for (const auto& row : set.rows) {
    train::Example e;
    e.source_row = row.source_row;
    e.prompt = encode_prompt(tokenizer, row.prompt);
    require(!e.prompt.empty(), "row has no prompt text after the shared prefix", ErrorCode::kInvalidArgument, row.where);
    tokenizer.encode(row.answer, e.answer);
    require(!e.answer.empty(), "row has an empty answer, so nothing in it is learnt", ErrorCode::kInvalidArgument, row.where);
    e.answer.push_back(end_id);
    if (static_cast<std::int64_t>(out.prefix.size()) + e.num_tokens() > max_tokens) {
      ++report.num_too_long;
      continue;
    }
    if (guide != nullptr && !add_masks(tokenizer, *guide, row, columns, e, report)) continue;
    out.examples.push_back(std::move(e));
  }
  return out;
}

}  // namespace onggi::tasks
