#include "spf/dns/dns_message.hh"

#include <algorithm>
#include <utility>
#include <vector>

#include "spf/base/ascii.hh"

namespace spf {

namespace {

constexpr std::size_t header_size = 12;
constexpr std::uint16_t type_cname = 5, type_soa = 6, class_in = 1;
constexpr unsigned no_error = 0, name_error = 3;  // section 4.1.1, RCODE
constexpr unsigned longest_chain = 16;   // CNAMEs in one response
constexpr unsigned most_pointers = 64;   // of one compressed name

unsigned response_code(std::string_view message) {
  return static_cast<unsigned char>(message[3]) & 0x0f;
}

void put16(std::string& out, unsigned value) {
  out += char(value >> 8);
  out += char(value & 0xff);
}

// Takes things off a message, and fails for good at its end.
class Reader {
 public:
  Reader(std::string_view message, std::size_t position) : message_(message), position_(position) {}

  bool ok() const { return ok_; }
  std::size_t position() const { return position_; }

  unsigned get8() {
    if (position_ >= message_.size()) return fail();
    return static_cast<unsigned char>(message_[position_++]);
  }
  unsigned get16() {
    const unsigned high = get8();
    return high << 8 | get8();
  }
  std::string_view take(std::size_t size) {
    if (size > message_.size() - std::min(position_, message_.size())) return fail(), "";
    position_ += size;
    return message_.substr(position_ - size, size);
  }

  // Section 4.1.4. Every pointer must go back, so there is an end.
  std::string name() {
    std::string result;
    std::size_t after = 0, earliest = position_;
    for (unsigned pointers = 0;;) {
      const unsigned length = get8();
      if (!ok_) return {};
      if (length >= 0xc0) {
        const std::size_t target = (length & 0x3f) << 8 | get8();
        if (!ok_ || target >= earliest || target < header_size || ++pointers > most_pointers)
          return fail(), "";
        if (after == 0) after = position_;
        position_ = earliest = target;
        continue;
      }
      result += char(length);
      if (length == 0) break;
      if (length > longest_label || result.size() + length + 1 > 255) return fail(), "";
      result += take(length);
    }
    if (!ok_) return {};
    if (after != 0) position_ = after;
    return result;
  }

 private:
  unsigned fail() {
    ok_ = false;
    return 0;
  }

