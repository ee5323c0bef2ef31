"""pyspf_checks.py: checks by pyspf, each in a process of its own, so that many
wait side by side. Reads, fields separated by tabs, a line each:
  NUMBER CLIENT SENDER HELO GUESS PORT SERVERS
and writes NUMBER, the result and the milliseconds it took."""
import gc
import os
import signal
import sys
import time

# What dnspython reads when it first needs it, and each process would anew.
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.SOA
import dns.rdtypes.ANY.TXT
import dns.rdtypes.IN.A
import dns.resolver
import spf


def check(number, client, sender, helo, guess, port, servers):
    dns.resolver.default_resolver = resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = servers.split(), int(port)
    start = time.monotonic()
    try:
        query = spf.query(i=client, s=sender, h=helo, receiver="mx.local", querytime=20)
        result = query.check()[0]
        if result == "none" and guess:
            result = query.best_guess("v=spf1 " + guess)[0]
    except Exception as x:
        result = type(x).__name__
    took = 1000 * (time.monotonic() - start)
    os.write(1, ("%s\t%s\t%.3f\n" % (number, result, took)).encode())


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()
    for line in sys.stdin.buffer:
        if os.fork() == 0:
            check(*line.decode().rstrip("\n").split("\t"))
            os._exit(0)


if __name__ == "__main__":
    main()
