// A world of this process's own, for programs that can't be told another port
// or file: without root as well, where the kernel lets us.
#pragma once

#include <string>

namespace test {

// From then on the network is loopback only, every port of it free, and mounts
// are seen by nobody else. "", or why not.
std::string enter_namespaces();

// Has /etc/resolv.conf be the file `path`, in such a world. The same.
std::string replace_resolv_conf(const std::string& path);

}  // namespace test
