#include "spf/dialogue/policy.hh"

namespace spf {

Decision decide(unsigned level, Result result) {
  const auto reject_from = [level](unsigned lowest) {
    return level >= lowest ? Decision::reject : Decision::accept;
  };
  switch (result) {
    case Result::pass: return Decision::accept;
    case Result::temperror: return level >= 2 ? Decision::defer : Decision::accept;
    case Result::fail: return reject_from(3);
    case Result::softfail: return reject_from(4);
    case Result::neutral: return reject_from(5);
    case Result::none:
    case Result::permerror: break;
  }
  return reject_from(6);
}

}  // namespace spf
