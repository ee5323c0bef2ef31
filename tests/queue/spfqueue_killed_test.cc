// spfqueue and its queue program killed at any moment: what is in the queue
// then is a message whole, or nothing.
#include <signal.h>

#include <random>

#include "tests/catch.hh"
#include "tests/queue/queue.hh"

using namespace test;

namespace {

// What the queue program has set: the header, then the message.
void check_whole(const Queue& queue, const std::string& message) {
  const auto found = queue.queued();
  CHECK(found.size() <= 1);
  for (const QueuedMessage& one : found) {
    CHECK((one.message == usual_annotation.header + message));
    CHECK(one.envelope == usual_envelope);
  }
}

}  // namespace

TEST_CASE("killed at any moment it queues nothing in part") {
  std::mt19937 random(20080428);
  unsigned whole = 0, nothing = 0;
  for (const std::size_t size : {std::size_t(0), std::size_t(1000), std::size_t(100'000), std::size_t(700'000)}) {
    long usual = 0;  // microseconds that it takes if it is left alone
    for (int round = 0; round < 30; ++round) {
      const Queue queue;
      const std::string message(size, 'x');
      const Fd in = opened(queue.files(), "message", message), out = opened(queue.files(), "envelope", usual_envelope);
      const Fd err = open_append(queue.files().file("errors"));
      const Fd file = opened(queue.files(), "annotation", spf::encode_annotation(usual_annotation));
      const Inherited annotation(file.get());
      const auto start = Clock::now();
      Process process({program("spfqueue")}, queue.environment({{"SPFFD", annotation.number()}}),
                      {in.get(), out.get(), err.get()});
      if (round == 0) {
        CHECK(process.wait() == 0);
        usual = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
      } else {
        usleep(random() % (usual + usual / 4));
        process.signal(round % 2 ? SIGKILL : SIGHUP);  // of SIGTERM Catch hears before exec
      }
      const auto code = process.wait();
      REQUIRE(process.group_gone());  // the queue program ends by itself
      check_whole(queue, message);
      const bool queued = !queue.queued().empty();
      ++(queued ? whole : nothing);
      if (code == 0) CHECK(queued);
    }
  }
  CHECK(whole > 0);
  CHECK(nothing > 0);
}

TEST_CASE("killed between two octets of message or envelope it queues nothing") {
  const Fd null = open_null();
  for (std::size_t given = 0; given < usual_message.size() + usual_envelope.size(); ++given) {
    INFO(given);
    const Queue queue;
    int message[2], envelope[2];
    REQUIRE(pipe2(message, O_CLOEXEC) == 0);
    REQUIRE(pipe2(envelope, O_CLOEXEC) == 0);
    const Fd in(message[0]), out(envelope[0]);
    Fd to_message(message[1]), to_envelope(envelope[1]);
    Process process({program("spfqueue")}, queue.environment({{"SPFHEADER", "pass"}}), {in.get(), out.get(), null.get()});
    const std::string_view first = std::string_view(usual_message).substr(0, given);
    REQUIRE(write(to_message.get(), first.data(), first.size()) == ssize_t(first.size()));
    if (given >= usual_message.size()) {
      to_message.reset();
      const std::size_t more = given - usual_message.size();
      REQUIRE(write(to_envelope.get(), usual_envelope.data(), more) == ssize_t(more));
    }
    usleep(300);
    process.signal(SIGKILL);
    REQUIRE(process.group_gone());
    CHECK(queue.queued().empty());
  }
}

TEST_CASE("a queue program that hangs is waited for, and nothing is queued when spfqueue is killed meanwhile") {
  const Fd null = open_null();
  for (const char* fault : {"early=hang", "message=hang", "envelope=hang"}) {
    const Queue queue;
    const Fd in = opened(queue.files(), "message", usual_message), out = opened(queue.files(), "envelope", usual_envelope);
    Process process({program("spfqueue")}, queue.environment({{"SPFHEADER", "pass"}, {"QUEUE_FAULT", fault}}),
                    {in.get(), out.get(), null.get()});
    CHECK_FALSE(process.wait(50ms));
    process.signal(SIGTERM);
    CHECK(process.wait() == 1000 + SIGTERM);
    CHECK(queue.queued().empty());
  }
}
