// The operating system there is: signals, the client's descriptors, prog,
// spftls and the process that checks.
#pragma once

#include <signal.h>

#include <optional>

#include "spf/base/process.hh"
#include "spf/proxy/annotation_file.hh"
#include "spf/proxy/os.hh"
#include "spf/settings/config.hh"
#include "spf/wall/wall.hh"

namespace spf {

class Kernel final : public Os {
 public:
  // From here on signals come as Os says, and descriptors 0 and 1 don't block.
  // `config` must outlive it.
  // `annotations` is for prog, or null where there are none.
  Kernel(const Config& config, AnnotationFile* annotations);
  Kernel(const Kernel&) = delete;
  ~Kernel() { put_back(); }

  // Puts back how the descriptors were found, and ends this process. What else it
  // has goes with it: to free that first takes a hundredth of a session's time.
  [[noreturn]] void exit(int code);

  Clock::time_point now() override { return Clock::now(); }
  ssize_t read(int fd, std::span<char> space) override;
  ssize_t write(int fd, std::string_view octets) override;
  void close(int fd) override;
  void end_output(int fd) override;
  bool is_socket(int fd) override;
  int poll(std::span<pollfd> watched, std::optional<Clock::duration> time) override;
  bool asked_to_end() override;
  bool process_ended() override;
  Prog start_prog(char* const* argv, const std::vector<char*>& environment) override;
  void annotate(std::string_view octets) override;
  Tls start_tls() override;
  std::unique_ptr<RunningCheck> start_check(const Query& query) override;
  std::unique_ptr<RunningCheck> start_exemption(const Query& query) override;
  void replace_client(int fd) override;
  void kill(pid_t pid) override;
  std::optional<int> try_wait(pid_t pid) override;
  void wait(pid_t pid) override;
  void log(std::string_view line) override;
  void warn(std::string_view what) override;
  void fatal(std::string_view what) override;

 private:
  const SealedAddresses& known_name_servers();
  void put_back();

  const Config& config_;
  AnnotationFile* const annotations_;
  InheritedSignals inherited_;
  sigset_t while_polling_;
  int input_flags_, output_flags_;
  std::optional<SealedAddresses> name_servers_;
};

}  // namespace spf
