// Files and texts read and written whole, whatever interrupts that.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spf {

// Of a file nobody wants to know more.
inline constexpr std::size_t longest_file = 65536;

struct FileText {
  std::string text;  // up to longest_file, or as far as it could be read
  int error = 0;     // errno, where it could not
};

// Does not wait for one that is no file. Throws std::bad_alloc.
FileText read_file(const char* path);

// False where it can't be written, errno saying why.
bool write_all(int fd, std::string_view text);

}  // namespace spf
