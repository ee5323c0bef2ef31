"""compare.py JUDGE [CASES [SEED]]: random zones judged by us and by pyspf.

JUDGE is judge.cc's program; 20,000 cases from seed 1, if not said otherwise.
Prints a summary, and every difference that explanations.py does not explain,
as input for JUDGE. Exits 0 when there is none."""
import collections
import re
import subprocess
import sys

import spf

import cases
import explanations

LONGEST_CHAIN = 8
UNPRINTABLE = re.compile(rb"[^!-$&-~]")


class World:
    """One case's DNS, as the resolver pyspf usually has shows it: aliases are
    followed there, and what was asked in vain is noted."""

    def __init__(self, case):
        self.case, self.missing = case, set()

    def lookup(self, name, kind, strict=True, timeout=None):
        owner = name.lower()
        for _ in range(LONGEST_CHAIN + 1):
            if (owner, kind) in self.case.faults:
                raise spf.TempError("DNS SERVFAIL")
            data = self.case.records.get((owner, kind))
            alias = self.case.records.get((owner, "CNAME"))
            if data or not alias:
                break
            owner = alias[0].lower()
        else:
            raise spf.TempError("DNS alias loop")
        if not data:
            self.missing.add((name, kind))
        return [((name, kind), value(kind, item, i)) for i, item in enumerate(data or [])]


def value(kind, item, position):
    if kind == "MX":
        return position, item
    if kind == "TXT":
        return [item.encode("latin-1")]
    return item


def ask_pyspf(case, world, chosen=()):
    spf.DNSLookup = world.lookup
    try:
        query = explanations.corrected(chosen)(i=case.client, s=case.sender, h=case.helo,
                                               receiver="mx.local", strict=True)
        query.set_default_explanation("DEFAULT")
        result, _, text = query.check()
    except Exception as x:
        return "crash", repr(x)
    return result, text if result == "fail" else ""


def let_some_match(case):
    """Names that macros expand to get an address, in every third case."""
    world = World(case)
    ask_pyspf(case, world, explanations.EXPLANATIONS)
    client = case.client.replace("::ffff:", "")
    own = "AAAA" if ":" in client else "A"
    unknown = sorted(asked for asked in world.missing if asked[0] not in cases.HOSTS + cases.VOIDS)
    for name, kind in unknown[::2]:
        if kind in ("A", "AAAA"):
            case.add(name, kind, client if kind == own else "127.0.0.2")


def escaped(text):
    return UNPRINTABLE.sub(lambda octet: b"%%%02X" % ord(octet[0]), text.encode("latin-1")).decode("ascii")


def input_for_judge(case):
    lines = [("clear",)]
    for (name, kind), items in case.records.items():
        lines += [("record", name, kind, item) for item in items]
    lines += [("fault", name, kind) for name, kind in sorted(case.faults)]
    lines.append(("judge", case.client, case.helo, case.sender))
    return "".join("\t".join(map(escaped, line)) + "\n" for line in lines)


def unescaped(text):
    head, *rest = text.split("%")
    return head + "".join(chr(int(part[:2], 16)) + part[2:] for part in rest)


def ask_judge(judge, texts):
    done = subprocess.run([judge], input="".join(texts).encode("ascii"), stdout=subprocess.PIPE, check=True)
    answers = [line.split("\t") for line in done.stdout.decode("ascii").splitlines()]
    if len(answers) != len(texts):
        sys.exit("%d answers to %d cases" % (len(answers), len(texts)))
    return [((a[0], unescaped(a[1]) if a[0] == "fail" else ""), a) for a in answers]


def reasons(case, ours):
    """The fewest explanations, found by leaving out; None if all together do not do."""
    def explain(chosen):
        return ask_pyspf(case, World(case), chosen) == ours
    for one in explanations.EXPLANATIONS:
        if explain([one]):
            return [one]
    chosen = list(explanations.EXPLANATIONS)
    if not explain(chosen):
        return None
    for one in explanations.EXPLANATIONS:
        fewer = [other for other in chosen if other is not one]
        if explain(fewer):
            chosen = fewer
    return chosen


def main():
    judge = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    generated = []
    for i in range(count):
        case = cases.generate(seed * 1000003 + i)
        if i % 3 == 0:
            let_some_match(case)
        generated.append(case)
    answers = ask_judge(judge, [input_for_judge(case) for case in generated])
    results, explained, differences, unexplained = collections.Counter(), collections.Counter(), 0, 0
    for case, (ours, answer) in zip(generated, answers):
        results[ours[0]] += 1
        theirs = ask_pyspf(case, World(case))
        if theirs == ours:
            continue
        differences += 1
        why = reasons(case, ours)
        if why is None:
            unexplained += 1
            if unexplained <= 10:
                best = ask_pyspf(case, World(case), explanations.EXPLANATIONS)
                print("Not explained: we say %s %r (%s lookups, %s voids), pyspf %r, corrected %r\n%s" %
                      (*ours, answer[2], answer[3], theirs, best, input_for_judge(case)))
        else:
            explained.update(why)
    print("%d cases from seed %d: %s" % (count, seed, ", ".join("%s %d" % item for item in results.most_common())))
    print("%d judged alike, result and explanation; %d not, where pyspf leaves RFC 7208 in (some in more than one):" %
          (count - differences, differences))
    for one in explanations.EXPLANATIONS:
        print("%6d  section %-10s %s" % (explained[one], one.section, one.why))
    print("%6d  not explained" % unexplained)
    return 0 if unexplained == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
