#pragma once

#include <span>
#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/tasks/sft/examples.h"
#include "onggi/text/tokenizer.h"
#include "onggi/train/doctor.h"

namespace onggi::tasks {

/// Rows as the doctor reads them: ids, what is scored, texts. Rows that were left out of `examples` are not there.
std::vector<train::DoctorRow> doctor_rows(const TextSet& texts, const train::ExampleSet& examples);

/// Spellings of the control tokens that a row may hold by accident; of a vocabulary's spare ones none.
std::vector<std::string> special_texts(const text::Tokenizer& tokenizer);

/// A line for each warning. Throws kInvalidArgument with all errors if there are any.
std::string require_healthy(std::span<const train::Finding> findings);

/// [{"code", "message"}] for result.json.
Json findings_json(std::span<const train::Finding> findings);

}  // namespace onggi::tasks
