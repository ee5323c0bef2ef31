// What spfcheck -C makes of a certificate: how long it is good for, and what
// comes of trying it with a spftls that is of no use.
#include <cstdlib>

#include "spf/explain/certificate_trial.hh"
#include "spf/explain/certificate_validity.hh"
#include "tests/catch.hh"
#include "tests/support/certificate.hh"
#include "tests/support/clock.hh"
#include "tests/support/temp_dir.hh"

using namespace std::chrono;
using spf::Certificate;

namespace {

constexpr auto day_long = seconds(days(1));
const Certificate::Time expiry = sys_days(year(2027) / 1 / 31) + hours(10);

Certificate living(seconds time) { return {expiry - time, expiry, {"mx.example"}}; }

std::string script(const test::TempDir& files, const std::string& text) {
  return files.script("spftls", "#!/bin/sh\n" + text + "\n");
}

void check_unusable(const std::string& spftls, const std::string& reason) {
  const auto start = test::Clock::now();
  const auto trial = spf::try_certificate(spftls, {}, 500ms);
  CHECK_FALSE(trial.certificate);
  CHECK(trial.reason == reason);
  CHECK(test::since(start) < 5s);
}

}  // namespace

TEST_CASE("a certificate's days are counted down to its last second, and it is warned in time") {
  const auto year_long = 365 * day_long;
  const struct { seconds life, left; const char *until, *warning, *why; } cases[] = {
      {year_long, 67 * day_long, "2027-01-31, 67 days left", "", "two months"},
      {year_long, 68 * day_long - 1s, "2027-01-31, 67 days left", "", "days are whole ones"},
      {year_long, year_long, "2027-01-31, 365 days left", "", "its first second"},
      {year_long, year_long + 1s, "2027-01-31, 365 days left",
       "the certificate is not valid before 2026-01-31T10:00:00Z", "the one before that"},
      {5 * day_long, 50 * day_long, "2027-01-31, 50 days left",
       "the certificate is not valid before 2027-01-26T10:00:00Z", "not for long"},
      {year_long, 14 * day_long, "2027-01-31, 14 days left", "", "fourteen days are enough"},
      {year_long, 14 * day_long - 1s, "2027-01-31, 13 days left",
       "the certificate expires soon: 2027-01-31, 13 days left", "less are not"},
      {90 * day_long, 15 * day_long, "2027-01-31, 15 days left", "", "nor of ninety"},
      {90 * day_long, 13 * day_long, "2027-01-31, 13 days left",
       "the certificate expires soon: 2027-01-31, 13 days left", "the same of ninety"},
      {6 * day_long, 6 * day_long, "2027-01-31, 6 days left", "", "one that lives six days is not always late"},
      {6 * day_long, 2 * day_long, "2027-01-31, 2 days left", "", "a third of it is left"},
      {6 * day_long, 2 * day_long - 1s, "2027-01-31, 1 day left",
       "the certificate expires soon: 2027-01-31, 1 day left", "less than a third"},
      {year_long, day_long - 1s, "2027-01-31, less than a day left",
       "the certificate expires soon: 2027-01-31, less than a day left", "its last day"},
      {year_long, 0s, "2027-01-31, less than a day left",
       "the certificate expires soon: 2027-01-31, less than a day left", "its last second is of its life"},
      {year_long, -1s, "2027-01-31, less than a day ago", "the certificate has expired: 2027-01-31", "and no more"},
      {year_long, -day_long, "2027-01-31, 1 day ago", "the certificate has expired: 2027-01-31", "a day ago"},
      {year_long, -400 * day_long, "2027-01-31, 400 days ago", "the certificate has expired: 2027-01-31", "long ago"},
      {-day_long, -2 * day_long, "2027-01-31, 2 days ago", "the certificate has expired: 2027-01-31",
       "one that ends before it begins"},
      {-5 * day_long, 2 * day_long, "2027-01-31, 2 days left",
       "the certificate is not valid before 2027-02-05T10:00:00Z", "the same before its end"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const auto valid = spf::validity(living(c.life), expiry - c.left);
    CHECK(valid.until == c.until);
    CHECK(valid.warning == c.warning);
  }
  // "99991231235959Z" is for ever (RFC 5280 section 4.1.2.5).
  const Certificate for_ever{expiry, sys_days(year(9999) / 12 / 31) + 86399s, {}};
  CHECK(spf::validity(for_ever, expiry).until == "9999-12-31, 2912047 days left");
  CHECK(spf::validity(for_ever, expiry).warning == "");
}

TEST_CASE("a spftls that hangs is why the certificate can't be used, and keeps nobody", "[waits]") {
  const test::TempDir files;
  check_unusable(script(files, "exec sleep 60"), "spftls hangs");
}

TEST_CASE("so is one that hangs after some text", "[waits]") {
  const test::TempDir files;
  check_unusable(script(files, "while :; do echo -n x; done | head -c 100; exec sleep 60"), "spftls hangs");
}

TEST_CASE("so is a spftls that is of no use otherwise") {
  const test::TempDir files;
  const std::string line = "from 2026-11-24T00:00:00Z until 2027-01-31T10:00:00Z for x";
  check_unusable(files.file("none"), "unable to run spftls: No such file or directory");
  check_unusable(files.path(), "unable to run spftls: Permission denied");
  const struct { std::string text; const char* reason; } cases[] = {
      {"exit 0", "spftls has died"},
      {"kill -9 $$", "spftls has died"},
      {"echo 'spftls: fatal: /c: no start line' >&2; exit 111", "/c: no start line"},
      {"echo 'spftls: error while loading shared libraries: libssl.so.3' >&2; exit 127",
       "spftls: error while loading shared libraries: libssl.so.3"},
      {"echo nonsense; echo " + line, "nonsense"},
      {"echo; echo " + line, "spftls has died"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    check_unusable(script(files, c.text), c.reason);
  }
  const auto flood = spf::try_certificate(script(files, "exec yes | tr -d '\\n'"), {}, 10s);
  CHECK(flood.reason.size() == 4096);

  const auto good = spf::try_certificate(script(files, "sleep 0.1; echo " + line), {}, 10s);
  REQUIRE(good.certificate);
  CHECK(good.certificate->names == std::vector<std::string>{"x"});
  CHECK(good.reason == "");
}

TEST_CASE("spftls tries what the settings name, with nothing of our environment") {
  const test::TempDir files;
  const std::string spftls = script(files, "echo \"$*,$OPENSSL_CONF,$(cat)\"");
  spf::Config config;
  config.certificate = "/c.pem";
  config.key = "/k.pem";
  setenv("OPENSSL_CONF", "/o", 1);
  CHECK(spf::try_certificate(spftls, config, 10s).reason == "-n -c /c.pem -k /k.pem,,");
  config.ciphers = "HIGH:!SHA1";
  CHECK(spf::try_certificate(spftls, config, 10s).reason == "-n -c /c.pem -k /k.pem -l HIGH:!SHA1,,");
}