  std::string_view message_;
  std::size_t position_;
  bool ok_ = true;
};

struct ResourceRecord {
  std::string owner;
  unsigned type, rr_class;
  std::size_t data;       // where RDATA starts in the message
  std::size_t data_size;
};

// Section 3.1, read back. Text cannot hold every name; see Answer::texts.
std::string to_text(std::string_view wire) {
  std::string result;
  while (wire.size() > 1) {
    const std::string_view label = wire.substr(1, static_cast<unsigned char>(wire[0]));
    if (label.find('.') != label.npos || label.find('\0') != label.npos) return {};
    if (!result.empty()) result += '.';
    result += label;
    wire.remove_prefix(1 + label.size());
  }
  return result;
}

ResourceRecord read_record(Reader& reader) {
  ResourceRecord record{};
  record.owner = reader.name();
  record.type = reader.get16();
  record.rr_class = reader.get16();
  reader.take(4);  // TTL
  record.data_size = reader.get16();
  record.data = reader.position();
  reader.take(record.data_size);
  return record;
}

// Adds the record's value to the answer; false if it is malformed.
bool add_value(std::string_view message, const ResourceRecord& record, RrType type,
               std::vector<std::pair<unsigned, std::string>>& exchanges, Answer& answer) {
  const std::string_view data = message.substr(record.data, record.data_size);
  Reader reader(message.substr(0, record.data + record.data_size), record.data);
  switch (type) {
    case RrType::a: {
      if (data.size() != 4) return false;
      std::uint8_t octets[4];
      std::copy(data.begin(), data.end(), octets);
      answer.addresses.push_back(Address::ip4(octets));
      return true;
    }
    case RrType::aaaa: {
      if (data.size() != 16) return false;
      std::uint8_t octets[16];
      std::copy(data.begin(), data.end(), octets);
      answer.addresses.push_back(Address::ip6(octets));
      return true;
    }
    case RrType::txt: {
      std::string text;
      while (reader.ok() && reader.position() < record.data + record.data_size)
        text += reader.take(reader.get8());
      answer.texts.push_back(std::move(text));
      return reader.ok();
    }
    case RrType::mx: {
      const unsigned preference = reader.get16();
      exchanges.emplace_back(preference, to_text(reader.name()));
      return reader.ok();
    }
    case RrType::ptr:
      answer.texts.push_back(to_text(reader.name()));
      return reader.ok();
  }
  return false;
}

}  // namespace

std::string to_wire(std::string_view name) {
  name = without_trailing_dot(name);
  std::string wire;
  for (;;) {
    const std::string_view label = name.substr(0, name.find('.'));
    wire += char(label.size());
    wire += label;
    if (label.size() == name.size()) break;
    name.remove_prefix(label.size() + 1);
  }
  return wire += '\0';
}

std::string make_query(std::uint16_t id, std::string_view wire_name, RrType type) {
  std::string query;
  put16(query, id);
  put16(query, 0x0100);  // RD
  for (const unsigned count : {1, 0, 0, 0}) put16(query, count);
  query += wire_name;
  put16(query, unsigned(type));
  put16(query, class_in);
  return query;
}

bool answers(std::string_view message, std::uint16_t id, std::string_view wire_name, RrType type) {
  if (message.size() < header_size || !is_response(message)) return false;
  Reader reader(message, 0);
  if (reader.get16() != id) return false;
  reader.take(2);
  if (reader.get16() != 1) return false;
  reader.take(6);
  const std::string name = reader.name();
  const unsigned asked_type = reader.get16(), asked_class = reader.get16();
  return reader.ok() && equal_names(name, wire_name) && asked_type == unsigned(type) &&
         asked_class == class_in;
}

bool is_response(std::string_view message) {
  return (message[2] & 0x80) != 0 && (message[2] & 0x78) == 0;  // QR, OPCODE
}

bool is_truncated(std::string_view message) { return (message[2] & 0x02) != 0; }

bool is_decided(std::string_view message) {
  const unsigned code = response_code(message);
  return code == no_error || code == name_error;
}

// A length octet is at most 63 and so is no letter.
bool equal_names(std::string_view one, std::string_view other) {
  return equal_ignoring_case(one, other);
}

Reading read_response(std::string_view message, RrType type) {
  Reading reading;
  Reader reader(message, 4);
  const unsigned questions = reader.get16(), count = reader.get16(), authorities = reader.get16();
  reader.take(2);
  if (!reader.ok() || questions != 1) return reading;
  std::string owner = reader.name();
  reader.take(4);
  const unsigned code = response_code(message);
  if (code == name_error) {  // NXDOMAIN, be it of a CNAME's target (RFC 2308 section 2.1)
    reading.answer.status = Answer::Status::no_name;
    return reading;
  }
  if (code != no_error || !reader.ok()) return reading;

  std::vector<ResourceRecord> records;
  bool has_soa = false;
  for (unsigned i = 0; i < count + authorities; ++i) {
    ResourceRecord record = read_record(reader);
    if (!reader.ok()) {
      // The answers are what counts; what is wrong after them is not needed.
      if (i >= count) break;
      return reading;
    }
    if (record.rr_class != class_in) continue;
    if (i >= count) has_soa = has_soa || record.type == type_soa;
    else if (record.type == unsigned(type) || record.type == type_cname)
      records.push_back(std::move(record));
  }

  bool aliased = false;
  for (unsigned links = 0;; ++links) {
    const auto alias = std::find_if(records.begin(), records.end(), [&](const ResourceRecord& record) {
      return record.type == type_cname && equal_names(record.owner, owner);
    });
    if (alias == records.end()) break;
    Reader target(message.substr(0, alias->data + alias->data_size), alias->data);
    owner = target.name();
    if (!target.ok() || links == longest_chain) return reading;
    aliased = true;
  }

  std::vector<std::pair<unsigned, std::string>> exchanges;
  bool found = false;
  for (const ResourceRecord& record : records) {
    if (record.type != unsigned(type) || !equal_names(record.owner, owner)) continue;
    found = true;
    if (!add_value(message, record, type, exchanges, reading.answer)) return {};
  }
  std::stable_sort(exchanges.begin(), exchanges.end(),
                   [](const auto& one, const auto& other) { return one.first < other.first; });
  for (auto& [preference, name] : exchanges) reading.answer.texts.push_back(std::move(name));
  // A CNAME with the SOA of its target's zone is a full answer: no such data.
  if (!found && aliased && !has_soa) {
    reading.alias = owner;
    return reading;
  }
  reading.answer.status = found ? Answer::Status::ok : Answer::Status::no_data;
  return reading;
}

}  // namespace spf
