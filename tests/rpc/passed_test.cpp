// Ends that travel: a channel inside a message of another one, over a network.
#include "tests/rpc/node_hosts.h"
#include "tubing/channel/duplex.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

namespace {

struct Job {
  int id = 0;
  Duplex<std::string, std::int64_t> reply;

  static constexpr std::string_view type_name = "test.Job.v1";
  static constexpr auto fields = tubing::fields("id", &Job::id, "reply", &Job::reply);
};

// The same name with another channel in it.
struct OtherJob {
  int id = 0;
  Duplex<std::int64_t, std::int64_t> reply;

  static constexpr std::string_view type_name = "test.Job.v1";
  static constexpr auto fields = tubing::fields("id", &OtherJob::id, "reply", &OtherJob::reply);
};

// What a hostile peer sends: a number where a channel is meant.
struct ForgedJob {
  int id = 0;
  std::uint64_t reply = 0;

  static constexpr std::string_view type_name = "test.Job.v1";
  static constexpr auto fields = tubing::fields("id", &ForgedJob::id, "reply", &ForgedJob::reply);
};

struct Many {
  std::vector<Sender<std::int64_t>> outs;
  std::optional<Receiver<std::string>> in;
  std::variant<std::monostate, Duplex<Job, Job>> nested;

  static constexpr std::string_view type_name = "test.Many.v1";
  static constexpr auto fields =
      tubing::fields("outs", &Many::outs, "in", &Many::in, "nested", &Many::nested);
};

inline constexpr Service<Job, std::string> kJobs{"jobs.v1", 4};
inline constexpr Service<OtherJob, std::string> kOtherJobs{"jobs.v1", 4};
inline constexpr Service<ForgedJob, std::string> kForgedJobs{"jobs.v1", 4};
inline constexpr Service<Many, std::string> kMany{"many.v1", 4};

template <class ToServer>
struct Both {
  Duplex<ToServer, std::string> opener;
  Duplex<std::string, ToServer> server;
};

// Runs `body(ends, n)` on a fresh channel of two nodes.
template <class T, class Body>
void with_ends(const Service<T, std::string>& service, Body body) {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), service));
    auto opener = co_await ok(open(pair.client_node(), service, pair.to_server));
    auto server = co_await ok(serve_end(service, co_await ok(incoming.recv())));
    co_await ok(sleep(1ms));
    Both<T> ends{std::move(opener), std::move(server)};
    co_await ok(body(ends, n));
    co_return {};
  });
  CHECK(pair.server.log.warnings == "");
  CHECK(pair.client.log.warnings == "");
}

auto make_reply() { return make_duplex<std::int64_t, std::string>(4); }

}  // namespace

TEST_CASE("an end that travels over a network works both ways at its new owner") {
  with_ends(kJobs, [](Both<Job>& ends, Nursery& n) -> Task<> {
    auto [mine, theirs] = make_reply();
    n.spawn("waits already", [rx = mine.rx, tx = mine.tx]() -> Task<> {
      for (int i = 0; i < 20; ++i) {
        const std::string text = co_await ok(rx.recv());
        co_await ok(tx.send(std::stoll(text) + 1));
      }
      tx.close();
      co_return {};
    });
    co_await ok(yield());
    co_await ok(ends.opener.tx.send(Job{7, std::move(theirs)}));
    CHECK(!theirs.tx);  // NOLINT: it was passed on
    Job job = co_await ok(ends.server.rx.recv());
    CHECK(job.id == 7);
    CHECK(job.reply.peer().name == "client");
    for (int i = 0; i < 20; ++i) {
      co_await ok(job.reply.tx.send(std::to_string(i)));
      const std::int64_t next = co_await ok(job.reply.rx.recv());
      CHECK(next == i + 1);
    }
    Result<std::int64_t> last = co_await job.reply.rx.recv();
    CHECK(last.code() == Code::closed);
    job.reply.tx.close();
    co_await ok(job.reply.tx.flush());
    co_return {};
  });
}

TEST_CASE("ends travel in lists and optionals and variants and carry ends themselves") {
  with_ends(kMany, [](Both<Many>& ends, Nursery&) -> Task<> {
    Channel<std::int64_t> first{4};
    Channel<std::int64_t> second{4};
    Channel<std::string> words{4};
    auto [jobs, their_jobs] = make_duplex<Job, Job>(4);
    Many many{{first.tx(), second.tx()}, words.rx(), std::move(their_jobs)};
    co_await ok(ends.opener.tx.send(std::move(many)));
    Many came = co_await ok(ends.server.rx.recv());
    CHECK(came.outs.size() == 2);
    co_await ok(came.outs[0].send(1));
    co_await ok(came.outs[1].send(2));
    const std::int64_t two = co_await ok(second.recv());
    const std::int64_t one = co_await ok(first.recv());
    CHECK(one + 10 * two == 21);
    co_await ok(words.send("word"));
    words.close();
    const std::string word = co_await ok(came.in->recv());
    CHECK(word == "word");
    Result<std::string> last = co_await came.in->recv();
    CHECK(last.code() == Code::closed);
    auto [mine, theirs] = make_reply();
    co_await ok(jobs.tx.send(Job{1, std::move(theirs)}));
    Job inner = co_await ok(std::get<1>(came.nested).rx.recv());
    co_await ok(inner.reply.tx.send("from afar"));
    const std::string text = co_await ok(mine.rx.recv());
    CHECK(text == "from afar");
    came.outs[0].close();
    Result<std::int64_t> closed = co_await first.recv();
    CHECK(closed.code() == Code::closed);
    co_return {};
  });
}

