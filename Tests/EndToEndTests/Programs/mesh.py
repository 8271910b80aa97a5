#!/usr/bin/python3
"""Programs for the tests of the mesh. The first argument says which.

listen PORT            a service as small as can be: takes connections and closes them
follow FILE            asks weftd every 50 ms for all services and appends a line for each endpoint that came or went:
                       TIME + NODE SERVICE PORT, or - for one that went; TIME as time(2), with microseconds
rubbish VECTORS SECONDS PER_SECOND ADDRESS...
                       what no peer would send, over UDP and TCP to port 7946 of each address; a seed makes it the same
                       each time. Prints how much it was, as JSON
crowd COUNT ADDRESS    tells the weftd at an address of that many other hosts with weft, by one exchange of states
"""
import http.client
import json
import random
import socket
import struct
import sys
import time


def listen(port):
    with socket.create_server(("", int(port))) as server:
        while True:
            server.accept()[0].close()


# --- follow


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect("/run/weft/weft.sock")


def endpoints():
    connection = UnixConnection("weft")
    try:
        connection.request("GET", "/v1/services")
        rows = json.load(connection.getresponse())
    finally:
        connection.close()
    return {f"{e['node']} {row['name']} {e['port']}" for row in rows for e in row["endpoints"] if e["healthy"]}


def follow(path):
    known = set()
    with open(path, "a", buffering=1) as out:
        while True:
            try:
                now = endpoints()
                moment = f"{time.time():.6f}"
                out.writelines(f"{moment} + {line}\n" for line in sorted(now - known))
                out.writelines(f"{moment} - {line}\n" for line in sorted(known - now))
                known = now
            except (OSError, ValueError, KeyError, http.client.HTTPException):
                pass  # Between two weftds there is nobody to ask.
            time.sleep(0.05)


# --- rubbish


def mutated(source, data):
    """One of the ways to spoil a message: cut, flip, splice, blow up a length, repeat."""
    data = bytearray(data)
    way = source.randrange(6)
    if way == 0:
        return bytes(data[: source.randrange(len(data) + 1)])
    if way == 1:
        for _ in range(source.randrange(1, 8)):
            data[source.randrange(len(data))] ^= 1 << source.randrange(8)
    elif way == 2:
        at = source.randrange(len(data))
        data[at:at] = source.randbytes(source.randrange(1, 40))
    elif way == 3:
        at = source.randrange(len(data))
        data[at : at + 5] = source.choice([b"\xdd\xff\xff\xff\xff", b"\xdf\x7f\xff\xff\xff", b"\xc6\xff\xff\xff\xff"])
    elif way == 4:
        data += data[source.randrange(len(data)) :] * 3
    else:
        del data[source.randrange(len(data)) :: 2]
    return bytes(data)


def datagram(source, vectors):
    way = source.randrange(10)
    if way == 0:
        return source.randbytes(source.randrange(0, 1400))
    if way == 1:
        return bytes([source.randrange(256)]) + source.randbytes(source.randrange(0, 200))
    if way == 2:
        return source.randbytes(60000)
    return mutated(source, source.choice(vectors))


def stream(source, vectors):
    way = source.randrange(4)
    if way == 0:
        return source.randbytes(source.randrange(1, 3000))
    if way == 1:
        # Encrypted, and as long as can be said.
        return b"\x0a\xff\xff\xff\xff" + source.randbytes(1000)
    if way == 2:
        # Compressed: LZW of which nobody knows the end.
        return b"\x09\x82\xa4Algo\x00\xa3Buf\xc6\x00\x10\x00\x00" + source.randbytes(2000)
    return mutated(source, source.choice(vectors))


def rubbish(path, seconds, per_second, *addresses):
    with open(path) as file:
        vectors = json.load(file)
    datagrams = [bytes.fromhex(entry["hex"]) for entry in vectors["udp"]]
    streams = [
        bytes.fromhex(text)
        for entry in vectors["tcp"]
        for key, text in entry.items()
        if isinstance(text, str) and key.lower().endswith("hex") and text
    ]
    source = random.Random(7946)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    begun, sent, dialled, open_streams = time.monotonic(), 0, 0, []
    while (elapsed := time.monotonic() - begun) < float(seconds):
        for address in addresses:
            for _ in range(max(1, int(int(per_second) * 0.01))):
                try:
                    udp.sendto(datagram(source, datagrams), (address, 7946))
                    sent += 1
                except OSError:
                    pass
            tcp = socket.socket()
            tcp.settimeout(0.2)
            try:
                tcp.connect((address, 7946))
                tcp.sendall(stream(source, streams or datagrams))
                dialled += 1
                # Some stay, as those of someone who wants all of them for himself would.
                open_streams.append(tcp)
                if len(open_streams) > 60:
                    open_streams.pop(source.randrange(len(open_streams))).close()
            except OSError:
                tcp.close()
        time.sleep(max(0, 0.01 - (time.monotonic() - begun - elapsed)))
    print(json.dumps({"datagrams": sent, "streams": dialled}), flush=True)


# --- crowd


def packed(value):
    """As much of msgpack as the messages below need."""
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return bytes([value]) if value < 128 else b"\xce" + struct.pack(">I", value)
    if isinstance(value, dict):
        return bytes([0x80 | len(value)]) + b"".join(packed(part) for item in value.items() for part in item)
    data = value.encode() if isinstance(value, str) else value
    if len(data) < 32:
        return bytes([0xA0 | len(data)]) + data
    return b"\xda" + struct.pack(">H", len(data)) + data


def member(number):
    """One of a node of 10.200.0.0/16, which no test host has a route to."""
    return packed(
        {
            "Addr": bytes([10, 200, number >> 8, number & 255]),
            "Incarnation": 1,
            "Meta": b"\xff" + packed({"weft": "1", "weft-version": "0.1.0"}),
            "Name": f"crowd-{number:05}",
            "Port": 7946,
            "State": 0,
            "Vsn": bytes([1, 5, 2, 2, 5, 5]),
        }
    )


def crowd(count, address):
    count = int(count)
    header = packed({"Join": True, "Nodes": count, "UserStateLen": 0})
    with socket.create_connection((address, 7946), timeout=20) as tcp:
        tcp.sendall(b"\x06" + header + b"".join(member(number) for number in range(count)))
        while tcp.recv(65536):
            pass


if __name__ == "__main__":
    {"listen": listen, "follow": follow, "rubbish": rubbish, "crowd": crowd}[sys.argv[1]](*sys.argv[2:])
