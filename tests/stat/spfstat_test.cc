// spfstat as a program: files, compressed and not, descriptor 0, a terminal; and a
// log that spfwrap wrote by way of multilog.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "tests/catch.hh"
#include "tests/stat/made_log.hh"
#include "tests/support/server.hh"
#include "tests/support/spfcheck.hh"
#include "tests/support/temp_dir.hh"

using namespace test;

namespace {

const std::string accepted = "qlogenvelope: result=accepted code=250 reason=spf detail=pass pid=1 domain=d.example ms=1 tls=none\n";

Finished spfstat(Arguments arguments, const Environment& environment = {{"TZ", "UTC"}}) {
  arguments.insert(arguments.begin(), program("spfstat"));
  return run(arguments, environment);
}

// With a file as descriptor 0, or what a command writes.
Finished spfstat_reading(const std::string& file, const std::string& command = "exec \"$0\" <\"$1\"") {
  return run({"sh", "-c", command, program("spfstat"), file}, {{"TZ", "UTC"}});
}

std::string made_log(unsigned messages) {
  test::MadeLog log(test::LogPlan{});
  std::string lines;
  for (unsigned i = 0; i < messages; ++i) lines += log.next();
  return lines;
}

bool begins(const std::string& text, const std::string& start) { return text.starts_with(start); }

}  // namespace

TEST_CASE("a compressed file is read as if it were not, whatever its name") {
  const TempDir files;
  const std::string plain = files.write("current", made_log(3000));
  const Finished expected = spfstat({plain});
  CHECK(expected.code == 0);
  CHECK(expected.err == "");
  REQUIRE(begins(expected.out, "3,000 messages in "));
  for (const std::string compressor : {"gzip", "bzip2", "xz", "zstd"}) {
    INFO(compressor);
    const std::string file = files.file("@" + compressor + ".s");
    // How short it gets does not matter.
    REQUIRE(run({"sh", "-c", compressor + " -1c <\"$1\" >\"$2\"", "sh", plain, file}).code == 0);
    const Finished named = spfstat({file});
    CHECK(named.code == 0);
    CHECK(named.err == "");
    CHECK(named.out == expected.out);
    CHECK(spfstat_reading(file).out == expected.out);

    const Finished piped = spfstat_reading(file, "cat \"$1\" | \"$0\"");
    CHECK(piped.code == 111);
    CHECK(piped.err == "spfstat: warning: unable to read descriptor 0: compressed by " + compressor + ", and no file\n");
  }
  CHECK(spfstat_reading(plain).out == expected.out);
  CHECK(spfstat_reading(plain, "cat \"$1\" | \"$0\"").out == expected.out);
}

TEST_CASE("a compressed file that is broken, or for which there is no program, is reported") {
  const TempDir files;
  const std::string plain = files.write("current", accepted), file = files.file("half.gz");
  REQUIRE(run({"sh", "-c", "gzip -c <\"$1\" | head -c 40 >\"$2\"", "sh", plain, file}).code == 0);
  const Finished half = spfstat({file, plain});
  CHECK(half.code == 111);
  CHECK(contains(half.err, "spfstat: warning: unable to read " + file + ": gzip ended with exit code 1\n"));
  CHECK(begins(half.out, "1 message in "));  // of the other
  const Finished without = spfstat({file, plain}, {{"PATH", "/nonexistent"}});
  CHECK(without.code == 111);
  CHECK(contains(without.err, "unable to read " + file + ": unable to run gzip: No such file or directory\n"));
  CHECK(begins(without.out, "1 message in 1 line\n"));
}

TEST_CASE("of several files all that can be read counts") {
  const TempDir files;
  const std::string one = files.write("@1.s", accepted), other = files.write("current", accepted + "qlogenvelope: result=acc"),
                    empty = files.write("empty", ""), nowhere = files.file("nowhere");
  const Finished all = spfstat({one, empty, other});
  CHECK(all.code == 0);
  CHECK(begins(all.out, "2 messages in 3 lines\n1 qlogenvelope line not understood\n"));
  const Finished some = spfstat({one, nowhere, files.path(), other});
  CHECK(some.code == 111);
  CHECK(some.err == "spfstat: warning: unable to read " + nowhere + ": No such file or directory\n" +
                        "spfstat: warning: unable to read " + files.path() + ": Is a directory\n");
  CHECK(begins(some.out, "2 messages in 3 lines\n"));
}

