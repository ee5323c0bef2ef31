// Files and texts read and written whole, whatever interrupts that.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spf {

// What a file may have of octets, if nobody says otherwise.
inline constexpr std::size_t longest_file = 65536;

struct FileText {
  std::string text;  // as far as it could be read
  int error = 0;     // errno, where not to its end; EFBIG: it has more than `most` octets
};

// Does not wait for one that is no file. Throws std::bad_alloc.
FileText read_file(const char* path, std::size_t most = longest_file);

// False where it can't be written, errno saying why.
bool write_all(int fd, std::string_view text);

}  // namespace spf
