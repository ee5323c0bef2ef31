#include "spf/engine/libspf2.hh"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <utility>
#include <vector>

extern "C" {
#include <spf2/spf.h>
#include <spf2/spf_dns.h>
#include <spf2/spf_dns_rr.h>
}

#include "spf/base/dns_name.hh"
#include "spf/engine/limits.hh"

namespace spf {

namespace {

// The attribute, not [[noreturn]], is part of the handler's type.
void give_up(const char*, int, const char*) __attribute__((noreturn));
void give_up(const char*, int, const char*) { _exit(exit_libspf2_gave_up); }

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const { release(object); }
};
using RequestPtr = std::unique_ptr<SPF_request_t, Release<SPF_request_free>>;
using ResponsePtr = std::unique_ptr<SPF_response_t, Release<SPF_response_free>>;
using RecordPtr = std::unique_ptr<SPF_record_t, Release<SPF_record_free>>;

template <class T>
T* checked(T* object) {
  if (!object) throw std::bad_alloc();
  return object;
}

void checked(SPF_errcode_t code) {
  if (code != SPF_E_SUCCESS) throw std::bad_alloc();
}

}  // namespace

struct Libspf2::Seam {
  // What the question hook has to know about the term being evaluated.
  enum class Asking {
    plain,
    any_address,     // /0: any address at all matches; libspf2 knows no /0
    ptr,             // only names within `domain` can match
    validated_name,  // %{p} prefers `domain` and names within it
  };

  Seam(Resolver& resolver, const Address& client) : resolver(resolver), client(client) {
    SPF_error_handler = give_up;
    SPF_warning_handler = nullptr;
    SPF_info_handler = nullptr;
    SPF_debug_handler = nullptr;
    // SPF_dns_free() leaves a layer without a destructor alone: it is ours.
    dns.lookup = answer_question;
    dns.name = "spfwrap";
    dns.hook = this;
    // Filled in here because SPF_server_new_dns() asks for the host name, and
    // ends the process where that has 64 characters.
    server.resolver = &dns;
    server.rec_dom = receiver;
    server.max_dns_mech = Limits::most_names;  // of one term: never reached
    server.max_dns_mx = Limits::most_names;
    server.max_dns_ptr = Limits::most_names;
    // It has no sender and HELO name: libspf2 writes a header and comments that
    // nobody reads, and need not have a stranger's text.
    request.reset(checked(SPF_request_new(&server)));
    if (client.is_ip4()) {
      in_addr address;
      std::memcpy(&address, client.octets(), sizeof address);
      SPF_request_set_ipv4(request.get(), address);
    } else {
      in6_addr address;
      std::memcpy(&address, client.octets(), sizeof address);
      SPF_request_set_ipv6(request.get(), address);
    }
  }

  RecordPtr compile(const std::string& text, SPF_response_t* response) {
    SPF_record_t* record = nullptr;
    const auto code = SPF_record_compile(&server, response, &record, text.c_str());
    RecordPtr owner(record);
    checked(code);  // all that is compiled is known to be good
    return owner;
  }

  // What the hook could not throw through libspf2.
  void rethrow() {
    if (trouble) std::rethrow_exception(std::exchange(trouble, nullptr));
  }

  Resolver& resolver;
  Address client;
  char receiver[8] = "unknown";
  SPF_dns_server_t dns{};
  SPF_server_t server{};
  RequestPtr request;
  Asking asking = Asking::plain;
  bool too_many_mx = false;
  std::string domain;
  std::exception_ptr trouble;

  static SPF_dns_rr_t* answer_question(SPF_dns_server_t* layer, const char* name, ns_type type, int);
  Answer ask(const char* name, ns_type type);
  void keep_useful_names(std::vector<std::string>& names) const;
};

// Of a PTR set only the first ten count (section 4.6.4); of those, the ones
// that can make a difference (section 5.5) are passed on, in the order wanted.
void Libspf2::Seam::keep_useful_names(std::vector<std::string>& names) const {
  if (names.size() > Limits::most_names) names.resize(Limits::most_names);
  if (asking == Asking::ptr) {
    std::erase_if(names, [&](const std::string& name) { return !is_within(name, domain); });
    return;
  }
  // Section 7.3: the domain itself, else a name below it, else any.
  std::stable_sort(names.begin(), names.end(), [&](const std::string& one, const std::string& other) {
    const auto rank = [&](const std::string& name) {
      return !is_within(name, domain) ? 2 : name.size() == domain.size() ? 0 : 1;
    };
    return rank(one) < rank(other);
  });
}

Answer Libspf2::Seam::ask(const char* name, ns_type type) {
  const RrType wanted = type == ns_t_a      ? RrType::a
                        : type == ns_t_aaaa ? RrType::aaaa
                        : type == ns_t_mx   ? RrType::mx
                                            : RrType::ptr;
  Answer answer = resolver.lookup(name, wanted);
  // Sections 5.5 and 7.3: DNS trouble there is no match, and "unknown".
  if (answer.status == Answer::Status::trouble &&
      (asking == Asking::ptr || asking == Asking::validated_name))
    answer.status = Answer::Status::no_data;
  if (asking == Asking::any_address && !answer.addresses.empty()) answer.addresses = {client};
  if (type == ns_t_ptr) keep_useful_names(answer.texts);
  if (type == ns_t_mx && Limits::too_many_mx(answer)) {
    too_many_mx = true;
    answer.texts.clear();  // libspf2 would try the first ten before it refuses
  }
  for (const std::string& name : answer.texts) resolver.prefetch(name, address_type(client));
  return answer;
}

