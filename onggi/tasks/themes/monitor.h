#pragma once

#include <string>

#include "onggi/tasks/themes/stage_book.h"

namespace onggi::tasks {

/// The page of a flow: how many rows and cards are at which stage, what was left out or rejected and why, what waits
/// for a person, what is shown, how long it took. Loads itself anew while a stage is at work. One file, no script.
std::string monitor_html(const StageBook& book);

}  // namespace onggi::tasks
