// footprint PORT SERVER PROGRAM: the private memory, in kB, of one connection
// to the server with process id SERVER that runs PROGRAM; whatever else it
// starts is not counted.
#include "tests/programs/footprint.hh"

int main(int argc, char** argv) {
  if (argc != 4) {
    fputs("footprint: usage: footprint PORT SERVER PROGRAM\n", stderr);
    return 100;
  }
  footprint::print<client::Session>(atoi(argv[1]), atoi(argv[2]), argv + 3);
}
