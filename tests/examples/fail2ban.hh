// fail2ban with the filter of tests/examples/files.
#pragma once

#include <string>

#include "tests/examples/example.hh"

namespace test::fail2ban {

inline bool there() { return !debian_program("fail2ban-regex").empty(); }

// The addresses that it takes out of a log, one a line.
inline std::string banned(const std::string& log) {
  const TempDir files;
  return run({"/usr/bin/python3", "-B", debian_program("fail2ban-regex"), "-o", "ip", files.write("log", log),
              "tests/examples/files/fail2ban/spfwrap-filter.conf"},
             {{"PYTHONPATH", unpacked("/usr/lib/python3/dist-packages")},
              {"SETUPTOOLS_USE_DISTUTILS", "stdlib"}})  // that of setuptools takes long to load
      .out;
}

}  // namespace test::fail2ban
