#include <doctest/doctest.h>

#include <string>

#include "tubing/rpc/transport.h"

using tubing::rpc::Address;

TEST_CASE("an address is read and written as people write it") {
  struct Row {
    const char* text;
    Address address;
  };
  const Row rows[] = {
      {"127.0.0.1:7000", {"127.0.0.1", 7000}},
      {"db.example:1", {"db.example", 1}},
      {"my-host_2:65535", {"my-host_2", 65535}},
      {"0.0.0.0:0", {"0.0.0.0", 0}},
      {"[::1]:7000", {"::1", 7000}},
      {"[2001:db8::2]:0", {"2001:db8::2", 0}},
      {"[fe80::1%eth0]:80", {"fe80::1%eth0", 80}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto parsed = Address::parse(row.text);
    REQUIRE(parsed);
    CHECK(parsed->host == row.address.host);
    CHECK(parsed->port == row.address.port);
    CHECK(parsed->text() == row.text);
  }
}

TEST_CASE("a malformed address is refused with the reason and a good example") {
  struct Row {
    std::string text;
    const char* reason;
  };
  const Row rows[] = {
      {"", "names no port"},
      {"localhost", "names no port"},
      {"127.0.0.1", "names no port"},
      {":7000", "names no host"},
      {"::1", "without brackets"},
      {"2001:db8::2", "without brackets"},
      {"2001:db8::2:70000", "more than one colon"},
      {"a:b:7000", "more than one colon"},
      {"[::1]", "\"]:PORT\""},
      {"[::1]7000", "\"]:PORT\""},
      {"[]:7000", "no IPv6 address between"},
      {"[127.0.0.1]:7000", "no IPv6 address between"},
      {"[db.example]:7000", "no IPv6 address between"},
      {"host:", "no port between 0 and 65535"},
      {"host:65536", "no port between 0 and 65535"},
      {"host:-1", "no port between 0 and 65535"},
      {"host:+1", "no port between 0 and 65535"},
      {"host: 1", "no port between 0 and 65535"},
      {"host:1x", "no port between 0 and 65535"},
      {"ho st:1", "a character that no host has"},
      {"name@host:1", "a character that no host has"},
      {std::string("ho\0st:1", 7), "a character that no host has"},
      {std::string(256, 'a') + ":1", "too long"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto parsed = Address::parse(row.text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == tubing::Code::invalid_argument);
    const std::string detail(parsed.error().detail());
    CAPTURE(detail);
    CHECK(detail.find(row.reason) != std::string::npos);
    CHECK(detail.find("127.0.0.1:7000") != std::string::npos);
  }
}

TEST_CASE("numbers that are no whole IPv4 address are refused and names with numbers are not") {
  for (const char* bad : {"1.2.3:1", "127.1:7000", "2130706433:1", "0x7f.1:1", "0x7f000001:1",
                          "1.2.3.4.5:1", "256.1.1.1:1", "010.0.0.1:1", "host.7:1", "1.2.3.:1"}) {
    CAPTURE(bad);
    const auto refused = Address::parse(bad);
    CHECK(refused.code() == tubing::Code::invalid_argument);
    CHECK(refused.error().detail().contains("the four numbers of an IPv4 address"));
  }
  for (const char* good : {"10.0.0.1:1", "7.host:1", "host7:1", "0xcafe.example:1", "1-2:1"}) {
    CAPTURE(good);
    CHECK(Address::parse(good));
  }
}
