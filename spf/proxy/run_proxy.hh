#pragma once

#include <vector>

#include "spf/settings/config.hh"

namespace spf {

// Serves one client on descriptors 0 and 1, with prog `argv` (ending in a null
// pointer) behind it, and ends this process with the child's own exit code, or
// 111. Prog's `environment` comes without the variables that speak of a verdict;
// its entries are not copied, for processes that check must not have them
// (unforked.hh). Throws what Proxy does.
[[noreturn]] void run_proxy(Config config, char* const* argv, std::vector<char*> environment);

}  // namespace spf