TEST_CASE("an end whose send did not take place stays as it was") {
  with_ends(kJobs, [](Both<Job>& ends, Nursery& n) -> Task<> {
    std::vector<Duplex<std::int64_t, std::string>> kept;
    for (std::uint32_t i = 0; i < kJobs.capacity; ++i) {
      auto [mine, theirs] = make_reply();
      co_await ok(ends.opener.tx.send(Job{1, std::move(theirs)}));
      kept.push_back(std::move(mine));
    }
    auto [mine, theirs] = make_reply();
    Job job{2, std::move(theirs)};
    Result<bool> tried = ends.opener.tx.try_send(std::move(job));
    CHECK((tried && !*tried));
    Result<> late = co_await ends.opener.tx.send(std::move(job), within(1s));
    CHECK(late.code() == Code::deadline_exceeded);
    auto lost = co_await ok(select(send(ends.opener.tx, std::move(job)), after(1s)));
    CHECK(lost.index() == 1);
    co_await ok(job.reply.tx.send("still in this process"));
    const std::string text = co_await ok(mine.rx.recv());
    CHECK(text == "still in this process");
    co_return {};
  });
}

TEST_CASE("an end that cannot travel is refused with what to do and its value kept") {
  with_ends(kJobs, [](Both<Job>& ends, Nursery&) -> Task<> {
    auto [used, used_end] = make_reply();
    co_await ok(used.tx.send(1));
    auto [direct, direct_end] = make_duplex<std::int64_t, std::string>(0);
    auto [closed, closed_end] = make_reply();
    closed_end.tx.close();
    Job jobs[] = {{1, std::move(used_end)}, {2, std::move(direct_end)}, {3, std::move(closed_end)}};
    const std::string_view advice[] = {"pass a fresh one", "make it with at least 1",
                                       "pass a fresh one"};
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(i);
      Result<> sent = co_await ends.opener.tx.send(std::move(jobs[i]));
      CHECK(sent.code() == Code::invalid_argument);
      CHECK(sent.error().detail().contains(advice[i]));
      CHECK(jobs[i].reply.tx);
    }
    const std::int64_t one = co_await ok(jobs[0].reply.rx.recv());
    CHECK(one == 1);
    auto [mine, theirs] = make_reply();
    co_await ok(ends.opener.tx.send(Job{4, std::move(theirs)}));
    Job came = co_await ok(ends.server.rx.recv());
    CHECK(came.id == 4);
    co_return {};
  });
}

TEST_CASE("an end that came over a network or is in a message twice does not travel on") {
  with_ends(kMany, [](Both<Many>& ends, Nursery&) -> Task<> {
    Channel<std::int64_t> ch{4};
    Many twice;
    twice.outs = {ch.tx(), ch.tx()};
    Result<> sent = co_await ends.opener.tx.send(std::move(twice));
    CHECK(sent.error().detail().contains("twice"));
    Many once;
    once.outs = {ch.tx()};
    co_await ok(ends.opener.tx.send(std::move(once)));
    Many again;
    again.outs = {ch.tx()};
    Result<> resent = co_await ends.opener.tx.send(std::move(again));
    CHECK(resent.code() == Code::invalid_argument);
    CHECK(resent.error().detail().contains("make a duplex of your own"));
    Result<> stale = co_await ch.tx().send(1);
    CHECK(stale.code() == Code::failed_precondition);
    Many came = co_await ok(ends.server.rx.recv());
    co_await ok(came.outs[0].send(5));
    const std::int64_t five = co_await ok(ch.recv());
    CHECK(five == 5);
    co_return {};
  });
}

