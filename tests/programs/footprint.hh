// The private memory of connections to a server that starts programs.
#pragma once

#include <dirent.h>
#include <limits.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/programs/client.hh"

namespace footprint {

inline std::string slurp(const std::string& path) {
  std::string text;
  if (FILE* file = fopen(path.c_str(), "r")) {
    char bytes[4096];
    for (size_t count; (count = fread(bytes, 1, sizeof bytes, file)) > 0;) text.append(bytes, count);
    fclose(file);
  }
  return text;
}

inline int parent_of(const std::string& pid) {
  const std::string stat = slurp("/proc/" + pid + "/stat");
  const auto name_end = stat.rfind(')');
  char state;
  int parent = 0;
  if (name_end != stat.npos) sscanf(stat.c_str() + name_end + 1, " %c %d", &state, &parent);
  return parent;
}

// All that it has started, and what these have, and so on.
inline std::vector<std::string> descendants_of(int server) {
  std::multimap<int, std::string> by_parent;
  if (DIR* proc = opendir("/proc")) {
    while (const dirent* entry = readdir(proc))
      if (atoi(entry->d_name)) by_parent.emplace(parent_of(entry->d_name), entry->d_name);
    closedir(proc);
  }
  std::vector<std::string> found;
  const auto add_children_of = [&](int parent) {
    for (auto [at, end] = by_parent.equal_range(parent); at != end; ++at) found.push_back(at->second);
  };
  add_children_of(server);
  for (std::size_t i = 0; i < found.size(); ++i) add_children_of(atoi(found[i].c_str()));
  return found;
}

// What is Anonymous. Pages of the program's file are all connections', though they
// are called private while there is one.
inline long private_memory(const std::string& pid) {
  constexpr std::string_view key = "\nAnonymous:";
  const std::string rollup = slurp("/proc/" + pid + "/smaps_rollup");
  const std::size_t at = rollup.find(key);
  return at == rollup.npos ? 0 : atol(rollup.c_str() + at + key.size());
}

// Of all processes below `server` that run one of `programs`, a list that ends
// in a null pointer. A process that hides its memory shows it to root only.
inline long private_memory(int server, char* const* programs) {
  char wanted[PATH_MAX], path[PATH_MAX];
  long sum = 0;
  const std::vector<std::string> started = descendants_of(server);
  for (; *programs; ++programs) {
    if (!realpath(*programs, wanted)) client::die("no such program", *programs);
    for (const std::string& pid : started)
      if (realpath(("/proc/" + pid + "/exe").c_str(), path) && std::string(path) == wanted)
        sum += private_memory(pid);
  }
  return sum;
}

// Prints, in kB, one line each for a client that waits, for one that has sent a
// message, and for one in the middle of a body of 50 MB. Two clients do the
// same side by side and the mean is taken: the program's text is shared between
// connections, and would look private to a lone one.
template <class Session>
void print(int port, int server, char* const* programs) {
  Session sessions[2] = {Session(port), Session(port)};
  const auto report = [&](const char* when) {
    printf("%s %ld\n", when, private_memory(server, programs) / 2);
    fflush(stdout);
  };
  for (auto& session : sessions) session.open();
  report("waiting");
  for (auto& session : sessions) {
    session.next_message("a@pass.example.org");
    session.send(client::message(2048));
    session.ask(".\r\n", "250");
  }
  report("message");
  for (auto& session : sessions) session.next_message("c@pass.example.org");
  const std::string block = client::message(1 << 20);
  for (int i = 0; i < 50; ++i) {
    for (auto& session : sessions) session.send(block);
    if (i == 25) report("body");
  }
  for (auto& session : sessions) {
    session.ask(".\r\n", "250");
    session.quit();
  }
}

}  // namespace footprint
