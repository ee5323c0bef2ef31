#include "spf/engine/verdict.hh"

namespace spf {

std::string_view name(Result result) {
  switch (result) {
    case Result::pass: return "pass";
    case Result::fail: return "fail";
    case Result::softfail: return "softfail";
    case Result::neutral: return "neutral";
    case Result::none: return "none";
    case Result::permerror: return "permerror";
    case Result::temperror: break;
  }
  return "temperror";
}

std::string_view name(Identity identity) {
  return identity == Identity::helo ? "helo" : "mailfrom";
}

}  // namespace spf
