// tcp.smtp and qmail-cert of tests/examples/files.
#include "tests/catch.hh"

#include <sys/stat.h>

#include <unistd.h>

#include <filesystem>

#include "tests/examples/example.hh"
#include "tests/support/certificate.hh"

using namespace test;

TEST_CASE("tcp.smtp says of each client what its comments say") {
  const TempDir files;
  const std::string source = files.write("tcp.smtp", example("tcp.smtp"));
  REQUIRE(run({"sh", "-c", "tcprules \"$1.cdb\" \"$1.tmp\" <\"$1\"", "sh", source}).code == 0);
  const struct { const char *address, *says; } cases[] = {
      {"127.0.0.1", "rule 127.:\nset environment variable RELAYCLIENT=\nallow connection\n"},
      {"10.1.2.3", "rule 10.1.2.:\nset environment variable RELAYCLIENT=\nallow connection\n"},
      {"192.0.2.25", "rule 192.0.2.25:\nset environment variable SPFBEHAVIOR=0\nallow connection\n"},
      {"198.51.100.7", "rule 198.51.100.:\nset environment variable SPFBEHAVIOR=1\nallow connection\n"},
      {"192.0.2.80", "rule 192.0.2.80:\nset environment variable SPFBEHAVIOR=3\n"
                     "set environment variable SPFSTARTTLS=hide\nallow connection\n"},
      {"203.0.113.44", "rule :\nset environment variable SPFBEHAVIOR=3\nallow connection\n"},
  };
  for (const auto& c : cases)
    CHECK(run({"tcprulescheck", source + ".cdb"}, {{"TCPREMOTEIP", c.address}}).out == c.says);
}

namespace {

// A host whose control directory has nothing but an old certificate.
class CertificateHost {
 public:
  explicit CertificateHost(const std::string& spftls = program("spftls")) {
    files_.make_directory("control");
    files_.write("control/servercert.pem", "old");
    script_ = files_.script("qmail-cert", example("qmail-cert", {{"/var/qmail/control", files_.file("control")},
                                                                 {"/usr/local/bin/spftls", spftls},
                                                                 {"owner=qmaild", "owner=" + std::to_string(geteuid())}}));
  }

  const TempDir& files() const { return files_; }
  std::string certificate() const { return files_.file("control/servercert.pem"); }
  Finished run(Arguments arguments) const {
    arguments.insert(arguments.begin(), script_);
    return test::run(arguments);
  }
  // Nothing but the certificate is in the directory.
  bool is_clean() const {
    return std::distance(std::filesystem::directory_iterator(files_.file("control")), {}) == 1;
  }

 private:
  TempDir files_;
  std::string script_;
};

struct stat status(const std::string& file) {
  struct stat found = {};
  REQUIRE(stat(file.c_str(), &found) == 0);
  return found;
}

std::string without_last_line_feed(std::string text) {
  while (text.ends_with("\n")) text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("qmail-cert puts a certificate in place that can be used, for its reader alone") {
  const CertificateHost host;
  const TempDir& files = host.files();
  const std::string key = without_last_line_feed(read_file(certificates().key));
  for (const std::string& file : {certificates().key, files.write("key", key)}) {
    const Finished done = host.run({file, certificates().chain});
    INFO(done.err);
    CHECK(done.code == 0);
    CHECK(run({program("spftls"), "-n", "-c", host.certificate()}).code == 0);
    CHECK((status(host.certificate()).st_mode & 07777) == 0400);
    CHECK(status(host.certificate()).st_uid == geteuid());
    CHECK(host.is_clean());
  }
}

TEST_CASE("qmail-cert leaves the old certificate, and nothing else, where it fails") {
  const CertificateHost host;
  const struct { Arguments arguments; int code; const char* says; } cases[] = {
      {{}, 100, "usage"},
      {{certificates().key}, 100, "usage"},
      {{certificates().key, certificates().chain, "x"}, 100, "usage"},
      {{certificates().other_key, certificates().chain}, 111, "key values mismatch"},
      {{certificates().chain, certificates().chain}, 111, "spftls: fatal: "},
      {{host.files().file("none"), certificates().chain}, 1, "No such file"},
  };
  for (const auto& c : cases) {
    const Finished done = host.run(c.arguments);
    INFO(done.err);
    CHECK(done.code == c.code);
    CHECK(done.err.find(c.says) != std::string::npos);
    CHECK(read_file(host.certificate()) == "old");
    CHECK(host.is_clean());
  }
}

TEST_CASE("qmail-cert gives the file to spftls's own user, where it has one") {
  if (left_out(sanitized(), "a sanitizer's search for leaks fails in a set-uid program")) return;
  if (left_out(geteuid() != 0, "only root can give spftls a user")) return;
  const TempDir bin;
  const std::string spftls = bin.file("spftls");
  std::filesystem::copy_file(program("spftls"), spftls);
  REQUIRE(chown(spftls.c_str(), 65534, 65534) == 0);
  REQUIRE(chmod(spftls.c_str(), 04711) == 0);
  const CertificateHost host(spftls);
  for (const std::string& directory : {bin.path(), host.files().path(), host.files().file("control")})
    REQUIRE(chmod(directory.c_str(), 0711) == 0);
  const Finished done = host.run({certificates().key, certificates().chain});
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(status(host.certificate()).st_uid == 65534);
  CHECK((status(host.certificate()).st_mode & 07777) == 0400);
}
