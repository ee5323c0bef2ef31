"""Random zones and the clients judged in them, as hostile as their publishers.

Names are few, so that terms meet records, loops and each other."""
import ipaddress
import random
import re

DOMAIN = "example.org"
HOSTS = ["h%d.example.org" % i for i in range(8)] + ["_h.example.org", "mail.example.org", DOMAIN]
VOIDS = ["n1.example.net", "n2.example.net", "n3.example.net"]
POLICIES = ["i%d.example.org" % i for i in range(6)]
TEXTS = ["e1.example.org", "e2.example.org"]
CLIENTS = ["192.0.2.1", "192.0.2.1", "192.0.2.77", "198.51.100.9", "::ffff:192.0.2.1",
           "2001:db8::1", "2001:db8::1", "2001:db8:1::cb01"]
IP4 = ["192.0.2.1", "192.0.2.2", "192.0.2.77", "198.51.100.9", "203.0.113.5", "10.0.0.1"]
IP6 = ["2001:db8::1", "2001:db8::2", "2001:db8:1::cb01", "2001:db8:ffff::9", "fe80::1"]
LOCALS = ["joe", "joe", "strong-bad", "a.b-c+d=e_f/g,h", "Postmaster", "x" * 60,
          ".".join(["label%02d" % i for i in range(24)])]
MACROS = ["%{d}", "%{d2}", "%{d1}", "%{dr}", "%{d2r}", "%{D}", "%{i}", "%{ir}", "%{i2}", "%{v}",
          "%{l}", "%{l1r-}", "%{lr-}", "%{l-}", "%{L}", "%{s}", "%{S}", "%{s1r@}", "%{o}", "%{o1}",
          "%{h}", "%{H}", "%{h2}", "%{p}", "%{p2}", "%{d1-}", "%{dr-.}", "%{l+-=_/,.}", "%{h1r.}", "%{h-}", "%{hr-}", "%{h2-.}",
          "%%", "%-", "%_", "%{O}", "%{d99}", "%{IR}", "%{LR-}"]
TEXT_MACROS = MACROS + ["%{c}", "%{C}", "%{r}", "%{R}"]
WRONG = ["moo", "a:", "a:com", "mx:a..", "ip4", "ip4:1.2.3", "ip4:1.2.3.4/33", "ip4:1.2.3.4/08",
         "ip6:::g", "ip6:::1/129", "ip4:1.2.3.4//24", "a/33", "a//129", "mx/024", "ptr/8", "all:x",
         "all/8", "all.", "include", "include:", "exists", "exists/24", "exists:h0.example.org/24",
         "redirect=", "exp=", "exp=%{x}.example.org", "redirect=%", "a:%{}", "a:%{d", "a:%(d)",
         "a:%{d0}.example.org", "a:%{dx}.example.org", "a:%{d2rr}.example.org", "a:%{r}.example.org",
         "exists:%{t}.example.org", "x=%{x}", "op=%{x", "default=%", "-x=y", "=x", "1x=y", "a,",
         "ip4:1.2.3.4,", "a:1.2.3.4", "a:h0.example.123", "a:h0.example.org:25", "a:h0.-x",
         "include:%{d}x", "prt", "ipv4:1.2.3.4", "ip:1.2.3.4", "1.2.3.4", "v=spf1", "+", "++all",
         "a:h0\texample.org", "a:h0\x01.example.org", "x=a\tb", "h0.example.org", "mx\xe9",
         "a:%{dr2}.example.org", "a:%{d;}.example.org", "exp=e1.example.org exp=e2.example.org",
         "redirect=i0.example.org redirect=i1.example.org", "Redirect=i0.example.org redirect=i1.example.org"]
ODD = ["a:%{d}", "a:.example.org", "x=y", "x=y x=z", "X-y.z_1=%{c}", "op=helo", "default=-all", "ip4:0.0.0.0/0",
       "-ip6:::/0", "exists:h0.example.org.", "a:H0.EXAMPLE.org", "A", "mX", "ALL", "PTR", "x=", "exists:%%.example.org",
       "a:%{d}.", "mx:h0%{v}.%{d}", "a:foo%%", "a:h0.example.o-rg", "a:h0.example.1org", "a:%{o}/24//64", "a/0", "mx/0",
       "a//0", "ip4:192.0.2.77/31", "ip6:2001:db8::/32", "ip6:::ffff:192.0.2.1", "include:%{d}", "~include:%{d}"]


