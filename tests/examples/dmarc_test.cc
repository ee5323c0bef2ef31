// qmail-dmarc of tests/examples/files: what it refuses, and that it queues the whole message or
// nothing.
#include "tests/catch.hh"

#include <fcntl.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <span>
#include <sstream>

#include "tests/examples/example.hh"
#include "tests/queue/queue.hh"
#include "tests/support/certificate.hh"
#include "tests/support/name_server.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

// Where Perl finds modules that are not installed: usr/share/perl5 and
// usr/lib/MACHINE/perl5/VERSION.
std::string modules() {
  std::string path = unpacked("/usr/share/perl5");
  if (!std::filesystem::is_directory(unpacked("/usr/lib"))) return path;
  for (const auto& machine : std::filesystem::directory_iterator(unpacked("/usr/lib")))
    if (const auto below = machine.path() / "perl5"; std::filesystem::is_directory(below))
      for (const auto& version : std::filesystem::directory_iterator(below)) path += ":" + version.path().string();
  return path;
}

Environment perl(Environment more = {}) {
  more.insert({{"PERL5LIB", modules()}, {"LD_LIBRARY_PATH", unpacked("/libraries")}, {"RES_NAMESERVERS", "127.0.0.1"}});
  return more;
}

Finished run_perl(const std::string& program, const Arguments& arguments) {
  Arguments all{"/usr/bin/perl", "-e", program};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run(all, perl());
}

bool has_modules() {
  static const bool there =
      run_perl("for my $file (@ARGV) { grep { -e \"$_/$file\" } @INC or exit 1 }",
               {"Mail/DMARC/PurePerl.pm", "Mail/DKIM/Signer.pm", "Mail/DKIM/Verifier.pm", "Net/IDN/Encode.pm"}).code == 0;
  return !left_out(!there, "no Mail::DMARC here");
}

// The DNS of example.org, with an RSA key for the names below "reject", and what its
// private half signs.
struct World {
  World() {
    // A string of a TXT record has at most 255 octets.
    const std::string text =
        run({"sh", "-c", "openssl rsa -in \"$0\" -pubout -outform DER | base64 -w 200 | sed 's/.*/\"&\"/' | tr '\n' ' '", key}).out;
    dns = std::make_unique<NameServer>(std::vector<Zone>{{"example.org",
        "reject TXT \"v=spf1 -all\"\nreject A 192.0.2.1\n_dmarc.reject TXT \"v=DMARC1; p=reject\"\n"
        "strict TXT \"v=spf1 ip4:192.0.2.1 -all\"\nstrict A 192.0.2.1\n"
        "_dmarc.strict TXT \"v=DMARC1; p=reject; aspf=s\"\n"
        "s._domainkey.reject TXT \"v=DKIM1; k=rsa; p=\" " + text + "\n"}});
  }

  std::string sign(const std::string& message) const {
    return run_perl(
               "use Mail::DKIM::Signer;"
               "my $dkim = Mail::DKIM::Signer->new(Algorithm => 'rsa-sha256', Method => 'relaxed/relaxed',"
               "  Domain => 'reject.example.org', Selector => 's', KeyFile => $ARGV[0]);"
               "(my $text = $ARGV[1]) =~ s/\\n/\\r\\n/g; $dkim->PRINT($text); $dkim->CLOSE;"
               "print $dkim->signature->as_string, qq(\\n)",
               {key, message})
               .out + message;
  }

  std::string key = certificates().rsa_key;
  std::unique_ptr<NameServer> dns;
};

std::string script(const TempDir& files, const std::string& prog = Queue::prog()) {
  return files.script("qmail-dmarc", example("qmail-dmarc", {{"/var/qmail/bin/qmail-queue", prog}}));
}

// qmail-dmarc before the queue program, as spfqueue runs it: on 0 and 1 what is to be
// queued.
class Filter {
 public:
  Filter(const std::string& message, const std::string& envelope, Environment more, const std::string& prog = Queue::prog()) {
    const Fd in = opened(files_, "message", message), out = opened(files_, "envelope", envelope),
             err = open_append(files_.file("errors"));
    more["QUEUE"] = queue_.files().path();
    more["QMAILQUEUE"] = script(files_, prog);
    process_ = std::make_unique<Process>(Arguments{more["QMAILQUEUE"]}, perl(more), Streams{in.get(), out.get(), err.get()});
  }

  int code() { return process_->wait(60s).value_or(-1); }
  const Queue& queue() const { return queue_; }

 private:
  TempDir files_;
  Queue queue_;
  std::unique_ptr<Process> process_;
};

// A message with its verdict for qmail-dmarc, in a fork of a Perl that has loaded the
// modules: they take most of a second, and once is enough. Behind spfwrap it loads
// them itself.
struct Judged {
  std::string message, result, domain;
  int code;  // that it shall exit with
  Queue queue = {};
};

