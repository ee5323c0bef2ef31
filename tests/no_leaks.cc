// Linked into spftls under the sanitizers: a search for leaks at each end of it
// takes most of the time of a test with TLS, and its environment is empty.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
