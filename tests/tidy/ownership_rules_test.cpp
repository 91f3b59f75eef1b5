#include <doctest/doctest.h>

#include "tests/tidy/snippet.h"

namespace tidy = tubing::tidy;

TEST_CASE("a shared_ptr without its owners is found") {
  CHECK(tidy::lines_found(tidy::check_shared_ownership, "a.h",
                          "// Shared: by a and b; it points to neither.\nstd::shared_ptr<A> a;\n"
                          "std::shared_ptr<B> b;\n"
                          "std::shared_ptr<C> c;  // Shared: by c alone.\n") == tidy::Lines{3});
}

TEST_CASE("one line about sharing covers its whole test case and no other") {
  const char* text =
      "TEST_CASE(1) {\n  auto a = f();  // Shared: by a.\n  g<std::shared_ptr<A>>(a);\n}\n"
      "TEST_CASE(2) {\n  g<std::shared_ptr<A>>();\n}\n";
  CHECK(tidy::lines_found(tidy::check_shared_ownership, "tests/a.cpp", text) == tidy::Lines{6});
  CHECK(tidy::lines_found(tidy::check_shared_ownership, "rpc/a.cpp", text) == tidy::Lines{3, 6});
}

TEST_CASE("a mutable global is found wherever it hides") {
  struct Row {
    std::string text;
    std::size_t count;
  };
  const Row rows[] = {
      {"int n;", 1},
      {"namespace a { std::map<int, int> m{}; }", 1},
      {"static bool b = f();", 1},
      {"struct A { static inline int n = 0; };", 1},
      {"int f() { static int n = 0; return ++n; }", 1},
      {"A& one() { static A a; return a; }", 1},
      {"extern int n;", 1},
      {"const int n = 1; constexpr auto k = 2; inline constexpr char c{};", 0},
      {"struct A { int n = 0; static const int k; static int f(); };", 0},
      {"int f() { static const auto t = g(); return static_cast<int>(t); }", 0},
      {"class A; using B = A; enum class C { a }; template class D<int>;", 0},
      {"MACRO(a, b);", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(tidy::count_found(tidy::check_mutable_globals, "a.cpp", row.text) == row.count);
  }
}

TEST_CASE("thread_local is found outside frame pools") {
  const char* text = "thread_local Pool pool;";
  CHECK(tidy::count_found(tidy::check_thread_local, "channel/task.cpp", text) == 1);
  CHECK(tidy::count_found(tidy::check_thread_local, "channel/frame_pool.cpp", text) == 0);
}
