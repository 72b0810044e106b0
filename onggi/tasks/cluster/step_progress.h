#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace onggi::tasks {

/// Progress of work in named steps: a line now and then, or one that is redrawn on a terminal, with the time that the
/// step has left. Steps that end before they would be shown are silent. Confined to one thread.
class StepProgress {
 public:
  StepProgress(bool is_terminal, std::function<void(std::string_view)> write);

  void show(std::string_view step, std::int64_t done, std::int64_t total);
  /// Ends the line of a terminal.
  void finish();

 private:
  const bool is_terminal_;
  const std::function<void(std::string_view)> write_;
  std::string step_;
  double began_ = 0, shown_ = 0;
  bool has_line_ = false;
};

}  // namespace onggi::tasks
