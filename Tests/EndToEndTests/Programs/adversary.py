#!/usr/bin/python3
"""A peer that speaks TLS as it should and HTTP/2 as it should not. Results are JSON on standard output.

adversary.py handshake NODE PKI NAME OPTION...   dials NODE:15008 as NAME, and says how that ended: "settings" when the node
                                                 spoke HTTP/2, else what TLS said. OPTION: tls1.2, no-certificate, no-alpn
adversary.py abuse NODE PKI NAME AUTHORITY       once for each case, side by side: opens a tunnel to AUTHORITY, which echoes, then
                                                 does what it must not, and looks what became of the connection and of
                                                 the tunnel. One result for each case, by its name

PKI is a directory with ca.pem, NAME.crt and NAME.key.
"""
import concurrent.futures
import json
import select
import socket
import ssl
import struct
import sys
import time

sys.path.insert(0, "/srv/weft-peers")
from hpack import Encoder, Decoder  # noqa: E402
from hyperframe.frame import (  # noqa: E402
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PATIENCE = 8


def context(pki, name, *options):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.load_verify_locations(f"{pki}/ca.pem")
    if "no-certificate" not in options:
        made.load_cert_chain(f"{pki}/{name}.crt", f"{pki}/{name}.key")
    if "tls1.2" in options:
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    if "no-alpn" not in options:
        made.set_alpn_protocols(["h2"])
    return made


def dial(node, pki, name, *options):
    host, _, port = node.rpartition(":")
    tcp = socket.create_connection((host, int(port)), timeout=PATIENCE)
    return context(pki, name, *options).wrap_socket(tcp)


def handshake(node, pki, name, *options):
    try:
        tls = dial(node, pki, name, *options)
        # With TLS 1.3 a server refuses a client's certificate after the client's handshake is over.
        tls.sendall(PREFACE + SettingsFrame(0).serialize())
        head = tls.recv(9)
        result = "settings" if len(head) == 9 and head[3] == 4 else "closed" if not head else "rubbish"
    except ssl.SSLError as error:
        result = (error.reason or str(error)).lower()
    except (ConnectionError, TimeoutError) as error:
        result = type(error).__name__
    print(json.dumps({"result": result}))


class Peer:
    """One connection, frame by frame."""

    def __init__(self, node, pki, name):
        self.tls = dial(node, pki, name)
        self.encoder, self.decoder = Encoder(), Decoder()
        self.buffer, self.frames, self.answers, self.closed = b"", [], {}, False
        self.send_raw(PREFACE)
        self.send(SettingsFrame(0))
        self.wait(lambda: any(isinstance(f, SettingsFrame) for f in self.frames))
        self.send(SettingsFrame(0, flags=["ACK"]))

    def send_raw(self, data):
        try:
            self.tls.settimeout(PATIENCE)
            self.tls.sendall(data)
        except (OSError, ssl.SSLError):
            self.closed = True

    def send(self, *frames):
        self.send_raw(b"".join(frame.serialize() for frame in frames))

    def headers(self, stream, fields, flags=("END_HEADERS",), block=None):
        data = self.encoder.encode(fields) if block is None else block
        return HeadersFrame(stream, data=data, flags=list(flags))

    def connect(self, stream, authority, *more, **options):
        return self.headers(stream, [(":method", "CONNECT"), (":authority", authority), *more], **options)

    def receive(self, seconds):
        if not self.tls.pending() and not select.select([self.tls], [], [], seconds)[0]:
            return
        try:
            self.tls.settimeout(PATIENCE)
            data = self.tls.recv(65536)
        except (OSError, ssl.SSLError):
            data = b""
        self.closed = self.closed or not data
        self.buffer += data
        while len(self.buffer) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(self.buffer[:9]))
            if len(self.buffer) < 9 + length:
                break
            frame.parse_body(memoryview(self.buffer[9 : 9 + length]))
            self.buffer = self.buffer[9 + length :]
            self.frames.append(frame)
            if isinstance(frame, HeadersFrame):
                self.answers[frame.stream_id] = dict(self.decoder.decode(frame.data))
            if isinstance(frame, PingFrame) and "ACK" not in frame.flags:
                self.send(PingFrame(0, opaque_data=frame.opaque_data, flags=["ACK"]))

    def wait(self, condition, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not condition() and not self.closed and (left := deadline - time.monotonic()) > 0:
            self.receive(left)
        return condition()

    def status(self, stream):
        self.wait(lambda: stream in self.answers or self.reset(stream) is not None)
        return self.answers.get(stream, {}).get(":status")

    def reset(self, stream):
        codes = [f.error_code for f in self.frames if isinstance(f, RstStreamFrame) and f.stream_id == stream]
        return codes[0] if codes else None

    def data(self, stream):
        return b"".join(f.data for f in self.frames if isinstance(f, DataFrame) and f.stream_id == stream)

    def echoes(self, stream, text):
        before = len(self.data(stream))
        self.send(DataFrame(stream, data=text))
        self.wait(lambda: len(self.data(stream)) >= before + len(text), 20)
        return self.data(stream)[before:] == text


def setting(number, value):
    """SETTINGS with one value, legal or not."""
    body = struct.pack(">HI", number, value)
    return struct.pack(">I", len(body))[1:] + bytes([4, 0]) + bytes(4) + body


def raw(kind, flags, stream, body):
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body


def after_opening(*frames):
    """Does it on a stream that stands: 3."""

    def act(peer, authority):
        peer.send(peer.connect(3, authority))
        peer.status(3)
        peer.send(*(frame(peer) for frame in frames))

    return act


def overflow(peer, authority):
    """More than a stream's window and a connection's, to an application that does not read for three seconds."""
    peer.send(peer.connect(3, authority))
    peer.status(3)
    peer.send(DataFrame(3, data=b"s"))
    for _ in range(200):
        if not peer.closed:
            peer.send(*[DataFrame(3, data=bytes(16384))] * 16)


def long(letter, count=8000):
    return letter * count


# What each case does on a connection whose stream 1 is a good tunnel, which is to go on if the connection does. What it
# opens itself are streams 3 and up.
CASES = {
    # Floods
    "pings": lambda p, a: p.send(*[PingFrame(0, opaque_data=bytes(8))] * 5000),
    "settings": lambda p, a: p.send(*[SettingsFrame(0)] * 5000),
    "settings-answers": lambda p, a: p.send(*[SettingsFrame(0, flags=["ACK"])] * 5000),
    "empty-data": after_opening(*[lambda p: DataFrame(3)] * 5000),
    "window-crumbs": lambda p, a: p.send(*[WindowUpdateFrame(0, window_increment=1)] * 20000),
    "priorities": lambda p, a: p.send(*[PriorityFrame(1, depends_on=3, stream_weight=1)] * 5000),
    "rapid-resets": lambda p, a: [
        p.send(p.connect(n, a), RstStreamFrame(n, error_code=8)) for n in range(3, 4003, 2) if not p.closed
    ],
    "endless-headers": lambda p, a: p.send(
        p.connect(3, a, flags=()), *[ContinuationFrame(3, data=b"\x00\x01x\x01y") for _ in range(50000)]
    ),
    "unknown-frames": lambda p, a: p.send_raw(raw(99, 255, 1, bytes(8)) * 20000),
    # Windows
    "window-overflow": lambda p, a: p.send(*[WindowUpdateFrame(0, window_increment=0x7FFFFFFF)] * 2),
    "stream-window-overflow": after_opening(*[lambda p: WindowUpdateFrame(3, window_increment=0x7FFFFFFF)] * 2),
    "window-of-nothing": lambda p, a: p.send_raw(raw(8, 0, 0, bytes(4))),
    "window-setting-too-large": lambda p, a: p.send_raw(setting(4, 0x80000000)),
    "more-than-the-window": overflow,
    "window-of-zero": lambda p, a: [p.send_raw(setting(4, 0)), p.send(WindowUpdateFrame(1, window_increment=65535))],
    # Sizes
    "long-headers": lambda p, a: p.send(
        HeadersFrame(3, data=p.encoder.encode([(":method", "CONNECT"), (":authority", a), ("x-0", long("a"))])[:16000]),
        *[ContinuationFrame(3, data=b"\x00\x01x\x7f\x81\x7d" + long(b"b", 16000)) for _ in range(8)],
        ContinuationFrame(3, flags=["END_HEADERS"], data=b""),
    ),
    # A field of 4000 bytes in the table, then named by a byte each time: 64 MB when it is unpacked.
    "packed-headers": lambda p, a: [
        p.send(p.connect(3, a, ("x-bomb", long("b", 4000)))),
        p.send(p.headers(5, None, block=b"\xbe" * 16000)),
    ],
    "long-frame": lambda p, a: p.send_raw(raw(0, 0, 1, bytes(1 << 20))),
    "frame-that-is-too-short": lambda p, a: p.send_raw(raw(6, 0, 0, bytes(3))),
    # Order
    "data-nowhere": lambda p, a: p.send(DataFrame(99, data=b"x")),
    "even-stream": lambda p, a: p.send(p.connect(4, a)),
    "older-stream": lambda p, a: p.send(p.connect(7, a), p.connect(5, a)),
    "headers-in-the-middle": lambda p, a: p.send(p.connect(3, a, flags=()), DataFrame(1, data=b"x")),
    "trailers": after_opening(lambda p: p.headers(3, [("x-late", "1")])),
    "headers-on-stream-zero": lambda p, a: p.send_raw(raw(1, 4, 0, p.encoder.encode([(":method", "CONNECT")]))),
    "push": lambda p, a: p.send_raw(raw(5, 4, 1, struct.pack(">I", 2) + p.encoder.encode([(":method", "GET")]))),
    "not-hpack": lambda p, a: p.send(p.headers(3, None, block=b"\xff\xff\xff\xff\xff\xff\xff")),
    "rubbish": lambda p, a: p.send_raw(bytes(range(256)) * 40),
    "farewell": lambda p, a: p.send(GoAwayFrame(0, last_stream_id=0)),
    # Pseudo-headers
    "connect-with-a-path": lambda p, a: p.send(p.connect(3, a, (":scheme", "https"), (":path", "/"))),
    "connect-extended": lambda p, a: p.send(
        p.connect(3, a, (":scheme", "https"), (":path", "/"), (":protocol", "websocket"))
    ),
    "connect-without-authority": lambda p, a: p.send(p.headers(3, [(":method", "CONNECT")])),
    "two-authorities": lambda p, a: p.send(p.connect(3, a, (":authority", "127.0.0.1:1"))),
    "two-methods": lambda p, a: p.send(p.headers(3, [(":method", "GET"), (":method", "CONNECT"), (":authority", a)])),
    "status-in-a-request": lambda p, a: p.send(p.connect(3, a, (":status", "200"))),
    "made-up-pseudo-header": lambda p, a: p.send(p.connect(3, a, (":made-up", "1"))),
    "pseudo-header-after-others": lambda p, a: p.send(
        p.headers(3, [(":method", "CONNECT"), ("x-a", "1"), (":authority", a)])
    ),
    "upper-case": lambda p, a: p.send(p.connect(3, a, ("X-Upper", "1"))),
    "connection-header": lambda p, a: p.send(p.connect(3, a, ("connection", "close"))),
    "get": lambda p, a: p.send(
        p.headers(3, [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", a)])
    ),
    "not-an-address": lambda p, a: p.send(p.connect(3, "../../etc/passwd")),
    "loop": lambda p, a: p.send(p.connect(3, a.rpartition(":")[0] + ":15008")),
    "somewhere-else": lambda p, a: p.send(p.connect(3, "198.51.100.1:80")),
    "loopback": lambda p, a: p.send(p.connect(3, "127.0.0.1:22")),
    "zero-bytes": lambda p, a: p.send(p.connect(3, a, ("x-zero", "a\x00b"))),
    "junk-in-known-headers": lambda p, a: p.send(
        p.connect(3, a, ("baggage", ",,=,="), ("forwarded", 'for="'), ("traceparent", "zz"))
    ),
}


# Cases whose stream has been answered before it is abused.
LATE = {"empty-data", "stream-window-overflow", "trailers", "more-than-the-window"}


def attempt(node, pki, name, authority, case):
    peer = Peer(node, pki, name)
    peer.send(peer.connect(1, authority))
    opened = peer.status(1)
    # The server takes the first byte for what is asked of it: an echo.
    if opened == "200" and not (peer.send(DataFrame(1, data=b"e")) or peer.echoes(1, b"before")):
        opened = "silent"
    started = time.monotonic()
    CASES[case](peer, authority)
    # An answer, a reset or the end, or nothing at all.
    peer.wait(lambda: 3 in peer.answers and case not in LATE or peer.reset(3) is not None, 2)
    alive = not peer.closed and peer.echoes(1, b"after")
    if not alive:
        peer.wait(lambda: peer.closed, 15)
    farewells = [f.error_code for f in peer.frames if isinstance(f, GoAwayFrame)]
    return {
        "opened": opened,
        "alive": alive,
        "closed": peer.closed,
        "status": peer.answers.get(3, {}).get(":status"),
        "reset": peer.reset(3),
        "goAway": farewells[0] if farewells else None,
        "seconds": time.monotonic() - started,
    }


def abuse(*arguments):
    def one(case):
        try:
            return attempt(*arguments, case)
        except (OSError, ValueError) as error:
            return {"opened": f"{type(error).__name__}: {error}", "alive": False, "closed": True, "seconds": 0}

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        print(json.dumps(dict(zip(CASES, threads.map(one, CASES)))))


{"handshake": handshake, "abuse": abuse}[sys.argv[1]](*sys.argv[2:])
