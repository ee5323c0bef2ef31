"""Where pyspf leaves RFC 7208, and what makes it follow.

Each class is one explanation: `section` and `why`, and the correction itself,
mixed into spf.query. compare.py takes a difference for explained only when
pyspf so corrected says what we say. What is not listed here is a failure."""
import re
import sys

import spf

MACRO = re.compile(r"%\{([slodiphcrtv])(\d*)(r?)([.\-+,/_=]*)\}|%[%_-]|[\x21-\x24\x26-\x7e]", re.I)
MODIFIER = re.compile(r"(?<= )([A-Za-z][A-Za-z0-9_.\-]*)=")


def frame(*names):
    """The nearest caller with one of these names: corrections stand between."""
    found = sys._getframe(2)
    while found.f_code.co_name not in names:
        found = found.f_back
    return found


def is_macro_string(text):
    at = 0
    while at < len(text):
        piece = MACRO.match(text, at)
        if not piece or (piece.group(2) and int(piece.group(2)) == 0):
            return False
        at = piece.end()
    return True


def is_name(name):
    name = name[:-1] if name.endswith(".") else name
    return 0 < len(name) <= 253 and all(0 < len(label) < 64 for label in name.split("."))


class Grammar:
    section = "7.1, 12"
    why = "macro-strings hold visible ASCII and well-formed macros: not %{d0}, %{d, %{d;}, but %% at the end"
    nothing = re.compile(r"(?!)")

    def expand(self, s, stripdot=True):
        if not is_macro_string(s if stripdot else s.replace(" ", "")):
            raise spf.PermError("bad macro-string", s)
        before, spf.RE_INVALID_MACRO = spf.RE_INVALID_MACRO, self.nothing
        try:
            return super().expand(s, stripdot)
        finally:
            spf.RE_INVALID_MACRO = before


class Joiner:
    section = "7.3"
    why = "parts are joined with dots, whatever they were split at"
    joiners = type("Dots", (), {"get": staticmethod(lambda letter: ".")})

    def expand(self, s, stripdot=True):
        before, spf.JOINERS = spf.JOINERS, self.joiners
        try:
            return super().expand(s, stripdot)
        finally:
            spf.JOINERS = before


class Cut:
    section = "7.3"
    why = "a name over 253 octets loses labels until it fits, an explanation none"

    def expand(self, s, stripdot=True):
        pieces = re.split(r"(%(?:\{[^}]*\}|.))", s)
        text = "".join(super(Cut, self).expand(p, stripdot) if p.startswith("%") else p for p in pieces)
        if not stripdot:
            return text
        text = text[:-1] if text.endswith(".") else text
        while len(text) > 253 and "." in text:
            text = text[text.index(".") + 1:]
        return text


class UnknownModifiers:
    section = "6, 12"
    why = "unknown modifiers are macro-strings with any letter, may be repeated, and op= and default= are such"

    def rewrite(self, text):
        count = [0]

        def renamed(match):
            if match.group(1).lower() in ("redirect", "exp"):
                return match.group()
            count[0] += 1
            return "unknown%d=" % count[0]
        return MODIFIER.sub(renamed, super().rewrite(text))

    def expand(self, s, stripdot=True):
        return super().expand(s, stripdot and
                              frame("check0", "expand_domain", "get_explanation").f_code.co_name != "check0")


class LetterCase:
    section = "4.6.1, 12"
    why = "names of modifiers and the transformer r are case-insensitive"

    def expand(self, s, stripdot=True):
        return super().expand(re.sub(r"(%\{[a-zA-Z]\d*)R", r"\1r", s), stripdot)

    def rewrite(self, text):
        return MODIFIER.sub(lambda match: match.group().lower(), super().rewrite(text))


class IncludeItself:
    section = "4.6.4, 5.2"
    why = "a record that includes itself is no syntax error: it meets the limit when it is evaluated"

    class Unequal(str):
        __hash__ = str.__hash__

        def __eq__(self, other):
            return False

    def expand_domain(self, arg):
        name = super().expand_domain(arg)
        seen = frame("validate_mechanism", "check0").f_locals
        includes = seen.get("m") == "include" and ":" in seen["mech"]
        return self.Unequal(name) if includes and name else name


class RedirectCount:
    section = "4.6.4, 6.1"
    why = "a redirect counts when it is followed, not when its record is read"

    def check_lookups(self):
        mechanism = frame("check0").f_locals.get("m")
        if isinstance(mechanism, list):  # the reading loop's split modifier
            return
        self.including = mechanism == "include"
        super().check_lookups()

    def dns_spf(self, domain):
        if self.including:
            self.including = False
        elif frame("check0", "check").f_code.co_name == "check0":
            super().check_lookups()
        return super().dns_spf(domain)


