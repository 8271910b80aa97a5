#!/usr/bin/python3
"""HTTP/1.1 programs of the end-to-end tests. Results are JSON on standard output.

web.py serve PORT NAME
    GET /          the server's name
    GET /status/N  an answer with that status
    GET /bytes/N   so many bytes, in chunks
    GET /pattern/N so many MiB, each of which no other place has
    POST /echo     the request's body
    PUT /digest    its SHA-256
    GET /ws        an upgrade, after which everything comes back
    While /run/web/slow exists it waits for as many milliseconds as stand there; while /run/web/fail exists, it answers 500;
    while /run/web/break exists, it resets each connection that has asked.
web.py load HOST PORT COUNT THREADS [PATH] [METHOD] [RATE]
    COUNT requests over THREADS connections that are kept, one after the other each, or RATE a second in all.
web.py once HOST PORT PATH [METHOD] [HEADER:VALUE]...
    One request: its status, headers and body.
web.py socket HOST PORT
    An upgrade, and what comes back through it.
web.py bulk HOST PORT MIB
    So many MiB in each direction at the same time, in one request each: are both what was sent?
web.py collect PORT FILE
    Takes OpenTelemetry's spans at 127.0.0.1; each becomes a line of the file.
"""
import collections
import concurrent.futures
import hashlib
import http.client
import http.server
import json
import os
import socket
import socketserver
import struct
import sys
import threading
import time


BLOCK = bytes(range(256)) * 4096


def pattern(count):
    for index in range(count):
        yield index.to_bytes(8, "big") + BLOCK[8:]


def digest(parts):
    sum = hashlib.sha256()
    for part in parts:
        sum.update(part)
    return sum.hexdigest()


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    name = ""

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("x-server", self.name)
        if status >= 200 and status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def is_told_to_fail(self):
        if os.path.exists("/run/web/break"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return True
        try:
            time.sleep(float(open("/run/web/slow").read()) / 1000)
        except (OSError, ValueError):
            pass
        if os.path.exists("/run/web/fail"):
            self.answer(500, b"told to fail")
            return True
        return False

    def do_GET(self):
        if self.is_told_to_fail():
            return
        kind, _, rest = self.path.lstrip("/").partition("/")
        if kind == "status":
            self.answer(int(rest), rest.encode())
        elif kind == "bytes":
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            left = int(rest)
            while left > 0:
                count = min(left, 65536)
                self.wfile.write(b"%x\r\n" % count + b"b" * count + b"\r\n")
                left -= count
            self.wfile.write(b"0\r\n\r\n")
        elif kind == "pattern":
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for part in pattern(int(rest)):
                self.wfile.write(b"%x\r\n" % len(part) + part + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        elif kind == "ws":
            self.send_response(101)
            self.send_header("connection", "upgrade")
            self.send_header("upgrade", "echo")
            self.end_headers()
            self.wfile.flush()
            while data := self.connection.recv(65536):
                self.connection.sendall(data)
            self.close_connection = True
        else:
            self.answer(200, self.name.encode())

    do_HEAD = do_GET
    do_DELETE = do_GET

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if not self.is_told_to_fail():
            self.answer(200, body)

    def do_PUT(self):
        left, sum = int(self.headers.get("content-length") or 0), hashlib.sha256()
        while left > 0:
            part = self.rfile.read(min(left, 1 << 20))
            left -= len(part)
            sum.update(part)
        self.answer(200, sum.hexdigest().encode())


def serve(port, name):
    Handler.name = name
    Server(("", int(port)), Handler).serve_forever()


def ask(connection, method, path, headers):
    body = b"x" * 100 if method in ("POST", "PUT") else None
    connection.request(method, path, body=body, headers=headers)
    response = connection.getresponse()
    return response, response.read()


def load(host, port, count, threads, path="/", method="GET", rate="0"):
    count, threads, rate = int(count), int(threads), float(rate)
    statuses, servers, errors = collections.Counter(), collections.Counter(), collections.Counter()
    flags, times, lock = collections.Counter(), [], threading.Lock()
    begun = time.monotonic()

    def work(number):
        connection, mine = None, []
        for turn in range(number, count, threads):
            if rate:
                time.sleep(max(0, begun + turn / rate - time.monotonic()))
            started = time.monotonic()
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(host, int(port), timeout=30)
                    connection.connect()
                    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                response, _ = ask(connection, method, path, {})
                took = time.monotonic() - started
                with lock:
                    statuses[str(response.status)] += 1
                    servers[response.headers.get("x-server", "")] += 1
                    if flag := response.headers.get("weft-flags"):
                        flags[flag] += 1
                mine.append((started - begun, took, response.status))
                if response.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                with lock:
                    errors[type(error).__name__] += 1
                mine.append((started - begun, time.monotonic() - started, 0))
                connection.close()
                connection = None
        with lock:
            times.extend(mine)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    latencies = sorted(took for _, took, _ in times)
    late = [status for at, _, status in times if at >= 2]
    print(json.dumps({
        "statuses": statuses, "servers": servers, "errors": errors, "flags": flags,
        "p50": latencies[len(latencies) // 2] * 1000, "p99": latencies[len(latencies) * 99 // 100] * 1000,
        "seconds": time.monotonic() - begun,
        "lateTotal": len(late), "lateFailures": sum(1 for status in late if status == 0 or status >= 500),
    }))


def once(host, port, path, method="GET", *headers):
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    response, body = ask(connection, method, path, dict(header.split(":", 1) for header in headers))
    fields = {key.lower(): value for key, value in response.getheaders()}
    print(json.dumps({"status": response.status, "headers": fields, "body": body.decode("latin-1")[:1000],
                      "length": len(body)}))


def upgraded(host, port):
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(b"GET /ws HTTP/1.1\r\nhost: web\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(65536)
    said = os.urandom(200_000)
    threading.Thread(target=connection.sendall, args=(said,)).start()
    heard = head.split(b"\r\n\r\n", 1)[1]
    while len(heard) < len(said):
        heard += connection.recv(65536)
    print(json.dumps({"status": int(head.split()[1]), "same": said == heard}))


def bulk(host, port, count):
    count = int(count)

    def download():
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        connection.request("GET", f"/pattern/{count}")
        response = connection.getresponse()
        return digest(iter(lambda: response.read(1 << 20), b""))

    def upload():
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        connection.request("PUT", "/digest", body=pattern(count), headers={"content-length": str(count << 20)})
        return connection.getresponse().read().decode()

    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        sums = [task.result() for task in (pool.submit(download), pool.submit(upload))]
    took = time.monotonic() - begun
    print(json.dumps({"same": sums == [digest(pattern(count))] * 2, "seconds": took}))


def collect(port, path):
    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with open(path, "a") as file:
                for resource in request["resourceSpans"]:
                    for scope in resource["scopeSpans"]:
                        for span in scope["spans"]:
                            file.write(json.dumps(span) + "\n")
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

    http.server.HTTPServer(("127.0.0.1", int(port)), Collector).serve_forever()


if __name__ == "__main__":
    {"serve": serve, "load": load, "once": once, "socket": upgraded, "bulk": bulk, "collect": collect}[sys.argv[1]](*sys.argv[2:])
