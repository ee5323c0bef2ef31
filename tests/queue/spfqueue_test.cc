// spfqueue as a program: what the queue program behind it gets, and what who is
// before it hears.
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <thread>

#include "tests/catch.hh"
#include "tests/queue/queue.hh"

using namespace test;

namespace {

struct Given {
  std::string annotation = spf::encode_annotation(usual_annotation);
  std::string_view message = usual_message, envelope = usual_envelope;
  Environment environment = {};
  Arguments command = {};  // {} is spfqueue
};

struct Run : Finished {
  pid_t pid;
};

// With the annotation behind SPFFD, message and envelope in files.
Run run_with(const Queue& queue, const Given& given) {
  const Fd in = opened(queue.files(), "message", given.message);
  const Fd out = opened(queue.files(), "envelope", given.envelope);
  const Fd err = open_append(queue.files().file("errors"));
  const Fd file = opened(queue.files(), "annotation", given.annotation);
  const Inherited annotation(file.get());
  Environment environment = queue.environment(given.environment);
  environment.insert({"SPFFD", annotation.number()});
  const Arguments command = given.command.empty() ? Arguments{program("spfqueue")} : given.command;
  Process process(command, environment, {in.get(), out.get(), err.get()});
  const pid_t pid = process.pid();
  const int code = process.wait().value_or(-1);
  CHECK(process.group_gone());
  return {{code, "", read_file(queue.files().file("errors"))}, pid};
}

// The message that is queued, if it is one.
QueuedMessage only(const Queue& queue) {
  auto found = queue.queued();
  REQUIRE(found.size() == 1);
  return std::move(found[0]);
}

// More than the largest pipe holds: spfqueue then stays, and feeds the queue program.
const std::string large(1'300'000, 'x');

const std::string note = "X-Received-SPF-Note: the message began with white space\n";

// The process ID of each queue program that has queued a message.
std::vector<pid_t> queue_ids(const Queue& queue) {
  std::vector<pid_t> ids;
  for (const auto& entry : std::filesystem::directory_iterator(queue.files().file("new")))
    ids.push_back(std::stoi(entry.path().filename()));
  return ids;
}

}  // namespace

TEST_CASE("a server that waits for the end before it closes the envelope gets it, and a late one no error") {
  for (const std::string& message : {usual_message, large}) {
    const Queue queue;
    const Fd in = opened(queue.files(), "message", message);
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const Fd envelope(ends[0]), ours(ends[1]), err = open_append(queue.files().file("errors"));
    const Fd file = opened(queue.files(), "annotation", spf::encode_annotation(usual_annotation));
    const Inherited annotation(file.get());
    Process process({program("spfqueue")}, queue.environment({{"SPFFD", annotation.number()}}),
                    {in.get(), envelope.get(), err.get()});
    REQUIRE(write(ours.get(), usual_envelope.data(), usual_envelope.size()) == ssize_t(usual_envelope.size()));
    CHECK(process.wait().value_or(-1) == 0);
    CHECK(only(queue).envelope == usual_envelope);
  }
}

TEST_CASE("a message that a pipe holds has the queue program in spfqueue's place, with its process ID") {
  const struct { std::size_t size; bool in_place; } cases[] = {
      {0, true}, {1, true}, {4096, true}, {65535, true}, {65536, true}, {65537, false}, {66000, false}, {large.size(), false}};
  for (const auto& c : cases) {
    INFO(c.size);
    const Queue queue;
    // With header and all it is so long.
    const std::string message(c.size - std::min(c.size, usual_annotation.header.size()), 'x');
    const Run run = run_with(queue, {.message = message});
    CHECK(run.code == 0);
    CHECK((only(queue).message == usual_annotation.header + message));
    CHECK((queue_ids(queue) == std::vector{run.pid}) == c.in_place);
  }
}

