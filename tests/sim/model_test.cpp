#include "tubing/sim/judges/model.h"

#include <doctest/doctest.h>

#include "tubing/sim/judges/operation_reader.h"
#include "tubing/sim/judges/register_model.h"

using tubing::Code;
using tubing::Result;
using tubing::sim::Ending;
using tubing::sim::NamedValue;
using tubing::sim::Operation;
using tubing::sim::OperationReader;
using tubing::sim::RegisterModel;
using tubing::sim::Value;
using tubing::sim::Values;

namespace {

Operation done(std::string op, std::vector<NamedValue> values, Ending ending = Ending::ok) {
  return {.op = std::move(op), .values = std::move(values), .ending = ending};
}

template <class Read>
std::string problem_of(const Operation& operation, Read read) {
  OperationReader in(operation);
  (void)in.is(operation.op);
  read(in);
  const Result<int> finished = in.finish(1);
  return finished ? "" : std::string(finished.error().detail());
}

}  // namespace

TEST_CASE("a model reads arguments and results of each kind") {
  const Operation operation =
      done("op", {{"n", 7}, {"t", "a"}, {"f", true}, {"l", Values{1, "b"}}, {"none", Value()}});
  OperationReader in(operation);
  CHECK_FALSE(in.is("other"));
  CHECK(in.is("op"));
  CHECK(in.number("n") == 7);
  CHECK(in.text("t") == "a");
  CHECK(in.flag("f"));
  CHECK(in.list("l") == Values{1, "b"});
  CHECK(in.value("l") == R"([1,"b"])");
  CHECK(in.value("none") == "null");
  CHECK(in.number_result("n") == 7);
  CHECK(in.text_result("t") == "a");
  CHECK(in.flag_result("f") == true);
  CHECK(in.result("t") == "\"a\"");
  CHECK(in.list_result("l") != nullptr);
  CHECK(in.has("n"));
  CHECK_FALSE(in.has("m"));
  CHECK(in.finish(5));
}

TEST_CASE("an operation of unknown end has arguments and no results") {
  const Operation operation = done("op", {{"n", 7}}, Ending::unknown);
  OperationReader in(operation);
  CHECK(in.is("op"));
  CHECK(in.number("n") == 7);
  CHECK_FALSE(in.number_result("n"));
  CHECK_FALSE(in.text_result("n"));
  CHECK_FALSE(in.flag_result("missing"));
  CHECK_FALSE(in.result("missing"));
  CHECK(in.list_result("missing") == nullptr);
  CHECK(in.finish(0));
}

TEST_CASE("what a model misses in an operation is named with what would do") {
  const Operation operation = done("put", {{"key", 7}});
  CHECK(problem_of(operation, [](OperationReader& in) { (void)in.text("value"); }) ==
        "put: \"value\" is missing");
  CHECK(problem_of(operation, [](OperationReader& in) { (void)in.text("key"); }) ==
        "put: \"key\" is 7, and must be a text");
  CHECK(problem_of(operation, [](OperationReader& in) { (void)in.flag_result("key"); }) ==
        "put: \"key\" is 7, and must be true or false");
  CHECK(problem_of(operation, [](OperationReader& in) {
          (void)in.list("key");
          (void)in.number("none");
        }) == "put: \"key\" is 7, and must be a list");
  CHECK(problem_of(operation, [](OperationReader& in) { in.refuse("no"); }) == "put: no");
}

TEST_CASE("an operation that a model does not know is refused with those it knows") {
  RegisterModel model;
  const auto step = model.read(done("put", {{"value", 1}}));
  REQUIRE_FALSE(step);
  CHECK(step.code() == Code::invalid_argument);
  CHECK(step.error().detail() ==
        "no operation 'put' is known to this model; it knows: read, write");
}

TEST_CASE("a part of a history is that of its key") {
  const RegisterModel model;
  CHECK(*model.part(done("read", {{"key", "a"}})) == "key a");
  CHECK(model.part(done("read", {}))->empty());
  CHECK(model.part(done("read", {{"key", 3}})).error().detail() ==
        "read: \"key\" is 3, and must be a text");
}