TEST_CASE("how it is called") {
  const TempDir files;
  const std::string file = files.write("-p", accepted);
  const struct { Arguments arguments; int code; const char *out, *err; } cases[] = {
      {{"-x"}, 100, "", "spfstat: fatal: unknown option: -x\nspfstat: usage: spfstat [ -p ] [ file ... ]\n"},
      {{"-p", "--"}, 0, "# HELP ", ""},
      {{"--", file}, 0, "1 message in 1 line\n", ""},
      {{"-p", file}, 0, "# HELP ", ""},
      {{}, 0, "no message of spfwrap's in 0 lines\n", ""},
  };
  for (const auto& c : cases) {
    const Finished run = spfstat(c.arguments);
    CHECK(run.code == c.code);
    CHECK(begins(run.out, c.out));
    CHECK(run.out.empty() == !*c.out);
    CHECK(run.err == c.err);
  }
  const Finished full = run({"sh", "-c", "exec \"$0\" \"$1\" >/dev/full", program("spfstat"), file});
  CHECK(full.code == 111);
  CHECK(full.err == "spfstat: fatal: unable to write: No space left on device\n");
}

TEST_CASE("the chart has what the locale can show") {
  const TempDir files;
  const std::string file = files.write("current", "@400000006b08ffb835d94934 " + accepted);
  const struct { Environment environment; bool blocks; } cases[] = {
      {{}, false}, {{{"LANG", "C"}}, false}, {{{"LANG", "C.UTF-8"}}, true}, {{{"LANG", "de_DE.utf8"}}, true},
      {{{"LANG", "C.UTF-8"}, {"LC_ALL", "C"}}, false}, {{{"LANG", "C.UTF-8"}, {"LC_CTYPE", "POSIX"}}, false},
      {{{"LANG", "C.UTF-8"}, {"LC_ALL", ""}}, true}, {{{"LC_ALL", "UTF-8"}}, false},
  };
  for (const auto& c : cases) {
    const std::string out = spfstat({file}, c.environment).out;
    CHECK(contains(out, c.blocks ? "let through █  1\n" : "let through @  1\n"));
  }
}

TEST_CASE("times are shown in the local zone") {
  const TempDir files;
  const std::string file = files.write("current", "@400000006b08ffb835d94934 " + accepted);
  CHECK(begins(spfstat({file}, {{"TZ", "CET-1"}}).out,
               "1 message in 1 line\nfrom 2026-11-27 04:57 to 2026-11-27 04:57 CET\n"));
}

TEST_CASE("memory does not grow with the log") {
  // Different domains and clients, each refused, with names as long as can be: to keep
  // them all would take twice what there is.
  const std::string script =
      "perl -e 'for (1..200000) { print \"qlogenvelope: result=rejected code=550 reason=spf detail=fail pid=$_ "
      "rcptto=r remoteip=10.$_ domain=\", \"d\" x 240, \"$_ ms=1\\n\" }' | " +
      std::string(sanitized() ? "" : "prlimit --as=67108864 ") + "\"$0\"";
  const Finished run = test::run({"sh", "-c", script, program("spfstat")}, {}, 120s);
  CHECK(run.code == 0);
  CHECK(run.err == "");
  CHECK(begins(run.out, "200,000 messages in 200,000 lines\n"));
  CHECK(contains(run.out, "What level 3 would have cost: 200,000 messages (fail)\n"
                          "  of over 8,192 domains, from over 8,192 clients; up to 24 more each\n"
                          "  none has more than 48\n"));
}

