// All I/O round the session: descriptors 0 and 1 to the client, the child, the
// evaluator, spftls, the clock and the signals.
#pragma once

#include <vector>

#include "spf/settings/config.hh"

namespace spf {

// Serves one client with prog `argv` (ending in a null pointer) behind it, and
// gives the exit code: the child's own, or 111 where it had none. `environment`
// is prog's, without the variables that this program sets; its entries must
// outlive the call, and are not copied, so that the process which evaluates can
// wipe the only ones there are. Throws std::system_error when not even a start
// can be made.
int run_proxy(const Config& config, char* const* argv, std::vector<char*> environment);

}  // namespace spf
