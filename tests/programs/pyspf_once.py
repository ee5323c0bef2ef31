"""pyspf_once.py PORT CLIENT SENDER HELO: one check by pyspf at the name server
127.0.0.1, PORT; prints the result and the milliseconds it took."""
import sys
import time

import dns.resolver
import spf

port, client, sender, helo = sys.argv[1:]
dns.resolver.default_resolver = resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers, resolver.port = ["127.0.0.1"], int(port)
start = time.monotonic()
result, _ = spf.check2(i=client, s=sender, h=helo)
print(result, 1000 * (time.monotonic() - start))
