#include "tubing/sim/scenarios/disk_model.h"

#include <doctest/doctest.h>

namespace tubing::sim {
namespace {

using channel::DiskOperation;
using channel::kSectorBytes;

Bytes filled(std::size_t size, char with) { return Bytes(size, static_cast<std::byte>(with)); }

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes whole;
  for (const Bytes& part : parts) append(whole, part);
  return whole;
}

void do_step(DiskModel& model, DiskStep step, Code code = Code::ok) {
  model.end(model.begin(std::move(step)), code);
}

/// "a" holds two durable sectors of 'o'.
DiskModel with_file() {
  DiskModel model;
  model.adopt({{"a", filled(2 * kSectorBytes, 'o')}});
  return model;
}

bool may_remain(const DiskModel& model, const Bytes& content) {
  return model.may_remain({{"a", content}}).empty();
}

const DiskStep kSync{.operation = DiskOperation::sync, .path = "a"};
const DiskStep kSyncRoot{.operation = DiskOperation::sync_dir, .path = ""};

}  // namespace

TEST_CASE("a disk model takes any sectors of a write that was not synced and no other bytes") {
  DiskModel model = with_file();
  do_step(model, {.path = "a", .bytes = filled(2 * kSectorBytes, 'n')});
  const Bytes o = filled(kSectorBytes, 'o');
  const Bytes n = filled(kSectorBytes, 'n');
  for (const Bytes& content : {joined({o, o}), joined({o, n}), joined({n, o}), joined({n, n})})
    CHECK(may_remain(model, content));
  CHECK_FALSE(may_remain(model, joined({filled(256, 'n'), filled(256, 'o'), o})));
  CHECK_FALSE(may_remain(model, joined({o, filled(kSectorBytes, '\0')})));
  CHECK_FALSE(may_remain(model, o));
  CHECK(model.check_read("a", 0, 2000, joined({n, n})).empty());
  CHECK_FALSE(model.check_read("a", 0, 2000, joined({n, o})).empty());
  CHECK_FALSE(model.check_read("a", 0, 2000, n).empty());
  do_step(model, kSync);
  CHECK(may_remain(model, joined({n, n})));
  CHECK_FALSE(may_remain(model, joined({n, o})));
}

TEST_CASE("a disk model lets a sync cover only what was complete before") {
  DiskModel model = with_file();
  const auto sync = model.begin(kSync);
  do_step(model, {.path = "a", .bytes = filled(kSectorBytes, 'n')});
  model.end(sync, Code::ok);
  CHECK(may_remain(model, filled(2 * kSectorBytes, 'o')));
  do_step(model, kSync);
  CHECK_FALSE(may_remain(model, filled(2 * kSectorBytes, 'o')));
}

TEST_CASE("a disk model takes every size between those that a file had and zeros for lost bytes") {
  DiskModel model = with_file();
  do_step(model, {.path = "a", .offset = 2 * kSectorBytes, .bytes = filled(100, 'n')});
  const Bytes old = filled(2 * kSectorBytes, 'o');
  CHECK(may_remain(model, old));
  CHECK(may_remain(model, joined({old, filled(50, 'n')})));
  CHECK(may_remain(model, joined({old, filled(100, '\0')})));
  CHECK_FALSE(may_remain(model, joined({old, filled(101, '\0')})));
  CHECK_FALSE(may_remain(model, joined({old, filled(100, 'x')})));
  do_step(model, {.operation = DiskOperation::truncate, .path = "a", .length = 10});
  CHECK(may_remain(model, filled(10, 'o')));
  CHECK_FALSE(may_remain(model, filled(9, 'o')));
  CHECK(model.check_size("a", 10).empty());
  CHECK_FALSE(model.check_size("a", 11).empty());
  do_step(model, kSync);
  CHECK(may_remain(model, filled(10, 'o')));
  CHECK_FALSE(may_remain(model, old));
}

TEST_CASE("a disk model takes either of two contents after a failed sync or a failed write") {
  DiskModel model = with_file();
  do_step(model, {.path = "a", .bytes = filled(2 * kSectorBytes, 'n')});
  do_step(model, kSync, Code::data_loss);
  do_step(model, kSync);
  CHECK(may_remain(model, filled(2 * kSectorBytes, 'o')));
  CHECK(may_remain(model, filled(2 * kSectorBytes, 'n')));
  CHECK(model.check_read("a", 0, 2000, filled(2 * kSectorBytes, 'o')).empty());
  do_step(model, {.path = "a", .bytes = filled(2 * kSectorBytes, 'w')}, Code::data_loss);
  do_step(model, kSync);
  for (const char content : {'o', 'n', 'w'})
    CHECK(may_remain(model, filled(2 * kSectorBytes, content)));
  CHECK_FALSE(may_remain(model, filled(2 * kSectorBytes, 'x')));
  do_step(model, {.path = "a", .bytes = filled(2 * kSectorBytes, 'z')});
  do_step(model, kSync);
  CHECK(may_remain(model, filled(2 * kSectorBytes, 'z')));
  CHECK_FALSE(may_remain(model, filled(2 * kSectorBytes, 'w')));
}

