#include <doctest/doctest.h>

#include "tests/tidy/snippet.h"

namespace tidy = tubing::tidy;

namespace {

// One include in one file, and whether the rule refuses it.
struct Row {
  std::string path;
  std::string include;
  std::size_t count;
};

template <std::size_t N>
void check_rows(tidy::Findings (*check)(const tidy::Tree&), const Row (&rows)[N]) {
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CAPTURE(row.include);
    CHECK(tidy::count_found(check, row.path, "#include " + row.include + "\n") == row.count);
  }
}

}  // namespace

TEST_CASE("an include that does not name its module is found") {
  check_rows(tidy::check_include_form, {
                                           {"rpc/a.h", "\"tubing/rpc/b.h\"", 0},
                                           {"rpc/a.h", "<vector>", 0},
                                           {"rpc/a.h", "\"b.h\"", 1},
                                           {"rpc/a.h", "\"rpc/b.h\"", 1},
                                           {"rpc/a.h", "<tubing/rpc/b.h>", 1},
                                           {"rpc/a.h", "\"tests/b.h\"", 1},
                                           {"tests/rpc/a.cpp", "\"tests/skip.h\"", 0},
                                           {"bench/a.cpp", "\"report.h\"", 0},
                                           {"bench/a.cpp", "\"rpc/b.h\"", 1},
                                       });
}

TEST_CASE("an include against the arrows is found") {
  check_rows(tidy::check_module_arrows, {
                                            {"channel/base/a.h", "\"tubing/channel/task.h\"", 1},
                                            {"channel/base/a.h", "<uv.h>", 1},
                                            {"channel/base/a.h", "<fmt/format.h>", 0},
                                            {"channel/a.h", "\"tubing/rpc/b.h\"", 1},
                                            {"channel/a.h", "\"tubing/channel/base/b.h\"", 0},
                                            {"crypto/a.h", "\"tubing/channel/base/b.h\"", 0},
                                            {"crypto/a.h", "\"tubing/channel/task.h\"", 1},
                                            {"rpc/a.h", "\"tubing/crypto/b.h\"", 0},
                                            {"rpc/a.h", "\"tubing/sim/b.h\"", 1},
                                            {"tube/core/a.h", "\"tubing/channel/task.h\"", 1},
                                            {"tube/core/a.h", "\"tubing/channel/base/b.h\"", 0},
                                            {"tube/a.h", "\"tubing/channel/task.h\"", 0},
                                            {"tube/a.h", "\"tubing/rpc/b.h\"", 1},
                                            {"tube/cli/a.cpp", "\"tubing/rpc/b.h\"", 0},
                                            {"sim/a.h", "\"tubing/tube/b.h\"", 0},
                                            {"tests/tube/a.cpp", "\"tubing/sim/b.h\"", 0},
                                        });
}

TEST_CASE("another module's private header is found") {
  check_rows(tidy::check_private_headers,
             {
                 {"rpc/a.h", "\"tubing/channel/detail/b.h\"", 1},
                 {"channel/a.h", "\"tubing/channel/detail/b.h\"", 0},
                 {"tests/channel/a.cpp", "\"tubing/channel/detail/b.h\"", 0},
                 {"tests/rpc/a.cpp", "\"tubing/channel/detail/b.h\"", 1},
                 {"sim/a.h", "\"tubing/tube/core/detail/b.h\"", 1},
             });
}

TEST_CASE("a third-party header outside its seam is found") {
  check_rows(tidy::check_third_party, {
                                          {"channel/uv_reactor.cpp", "<uv.h>", 0},
                                          {"rpc/tcp_link.cpp", "<uv.h>", 0},
                                          {"channel/posix_disk.cpp", "<uv.h>", 0},
                                          {"channel/task.cpp", "<uv.h>", 1},
                                          {"tests/channel/uv_reactor_test.cpp", "<uv.h>", 0},
                                          {"channel/detail/codec_read.h", "<msgpack.hpp>", 0},
                                          {"rpc/a.cpp", "<msgpack/object.hpp>", 1},
                                          {"crypto/a.cpp", "<sodium.h>", 0},
                                          {"rpc/a.cpp", "<sodium.h>", 1},
                                      });
  const char* text = "void f() { randombytes_buf(p, 3); }";
  CHECK(tidy::count_found(tidy::check_third_party, "crypto/system_entropy.cpp", text) == 0);
  CHECK(tidy::count_found(tidy::check_third_party, "crypto/identity.cpp", text) == 1);
}