TEST_CASE("an end in a message that nobody reads is reset") {
  with_ends(kJobs, [](Both<Job>& ends, Nursery&) -> Task<> {
    auto [first, first_end] = make_reply();
    auto [second, second_end] = make_reply();
    auto [third, third_end] = make_reply();
    co_await ok(ends.opener.tx.send(Job{1, std::move(first_end)}));
    co_await ok(sleep(1ms));
    ends.server.rx.stop();
    co_await ok(ends.opener.tx.send(Job{2, std::move(second_end)}));
    co_await ok(sleep(1ms));
    for (Duplex<std::int64_t, std::string>* end : {&first, &second}) {
      Result<std::string> text = co_await end->rx.recv(within(1s));
      CHECK(text.code() == Code::reset);
      CHECK(text.error().status() == Code::cancelled);
    }
    Result<> sent = co_await ends.opener.tx.send(Job{3, std::move(third_end)});
    CHECK(sent.code() == Code::stopped);
    co_return {};
  });
}

TEST_CASE("an end whose carrier was never served is reset with it") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kJobs));
    auto opener = co_await ok(open(pair.client_node(), kJobs, pair.to_server));
    auto [mine, theirs] = make_reply();
    co_await ok(opener.tx.send(Job{1, std::move(theirs)}));
    co_await ok(mine.tx.send(5));
    co_await ok(sleep(1ms));
    {
      const IncomingPort dropped = co_await ok(incoming.recv());
    }
    Result<std::string> text = co_await mine.rx.recv(within(1s));
    CHECK(text.code() == Code::reset);
    CHECK(text.error().status() == Code::cancelled);
    co_return {};
  });
}

TEST_CASE("an end that came early is served with what was sent on it early") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kJobs));
    auto opener = co_await ok(open(pair.client_node(), kJobs, pair.to_server));
    auto [mine, theirs] = make_reply();
    co_await ok(opener.tx.send(Job{1, std::move(theirs)}));
    co_await ok(mine.tx.send(5));
    mine.tx.close();
    opener.tx.close();
    co_await ok(sleep(1ms));
    auto server = co_await ok(serve_end(kJobs, co_await ok(incoming.recv())));
    Job job = co_await ok(server.rx.recv());
    const std::int64_t five = co_await ok(job.reply.rx.recv());
    CHECK(five == 5);
    co_await ok(job.reply.tx.send("heard"));
    const std::string text = co_await ok(mine.rx.recv());
    CHECK(text == "heard");
    co_return {};
  });
}

TEST_CASE("a number that stands for no channel resets the channel it came on alone") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kJobs));
    co_await ok(serve(n, pair.server_node(), kText, echo));
    for (const std::uint64_t number : {std::uint64_t{1}, std::uint64_t{77}, ~std::uint64_t{0}}) {
      CAPTURE(number);
      auto opener = co_await ok(open(pair.client_node(), kForgedJobs, pair.to_server));
      auto server = co_await ok(serve_end(kJobs, co_await ok(incoming.recv())));
      co_await ok(opener.tx.send(ForgedJob{1, number}));
      Result<Job> got = co_await server.rx.recv();
      CHECK(got.code() == Code::invalid_argument);
      CHECK(got.error().detail().contains("reply"));
      Result<std::string> told = co_await opener.rx.recv();
      CHECK(told.error().status() == Code::invalid_argument);
    }
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    CHECK(pair.last_wire == 0);
    co_return {};
  });
}

TEST_CASE("a passed channel of other types is refused and both are named") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kJobs));
    auto opener = co_await ok(open(pair.client_node(), kOtherJobs, pair.to_server));
    auto server = co_await ok(serve_end(kJobs, co_await ok(incoming.recv())));
    auto [mine, theirs] = make_duplex<std::int64_t, std::int64_t>(4);
    co_await ok(opener.tx.send(OtherJob{1, std::move(theirs)}));
    Result<Job> got = co_await server.rx.recv();
    CHECK(got.code() == Code::invalid_argument);
    CHECK(got.error().detail().contains("string"));
    CHECK(got.error().detail().contains("int64"));
    Result<std::int64_t> told = co_await mine.rx.recv();
    CHECK(told.code() == Code::reset);
    CHECK(told.error().status() == Code::invalid_argument);
    co_return {};
  });
}

TEST_CASE("a passed end is lost with its session and dropped ends leave no channel behind") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kJobs));
    auto opener = co_await ok(open(pair.client_node(), kJobs, pair.to_server));
    auto server = co_await ok(serve_end(kJobs, co_await ok(incoming.recv())));
    for (int i = 0; i < 3000; ++i) {
      auto [mine, theirs] = make_reply();
      co_await ok(opener.tx.send(Job{i, std::move(theirs)}));
      Job job = co_await ok(server.rx.recv());
      co_await ok(job.reply.tx.send("done"));
      job.reply.tx.close();
      co_await ok(mine.rx.recv());
    }
    auto [mine, theirs] = make_reply();
    co_await ok(opener.tx.send(Job{1, std::move(theirs)}));
    co_await ok(sleep(1ms));
    pair.server.node.reset();
    Result<std::string> text = co_await mine.rx.recv();
    CHECK(text.code() == Code::lost);
    co_return {};
  });
}
