// spftls as a process of ours, and the socket pair to it.
#pragma once

#include "spf/settings/config.hh"
#include "spf/base/descriptor.hh"
#include "spf/base/process.hh"

namespace spf {

class TlsProcess {
 public:
  // Starts spftls, which is where this program is, on descriptors 0 and 1.
  // Throws std::system_error.
  TlsProcess(const Config& config, const InheritedSignals& signals);

  // Where it says whether it is ready; non-blocking, none after hand_over().
  int descriptor() const { return plain_.get(); }

  // The client is its from here on: descriptors 0 and 1 are now the plaintext,
  // and no other process has the client's socket. Throws std::system_error.
  void hand_over();

  // Whether hand_over() was called.
  bool serves() const { return !plain_; }

  Process& process() { return process_; }

 private:
  Descriptor plain_;
  Process process_;
};

}  // namespace spf
