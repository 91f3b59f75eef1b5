#include "tests/tidy/declarations.h"

#include <doctest/doctest.h>

#include <string>

namespace tidy = tubing::tidy;

namespace {

// One letter per declaration: f, v or o.
std::string kinds_of(const std::string& text) {
  const tidy::Source source = tidy::parse_source("a.h", text);
  std::string kinds;
  for (const auto& declaration : tidy::find_declarations(source))
    kinds += declaration.kind == tidy::Kind::function   ? 'f'
             : declaration.kind == tidy::Kind::variable ? 'v'
                                                        : 'o';
  return kinds;
}

}  // namespace

TEST_CASE("the scanner tells functions from variables and types") {
  struct Row {
    std::string text;
    std::string kinds;
  };
  const Row rows[] = {
      {"int f();", "f"},
      {"int f() { if (x) { y(); } }", "f"},
      {"int n = 3;", "v"},
      {"const std::map<int, int> kMap{{1, f(2)}};", "v"},
      {"class A;", "o"},
      {"using F = void(int);", "o"},
      {"namespace a { namespace b { int n; void f() {} } }", "vf"},
      {"class A : public B { public: A(); int n_ = 0; };", "fv"},
      {"A::A(int x) : a_(x), b_{x} { f(); }", "f"},
      {"A::A() : a_{1} {} void g();", "ff"},
      {"template <class T> requires(is<T>) struct A { T t; };", "v"},
      {"template <class F, class G = std::function<void(int)>> auto f(F a) -> std::vector<F> {}",
       "f"},
      {"enum class E { a, b };", ""},
      {"struct alignas(64) A { std::function<void(int)> f; };", "v"},
      {"bool operator()(int a) const { return a; }", "f"},
      {"#define M(x) { \\\n  x\nint n;", "v"},
      {"extern \"C\" { int f(); }", "f"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(kinds_of(row.text) == row.kinds);
  }
}

TEST_CASE("parameters are counted at their own depth") {
  struct Row {
    std::string head;
    std::size_t count;
  };
  const Row rows[] = {
      {"void f()", 0},
      {"void f(int a)", 1},
      {"void f(std::map<int, int> a, int b = g(1, 2))", 2},
      {"template <class T, class U> std::function<void(int, int)> f(T a, U b, int c)", 3},
      {"bool operator()(int a, int b) const", 2},
      {"bool operator<(A a, A b)", 2},
      {"void f(void (*g)(int, int), std::array<int, 2> x = {1, 2})", 2},
  };
  for (const Row& row : rows) {
    CAPTURE(row.head);
    CHECK(tidy::parameter_count(row.head) == row.count);
  }
}
