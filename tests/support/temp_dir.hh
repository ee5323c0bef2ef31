// Files for one test: a directory that is gone when the test is over.
#pragma once

#include <string>
#include <string_view>

namespace test {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const;

  // Writes `name` and returns its path.
  std::string write(std::string_view name, std::string_view text) const;
  // The same, executable: for a script.
  std::string script(std::string_view name, std::string_view text) const;
  std::string make_directory(std::string_view name) const;

 private:
  std::string path_;
};

// A file's bytes; "" where there is none.
std::string read_file(const std::string& path);

}  // namespace test
