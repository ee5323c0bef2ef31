// Numbers that nobody else can guess, for query ids and ports.
#pragma once

#include <sys/random.h>
#include <sys/types.h>

namespace spf {

template <class Number>
Number random_number() {
  Number number;
  while (getrandom(&number, sizeof number, 0) != ssize_t(sizeof number)) {}
  return number;
}

}  // namespace spf
