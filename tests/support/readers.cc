#include "tests/support/readers.hh"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "tests/support/temp_dir.hh"

namespace test {
namespace {

namespace fs = std::filesystem;

std::string root() {
  const char* unpacked = getenv("READERS_ROOT");
  return unpacked ? unpacked : "";
}

// Perl with the modules below the root: usr/share/perl5 and
// usr/lib/MACHINE/perl5/VERSION. -T is what SpamAssassin wants.
Arguments perl() {
  Arguments command = {"/usr/bin/perl", "-T", "-I" + root() + "/usr/share/perl5"};
  for (const auto& machine : fs::directory_iterator(root() + "/usr/lib"))
    if (const fs::path modules = machine.path() / "perl5"; fs::is_directory(modules))
      for (const auto& version : fs::directory_iterator(modules))
        command.push_back("-I" + version.path().string());
  return command;
}

// What stands between each `start` and the next, or `end` before that.
std::vector<std::string> behind_each(const std::string& text, const std::string& start, const std::string& end = "") {
  std::vector<std::string> found;
  for (std::size_t at = text.find(start); at != text.npos;) {
    at += start.size();
    const std::size_t next = text.find(start, at), stop = end.empty() ? next : std::min(next, text.find(end, at));
    found.push_back(text.substr(at, stop - at));
    at = next;
  }
  return found;
}

bool is_program(const std::string& path) { return access(path.c_str(), X_OK) == 0; }

}  // namespace

Reader spamassassin() {
  const std::string path = "/usr/bin/spamassassin";
  if (is_program(path)) return {{path}, {}};
  if (root().empty() || !is_program(root() + path)) return {};
  Reader found{perl(), {}};
  found.program.push_back(root() + path);
  return found;
}

Reader opendmarc() {
  const std::string path = "/usr/sbin/opendmarc";
  if (is_program(path)) return {{path}, {}};
  if (root().empty() || !is_program(root() + path)) return {};
  return {{root() + path}, {{"LD_LIBRARY_PATH", root() + "/libraries"}}};
}

Finished Reader::run(const Arguments& arguments, const Environment& more) const {
  Arguments all = program;
  all.insert(all.end(), arguments.begin(), arguments.end());
  Environment variables = environment;
  variables.insert(more.begin(), more.end());
  return test::run(all, variables);
}

std::vector<SpamAssassinFound> read_by_spamassassin(const std::vector<std::string>& messages) {
  const TempDir files;
  files.make_directory("rules");
  files.write("rules/local.cf",
              "loadplugin Mail::SpamAssassin::Plugin::Check\n"
              "loadplugin Mail::SpamAssassin::Plugin::SPF\n"
              "header mailfrom eval:check_for_spf_pass()\n"
              "header helo eval:check_for_spf_helo_pass()\n"
              "add_header all Found _TESTS(,)_\n"
              "dns_available no\n");
  Arguments arguments = {"-t", "-D", "spf", "-x", "-C", files.file("rules"), "--siteconfigpath=/nonexistent",
                         "-p", "/dev/null"};
  for (std::size_t i = 0; i < messages.size(); ++i)
    arguments.push_back(files.write(std::to_string(1000 + i), messages[i]));  // in the order of their names, too
  const Finished run = spamassassin().run(arguments, {{"HOME", files.path()}});
  const auto passed = behind_each(run.out, "X-Spam-Found: ", "\n"),
             debugging = behind_each(run.err, "checking to see if the message has a Received-SPF header");
  if (passed.size() != messages.size() || debugging.size() != messages.size())
    throw std::runtime_error("spamassassin: " + run.out + run.err);
  std::vector<SpamAssassinFound> found;
  for (std::size_t i = 0; i < messages.size(); ++i) found.push_back({passed[i], debugging[i]});
  return found;
}

}  // namespace test