class MxOrder:
    section = "4.6.4, 5.4"
    why = "more than ten MX names are an error, whoever they are; else they are tried one by one, and a match ends it before a later name's trouble"

    def dns_mx(self, domain):
        names = sorted(self.dns(domain, "MX"))
        if len(names) > spf.MAX_MX:
            raise spf.PermError("More than %d MX records returned" % spf.MAX_MX)
        length = frame("check0").f_locals["cidrlength"]
        for _, name in names:
            addresses = self.dns_a(name, self.A)
            if self.cidrmatch(addresses, length):
                return addresses
        return []


class PtrTrouble:
    section = "5.5, 7.3"
    why = "DNS trouble while names are validated is no match, and %{p} is unknown"

    def dns_ptr(self, i):
        try:
            return super().dns_ptr(i)
        except spf.TempError:
            return []

    def dns_a(self, name, kind="A"):
        try:
            return super().dns_a(name, kind)
        except spf.TempError:
            if frame("check0", "dns_mx", "validated_ptrs", "getp").f_code.co_name in ("validated_ptrs", "getp"):
                return []
            raise


class PtrNames:
    section = "5.5, 7.3"
    why = "only names that can matter are validated, so others give no void lookups and no trouble"

    def validated_ptrs(self):
        names = self.dns_ptr(self.i)[:spf.MAX_PTR]
        target = frame("check0").f_locals["arg"]
        names = [name for name in names if spf.domainmatch([name], target)]
        for name in names:
            if self.cidrmatch(self.dns_a(name, self.A), self.cidrmax):
                return [name]
        return []

    # <domain> is the current one, names match in any case, and the best comes first.
    def getp(self):
        domain = self.d.lower()
        names = self.dns_ptr(self.i)[:spf.MAX_PTR]
        names.sort(key=lambda n: 0 if n.lower() == domain else 1 if n.lower().endswith("." + domain) else 2)
        for name in names:
            if self.cidrmatch(self.dns_a(name, self.A), self.cidrmax):
                self.p = name
                return name
        self.p = "unknown"
        return self.p


class TermVoids:
    section = "4.6.4"
    why = "void lookups are counted by term: once, when it is evaluated, and only if it has not matched"
    in_term = saw_void = parse_void = False

    def dns(self, name, qtype, cnames=None, ignore_void=False):
        result = super().dns(name, qtype, cnames, ignore_void=True)
        if not result and is_name(name) and not ignore_void:
            self.parse_void = True
            self.saw_void = self.saw_void or self.in_term
        return result

    # All domain-specs are expanded before the first term is evaluated.
    def expand_domain(self, arg):
        self.parse_void = False
        name = super().expand_domain(arg)
        self.void_specs = getattr(self, "void_specs", {})
        self.void_specs[str(name)] = self.parse_void
        return name

    def settle(self):
        counted, self.in_term, self.saw_void = self.saw_void, False, False
        if counted:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("Void lookup limit of %d exceeded" % spf.MAX_VOID_LOOKUPS)

    def check_lookups(self):
        self.settle()
        super().check_lookups()
        seen = frame("check0").f_locals
        if not isinstance(seen.get("m"), list):
            self.in_term = True
            self.saw_void = self.void_specs.get(str(seen.get("arg")), False)

    def dns_spf(self, domain):
        self.settle()
        if frame("check0", "check").f_locals.get("redirect") == domain:
            self.saw_void = self.void_specs.get(domain, False)
            self.settle()
        return super().dns_spf(domain)

    def cidrmatch(self, addresses, length):
        matched = super().cidrmatch(addresses, length)
        if matched:
            self.saw_void = False
        return matched

    def dns_a(self, name, kind="A"):
        addresses = super().dns_a(name, kind)
        if addresses and frame("check0", "dns_mx", "validated_ptrs", "getp").f_locals.get("m") == "exists":
            self.saw_void = False
        return addresses

    def check0(self, text, recursion):
        result = super().check0(text, recursion)
        self.settle()
        return result


class Plain(spf.query):
    """pyspf as it is. `rewrite` is where corrections change a record's text."""
    including = False

    def rewrite(self, text):
        return text

    def dns_spf(self, domain):
        text = super().dns_spf(domain)
        return text if text is None else self.rewrite(text)


# In the order in which their methods call each other.
EXPLANATIONS = [TermVoids, RedirectCount, IncludeItself, UnknownModifiers, Grammar, Cut, Joiner, LetterCase,
                MxOrder, PtrNames, PtrTrouble]


def corrected(explanations):
    return type("Corrected", tuple(explanations) + (Plain,), {})
