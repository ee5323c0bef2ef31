// One SPF check in a process of its own, behind a wall (walled_process.hh): it
// may wait for DNS while the dialogue goes on, and what the check parses can't
// harm the dialogue.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/engine/check.hh"
#include "spf/base/process.hh"
#include "spf/base/socket_address.hh"
#include "spf/engine/verdict.hh"
#include "spf/wall/walled_process.hh"

namespace spf {

class Evaluator {
 public:
  // How the check is made; tests have others.
  using Check = Verdict(const Query&, const CheckOptions&, Resolver&, Trace*);

  // Starts the check, which asks `name_servers` and ends within `time`. Throws
  // std::system_error.
  Evaluator(const Query& query, const CheckOptions& options,
            const std::vector<SocketAddress>& name_servers, std::chrono::seconds time,
            Check* check = spf::check);

  // Becomes readable when there is something for read().
  int descriptor() const { return process_.descriptor(); }

  // Takes what has arrived. The verdict, once all of it is there; a check that
  // died or said something else is temperror.
  std::optional<Verdict> read();

  // The process, which ends by itself after a verdict, for who reaps it then.
  Process release() { return process_.release(); }

  // The verdict where there is none, because the check crashed, overstayed or
  // could not be started.
  static Verdict trouble(const Query& query);

  // What the check has used of the processor, whatever it says itself.
  std::chrono::microseconds cpu_time() const { return process_.cpu_time(); }

  // What the log should hear of the last verdict of read(): that it is
  // trouble(), or that the wall had a gap. "" if nothing.
  const std::string& complaint() const { return complaint_; }

 private:
  Query query_;
  WalledProcess process_;
  std::string complaint_;
};

// A verdict as octets, and back; nothing for octets that are not exactly one.
std::string encode(const Verdict& verdict);
std::optional<Verdict> decode(std::string_view octets);

}  // namespace spf
