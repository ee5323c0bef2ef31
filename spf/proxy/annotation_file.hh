// What prog's queue program is told of the message in hand, in memory that prog
// can read (dialogue/annotation.hh).
#pragma once

#include <string_view>

#include "spf/base/descriptor.hh"

namespace spf {

class AnnotationFile {
 public:
  // Throws std::system_error.
  AnnotationFile();

  // Read-only, 10 or above: queue programs have their own use for those below.
  // It closes on exec, unless prog is given it.
  int reader() const { return reader_.get(); }

  // Nothing else is in it from here on. Throws std::system_error: then what is
  // in it is of no use.
  void write(std::string_view octets);

 private:
  Descriptor writer_, reader_;
};

}  // namespace spf
