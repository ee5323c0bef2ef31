// What the session wants done, which has no I/O of its own.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "spf/engine/check.hh"

namespace spf {

namespace action {
struct Warn { std::string line; };  // to be marked as a warning
struct Log { std::string line; };   // as it is

struct StartCheck { Query query; };
// Whether it is let through although its level refuses it. Session::exempted()
// answers it.
struct StartExemption { Query query; };
struct AbandonCheck {};  // whichever of the two runs

// What the queue program is to find of the message that MAIL begins, before prog
// sees that: octets of annotation.hh. Session::annotated() answers it.
struct Annotate { std::string octets; };

// Start prog with these variables ("NAME=value") added to the environment; a
// child that is there already is set aside until the new one has proved itself.
struct StartChild { std::vector<std::string> variables; };
struct DismissPrevious {};  // the one set aside: tell it `dismissal`, close its input
struct RestorePrevious {};  // it is the child again; the new one is to end
struct CloseChildInput {};  // once the buffer to it is empty

struct PrepareTls {};  // start spftls, which says whether it can serve, and waits
struct DismissTls {};  // it can't, and may hang: kill it
// Once the client has its replies: read no more from it, hand it to spftls, and
// take that for the client. Out of prog's environment comes what speaks of TLS
// in other ways.
struct StartTls {};
}  // namespace action

using Action =
    std::variant<action::Warn, action::Log, action::StartCheck, action::StartExemption,
                 action::AbandonCheck, action::Annotate, action::StartChild, action::DismissPrevious,
                 action::RestorePrevious, action::CloseChildInput, action::PrepareTls, action::DismissTls, action::StartTls>;

// To be done in this order.
using Actions = std::vector<Action>;

// One function for each kind of action, as std::visit takes them.
template <class... Handlers>
struct Performer : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Performer(Handlers...) -> Performer<Handlers...>;

// How an idle child is told to go.
inline constexpr std::string_view dismissal = "QUIT\r\n";

}  // namespace spf