SPF_dns_rr_t* Libspf2::Seam::answer_question(SPF_dns_server_t* layer, const char* name, ns_type type,
                                             int) {
  Seam& seam = *static_cast<Seam*>(layer->hook);
  Answer answer;
  try {
    if (!seam.trouble) answer = seam.ask(name, type);
  } catch (...) {
    seam.trouble = std::current_exception();
    answer = Answer();
  }
  const SPF_dns_stat_t status = answer.status == Answer::Status::ok        ? NETDB_SUCCESS
                                : answer.status == Answer::Status::no_name ? HOST_NOT_FOUND
                                : answer.status == Answer::Status::no_data ? NO_DATA
                                                                           : TRY_AGAIN;
  SPF_dns_rr_t* set = SPF_dns_rr_new_init(layer, name, type, 0, status);
  if (!set || status != NETDB_SUCCESS) return set;  // null: libspf2 gives up
  const auto add = [set](const void* data, std::size_t size) {
    if (SPF_dns_rr_buf_realloc(set, set->num_rr, size) != SPF_E_SUCCESS) give_up("", 0, "");
    std::memcpy(set->rr[set->num_rr++], data, size);
  };
  for (const Address& address : answer.addresses) {
    std::uint8_t octets[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    // An AAAA record may hold a mapped address, which Address takes for IPv4.
    std::copy_n(address.octets(), address.bits() / 8, octets + (address.is_ip4() ? 12 : 0));
    if (type == ns_t_a)
      add(octets + 12, 4);
    else
      add(octets, 16);
  }
  for (const std::string& text : answer.texts) add(text.c_str(), text.size() + 1);
  return set;
}

Libspf2::Libspf2(Resolver& resolver, const Address& client) : resolver_(resolver), client_(client) {}

Libspf2::~Libspf2() = default;

Libspf2::Seam& Libspf2::seam() {
  if (!seam_) seam_ = std::make_unique<Seam>(resolver_, client_);
  return *seam_;
}

Libspf2::Match Libspf2::match(const Directive& directive, const std::string& target) {
  Seam& seam = this->seam();
  const bool ip4 = seam.client.is_ip4();
  const unsigned prefix = ip4 ? directive.prefix4 : directive.prefix6;
  // Sections 5.3, 5.6: the prefix length of the client's family. libspf2 has
  // no /0 and takes a missing length for the whole address.
  std::string length;
  if (prefix > 0 && prefix < seam.client.bits()) length = "/" + std::to_string(prefix);
  seam.asking = Seam::Asking::plain;
  seam.too_many_mx = false;
  std::string term;
  switch (directive.mechanism) {
    case Mechanism::a:
    case Mechanism::mx:
      if (prefix == 0) seam.asking = Seam::Asking::any_address;
      if (!ip4 && !length.empty()) length.insert(0, "/");
      term = (directive.mechanism == Mechanism::a ? "a:%{d}" : "mx:%{d}") + length;
      break;
    case Mechanism::ptr:
      seam.asking = Seam::Asking::ptr;
      term = "ptr:%{d}";
      break;
    case Mechanism::exists:
      term = "exists:%{d}";
      break;
    case Mechanism::all:
    case Mechanism::include:
    case Mechanism::ip4:
    case Mechanism::ip6:
      return Match::no;  // check_host's own
  }
  seam.domain = without_trailing_dot(target);
  ResponsePtr response(checked(SPF_response_new(seam.request.get())));
  const RecordPtr record = seam.compile("v=spf1 +" + term, response.get());
  response->spf_record_exp = record.get();
  seam.request->cur_dom = seam.domain.c_str();
  const auto code = SPF_record_interpret(record.get(), seam.request.get(), response.get(), 0);
  seam.request->cur_dom = nullptr;
  seam.rethrow();
  if (seam.too_many_mx) return Match::too_many_mx;
  switch (SPF_response_result(response.get())) {
    case SPF_RESULT_PASS: return Match::yes;
    case SPF_RESULT_NEUTRAL: return Match::no;
    default:
      if (code == SPF_E_DNS_ERROR) return Match::dns_trouble;
      throw std::bad_alloc();  // the only other way out of one good term
  }
}

const std::string& Libspf2::validated_name(const std::string& domain) {
  if (const auto known = validated_names_.find(domain); known != validated_names_.end())
    return known->second;
  Seam& seam = this->seam();
  seam.domain = domain;
  seam.asking = Seam::Asking::validated_name;
  ResponsePtr response(checked(SPF_response_new(seam.request.get())));
  const RecordPtr record = seam.compile("v=spf1 exp=%{p}", response.get());
  seam.request->cur_dom = seam.domain.c_str();
  free(std::exchange(seam.request->client_dom, nullptr));  // libspf2's own of another domain
  char* buffer = nullptr;
  std::size_t size = 0;
  const auto code = SPF_record_find_mod_value(&seam.server, seam.request.get(), response.get(),
                                              record.get(), "exp", &buffer, &size);
  const std::unique_ptr<char, Release<free>> owner(buffer);
  seam.request->cur_dom = nullptr;
  seam.rethrow();
  checked(code);
  return validated_names_.emplace(domain, buffer).first->second;
}

}  // namespace spf
