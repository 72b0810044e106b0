#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "onggi/review/records.h"

namespace onggi::review {

/// Where items and the log of events lie. Whatever a method has returned from survives a kill and a loss of power. It
/// knows no rules: those are the State's. Confined to one thread; several processes may read one store, one appends to
/// its log.
///
/// Errors: kUnavailable for what may pass (disk full, another process has it), kCorrupt for a store that is damaged or
/// not ours; each names the store.
class ReviewStore {
 public:
  virtual ~ReviewStore() = default;

  /// Makes this process the one that appends events, until the store is closed. Throws kUnavailable where another is.
  virtual void lock() = 0;

  /// Names and values, set when the store was made and seldom after.
  virtual std::map<std::string, std::string> settings() = 0;
  virtual void set(const std::map<std::string, std::string>& settings) = 0;

  /// Items after this number, in order.
  virtual std::vector<ItemHead> heads(std::int64_t after) = 0;
  /// Throws kNotFound.
  virtual ItemContent content(std::int64_t number) = 0;
  /// Numbers by the row's id.
  virtual std::map<std::string, std::int64_t, std::less<>> numbers_by_id() = 0;
  /// All of them or none. Their numbers must follow those that are there.
  virtual void add_items(std::span<const Item> items) = 0;

  /// Events after this one, in order.
  virtual std::vector<Event> events(std::int64_t after) = 0;
  /// All of them or none. Their `seq` must go on where the log ends: kUnavailable where it has grown elsewhere
  /// meanwhile. An id that is there already is refused (kInternal).
  virtual void append(std::span<const Event> events) = 0;

  virtual std::vector<Lease> leases() = 0;
  /// Grants or prolongs; those that ended before `now_ms` are forgotten.
  virtual void keep_leases(std::span<const Lease> leases, std::int64_t now_ms) = 0;

  virtual std::vector<Document> documents() = 0;
  /// Does nothing where that hash is there.
  virtual void add_document(const Document& document) = 0;
};

/// Throws kUnavailable unless the events' numbers go on after `last`.
void require_next(std::span<const Event> events, std::int64_t last, const std::string& where);

/// Opens or makes the store: postgresql://... is a database, anything else an SQLite file.
std::unique_ptr<ReviewStore> open_store(const std::string& where);
/// The same, but throws kNotFound where there is none.
std::unique_ptr<ReviewStore> open_existing_store(const std::string& where);

}  // namespace onggi::review
