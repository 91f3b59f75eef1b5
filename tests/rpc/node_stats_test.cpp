// What a node says of itself in numbers.
#include "tests/rpc/node_hosts.h"
#include "tubing/channel/json.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

TEST_CASE("the numbers of a node tell what its sessions promise and print as one line of JSON") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    co_await ok(sleep(1s));
    CHECK(pair.client_node().stats().promised_bytes == 0);
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(peer.tx.send("ping"));
    co_await ok(peer.rx.recv());
    const rpc::NodeStats stats = pair.client_node().stats();
    REQUIRE(stats.sessions.size() == 1);
    const rpc::SessionStats& session = stats.sessions[0];
    REQUIRE(session.channels.size() == 1);
    CHECK(session.channels[0].window_bytes > 0);
    CHECK(session.promised_bytes == session.channels[0].window_bytes);
    CHECK(stats.promised_bytes == session.promised_bytes);
    const std::string text = to_json(stats);
    CAPTURE(text);
    CHECK(text.starts_with(R"({"half_open":0,"half_open_waiting":0,"half_open_dropped":0,)"));
    CHECK(text.contains(R"("peer":"server","key":")"));
    CHECK(text.contains(R"("dialled":true,"state":"up",)"));
    CHECK(text.contains(R"("channels":[{"id":)"));
    CHECK(text.contains(R"("service":"text.v1","ours":true,)"));
    CHECK(text.ends_with("}]}]}"));
    CHECK_FALSE(text.contains('\n'));
    co_return {};
  });
}