class Case:
    """Records are (name, type) -> list of data; faults are (name, type)."""

    def __init__(self):
        self.records = {}
        self.faults = set()

    def add(self, name, kind, data):
        self.records.setdefault((name.lower(), kind), []).append(data)


def mixed(rng, text):
    return "".join(c.upper() if rng.random() < 0.3 else c for c in text)


def domain_spec(rng, plain):
    kind = rng.random()
    name = rng.choice(plain)
    if kind < 0.62:
        return name
    if kind < 0.68:
        return name + "."
    if kind < 0.74:
        return re.sub(r"^[^%]*$", lambda m: mixed(rng, m.group()), name)
    if kind < 0.80:
        return rng.choice(MACROS)
    if kind < 0.88:
        return "%s.%s" % (rng.choice(MACROS), name)
    if kind < 0.94:
        return "".join(rng.choice(["%s.", "%s-", "x%s."]) % rng.choice(MACROS) for _ in range(rng.randint(1, 4))) + "%{d}"
    return ".".join(["%{l}"] * rng.randint(1, 3) + ["%{d}", "x." + DOMAIN])


def prefix(rng):
    text = ""
    if rng.random() < 0.3:
        text += "/%d" % rng.choice([0, 1, 8, 16, 24, 30, 31, 32])
    if rng.random() < 0.3:
        text += "//%d" % rng.choice([0, 1, 32, 48, 64, 127, 128])
    return text


def term(rng):
    weights = {"include": 22, "a": 20, "mx": 12, "ptr": 7, "ip4": 8, "ip6": 6, "exists": 14,
               "odd": 9, "wrong": 0.8, "all": 1, "modifier": 3}
    kind = rng.choices(list(weights), list(weights.values()))[0]
    qualifier = rng.choice(["", "", "", "", "+", "-", "~", "?"])
    if kind == "include":
        return qualifier + "include:" + domain_spec(rng, POLICIES)
    if kind in ("a", "mx"):
        spec = "" if rng.random() < 0.25 else ":" + domain_spec(rng, HOSTS + VOIDS)
        return qualifier + kind + spec + prefix(rng)
    if kind == "ptr":
        return qualifier + rng.choice(["ptr", "ptr:" + domain_spec(rng, [DOMAIN, "example.net", "h1.example.org"])])
    if kind == "ip4":
        return qualifier + "ip4:" + rng.choice(IP4[1:]) + rng.choice(["", "", "/32", "/31", "/24", "/8"])
    if kind == "ip6":
        return qualifier + "ip6:" + rng.choice(IP6[1:]) + rng.choice(["", "", "/128", "/64", "/32"])
    if kind == "exists":
        return qualifier + "exists:" + domain_spec(rng, HOSTS + VOIDS)
    if kind == "all":
        return qualifier + "all"
    if kind == "modifier":
        return rng.choice(["exp=" + domain_spec(rng, TEXTS), "y%d=%s" % (rng.randint(1, 99), rng.choice(MACROS))])
    return rng.choice(ODD if kind == "odd" else WRONG)


def record(rng):
    count = rng.choice([0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 11, 12])
    terms = [term(rng) for _ in range(count)]
    if count >= 8 and rng.random() < 0.7:  # the limit of ten, met by little else
        terms = [rng.choice(["a:h%d.example.org" % i, "exists:h%d.example.org" % i, "a:h%d.example.org/32//128" % i])
                 for i in rng.choices(range(8), k=count)]
        if rng.random() < 0.4:
            terms[rng.randrange(count)] = "include:" + rng.choice(POLICIES)
    end = rng.random()
    if end < 0.5:
        terms.append(rng.choice(["-all", "-all", "-all", "~all", "?all", "all", "-ALL"]))
    elif end < 0.7:
        terms.insert(rng.randint(0, len(terms)), rng.choice(["redirect=", "redirect=", "REDIRECT="]) + domain_spec(rng, POLICIES))
    if rng.random() < 0.25:
        terms.insert(rng.randint(0, len(terms)), rng.choice(["exp=", "exp=", "Exp="]) + domain_spec(rng, TEXTS))
    text = rng.choice(["v=spf1", "v=spf1", "v=spf1", "V=sPf1"])
    for item in terms:
        text += rng.choice([" ", " ", " ", "  "]) + item
    if rng.random() < 0.05:
        text += " "
    if rng.random() < 0.03 and len(text) > 8:  # one octet wrong
        at = rng.randrange(7, len(text))
        text = text[:at] + rng.choice(["", "%", "{", "}", ":", "/", ".", "=", ",", "_", "\t", "\x7f", "\xe9", "0", " "]) + text[at + 1:]
    return text


