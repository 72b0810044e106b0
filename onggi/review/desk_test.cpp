#include "onggi/review/desk.h"

#include <gtest/gtest.h>

#include <set>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/review/export.h"
#include "onggi/review/test_support.h"

namespace onggi::review {
namespace {

using testing::Office;
using testing::theme_row;

std::vector<Json> rows(int count) {
  std::vector<Json> all;
  for (int i = 0; i < count; ++i) all.push_back(theme_row("r" + std::to_string(i)));
  return all;
}

Json edited() { return Json::parse(R"([{"entity": "크림", "expression": "밤새 촉촉한", "name": "보습력"}])"); }

TEST(Desk, GivesEachItemToOnePersonAndEverySharedOneToTwo) {
  Office alone(rows(40));
  const auto mine = alone.keys("a", 25), theirs = alone.keys("b", 25);
  EXPECT_EQ(mine.size(), 25U);
  EXPECT_EQ(theirs.size(), 15U);
  std::set<std::string> all(mine.begin(), mine.end());
  all.insert(theirs.begin(), theirs.end());
  EXPECT_EQ(all.size(), 40U);
  Office shared(rows(40), {}, 1.0);
  EXPECT_EQ(shared.keys("a", 50).size(), 40U);
  EXPECT_EQ(shared.keys("b", 50).size(), 40U);
  EXPECT_EQ(shared.keys("c", 50).size(), 0U);
}

TEST(Desk, ALeaseEndsAndSurvivesAKill) {
  Office office(rows(5));
  EXPECT_EQ(office.keys("a", 5).size(), 5U);
  office.open();
  EXPECT_EQ(office.keys("b", 5).size(), 0U);
  EXPECT_EQ(office.keys("a", 5).size(), 5U);  // The same again: the page may have been reloaded.
  office.now_ms += 1001;
  EXPECT_EQ(office.keys("b", 5).size(), 5U);
}

TEST(Desk, TheQueueGoesByPriority) {
  auto list = rows(3);
  list[0]["priority"] = 0.1;
  list[2]["priority"] = 0.9;
  Office office(list);
  std::vector<std::string> reviews;
  const auto body = office.desk->lease({.name = "a"}, 3, {});
  for (const auto& item : body["items"]) reviews.push_back(item["fields"]["review"]);
  EXPECT_EQ(reviews, (std::vector<std::string>{"아침까지 당김이 없어요 r2", "아침까지 당김이 없어요 r0",
                                               "아침까지 당김이 없어요 r1"}));
}

TEST(Desk, AnEventSentTwiceCountsOnce) {
  Office office(rows(2));
  const auto key = office.keys("a", 1)[0];
  const Json event = {{"id", "the-same-id"}, {"kind", "decide"}, {"item", key}, {"version", 0}, {"action", "accept"}};
  EXPECT_EQ(office.submit("a", event)["outcome"], "ok");
  EXPECT_EQ(office.submit("a", event)["outcome"], "again");
  office.open();
  EXPECT_EQ(office.submit("a", event)["outcome"], "again");
  EXPECT_EQ(office.submit("b", event)["outcome"], "refused");
  EXPECT_EQ(office.desk->state().counts().decisions, 1);
  EXPECT_EQ(office.desk->state().last_seq(), 1);
}

TEST(Desk, AnEditThatChangesNothingSentTwiceCountsOnceToo) {
  Office office(rows(1));
  const auto key = office.keys("a", 1)[0];
  const Json event = {{"id", "the-same-id"},
                      {"kind", "decide"},
                      {"item", key},
                      {"action", "edit"},
                      {"answer", theme_row("x")["themes"]}};
  EXPECT_EQ(office.submit("a", event)["outcome"], "ok");
  EXPECT_EQ(office.submit("a", event)["outcome"], "again");
  EXPECT_EQ(office.desk->state().counts().accepted, 1);
}

TEST(Desk, ADecisionOnAnOldVersionIsStaleAndChangesNothing) {
  Office office(rows(1));
  const auto key = office.keys("a", 1)[0];
  EXPECT_EQ(office.decide("a", key, "accept", {{"version", 0}})["version"], 1);
  const auto late = office.decide("a", key, "reject", {{"version", 0}, {"reason", 2}});
  EXPECT_EQ(late["outcome"], "stale");
  EXPECT_EQ(late["now"]["mine"]["action"], "accept");
  EXPECT_EQ(office.decide("a", key, "edit", {{"version", 1}, {"answer", edited()}})["outcome"], "ok");
  EXPECT_EQ(office.desk->state().counts().edited, 1);
  // What others think is their own: it makes nobody's decision stale.
  EXPECT_EQ(office.decide("b", key, "accept", {{"version", 0}})["outcome"], "ok");
}

TEST(Desk, UndoGoesBackAcrossItemsAndOverARevision) {
  Office office(rows(2));
  const auto keys = office.keys("a", 2);
  office.decide("a", keys[0], "accept");
  const auto first = office.last_id();
  office.decide("a", keys[1], "reject", {{"reason", 1}});
  const auto second = office.last_id();
  const auto undo = [&](const std::string& id, const std::string& target, const std::string& person = "a") {
    return office.submit(person, {{"id", id}, {"kind", "undo"}, {"target", target}});
  };
  EXPECT_EQ(undo("undo-0000", second, "b")["outcome"], "refused");
  EXPECT_EQ(undo("undo-0001", second)["outcome"], "ok");
  EXPECT_EQ(undo("undo-0001", second)["outcome"], "again");
  EXPECT_EQ(undo("undo-0002", second)["outcome"], "refused");
  EXPECT_EQ(undo("undo-0003", first)["outcome"], "ok");
  EXPECT_EQ(office.desk->state().counts().decisions, 0);
  EXPECT_EQ(office.keys("a", 2), keys);
  office.decide("a", keys[0], "accept");
  office.decide("a", keys[0], "reject", {{"reason", 1}});
  const auto revision = office.last_id();
  undo("undo-0004", revision);
  EXPECT_EQ(office.desk->state().find(keys[0])->decision_of("a")->action, Action::kAccept);
}

TEST(Desk, ASkippedItemGoesToOthersAndComesBackLast) {
  Office office(rows(2));
  const auto keys = office.keys("a", 1);
  EXPECT_EQ(office.decide("a", keys[0], "skip")["outcome"], "ok");
  const auto next = office.keys("a", 5);
  ASSERT_EQ(next.size(), 2U);
  EXPECT_EQ(next[1], keys[0]);
  office.now_ms += 1001;
  EXPECT_EQ(office.keys("b", 5).front(), keys[0]);
}

TEST(Desk, PeopleWhoDisagreeAreSettledByALastWord) {
  Office office(rows(1), {}, 1.0);
  const auto key = office.keys("a", 1)[0];
  office.decide("a", key, "accept");
  EXPECT_EQ(office.desk->state().find(key)->status(), ItemStatus::kOpen);
  office.decide("b", key, "edit", {{"answer", edited()}});
  EXPECT_EQ(office.desk->state().find(key)->status(), ItemStatus::kDisputed);
  ASSERT_EQ(office.desk->disputes()["items"].size(), 1U);
  const auto dispute = office.desk->dispute(key);
  EXPECT_EQ(dispute["opinions"].size(), 2U);
  EXPECT_EQ(dump_json(dispute).find("\"person\""), std::string::npos);
  const Json settle = {{"id", "settle-01"}, {"kind", "settle"}, {"item", key},
                       {"version", 2},      {"action", "edit"}, {"answer", edited()}};
  const auto events = parse_client_events({{"events", Json::array({settle})}});
  EXPECT_EQ(office.desk->submit({.name = "c", .may_settle = false}, events)["results"][0]["outcome"], "refused");
  Json old = settle;
  old["version"] = 1;
  EXPECT_EQ(office.submit("c", old)["outcome"], "stale");
  EXPECT_EQ(office.submit("c", settle)["outcome"], "ok");
  EXPECT_EQ(office.desk->state().find(key)->status(), ItemStatus::kSettled);
  EXPECT_EQ(office.desk->state().find(key)->verdict()->person, "c");
  EXPECT_TRUE(office.desk->disputes()["items"].empty());
}

TEST(Desk, GoldItemsComeToEverybodyAndLookLikeTheOthers) {
  auto gold = rows(4);
  for (std::size_t i = 0; i < gold.size(); ++i) {
    gold[i] = theme_row("gold" + std::to_string(i), R"([])");
    gold[i]["shown"] = theme_row("x")["themes"];
    gold[i]["note for us"] = "hidden";
  }
  Office office(rows(60), gold, 0, 10);
  EXPECT_EQ(office.counts.gold, 4);
  const auto lease = office.desk->lease({.name = "a"}, 50, {});
  std::set<std::vector<std::string>> shapes;
  int num_gold = 0;
  std::string key;
  for (const auto& item : lease["items"]) {
    std::vector<std::string> shape;
    for (const auto& entry : item["fields"].items()) shape.push_back(entry.key());
    for (const auto& entry : item.items()) shape.push_back(entry.key());
    shapes.insert(shape);
    if (office.desk->state().find(item["key"].get<std::string>())->head.is_gold) {
      ++num_gold;
      key = item["key"];
    }
  }
  EXPECT_EQ(shapes.size(), 1U);
  EXPECT_EQ(dump_json(lease).find("gold"), dump_json(lease).find("gold0", 0));  // In the review's text alone.
  EXPECT_EQ(num_gold, 4);
  office.decide("a", key, "edit", {{"answer", Json::array()}});
  office.decide("b", key, "accept");
  const auto scores = office.desk->gold_scores();
  ASSERT_EQ(scores.size(), 2U);
  EXPECT_EQ(scores[0].right, 1);
  EXPECT_EQ(scores[1].right, 0);
  EXPECT_EQ(office.desk->state().counts().items, 60);
}

TEST(Desk, ASetIsAcceptedOnlyAfterItsSampleWas) {
  Office office(rows(30));
  const auto sets = office.desk->sets({.name = "a"})["sets"];
  ASSERT_EQ(sets.size(), 1U);
  const std::string set = sets[0]["set"];
  const auto accept = [&](const std::string& id) {
    return office.submit("a", {{"id", id}, {"kind", "accept_set"}, {"set", set}});
  };
  const auto early = accept("bulk-0001");
  EXPECT_EQ(early["outcome"], "refused");
  EXPECT_NE(early["message"].get<std::string>().find("5 of the sample of 5"), std::string::npos);
  const auto opened = office.desk->open_set({.name = "a"}, set);
  ASSERT_EQ(opened["items"].size(), 5U);
  for (const auto& item : opened["items"]) office.decide("a", item["key"], "accept");
  const auto done = accept("bulk-0002");
  EXPECT_EQ(done["outcome"], "ok");
  EXPECT_EQ(done["count"], 25);
  EXPECT_EQ(accept("bulk-0002")["outcome"], "again");
  EXPECT_EQ(office.desk->state().counts().accepted, 30);
  EXPECT_EQ(office.submit("a", {{"id", "undo-0001"}, {"kind", "undo"}, {"target", "bulk-0002"}})["count"], 25);
  EXPECT_EQ(office.submit("a", {{"id", "undo-0001"}, {"kind", "undo"}, {"target", "bulk-0002"}})["outcome"], "again");
  EXPECT_EQ(office.desk->state().counts().accepted, 5);
}

TEST(Desk, ASampleWithAnEditKeepsTheRestFromBeingAccepted) {
  Office office(rows(30));
  const std::string set = office.desk->sets({.name = "a"})["sets"][0]["set"];
  const auto opened = office.desk->open_set({.name = "a"}, set);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto key = opened["items"][i]["key"];
    if (i == 3) {
      office.decide("a", key, "edit", {{"answer", edited()}});
    } else {
      office.decide("a", key, "accept");
    }
  }
  const auto refused = office.submit("a", {{"id", "bulk-0001"}, {"kind", "accept_set"}, {"set", set}});
  EXPECT_EQ(refused["outcome"], "refused");
  EXPECT_EQ(office.desk->state().counts().decisions, 5);
}

TEST(Desk, WrongEventsAreRefusedOneByOneAndTheOthersTaken) {
  Office office(rows(3));
  const auto keys = office.keys("a", 3);
  const Json batch = {
      {"events",
       Json::array(
           {{{"id", "event-01"}, {"kind", "decide"}, {"item", keys[0]}, {"action", "accept"}},
            {{"id", "event-02"}, {"kind", "decide"}, {"item", "none"}, {"action", "accept"}},
            {{"id", "event-03"}, {"kind", "decide"}, {"item", keys[1]}, {"action", "edit"}, {"answer", "x"}},
            {{"id", "event-04"}, {"kind", "decide"}, {"item", keys[1]}, {"action", "accept"}, {"guideline", "unknown"}},
            {{"id", "event-05"}, {"kind", "undo"}, {"target", "event-01"}}})}};
  const auto results = office.desk->submit({.name = "a"}, parse_client_events(batch))["results"];
  std::vector<std::string> outcomes;
  for (const auto& result : results) outcomes.push_back(result["outcome"]);
  EXPECT_EQ(outcomes, (std::vector<std::string>{"ok", "refused", "refused", "refused", "ok"}));
}

TEST(Desk, WhatIsMalformedIsRefusedWithItsPlace) {
  const auto error_of = [](const char* body) -> std::string {
    try {
      parse_client_events(Json::parse(body));
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_NE(error_of(R"({})").find("events"), std::string::npos);
  EXPECT_NE(error_of(R"({"events": [{"id": "short", "kind": "undo"}]})").find("id: expected 8 to 64"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"events": [{"id": "12345678", "kind": "sing"}]})").find("events/0"), std::string::npos);
  EXPECT_NE(
      error_of(R"({"events": [{"id": "12345678", "kind": "decide", "item": "a", "action": "reject", "reason": 12}]})")
          .find("1 to 9"),
      std::string::npos);
  EXPECT_NE(
      error_of(R"({"events": [{"id": "12345678", "kind": "decide", "item": "a", "action": "edit"}]})").find("answer"),
      std::string::npos);
  EXPECT_NE(error_of(R"({"events": [{"id": "12345678", "kind": "settle", "item": "a", "action": "accept"}]})")
                .find("edit or reject"),
            std::string::npos);
}

TEST(Desk, EachDecisionKeepsTheGuidelinesThatItWasMadeBy) {
  Office office(rows(2));
  const auto keys = office.keys("a", 2);
  office.desk->set_guidelines("first");
  const std::string first = office.desk->guideline();
  office.decide("a", keys[0], "accept", {{"guideline", first}});
  office.desk->set_guidelines("second");
  office.decide("a", keys[1], "accept");
  EXPECT_EQ(office.desk->state().find(keys[0])->decision_of("a")->guideline, first);
  EXPECT_EQ(office.desk->state().find(keys[1])->decision_of("a")->guideline, office.desk->guideline());
  office.open();
  EXPECT_EQ(office.desk->guidelines(first), "first");
  EXPECT_EQ(office.desk->guidelines(office.desk->guideline()), "second");
}

TEST(Desk, TheStateIsTheFoldOfItsEvents) {
  Office office(rows(30), {}, 0.5);
  for (std::uint64_t i = 0; i < 400; ++i) {
    const auto draw = [&](std::uint64_t what, std::uint64_t bound) { return uniform_int(7, what, i, bound); };
    const std::string person(1, static_cast<char>('a' + draw(0, 3)));
    const auto& items = office.desk->state().items();
    const auto& item = items[draw(1, items.size())];
    switch (draw(2, 5)) {
      case 0: office.decide(person, item.head.key, "accept"); break;
      case 1: office.decide(person, item.head.key, "edit", {{"answer", edited()}}); break;
      case 2: office.decide(person, item.head.key, "reject", {{"reason", 1 + draw(3, 9)}}); break;
      case 3: office.decide(person, item.head.key, "skip"); break;
      default:
        if (const auto* known = item.decision_of(person); known != nullptr)
          office.submit(person, {{"id", "undo-" + std::to_string(1000 + i)}, {"kind", "undo"}, {"target", known->id}});
    }
  }
  const State folded = load_state(*office.store);
  EXPECT_EQ(folded.fingerprint(), office.desk->state().fingerprint());
  EXPECT_EQ(folded.last_seq(), office.desk->state().last_seq());
  EXPECT_GT(folded.last_seq(), 200);
}

TEST(Desk, AnotherServerOnTheSameStoreIsRefused) {
  Office office(rows(1));
  const auto second = office.workplace.store();
  try {
    Desk desk(*second, nullptr, {.now_ms = [] { return std::int64_t{0}; }});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
  }
}

TEST(Desk, RowsThatCameLaterAreGivenOut) {
  Office office(rows(1));
  EXPECT_EQ(office.keys("a", 9).size(), 1U);
  const auto other = office.workplace.store();
  ImportOptions options;
  options.input = {office.workplace.write("more.jsonl", testing::jsonl(rows(4)))};
  options.overlap = 0;
  const auto counts = import_rows(*other, options, nullptr);
  EXPECT_EQ(counts.added, 3);
  EXPECT_EQ(counts.known, 1);
  EXPECT_TRUE(office.desk->take_new_items());
  EXPECT_FALSE(office.desk->take_new_items());
  EXPECT_EQ(office.keys("a", 9).size(), 4U);
}

}  // namespace
}  // namespace onggi::review