TEST_CASE("a long reading shows a bar on a terminal, which is gone at the end", "[waits]") {
  if (left_out(access("/dev/pts/ptmx", F_OK) != 0, "no terminals here")) return;
  int master, slave;
  REQUIRE(openpty(&master, &slave, nullptr, nullptr, nullptr) == 0);
  const Fd terminal(master);
  Fd tty(slave);
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const Fd in(ends[0]);
  Fd feed(ends[1]);
  const Fd out = open_null();
  Process process({program("spfstat")}, {}, {in.get(), out.get(), tty.get()});
  tty.reset();
  std::string shown;
  const auto read_shown = [&](int wait) {
    pollfd ready = {terminal.get(), POLLIN, 0};
    char buffer[4096];
    if (poll(&ready, 1, wait) != 1) return false;
    const ssize_t count = read(terminal.get(), buffer, sizeof buffer);
    if (count > 0) shown.append(buffer, std::size_t(count));
    return count > 0;
  };
  CHECK(wait_until([&] {
    (void)!write(feed.get(), accepted.data(), accepted.size());
    read_shown(50);
    return contains(shown, " MB read");
  }));
  feed.reset();
  CHECK(process.wait() == 0);
  while (read_shown(100)) {}
  CHECK(shown.ends_with('\r' + std::string(60, ' ') + '\r'));
}

TEST_CASE("what spfwrap logs by way of multilog is what spfstat counts") {
  const Server server({program("spfwrap"), test_program("child")},
                      "127.:allow,TCPREMOTEIP=\"192.0.2.1\",SPFBEHAVIOR=\"3\"\n");
  constexpr const char* results[] = {"pass", "fail", "softfail", "neutral", "none", "permerror"};
  constexpr int sessions = 4;
  for (int i = 0; i < sessions; ++i) {
    SmtpClient client = server.connect();
    client.reply();
    client.ask("EHLO mail.example.org");
    for (const std::string result : results) {
      client.ask("MAIL FROM:<a" + std::to_string(i) + "@" + result + ".example.org>");
      client.talk({"RCPT TO:<b@example.org>", "RCPT TO:<c@example.org>", "RSET"});
    }
    client.ask("QUIT");
  }
  CHECK(server.wait_for_line("qlogenvelope: ", sessions * 7) != "");

  const TempDir logs;
  const std::string errors = server.files().file("errors");
  // Of files so short there are several.
  REQUIRE(run({"sh", "-c", "exec multilog t s4096 n99 \"$1\" <\"$2\"", "sh", logs.file("log"), errors}).code == 0);
  const Finished files = run({"sh", "-c", "ls \"$1\"/@* | wc -l; exec \"$0\" \"$1\"/@* \"$1\"/current",
                              program("spfstat"), logs.file("log")}, {{"TZ", "UTC"}});
  CHECK(files.code == 0);
  CHECK(files.err == "");
  INFO(files.out);
  CHECK(std::atoi(files.out.c_str()) >= 2);
  for (const std::string result : results) {
    const bool refused = result == "fail";
    std::ostringstream row;
    row << "\n  " << result << std::string(9 - result.size(), ' ');
    for (const int count : {refused ? 0 : sessions, 0, refused ? sessions : 0, sessions})
      row << std::string(12, ' ') << count;
    CHECK(contains(files.out, row.str()));
  }
  for (const char* part : {"24 messages in 28 lines, 28 of them spfwrap's\nfrom 20",
                           "  Recipients refused: 8.\n",
                           "  level 3             20            0            4            4 fail\n",
                           "  level 6              4            0           20            8 none, permerror\n",
                           "Refused most: 4 messages\n  of 1 domain, from 1 client\n"
                           "          4 fail.example.org                            4 192.0.2.1\n",
                           "  in TLS    0.0 %\n", "\nBy hour\n"})
    CHECK(contains(files.out, part));

  const std::string text = spfstat({"-p", errors}).out;
  for (const char* part : {"spfwrap_messages_total{result=\"accepted\",code=\"250\"} 20\n",
                           "spfwrap_messages_total{result=\"rejected\",code=\"550\"} 4\n",
                           "spfwrap_check_seconds_count 24\n"})
    CHECK(contains(text, part));
}
