// Memory for what a process that evaluates what strangers publish
// (walled_process.hh) must not have: mail and passwords.
#pragma once

#include <cstddef>
#include <span>

namespace spf {

// Fresh memory, all zero, which processes that we fork don't have; their fork is
// cheaper for that. What is not used is not touched, so it costs nothing. The
// caller's to munmap. Throws std::bad_alloc.
std::span<char> map_unforked(std::size_t size);

// Moves the environment there, and wipes the place where it stood: what was
// getenv's before is "" now, and /proc/PID/environ is blank. getenv and exec work
// as ever. A process that is forked has none, and is to say so itself:
// environ = nullptr. Does nothing where it stands there already; the memory stays
// mapped. Throws std::bad_alloc.
void move_environment_to_unforked();

}  // namespace spf