TEST_CASE("the queue program gets the header above the message, the envelope, and the variables") {
  std::string many = "Fa@example.org";
  many += '\0';
  for (int i = 0; i < 100000; ++i) many += "Trecipient" + std::to_string(i) + "@mx.local" + '\0';
  many += '\0';
  const std::string line = std::string(78, 'x') + '\n';
  std::string huge = "Received: from x\n\n";
  while (huge.size() < 50'000'000) huge += line;

  const std::string line_of_70000(70000, 'x');
  const struct { std::string_view message, envelope; std::string between; const char* why; } cases[] = {
      {usual_message, usual_envelope, "", "a message as they come"},
      {"", usual_envelope, "", "an empty one"},
      {"\n", usual_envelope, "", "an empty header"},
      {"no line end", usual_envelope, "", "not a line"},
      {" x\n", usual_envelope, note, "a first line that would continue our header"},
      {"\tx\n", usual_envelope, note, "the same by TAB"},
      {"\rx\n", usual_envelope, note, "the same, once somebody takes CR away"},
      {std::string_view("a\0\r\n\xff", 5), usual_envelope, "", "any octets"},
      {usual_message, std::string_view("F\0Tb@mx.local\0\0", 15), "", "the null sender"},
      {usual_message, many, "", "100,000 recipients"},
      {huge, usual_envelope, "", "50 MB"},
      {line_of_70000, usual_envelope, "", "a line of more than a pipe holds"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const Queue queue;
    const Finished run = run_with(queue, {.message = c.message, .envelope = c.envelope});
    CHECK(run.code == 0);
    CHECK(run.err == "");
    const QueuedMessage found = only(queue);
    const std::string above = usual_annotation.header + c.between;
    CHECK(found.message.starts_with(above));
    CHECK((std::string_view(found.message).substr(above.size()) == c.message));
    CHECK((found.envelope == c.envelope));
    CHECK(found.environment.find("SPFRESULT=pass\nSPFHEADER=pass (x)\n") != std::string::npos);
  }
}

TEST_CASE("a message that comes slowly through pipes goes on as it comes, and the envelope after it") {
  const Queue queue;
  int message[2], envelope[2];
  REQUIRE(pipe2(message, O_CLOEXEC) == 0);
  REQUIRE(pipe2(envelope, O_CLOEXEC) == 0);
  const Fd in(message[0]), out(envelope[0]), err = open_append(queue.files().file("errors"));
  const Fd file = opened(queue.files(), "annotation", spf::encode_annotation(usual_annotation));
  const Inherited annotation(file.get());
  Process process({program("spfqueue")}, queue.environment({{"SPFFD", annotation.number()}}),
                  {in.get(), out.get(), err.get()});
  Fd to_message(message[1]), to_envelope(envelope[1]);
  // It all stands there before the message does, as from a server with one buffer.
  REQUIRE(write(to_envelope.get(), usual_envelope.data(), usual_envelope.size()) > 0);
  to_envelope.reset();
  std::string sent;
  for (int i = 0; i < 2000; ++i) {
    const std::string piece(1 + i * 37 % 1024, char('a' + i % 26));
    REQUIRE(write(to_message.get(), piece.data(), piece.size()) == ssize_t(piece.size()));
    sent += piece;
    if (i % 200 == 0) {
      usleep(2000);
      CHECK(queue.queued().empty());
    }
  }
  to_message.reset();
  CHECK(process.wait() == 0);
  CHECK((only(queue).message == usual_annotation.header + sent));
}

TEST_CASE("the program's exit code is spfqueue's own, whenever it comes, and nothing else is queued") {
  const struct { const char* fault; const std::string& message; int code; const char* why; } cases[] = {
      {"early=exit:31", usual_message, 31, "refused unseen"},
      {"early=exit:31", large, 31, "and a message that nobody takes"},
      {"body=exit:53", large, 53, "a full disk in the middle"},
      {"message=exit:71", large, 71, "refused once it was seen"},
      {"envelope=exit:82", usual_message, 82, "with an error of its own"},
      {"envelope=exit:88", usual_message, 88, "the same by other rules"},
      {"envelope=exit:115", usual_message, 115, "an address too long"},
      {"early=exit:0", large, 53, "content without having read"},
      {"body=closed", large, 54, "it closes its 0 itself: a read error of its own"},
      {"early=signal:9", large, 81, "killed"},
      {"body=signal:10", large, 81, "dead in the middle"},
      {"envelope=signal:6", large, 81, "dead at the end"},
      {"early=signal:9", usual_message, 1009, "killed in our place"},
      {"envelope=signal:6", usual_message, 1006, "dead at the end in our place"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const Queue queue;
    const Finished run = run_with(queue, {.message = c.message, .environment = {{"QUEUE_FAULT", c.fault}}});
    CHECK(run.code == c.code);
    CHECK(queue.queued().empty());
    CHECK((run.err == "") == (c.code != 81));
    if (c.code == 81) CHECK(run.err.starts_with("spfqueue: fatal: " + Queue::prog() + ": ended of signal "));
  }
}

TEST_CASE("all other descriptors are the queue program's, and so is what it says there") {
  for (const char* descriptor : {"4", "6"}) {
    const Queue queue;
    const std::string said = queue.files().file("said");
    const Finished run = run_with(
        queue, {.environment = {{"QUEUE_FAULT", "early=say" + std::string(descriptor) + ":Dno such luck (#5.7.1),exit:82"},
                                {"SPFQUEUE_BIN", program("spfqueue")}, {"SAID", said}},
                .command = {"sh", "-c", "exec \"$SPFQUEUE_BIN\" " + std::string(descriptor) + ">\"$SAID\""}});
    CHECK(run.code == 82);
    CHECK(read_file(said) == "Dno such luck (#5.7.1)");
  }
}

TEST_CASE("a place that is free among 0, 1 and 2 stays free for the queue program") {
  const struct { const char* redirections; int code; const char* why; } cases[] = {
      {"0<&-", 54, "no message"},
      {"1>&-", 54, "no envelope"},
      {"0<&- 1>&- 2>&-", 54, "none of the three"},
      {"2>&-", 81, "no place for what it says"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const Queue queue;
    const Finished run = run_with(queue, {.message = large,
                                          .environment = {{"SPFQUEUE_BIN", program("spfqueue")}, {"QUEUE_FAULT", "envelope=signal:9"}},
                                          .command = {"sh", "-c", "exec \"$SPFQUEUE_BIN\" " + std::string(c.redirections)}});
    CHECK(run.code == c.code);
    CHECK(queue.queued().empty());
  }
  for (const std::string& message : {usual_message, large}) {
    const Queue queue;
    CHECK(run_with(queue, {.message = message, .environment = {{"SPFQUEUE_BIN", program("spfqueue")}},
                           .command = {"sh", "-c", "exec \"$SPFQUEUE_BIN\" 2>&-"}}).code == 0);
    CHECK((only(queue).message == usual_annotation.header + message));
  }
}

TEST_CASE("signals are to the queue program what they were to spfqueue") {
  const std::string whole = spf::encode_annotation(usual_annotation);
  const struct { std::string annotation, message; } ways[] = {{"", usual_message}, {whole, usual_message}, {whole, large}};
  for (const auto& way : ways)
    for (const bool ignored : {false, true}) {
      const Queue queue;
      sigset_t blocked, before;
      sigemptyset(&blocked);
      sigaddset(&blocked, SIGUSR1);
      sigprocmask(SIG_BLOCK, &blocked, &before);
      const auto old = signal(SIGPIPE, ignored ? SIG_IGN : SIG_DFL);
      const Finished run = run_with(queue, {.annotation = way.annotation, .message = way.message,
                                            .environment = {{"QUEUE_FAULT", "early=signals"}}});
      signal(SIGPIPE, old);
      sigprocmask(SIG_SETMASK, &before, nullptr);
      CHECK(run.err == (ignored ? "ignored blocked\n" : "default blocked\n"));
      CHECK(run.code == 0);
    }
}

TEST_CASE("who ignores SIGCHLD hears the program's code all the same") {
  const Queue queue;
  const auto old = signal(SIGCHLD, SIG_IGN);
  const Fd in = opened(queue.files(), "message", large), out = opened(queue.files(), "envelope", usual_envelope);
  const Fd err = open_append(queue.files().file("errors"));
  Process process({program("spfqueue")}, queue.environment({{"SPFHEADER", "pass"}, {"QUEUE_FAULT", "early=exit:31"}}),
                  {in.get(), out.get(), err.get()});
  signal(SIGCHLD, old);
  CHECK(process.wait() == 31);
}

TEST_CASE("an annotation that can't be read is 81, and nothing is queued") {
  const std::string whole = spf::encode_annotation(usual_annotation);
  const TempDir files;
  const std::string file = files.write("whole", whole);
  int pipe_ends[2];
  REQUIRE(pipe2(pipe_ends, O_CLOEXEC) == 0);
  const Fd read_end(pipe_ends[0]), write_end(pipe_ends[1]);
  const Fd directory(open(files.path().c_str(), O_RDONLY | O_CLOEXEC));
  const Fd write_only(open(file.c_str(), O_WRONLY | O_CLOEXEC)), endless(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const Inherited a_directory(directory.get()), a_pipe(read_end.get()), not_to_read(write_only.get()), zeros(endless.get());
  const struct { std::string annotation; Environment environment; const char* why; } cases[] = {
      {whole.substr(0, whole.size() - 1), {}, "truncated"},
      {whole.substr(0, 5), {}, "almost nothing of it"},
      {whole + whole, {}, "two"},
      {"garbage\n", {}, "garbage"},
      {std::string(100, '\0'), {}, "a file with a hole"},
      {std::string(1'000'000, 'x'), {}, "a large file"},
      {whole, {{"SPFFD", "9999"}}, "a descriptor that is closed"},
      {whole, {{"SPFFD", "x"}}, "no number"},
      {whole, {{"SPFFD", "-1"}}, "a negative one"},
      {whole, {{"SPFFD", "10x"}}, "more than a number"},
      {whole, {{"SPFFD", "99999999999999999999"}}, "one beyond numbers"},
      {whole, {{"SPFFD", a_directory.number()}}, "a directory"},
      {whole, {{"SPFFD", a_pipe.number()}}, "a pipe, which has no beginning"},
      {whole, {{"SPFFD", not_to_read.number()}}, "opened to be written"},
      {whole, {{"SPFFD", zeros.number()}}, "a file without end"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const Queue queue;
    const Finished run = run_with(queue, {.annotation = c.annotation, .environment = c.environment});
    CHECK(run.code == 81);
    CHECK(queue.queued().empty());
    CHECK(run.err.starts_with("spfqueue: fatal: unable to read what descriptor "));
  }
}

TEST_CASE("a message that can't be read is 54, an envelope too, and neither is queued") {
  const Queue queue;
  const Fd directory(open("/", O_RDONLY | O_CLOEXEC)), null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  const Fd message = opened(queue.files(), "message", usual_message);
  const Fd envelope = opened(queue.files(), "envelope", usual_envelope), err = open_append(queue.files().file("errors"));
  const struct { int in, out; const char* why; } cases[] = {
      {directory.get(), envelope.get(), "a directory"},
      {null.get(), envelope.get(), "opened to be written"},
      {message.get(), directory.get(), "an envelope that is a directory"},
      {message.get(), null.get(), "one that was opened to be written"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Process process({program("spfqueue")}, queue.environment({{"SPFHEADER", "pass"}}), {c.in, c.out, err.get()});
    CHECK(process.wait() == 54);
    CHECK(queue.queued().empty());
    lseek(message.get(), 0, SEEK_SET);
    lseek(envelope.get(), 0, SEEK_SET);
  }
}

TEST_CASE("half an envelope is given to nobody as a whole one") {
  for (std::size_t size = 0; size < usual_envelope.size(); ++size) {
    INFO(size);
    const Queue queue;
    CHECK(run_with(queue, {.message = size % 2 ? usual_message : large,
                           .envelope = usual_envelope.substr(0, size)}).code == (size == 0 ? 54 : 91));
    CHECK(queue.queued().empty());
  }
}

TEST_CASE("the queue program is that of the arguments, else SPFQUEUE, and is told so") {
  const TempDir files;
  const std::string& prog = Queue::prog();
  const std::string link = files.file("spfqueue-too");
  REQUIRE(symlink(program("spfqueue").c_str(), link.c_str()) == 0);
  const std::string script = files.script("script", "#!/bin/sh\nexec " + prog + " \"$@\"\n");
  const std::string qmail_queue = CONF_QMAIL "/bin/qmail-queue";
  const struct { Arguments arguments; Environment environment; int code; std::string qmailqueue; const char* why; } cases[] = {
      {{}, {{"QMAILQUEUE", "spfqueue"}, {"SPFQUEUE", script}}, 0, "QMAILQUEUE=" + script + '\n', "as without spfqueue"},
      {{}, {{"SPFQUEUE", script}}, 0, "", "who knows no QMAILQUEUE is told of none"},
      {{script, "x"}, {{"QMAILQUEUE", "x"}, {"SPFQUEUE", "/nonexistent"}}, 0, "", "arguments are no QMAILQUEUE"},
      {{}, {{"SPFQUEUE", "/nonexistent"}}, 120, "", "one that is not there"},
      {{"/"}, {}, 120, "", "one that is no program"},
      {{}, {{"SPFQUEUE", program("spfqueue")}}, 120, "", "spfqueue itself: then qmail-queue, which is not here"},
      {{}, {{"SPFQUEUE", link}}, 120, "", "the same by another name"},
      {{}, {{"SPFQUEUE", "spfqueue"}}, 120, "", "the same from PATH"},
      {{}, {{"SPFQUEUE", ""}}, 120, "", "an empty one is none"},
  };
  REQUIRE(access(qmail_queue.c_str(), X_OK) != 0);
  for (const std::string& annotation : {std::string(), spf::encode_annotation(usual_annotation)})
    for (const auto& c : cases) {
      INFO(c.why);
      const Queue queue;
      Arguments command = {program("spfqueue")};
      command.insert(command.end(), c.arguments.begin(), c.arguments.end());
      const Finished run = run_with(queue, {.annotation = annotation, .environment = c.environment, .command = command});
      CHECK(run.code == c.code);
      if (c.code != 0) {
        CHECK(queue.queued().empty());
        const bool usual = command.size() == 1 && c.environment.at("SPFQUEUE") != "/nonexistent";
        CHECK(run.err.starts_with("spfqueue: fatal: unable to run the queue program: " + (usual ? qmail_queue + ": " : "")));
        continue;
      }
      const std::string environment = only(queue).environment;
      const auto at = environment.find("QMAILQUEUE=");
      CHECK((at == environment.npos ? "" : environment.substr(at, environment.find('\n', at) + 1 - at)) == c.qmailqueue);
      CHECK(environment.find("SPFFD=") == environment.npos);
      CHECK(environment.find("SPFQUEUE=") == environment.npos);
    }
}

TEST_CASE("a scanner that stood in QMAILQUEUE before goes on with what it ran, and sees the result") {
  const Queue queue;
  // As simscan does: the message to a file, looked at, given on.
  const std::string scanner = queue.files().script(
      "scanner", "#!/bin/sh\ncat >\"$QUEUE/scanned\"\n[ \"$SPFRESULT\" = pass ] || exit 31\n"
                 "exec " + Queue::prog() + " <\"$QUEUE/scanned\"\n");
  CHECK(run_with(queue, {.environment = {{"QMAILQUEUE", program("spfqueue")}, {"SPFQUEUE", scanner}}}).code == 0);
  CHECK(only(queue).message == usual_annotation.header + usual_message);
  const Queue refusing;
  const auto failing = spf::encode_annotation({{"SPFRESULT=fail"}, usual_annotation.header});
  CHECK(run_with(refusing, {.annotation = failing, .environment = {{"SPFQUEUE", scanner}}}).code == 31);
  CHECK(refusing.queued().empty());
}

TEST_CASE("what is inherited is not taken for the message's own") {
  const Environment stale = {{"SPFRESULT", "pass"}, {"SPFEXPLANATION", "x"}, {"SPFPOLICY", "x"}, {"QUEUE_KEEP", "y"}};
  const struct { std::string annotation, environment, header; const char* why; } cases[] = {
      {"", "QUEUE_KEEP=y\n", "", "a MAIL that was not checked"},
      {spf::encode_annotation({{"SPFRESULT=fail"}, "X: y\n"}), "QUEUE_KEEP=y\nSPFRESULT=fail\n", "X: y\n", "one that was"},
      {spf::encode_annotation({{"SPFRESULT=none"}, ""}), "QUEUE_KEEP=y\nSPFRESULT=none\n", "", "one without a header"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const Queue queue;
    CHECK(run_with(queue, {.annotation = c.annotation, .environment = stale}).code == 0);
    CHECK(only(queue).environment == c.environment);
    CHECK(only(queue).message == c.header + usual_message);
  }
}

TEST_CASE("without SPFFD the header is made of the variables in the environment") {
  const std::string value = "pass (mx.local: SPF record at example.org designates 192.0.2.1 as permitted sender) helo=x;";
  const struct { Environment environment; std::string header; const char* why; } cases[] = {
      {{}, "", "nothing"},
      {{{"SPFHEADER", ""}}, "", "nothing again"},
      {{{"SPFRESULT", "pass"}}, "", "no header"},
      {{{"SPFHEADER", "pass"}}, "Received-SPF: pass\n", "one field"},
      {{{"SPFFD", ""}, {"SPFHEADER", "pass"}}, "Received-SPF: pass\n", "SPFFD, empty"},
      {{{"SPFHEADER", value}},
       "Received-SPF: pass (mx.local: SPF record at example.org designates 192.0.2.1\n"
       " as permitted sender) helo=x;\n", "one that is folded"},
      {{{"SPFAUTHRESULTS", "mx.local; spf=pass"}}, "Authentication-Results: mx.local; spf=pass\n", "the other"},
      {{{"SPFHEADER", "pass"}, {"SPFAUTHRESULTS", "mx.local; spf=pass"}},
       "Received-SPF: pass\nAuthentication-Results: mx.local; spf=pass\n", "both"},
      {{{"SPFHEADERTYPE", "ar"}, {"SPFHEADER", "pass"}, {"SPFAUTHRESULTS", "mx.local; spf=pass"}},
       "Authentication-Results: mx.local; spf=pass\n", "not the one that is not wanted"},
      {{{"SPFHEADER", "pass\nX: y\r\x1b"}}, "Received-SPF: pass_X: y__\n", "octets that end no line of ours"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const Queue queue;
    Environment environment = c.environment;
    environment.insert({"SPFFD", ""});
    CHECK(run_with(queue, {.environment = environment}).code == 0);
    CHECK(only(queue).message == c.header + usual_message);
    const auto result = c.environment.find("SPFRESULT");
    CHECK((only(queue).environment.find("SPFRESULT=pass\n") != std::string::npos) == (result != c.environment.end()));
  }
}

TEST_CASE("several at a time, and one after another, read the same descriptor from its start") {
  const Queue queue;
  const Fd file = opened(queue.files(), "annotation", spf::encode_annotation(usual_annotation));
  lseek(file.get(), 7, SEEK_SET);
  const Inherited annotation(file.get());
  const Fd err = open_append(queue.files().file("errors"));
  for (int round = 0; round < 3; ++round) {
    const Fd in_one = opened(queue.files(), "m1", usual_message), out_one = opened(queue.files(), "e1", usual_envelope);
    const Fd in_two = opened(queue.files(), "m2", usual_message), out_two = opened(queue.files(), "e2", usual_envelope);
    const Environment environment = queue.environment({{"SPFFD", annotation.number()}});
    Process one({program("spfqueue")}, environment, {in_one.get(), out_one.get(), err.get()});
    Process two({program("spfqueue")}, environment, {in_two.get(), out_two.get(), err.get()});
    CHECK(one.wait() == 0);
    CHECK(two.wait() == 0);
  }
  const auto found = queue.queued();
  CHECK(found.size() == 6);
  for (const QueuedMessage& one : found) CHECK(one.message == usual_annotation.header + usual_message);
}
