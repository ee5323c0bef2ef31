"""tls_client.py [OPTION...] REPORT PROG [ARG...]

Runs PROG on a TCP connection, and at its other end speaks TLS for whoever is on
descriptor 0: in clear at first, from the 220 to STARTTLS on inside TLS. REPORT
is a file that gets a line for each thing that only TLS shows:

    established PROTOCOL CIPHER     the handshake is done
    failed REASON                   it is not
    end close_notify                the server ended as TLS wants it
    end cut, end reset              it did not

    --smtps           TLS comes first
    --version V       1.2 or 1.3 alone
    --ciphers LIST    for TLS 1.2
    --name NAME       the server's (SNI)
    --ca FILE         the server's chain must end here
    --piece N         TLS goes out in pieces of at most N octets
    --end HOW         when descriptor 0 ends: notify (close_notify, then FIN),
                      cut (FIN alone), reset, forged (a record of somebody
                      else's, then FIN)
"""
import argparse
import os
import select
import signal
import socket
import ssl
import struct

BOUND = 1 << 16  # on what waits in each direction


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--smtps", action="store_true")
    parser.add_argument("--version")
    parser.add_argument("--ciphers")
    parser.add_argument("--name")
    parser.add_argument("--ca")
    parser.add_argument("--piece", type=int, default=BOUND)
    parser.add_argument("--end", default="notify")
    parser.add_argument("report")
    parser.add_argument("prog", nargs=argparse.REMAINDER)
    return parser.parse_args()


def context(options):
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    result.check_hostname = False
    result.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # Python's own default
    result.verify_mode = ssl.CERT_REQUIRED if options.ca else ssl.CERT_NONE
    if options.ca:
        result.load_verify_locations(options.ca)
    if options.version:
        version = ssl.TLSVersion["TLSv" + options.version.replace(".", "_")]
        result.minimum_version = result.maximum_version = version
    if options.ciphers:
        result.set_ciphers(options.ciphers)
    return result


class Client:
    def __init__(self, options, plain, wire):
        self.options, self.plain, self.wire = options, plain, wire
        self.to_plain, self.to_wire = bytearray(), bytearray()
        self.plain_ended = self.wire_ended = self.told = self.gone = False
        self.asked = self.established = False
        self.tls = None
        if options.smtps:
            self.start_tls()

    def report(self, line):
        with open(self.options.report, "a") as file:
            file.write(line + "\n")

    def start_tls(self):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(self.options).wrap_bio(
            self.incoming, self.outgoing, server_hostname=self.options.name)
        self.handshake()

    def handshake(self):
        try:
            self.tls.do_handshake()
            self.established = True
            self.report("established %s %s" % (self.tls.version(), self.tls.cipher()[0]))
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.report("failed %s" % error.reason)
            self.say()  # the alert
            self.wire_ended = True
        self.to_wire += self.outgoing.read()

    def say(self):
        self.wire.setblocking(True)
        self.wire.sendall(self.outgoing.read())
        self.wire.setblocking(False)

    def from_plain(self, octets):
        if not octets:
            self.plain_ended = True
        elif self.tls:
            self.tls.write(octets)
            self.to_wire += self.outgoing.read()
        else:
            self.asked |= b"STARTTLS\r\n" in octets.upper()
            self.to_wire += octets

    def from_wire(self, octets):
        if not self.tls:
            self.to_plain += octets
            self.wire_ended = not octets
            if self.asked and b"220 ready for tls\r\n" in octets:
                self.start_tls()
            return
        if octets:
            self.incoming.write(octets)
        else:
            self.incoming.write_eof()
        if not self.established:
            self.handshake()
        if self.established and not self.wire_ended:
            self.decrypt()

    def read_wire(self):
        try:
            self.from_wire(self.wire.recv(BOUND))
        except ConnectionResetError:
            self.report("end reset")
            self.wire_ended = True

    def decrypt(self):
        try:
            while True:
                octets = self.tls.read(BOUND)
                if not octets:
                    raise ssl.SSLZeroReturnError
                self.to_plain += octets
        except ssl.SSLWantReadError:
            self.to_wire += self.outgoing.read()
        except ssl.SSLZeroReturnError:
            self.report("end close_notify")
            self.wire_ended = True
        except ssl.SSLError:
            self.report("end cut")
            self.wire_ended = True

    def end(self):
        self.told = True
        if self.options.end == "reset":
            self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.gone = True
            return
        if self.established and self.options.end == "notify":
            try:
                self.tls.unwrap()
            except ssl.SSLError:  # it wants the answer, which decrypt() reads
                pass
            self.say()
        if self.options.end == "forged":
            self.wire.send(b"\x17\x03\x03\x00\x20" + bytes(32))
        self.wire.shutdown(socket.SHUT_WR)

    def wait(self):
        poll = select.poll()
        ready = not self.tls or self.established
        more = not self.plain_ended and ready and len(self.to_wire) < BOUND
        poll.register(self.plain, more * select.POLLIN | bool(self.to_plain) * select.POLLOUT)
        more = not self.wire_ended and len(self.to_plain) < BOUND
        poll.register(self.wire, more * select.POLLIN | bool(self.to_wire) * select.POLLOUT)
        found = dict(poll.poll())
        return found.get(self.plain.fileno(), 0), found.get(self.wire.fileno(), 0)

    def run(self):
        while not self.gone and not (self.wire_ended and not self.to_plain):
            if self.plain_ended and not self.told and not self.to_wire:
                self.end()
                continue
            plain, wire = self.wait()
            if plain & select.POLLIN:
                self.from_plain(self.plain.recv(BOUND))
            elif plain & select.POLLHUP and not wire & select.POLLOUT:
                if not self.told:
                    self.end()
                return
            if wire & (select.POLLIN | select.POLLHUP | select.POLLERR) and not self.wire_ended:
                self.read_wire()
            if wire & select.POLLOUT:
                del self.to_wire[:self.wire.send(self.to_wire[:self.options.piece])]
            if plain & select.POLLOUT:
                del self.to_plain[:self.plain.send(self.to_plain)]


def connection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        ends = client, server.accept()[0]
    for end in ends:  # who does not read shall be felt soon
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 * BOUND)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * BOUND)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ends


def main():
    options = arguments()
    plain = socket.socket(fileno=os.dup(0))
    wire, served = connection()
    if os.fork() == 0:
        if os.fork() == 0:  # no child of PROG
            served.close()
            os.close(0)
            os.close(1)
            plain.setblocking(False)
            wire.setblocking(False)
            try:
                Client(options, plain, wire).run()
            except OSError:  # somebody has gone
                pass
        os._exit(0)
    os.wait()
    for fd in 0, 1:
        os.dup2(served.fileno(), fd)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp(options.prog[0], options.prog)


main()
