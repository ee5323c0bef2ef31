// The octets of one file of the log, decompressed if need be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "spf/base/descriptor.hh"
#include "spf/base/process.hh"

namespace spf {

// A file that begins as gzip, bzip2, xz or zstd have it, whatever its name, is read
// through that program, which must be in PATH.
class LogFile {
 public:
  // Opens it. Here and below, std::runtime_error says what can't be read, and why.
  explicit LogFile(const std::string& path);

  // Descriptor 0, which stays open. Compressed it must be a file, no pipe.
  static LogFile standard_input();

  // Octets put into `space`; 0 at the end of a file that was read whole.
  std::size_t read(std::span<char> space);

  // In the file as it lies there: how far it was read, and its size. 0 of what is no
  // regular file.
  std::uint64_t position() const;
  std::uint64_t size() const { return size_; }

 private:
  LogFile(std::string name, Descriptor file);
  void decompress(const char* program);
  [[noreturn]] void fail(const std::string& why) const;

  std::string name_;
  Descriptor file_;
  std::uint64_t size_ = 0;
  bool begun_ = false;
  const char* program_ = nullptr;
  Descriptor output_;  // of the program
  Process process_;
};

}  // namespace spf