constexpr const char* fork_for_each = R"(
require Encode; require Net::IDN::Encode; require Mail::DKIM::Verifier; require Mail::DMARC::PurePerl; require POSIX;
Mail::DMARC::PurePerl->new->is_valid_domain('example.org');  # which reads the public suffixes
($ENV{QMAILQUEUE}, my @cases) = @ARGV;
@ARGV = ();
my @pids = map {
  my ($directory, $result, $domain) = split / /;
  my $pid = fork // die;
  if (!$pid) {
    @ENV{qw(QUEUE SPFRESULT SPFDOMAIN SPFIDENTITY)} = ($directory, $result, $domain, 'mailfrom');
    my $fd = 0;
    for my $file ('message', 'envelope') {
      POSIX::dup2(POSIX::open("$directory/$file") // die, $fd++) // die;
    }
    do $ENV{QMAILQUEUE};
    die $@;
  }
  $pid;
} @cases;
for (@pids) { waitpid $_, 0; print $? & 127 ? "killed\n" : ($? >> 8) . "\n" }
)";

// Their exit codes, a line each.
Finished run_forks(std::span<const Judged> cases, const Environment& environment) {
  const TempDir files;
  Arguments arguments{"/usr/bin/perl", "-e", fork_for_each, script(files)};
  for (const Judged& c : cases) {
    c.queue.files().write("message", c.message);
    c.queue.files().write("envelope", usual_envelope);
    arguments.push_back(c.queue.files().path() + " " + c.result + " " + c.domain);
  }
  return run(arguments, perl(environment), 60s);
}

const World& world() {
  static const World only;
  return only;
}

std::string from(const std::string& field) { return "Received: x\nFrom: " + field + "\nSubject: x\n\nbody\n"; }

}  // namespace

TEST_CASE("a message is refused where the policy of From's domain wants that, and nowhere else") {
  if (!has_modules()) return;
  const std::string ours = from("a@reject.example.org"), signed_one = world().sign(ours);
  const Judged cases[] = {
      {signed_one, "fail", "reject.example.org", 0},
      {signed_one + "more\n", "fail", "reject.example.org", 31},
      {ours, "temperror", "reject.example.org", 71},
      // What a reader sees first is no address.
      {from("\"a@elsewhere.example <\" (b@elsewhere.example <) <a@reject.example.org>"), "pass", "elsewhere.example", 31},
      {from("a@reject.example.org\nFrom: a@elsewhere.example"), "pass", "elsewhere.example", 31},
      {from("a@strict.example.org"), "pass", "mail.strict.example.org", 31},
  };
  const Finished done = run_forks(cases, world().dns->environment());
  INFO(done.out << done.err);
  REQUIRE(done.code == 0);
  std::istringstream codes(done.out);
  for (const Judged& c : cases) {
    INFO(c.message << c.result);
    int code = -1;
    codes >> code;
    CHECK(code == c.code);
    const std::vector<QueuedMessage> queued = c.queue.queued();
    REQUIRE(queued.size() == (c.code == 0 ? 1 : 0));
    if (c.code == 0) {
      CHECK(queued[0].message == c.message);
      CHECK(queued[0].envelope == usual_envelope);
    }
  }
}

TEST_CASE("behind spfwrap it has the verdict, and the client hears the refusal") {
  if (!has_modules()) return;
  const Queue queue;
  const TempDir files;
  Environment environment = perl(world().dns->environment());
  environment.insert({{"SPFANNOTATE", "queue"}, {"CHILD_QUEUE", "1"}, {"QUEUE", queue.files().path()},
                      {"QMAILQUEUE", script(files)}});
  Wrapped spfwrap(level("1", environment));
  spfwrap.hello();
  CHECK(deliver(spfwrap, "MAIL FROM:<a@reject.example.org>", "From: a@reject.example.org\r\n\r\nx\r\n").find("\n554 ") !=
        std::string::npos);
  CHECK(queue.queued().empty());
  CHECK(deliver(spfwrap, "MAIL FROM:<a@strict.example.org>", "From: a@strict.example.org\r\n\r\nx\r\n").find("\n250 ") !=
        std::string::npos);
  REQUIRE(queue.queued().size() == 1);
  CHECK(queue.queued()[0].message.starts_with("Received-SPF: pass "));
  CHECK(queue.queued()[0].environment.find("QMAILQUEUE") == std::string::npos);
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("what spfwrap has not checked is queued unseen, with the exit code of the queue program") {
  const std::string message = from("a@reject.example.org");
  Filter queued(message, usual_envelope, {}), early(message, usual_envelope, {{"QUEUE_FAULT", "early=exit:53"}}),
      no_prog(message, usual_envelope, {}, "/nonexistent");
  CHECK(queued.code() == 0);
  REQUIRE(queued.queue().queued().size() == 1);
  CHECK(queued.queue().queued()[0].message == message);
  CHECK(early.code() == 53);
  CHECK(no_prog.code() == 120);
}

TEST_CASE("without a whole envelope nothing is queued") {
  for (const std::string& envelope : {std::string(), usual_envelope.substr(0, 1), usual_envelope.substr(0, usual_envelope.size() - 1)}) {
    Filter cut(from("a@reject.example.org"), envelope, {});
    CHECK(cut.code() == 54);
    CHECK(cut.queue().queued().empty());
  }
}

TEST_CASE("without Mail::DMARC it is a temporary error, and nothing is queued") {
  Filter bare(from("a@reject.example.org"), usual_envelope,
              {{"SPFRESULT", "fail"}, {"SPFDOMAIN", "reject.example.org"}, {"PERL5OPT", "-M-lib=/usr/share/perl5"}, {"PERL5LIB", ""}});
  CHECK(bare.code() == 81);
  CHECK(bare.queue().queued().empty());
}
