// What a check and the search for an exemption have in common: a process behind the
// wall, and what the log hears of it.
#pragma once

#include <chrono>
#include <string>

#include "spf/engine/limits.hh"
#include "spf/proxy/os.hh"
#include "spf/wall/walled_process.hh"

namespace spf {

class WalledCheck : public RunningCheck {
 public:
  int descriptor() const override { return process_.descriptor(); }
  bool reaped() override { return process_.process().pid() == 0 || process_.process().try_wait(); }
  std::chrono::microseconds cpu_time() const override { return process_.cpu_time(); }
  const std::string& complaint() const override { return complaint_; }

 protected:
  // Starts the process, which ends within `time`. Throws std::system_error.
  WalledCheck(const SealedAddresses& name_servers, std::chrono::seconds time,
              const WalledProcess::Work& work)
      : process_(name_servers, WalledProcess::Clock::now() + time, Limits::most_questions, work) {}

  WalledProcess process_;
  std::string complaint_;
};

}  // namespace spf