TEST_CASE("a disk model takes a rename whole or not at all and names in their order") {
  const Bytes text = filled(10, 't');
  DiskModel model;
  model.adopt({{"a", text}, {"b", filled(5, 'b')}});
  do_step(model, {.operation = DiskOperation::rename, .path = "a", .target = "b"});
  CHECK(model.may_remain({{"a", text}, {"b", filled(5, 'b')}}).empty());
  CHECK(model.may_remain({{"b", text}}).empty());
  CHECK_FALSE(model.may_remain({{"a", text}}).empty());
  CHECK_FALSE(model.may_remain({{"a", text}, {"b", text}}).empty());
  CHECK_FALSE(model.may_remain({}).empty());
  do_step(model, {.operation = DiskOperation::rename, .path = "b", .target = "c"});
  do_step(model, {.operation = DiskOperation::make_dir, .path = "d"});
  CHECK(model.may_remain({{"c", text}}).empty());
  CHECK(model.may_remain({{"a", text}, {"b", filled(5, 'b')}, {"d", std::nullopt}}).empty());
  CHECK_FALSE(model.may_remain({{"a", text}, {"c", text}}).empty());
  CHECK_FALSE(model.may_remain({{"c", text}, {"d", text}}).empty());
  do_step(model, kSyncRoot);
  CHECK(model.may_remain({{"c", text}, {"d", std::nullopt}}).empty());
  CHECK_FALSE(model.may_remain({{"c", text}}).empty());
  CHECK(model.check_list("", {{"c", false}, {"d", true}}).empty());
  CHECK_FALSE(model.check_list("", {{"c", false}}).empty());
}

TEST_CASE("a disk model leaves open what was under way when its process ended") {
  DiskModel model = with_file();
  (void)model.begin({.path = "a", .bytes = filled(kSectorBytes, 'n')});
  (void)model.begin({.operation = DiskOperation::make_dir, .path = "d"});
  model.end_process();
  const Bytes o = filled(kSectorBytes, 'o');
  DiskModel other = model;
  CHECK(model.find_after_crash({{"a", joined({o, o})}}).empty());
  CHECK_FALSE(model.exists("d"));
  CHECK(other.find_after_crash({{"a", joined({filled(kSectorBytes, 'n'), o})}, {"d", std::nullopt}})
            .empty());
  CHECK(other.exists("d"));
  CHECK(other.may_remain({{"a", joined({o, o})}}).empty());
  CHECK_FALSE(other.find_after_crash({{"a", joined({o, o})}}).empty());
}

TEST_CASE("a disk model takes anything where a disk was damaged until it is written again") {
  DiskModel model = with_file();
  model.damage("a", 10, 1);
  CHECK(may_remain(model, joined({filled(kSectorBytes, '?'), filled(kSectorBytes, 'o')})));
  CHECK_FALSE(may_remain(model, joined({filled(kSectorBytes, 'o'), filled(kSectorBytes, '?')})));
  do_step(model, {.path = "a", .bytes = filled(kSectorBytes, 'n')});
  CHECK_FALSE(model.check_read("a", 0, kSectorBytes, filled(kSectorBytes, '?')).empty());
  // Damage that comes while a sync is under way is not what the sync made durable.
  const auto sync = model.begin(kSync);
  model.damage("a", 0, kSectorBytes);
  model.end(sync, Code::ok);
  CHECK(may_remain(model, joined({filled(kSectorBytes, '?'), filled(kSectorBytes, 'o')})));
  do_step(model, {.path = "a", .bytes = filled(kSectorBytes, 'n')});
  do_step(model, kSync);
  CHECK_FALSE(may_remain(model, joined({filled(kSectorBytes, '?'), filled(kSectorBytes, 'o')})));
}

TEST_CASE("a disk model takes damage of a file whose name a change that is under way has taken") {
  const Bytes o = filled(kSectorBytes, 'o');
  const Bytes spoilt = filled(kSectorBytes, '?');
  DiskModel before;
  before.adopt({{"a", o}, {"b", o}, {"d", std::nullopt}, {"d/x", o}});
  const auto with = [&](const Bytes& a, const Bytes& b, const Bytes& x) {
    return DiskImage{{"a", a}, {"b", b}, {"d", std::nullopt}, {"d/x", x}};
  };
  // The disk did it before the damage, and the power loss that follows takes it back.
  const auto taken_back = [&](DiskStep step, const std::string& damaged) {
    DiskModel model = before;
    (void)model.begin(std::move(step));
    model.damage(damaged, 0, kSectorBytes);
    model.end_process();
    std::string spoilt_there;
    if (model.may_remain(with(spoilt, o, o)).empty()) spoilt_there += 'a';
    if (model.may_remain(with(o, spoilt, o)).empty()) spoilt_there += 'b';
    if (model.may_remain(with(o, o, spoilt)).empty()) spoilt_there += 'x';
    CHECK(model.may_remain(with(o, o, o)).empty());
    return spoilt_there;
  };
  const DiskStep remove{.operation = DiskOperation::remove, .path = "a"};
  const DiskStep rename{.operation = DiskOperation::rename, .path = "a", .target = "b"};
  const DiskStep move{.operation = DiskOperation::rename, .path = "d", .target = "e"};
  CHECK(taken_back(remove, "") == "a");
  CHECK(taken_back(remove, "a") == "a");
  CHECK(taken_back(remove, "b") == "b");
  CHECK(taken_back(rename, "") == "b");
  CHECK(taken_back(rename, "a") == "a");
  CHECK(taken_back(rename, "b") == "ab");  // the one that it was, or the one that it is
  CHECK(taken_back(move, "e/x") == "x");
  CHECK(taken_back(move, "d/x") == "x");
  CHECK(taken_back(move, "") == "");
}

}  // namespace tubing::sim
