#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"

namespace onggi::tasks {

/// What a stage has done.
struct StageRecord {
  std::string name;
  Json key;                                  ///< All that its output depends on.
  std::map<std::string, std::string> files;  ///< Name in the folder to SHA-256.
  Json counts = Json::object();              ///< Figures for people, in their order.
  double seconds = 0;                        ///< Over all calls that worked on it.
};

/// The stages of a flow in a folder: which are done, from what, and how long they took. A stage is done again only
/// where something that it depends on has changed, or its files have. `state.json` is replaced at each change, so a
/// process that is killed leaves the state before or after. Confined to one thread.
class StageBook {
 public:
  /// Throws kCorrupt naming the file.
  explicit StageBook(std::filesystem::path folder);

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path path_of(std::string_view file) const { return folder_ / file; }

  /// True where the stage was finished from this key and its files are what it wrote.
  bool is_done(std::string_view name, const Json& key) const;
  /// Says that the stage is at work. Files of it that were made from another key are removed first: `files` are all
  /// that it writes, with those that it goes on with after a kill.
  void begin(std::string_view name, const Json& key, const std::vector<std::string>& files);
  /// The stage's files are there and durable; those that were not written do not count.
  void finish(std::string_view name, const std::vector<std::string>& files, Json counts);
  /// Of a file that a finished stage wrote, for the keys of later stages. Throws kInternal.
  const std::string& hash_of(const std::string& file) const;

  const std::vector<StageRecord>& records() const { return records_; }
  const std::string& running() const { return running_; }  ///< Empty where nothing is at work.

 private:
  StageRecord* find(std::string_view name);
  const StageRecord* find(std::string_view name) const;
  void save() const;

  std::filesystem::path folder_;
  std::vector<StageRecord> records_;
  std::string running_;
  double began_ = 0;
};

}  // namespace onggi::tasks
