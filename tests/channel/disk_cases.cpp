#include "tests/channel/disk_cases.h"

#include <doctest/doctest.h>

#include "tests/channel/disk_text.h"

namespace tubing::test {
namespace {

using channel::Disk;
using channel::DiskEntry;
using channel::DiskLimits;
using channel::File;
using channel::OpenMode;

Task<File> make_file(Disk& disk, std::string path, std::string_view text) {
  File file = co_await ok(disk.open(std::move(path), OpenMode::create));
  co_await ok(file.write(0, bytes_of(text)));
  co_return file;
}

Task<std::string> content(Disk& disk, std::string path) {
  File file = co_await ok(disk.open(std::move(path), OpenMode::read));
  co_return text_of(co_await ok(file.read(0, 10'000)));
}

Task<> reads_what_was_written(DiskHouse& house) {
  auto disk = house.open();
  File file = co_await ok(make_file(*disk, "a", "0123456789"));
  co_await ok(file.write(4, bytes_of("xy")));
  const std::string text = text_of(co_await ok(file.read(0, 10)));
  CHECK(text == "0123xy6789");
  co_return {};
}

Task<> reads_less_at_the_end(DiskHouse& house) {
  auto disk = house.open();
  File file = co_await ok(make_file(*disk, "a", "0123456789"));
  const std::string end = text_of(co_await ok(file.read(8, 10)));
  CHECK(end == "89");
  const Bytes behind = co_await ok(file.read(10, 10));
  CHECK(behind.empty());
  const Bytes far_behind = co_await ok(file.read(1'000'000, 10));
  CHECK(far_behind.empty());
  const Bytes none = co_await ok(file.read(3, 0));
  CHECK(none.empty());
  co_return {};
}

Task<> fills_a_gap_with_zeros(DiskHouse& house) {
  auto disk = house.open();
  File file = co_await ok(make_file(*disk, "a", "ab"));
  co_await ok(file.write(5, bytes_of("c")));
  const std::string gap = text_of(co_await ok(file.read(0, 10)));
  CHECK(gap == std::string_view("ab\0\0\0c", 6));
  co_await ok(file.write(9000, bytes_of("d")));
  const Bytes wide = co_await ok(file.read(0, 10'000));
  CHECK(wide.size() == 9001);
  CHECK(wide[8999] == std::byte{0});
  co_await ok(file.write(20'000, Bytes()));
  const std::uint64_t size = co_await ok(file.size());
  CHECK(size == 9001);
  co_return {};
}

Task<> writes_parts_behind_each_other(DiskHouse& house) {
  auto disk = house.open();
  File file = co_await ok(make_file(*disk, "a", ".........."));
  std::vector<Bytes> parts;
  for (const std::string_view part : {"one", "", "two", "x"}) parts.push_back(bytes_of(part));
  co_await ok(file.write(1, std::move(parts)));
  const std::string text = text_of(co_await ok(file.read(0, 100)));
  CHECK(text == ".onetwox..");
  std::vector<Bytes> many(channel::kWritePartsMax, bytes_of("p"));
  co_await ok(file.write(0, many));
  const std::uint64_t size = co_await ok(file.size());
  CHECK(size == channel::kWritePartsMax);
  many.emplace_back();
  const auto more = co_await file.write(0, std::move(many));
  CHECK(more.code() == Code::invalid_argument);
  co_return {};
}

Task<> truncates_both_ways(DiskHouse& house) {
  auto disk = house.open();
  File file = co_await ok(make_file(*disk, "a", "0123456789"));
  co_await ok(file.truncate(4));
  co_await ok(file.truncate(6));
  const std::string text = text_of(co_await ok(file.read(0, 100)));
  CHECK(text == std::string_view("0123\0\0", 6));
  co_await ok(file.truncate(0));
  co_await ok(file.write(2, bytes_of("z")));
  const std::string again = text_of(co_await ok(file.read(0, 100)));
  CHECK(again == std::string_view("\0\0z", 3));
  co_return {};
}

Task<> preallocates_zeros(DiskHouse& house) {
  auto disk = house.open();
  File file = co_await ok(make_file(*disk, "a", "abc"));
  co_await ok(file.preallocate(2, 6));
  const std::string text = text_of(co_await ok(file.read(0, 100)));
  CHECK(text == std::string_view("abc\0\0\0\0\0", 8));
  co_await ok(file.preallocate(0, 4));
  const std::uint64_t size = co_await ok(file.size());
  CHECK(size == 8);
  const auto nothing = co_await file.preallocate(3, 0);
  CHECK(nothing.code() == Code::invalid_argument);
  co_return {};
}

Task<> opens_as_it_is_told(DiskHouse& house) {
  auto disk = house.open();
  for (const OpenMode mode : {OpenMode::read, OpenMode::write}) {
    const auto missing = co_await disk->open("a", mode);
    CHECK(missing.code() == Code::not_found);
    CHECK(missing.error().text().find("a: ") != std::string::npos);
  }
  File made = co_await ok(disk->open("a", OpenMode::create_new));
  co_await ok(made.write(0, bytes_of("kept")));
  const auto again = co_await disk->open("a", OpenMode::create_new);
  CHECK(again.code() == Code::already_exists);
  File opened = co_await ok(disk->open("a", OpenMode::create));
  const std::string kept = text_of(co_await ok(opened.read(0, 100)));
  CHECK(kept == "kept");
  const auto nowhere = co_await disk->open("no/a", OpenMode::create);
  CHECK(nowhere.code() == Code::not_found);
  const auto below_a_file = co_await disk->open("a/b", OpenMode::create);
  CHECK(below_a_file.code() == Code::invalid_argument);
  co_return {};
}

Task<> keeps_a_reader_from_writing(DiskHouse& house) {
  auto disk = house.open();
  File made = co_await ok(make_file(*disk, "a", "text"));
  File file = co_await ok(disk->open("a", OpenMode::read));
  const auto written = co_await file.write(0, bytes_of("x"));
  CHECK(written.code() == Code::failed_precondition);
  const auto cut = co_await file.truncate(1);
  CHECK(cut.code() == Code::failed_precondition);
  const auto taken = co_await file.preallocate(0, 10);
  CHECK(taken.code() == Code::failed_precondition);
  co_await ok(file.sync());
  const std::string text = text_of(co_await ok(file.read(0, 100)));
  CHECK(text == "text");
  co_return {};
}

Task<> refuses_a_folder_as_a_file(DiskHouse& house) {
  auto disk = house.open();
  co_await ok(disk->make_dir("d"));
  for (const OpenMode mode : {OpenMode::read, OpenMode::write, OpenMode::create}) {
    const auto opened = co_await disk->open("d", mode);
    CHECK(opened.code() == Code::invalid_argument);
  }
  const auto made = co_await disk->open("d", OpenMode::create_new);
  CHECK(made.code() == Code::already_exists);
  CHECK(disk->open_files() == 0);
  co_return {};
}

Task<> refuses_paths_that_lead_out(DiskHouse& house) {
  auto disk = house.open();
  const std::string long_name(channel::kNameBytesMax + 1, 'n');
  const std::string long_path(channel::kPathBytesMax, '/');
  const std::string bad[] = {"/etc/passwd", "..",      "../a",    "a/../b",
                             ".",           "./a",     "a//b",    "a/",
                             "/",           long_name, long_path, std::string("a\0b", 3)};
  for (const std::string& path : bad) {
    CAPTURE(path);
    const auto opened = co_await disk->open(path, OpenMode::create);
    CHECK(opened.code() == Code::invalid_argument);
    const auto made = co_await disk->make_dir(path);
    CHECK(made.code() == Code::invalid_argument);
    const auto removed = co_await disk->remove(path);
    CHECK(removed.code() == Code::invalid_argument);
    const auto listed = co_await disk->list(path);
    CHECK(listed.code() == Code::invalid_argument);
    const auto synced = co_await disk->sync_dir(path);
    CHECK(synced.code() == Code::invalid_argument);
    const auto renamed = co_await disk->rename("a", path);
    CHECK(renamed.code() == Code::invalid_argument);
    const auto looked = co_await disk->stat(path);
    CHECK(looked.code() == Code::invalid_argument);
  }
  const auto root = co_await disk->remove("");
  CHECK(root.code() == Code::invalid_argument);
  const auto entries = co_await ok(disk->list(""));
  CHECK(entries.empty());
  co_return {};
}

Task<> renames_in_one_step(DiskHouse& house) {
  auto disk = house.open();
  (void)co_await ok(make_file(*disk, "a", "new"));
  (void)co_await ok(make_file(*disk, "b", "old"));
  co_await ok(disk->rename("a", "b"));
  const std::string text = co_await ok(content(*disk, "b"));
  CHECK(text == "new");
  const auto gone = co_await disk->stat("a");
  CHECK(gone.code() == Code::not_found);
  const auto missing = co_await disk->rename("a", "c");
  CHECK(missing.code() == Code::not_found);
  co_await ok(disk->rename("b", "b"));
  const std::string same = co_await ok(content(*disk, "b"));
  CHECK(same == "new");
  co_return {};
}

Task<> renames_folders(DiskHouse& house) {
  auto disk = house.open();
  co_await ok(disk->make_dir("d"));
  co_await ok(disk->make_dir("empty"));
  co_await ok(disk->make_dir("full"));
  (void)co_await ok(make_file(*disk, "d/a", "inside"));
  (void)co_await ok(make_file(*disk, "full/a", "there"));
  (void)co_await ok(make_file(*disk, "f", "file"));
  co_await ok(disk->rename("d", "empty"));
  const std::string text = co_await ok(content(*disk, "empty/a"));
  CHECK(text == "inside");
  const auto onto_full = co_await disk->rename("empty", "full");
  CHECK(onto_full.code() == Code::failed_precondition);
  const auto onto_file = co_await disk->rename("empty", "f");
  CHECK(onto_file.code() == Code::invalid_argument);
  const auto onto_folder = co_await disk->rename("f", "full");
  CHECK(onto_folder.code() == Code::invalid_argument);
  const auto elsewhere = co_await disk->rename("f", "full/f");
  CHECK(elsewhere.code() == Code::invalid_argument);
  const auto still = co_await disk->stat("f");
  CHECK(still.code() == Code::ok);
  co_return {};
}

Task<> removes_what_it_may(DiskHouse& house) {
  auto disk = house.open();
  const auto missing = co_await disk->remove("a");
  CHECK(missing.code() == Code::not_found);
  co_await ok(disk->make_dir("d"));
  File file = co_await ok(make_file(*disk, "d/a", "open"));
  const auto full = co_await disk->remove("d");
  CHECK(full.code() == Code::failed_precondition);
  co_await ok(disk->remove("d/a"));
  const std::string text = text_of(co_await ok(file.read(0, 10)));
  CHECK(text == "open");
  co_await ok(file.write(0, bytes_of("O")));
  co_await ok(file.close());
  co_await ok(disk->remove("d"));
  const auto gone = co_await disk->list("d");
  CHECK(gone.code() == Code::not_found);
  co_return {};
}

Task<> lists_in_order(DiskHouse& house) {
  auto disk = house.open({.entries_max = 3});
  for (const char* name : {"b", "a"}) (void)co_await ok(make_file(*disk, name, "xyz"));
  co_await ok(disk->make_dir("c"));
  const auto again = co_await disk->make_dir("c");
  CHECK(again.code() == Code::already_exists);
  const auto entries = co_await ok(disk->list(""));
  CHECK(entries == std::vector<DiskEntry>{{"a", false}, {"b", false}, {"c", true}});
  const auto of_file = co_await disk->list("a");
  CHECK(of_file.code() == Code::invalid_argument);
  const auto of_none = co_await disk->list("none");
  CHECK(of_none.code() == Code::not_found);
  (void)co_await ok(make_file(*disk, "d", ""));
  const auto too_many = co_await disk->list("");
  CHECK(too_many.code() == Code::out_of_range);
  const auto file = co_await ok(disk->stat("a"));
  CHECK(file.size == 3);
  CHECK_FALSE(file.is_folder);
  const auto folder = co_await ok(disk->stat("c"));
  CHECK(folder.is_folder);
  const auto root = co_await ok(disk->stat(""));
  CHECK(root.is_folder);
  co_return {};
}

Task<> syncs_folders_that_are_there(DiskHouse& house) {
  auto disk = house.open();
  const auto missing = co_await disk->sync_dir("d");
  CHECK(missing.code() == Code::not_found);
  co_await ok(disk->make_dir("d"));
  co_await ok(disk->sync_dir("d"));
  co_await ok(disk->sync_dir(""));
  (void)co_await ok(make_file(*disk, "a", ""));
  const auto of_file = co_await disk->sync_dir("a");
  CHECK(of_file.code() == Code::invalid_argument);
  co_return {};
}

Task<> locks_for_one(DiskHouse& house) {
  auto disk = house.open();
  auto other = house.open();
  File first = co_await ok(make_file(*disk, "a", ""));
  File second = co_await ok(disk->open("a", OpenMode::write));
  File third = co_await ok(other->open("a", OpenMode::write));
  co_await ok(first.lock());
  co_await ok(first.lock());
  for (File* file : {&second, &third}) {
    const auto refused = co_await file->lock();
    CHECK(refused.code() == Code::failed_precondition);
    CHECK(refused.error().text().find("holds the lock") != std::string::npos);
  }
  co_await ok(third.write(0, bytes_of("no lock is needed")));
  co_await ok(first.close());
  co_await ok(third.lock());
  const auto refused = co_await second.lock();
  CHECK(refused.code() == Code::failed_precondition);
  co_return {};
}

Task<> tells_of_space(DiskHouse& house) {
  auto disk = house.open();
  const auto space = co_await ok(disk->free_space());
  CHECK(space.total_bytes > 0);
  CHECK(space.free_bytes <= space.total_bytes);
  co_return {};
}

Task<> shows_one_file_to_all(DiskHouse& house) {
  auto disk = house.open();
  auto other = house.open();
  File writer = co_await ok(make_file(*disk, "a", "first"));
  File reader = co_await ok(other->open("a", OpenMode::read, channel::DiskQueue::bulk));
  co_await ok(writer.write(0, bytes_of("second")));
  const std::string text = text_of(co_await ok(reader.read(0, 10)));
  CHECK(text == "second");
  co_return {};
}

}  // namespace

const std::vector<DiskCase>& disk_cases() {
  static const std::vector<DiskCase> kCases{
      {"it reads what was written", reads_what_was_written},
      {"it reads less at the end", reads_less_at_the_end},
      {"it fills a gap with zeros", fills_a_gap_with_zeros},
      {"it writes parts behind each other", writes_parts_behind_each_other},
      {"it truncates both ways", truncates_both_ways},
      {"it preallocates zeros", preallocates_zeros},
      {"it opens as it is told", opens_as_it_is_told},
      {"it keeps a reader from writing", keeps_a_reader_from_writing},
      {"it refuses a folder as a file", refuses_a_folder_as_a_file},
      {"it refuses paths that lead out", refuses_paths_that_lead_out},
      {"it renames in one step", renames_in_one_step},
      {"it renames folders", renames_folders},
      {"it removes what it may", removes_what_it_may},
      {"it lists in order", lists_in_order},
      {"it syncs folders that are there", syncs_folders_that_are_there},
      {"it locks for one", locks_for_one},
      {"it tells of space", tells_of_space},
      {"it shows one file to all", shows_one_file_to_all},
  };
  return kCases;
}

}  // namespace tubing::test