def fill_host(rng, case, name):
    kind = rng.random()
    if kind < 0.10:
        return
    if kind < 0.18:
        case.add(name, "CNAME", rng.choice(HOSTS))
        return
    for family, pool in (("A", IP4), ("AAAA", IP6)):
        if rng.random() < 0.06:
            case.faults.add((name, family))
        elif rng.random() < 0.75:
            for address in rng.sample(pool[1:] if rng.random() < 0.8 else pool, rng.randint(1, 3)):
                case.add(name, family, address)
    if rng.random() < 0.04:
        case.faults.add((name, "MX"))
    elif rng.random() < 0.5:
        for _ in range(rng.choice([1, 1, 2, 2, 3, 10, 11])):
            case.add(name, "MX", rng.choice(HOSTS + VOIDS[:1] + [""] if rng.random() < 0.2 else HOSTS))


def generate(seed):
    rng = random.Random(seed)
    case = Case()
    for name in HOSTS:
        fill_host(rng, case, name)
    for name in [DOMAIN] + POLICIES:
        kind = rng.random()
        if name == DOMAIN:
            kind = max(kind, 0.1) if rng.random() < 0.9 else kind
        if kind < 0.04:
            case.faults.add((name, "TXT"))
            continue
        if kind < 0.06:
            case.add(name, "TXT", rng.choice(["v=spf10 -all", "v=spf", "", "spf2.0/pra -all", "v=spf1\t-all", " v=spf1"]))
        elif kind < 0.08:
            continue
        else:
            case.add(name, "TXT", record(rng))
            if rng.random() < 0.03:
                case.add(name, "TXT", record(rng))
            if rng.random() < 0.1:
                case.add(name, "TXT", rng.choice(["other text", "v=spf12 x", "\xe9\x00"]))
    for name in TEXTS:
        kind = rng.random()
        if kind < 0.1:
            case.faults.add((name, "TXT"))
        elif kind < 0.9:
            words = [rng.choice(TEXT_MACROS + ["text", "Not you"]) for _ in range(rng.randint(0, 6))]
            if rng.random() < 0.08:
                words.append(rng.choice(["%", "%{x}", "%{d0}", "%{d", "\xe9", "\t", "%{l2rr}", "%{drx}"]))
            case.add(name, "TXT", " ".join(words))
            if rng.random() < 0.05:
                case.add(name, "TXT", "a second")
    case.client = rng.choice(CLIENTS)
    reverse = ipaddress.ip_address(case.client.replace("::ffff:", "")).reverse_pointer
    kind = rng.random()
    if kind < 0.08:
        case.faults.add((reverse, "PTR"))
    elif kind < 0.8:
        for _ in range(rng.choice([1, 1, 2, 3, 9, 10, 11, 12])):
            case.add(reverse, "PTR", mixed(rng, rng.choice(HOSTS + VOIDS)) if rng.random() < 0.3 else rng.choice(HOSTS))
    case.helo = rng.choice(["mail.example.org", "HELO.Example", "a-b.example.org"])
    case.sender = "%s@%s" % (rng.choice(LOCALS), rng.choice([DOMAIN] * 8 + ["Example.ORG", "i1.example.org", "nothing.example"]))
    if rng.random() < 0.05:
        case.sender, case.helo = "", rng.choice([DOMAIN, "mail.example.org", "localhost"])
    return case
