#include <doctest/doctest.h>

#include "tests/tidy/snippet.h"

namespace tidy = tubing::tidy;

TEST_CASE("a capturing coroutine lambda is found unless its closure is kept") {
  struct Row {
    std::string code;
    std::size_t count;
  };
  const Row rows[] = {
      {"auto t = [&]() -> Task<> { co_return; }();", 1},
      {"f([x](int a) -> Task<> { co_await g(a); });", 1},
      {"return [this] { co_yield 1; };", 1},
      {"Closure c{[x]() -> Task<> { co_return; }};", 1},
      {"auto t = [](int a) -> Task<> { co_await g(a); }(1);", 0},
      {"n.spawn(\"a\", [&]() -> Task<> { co_await g(); });", 0},
      {"co_await nursery([&](Nursery& n) -> Task<> { co_return {}; });", 0},
      {"node.serve(kAdd, [&](Call call) -> Task<> { co_return; });", 0},
      {"f([x] { return x; });", 0},
      {"f([x](Nursery& n) { n.spawn(\"a\", [x]() -> Task<> { co_return; }); });", 0},
      {"co_await nursery([&](Nursery& n) -> Task<> { auto t = [&]() -> Task<> { co_return; }; });",
       1},
      {"auto f = [=]() -> Task<> { co_return; }; n.spawn(\"a\", f);", 0},
      {"auto f = [=]() -> Task<> { co_return; }; n.spawn(\"a\", f); g(f);", 1},
      {"{ auto f = [=]() -> Task<> { co_return; }; } n.spawn(\"a\", f);", 1},
      {"run_world([&]() -> Task<> { co_return; });", 0},
      {"a[i] = {1}; co_await f();", 0},
      {"[[nodiscard]] Task<> f() { co_return; }", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.code);
    CHECK(tidy::count_found(tidy::check_coroutine_captures, "a.cpp", row.code) == row.count);
  }
}

TEST_CASE("an await inside a test macro is found") {
  CHECK(tidy::lines_found(tidy::check_await_in_macros, "a.cpp",
                          "auto x = co_await f();\nCHECK(x);\nCHECK(co_await f());\n"
                          "REQUIRE_FALSE(g(\n  co_await f()));\ncheck(co_await f());\n") ==
        tidy::Lines{3, 4});
}
