// A control file that is a list, read a piece at a time and never held: what runs
// once for each connection must not hold 20,000 lines for each.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "spf/base/descriptor.hh"
#include "spf/base/lines.hh"

namespace spf {

class ListFile {
 public:
  // No line.
  ListFile() = default;

  // The same of a text.
  explicit ListFile(std::string text) : text_(std::move(text)) {}

  struct Opened;
  // A file of at most `most` octets. It stays open, so that one which is put into its
  // place later is another file. Does not wait for one that is no file.
  static Opened open(const char* path, std::size_t most);

  static constexpr std::size_t longest_line = 16384;

  // Gives each line that counts (take_list_line) to `use`; its view lasts until that
  // returns. Of a longer line that is the beginning. Throws std::system_error where
  // the file can't be read to its end.
  void each(const std::function<void(const ListLine&)>& use) const;

  // Reads all of it into memory, for where no file can be read. Throws likewise.
  void hold();

 private:
  std::string text_;
  std::shared_ptr<const Descriptor> file_;
};

struct ListFile::Opened {
  ListFile list;
  int error = 0;  // errno; EFBIG: it has more than `most` octets
};

}  // namespace spf
