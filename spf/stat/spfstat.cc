// spfstat: tables of the log. See spfstat(1).

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <string>
#include <string_view>

#include "spf/base/ascii.hh"
#include "spf/base/exit_code.hh"
#include "spf/base/log.hh"
#include "spf/base/read_write.hh"
#include "spf/base/usage.hh"
#include "spf/stat/line_buffer.hh"
#include "spf/stat/log_file.hh"
#include "spf/stat/progress.hh"
#include "spf/stat/prometheus.hh"
#include "spf/stat/screen.hh"
#include "spf/stat/statistics.hh"

namespace {

constexpr spf::Usage usage = {
    "spfstat", "[ -p ] [ file ... ]",
    "Makes tables of spfwrap's log: of the files, as multilog and svlogd keep them, or of\n"
    "descriptor 0. With -p it writes Prometheus' text form. See spfstat(1)."};

int wrong(const std::string& why) {
  if (!why.empty()) spf::write_fatal(why);
  spf::write_log(spf::usage_message(usage));
  return spf::wrong_usage;
}

int print(std::string_view text) {
  if (spf::write_all(1, text) || errno == EPIPE) return 0;  // who reads has seen enough
  spf::write_fatal(std::string("unable to write: ") + std::strerror(errno));
  return spf::system_trouble;
}

// The variables that say which characters the terminal has, the strongest first.
bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value) continue;
    const std::string_view locale(value);
    return spf::ends_with_ignoring_case(locale, ".utf-8") || spf::ends_with_ignoring_case(locale, ".utf8");
  }
  return false;
}

std::uint64_t size_of(char** files, int count) {
  std::uint64_t sum = 0;
  for (int i = 0; i < count; ++i)
    if (struct stat status; stat(files[i], &status) == 0 && S_ISREG(status.st_mode))
      sum += std::uint64_t(status.st_size);
  return sum;
}

class Reader {
 public:
  Reader(spf::Statistics& statistics, std::uint64_t total) : statistics_(statistics), progress_(total) {}

  void read(spf::LogFile file) {
    const auto add = [this](std::string_view line, bool cut) { statistics_.add(line, cut); };
    const auto finish = [&] { lines_.finish(add); };
    try {
      while (const std::size_t count = file.read(lines_.space())) {
        lines_.written(count, add);
        read_ += count;
        progress_.show(file.size() > 0 ? before_ + file.position() : read_);
      }
    } catch (...) {
      finish();
      throw;
    }
    finish();
    before_ += file.size();
  }

 private:
  spf::Statistics& statistics_;
  spf::Progress progress_;
  spf::LineBuffer lines_;
  std::uint64_t before_ = 0;  // octets of the files that were read
  std::uint64_t read_ = 0;    // decompressed
};

// False if something can't be read; then what can be read counts.
bool read_all(spf::Statistics& statistics, char** files, int count) {
  bool whole = true;
  Reader reader(statistics, size_of(files, count));
  for (int i = 0; i < (count > 0 ? count : 1); ++i) try {
      reader.read(count > 0 ? spf::LogFile(files[i]) : spf::LogFile::standard_input());
    } catch (const std::runtime_error& error) {
      spf::write_warning(error.what());
      whole = false;
    }
  return whole;
}

int report(bool prometheus, char** files, int count) {
  spf::Statistics statistics(std::time(nullptr));
  const bool whole = read_all(statistics, files, count);
  const int status = print(prometheus ? prometheus_text(statistics) : screen(statistics, utf8_locale()));
  return whole ? status : spf::system_trouble;
}

int run(int argc, char** argv) {
  bool prometheus = false;
  opterr = 0;
  for (int option; (option = getopt(argc, argv, "+p")) != -1;) switch (option) {
      case 'p': prometheus = true; break;
      default: return wrong(std::string("unknown option: -") + char(optopt));
    }
  const int count = argc - optind;
  if (count == 0 && isatty(0)) return wrong("");
  try {
    return report(prometheus, argv + optind, count);
  } catch (const std::exception& error) {
    spf::write_fatal(error.what());
    return spf::system_trouble;
  }
}

}  // namespace

int main(int argc, char** argv) {
  spf::set_program_name("spfstat");
  std::signal(SIGPIPE, SIG_IGN);
  if (const auto answered = spf::answer_about(usage, argc, argv)) return *answered;
  return run(argc, argv);
}
