#!/usr/bin/python3
"""Servers and clients for the end-to-end tests. The first argument says which; results are JSON on standard output.

servers   serve PORT            what the client's first byte asks for: e(cho), d(ownload), u(pload), h(alf-close),
                                s(lowly: 30 lines, one each 200 ms); all servers listen on IPv4 and IPv6
          greet PORT            speaks first
          close-first PORT      sends, ends its direction, then counts what still comes
          flood PORT            writes without end

clients   echo HOST PORT TEXT           one round trip
          download HOST PORT BYTES      checks the stream's SHA-256
          upload HOST PORT BYTES        the same, the other way
          both HOST PORT BYTES          the two at the same time, on two connections
          banner HOST PORT              milliseconds until a server that speaks first is heard, best of five
          half-close HOST PORT BYTES    sends, ends its direction, then reads the answer to its end
          read-to-end HOST PORT BYTES   reads to the end, then sends BYTES and closes
          slow HOST PORT                lines of the answer that takes six seconds
          stall HOST PORT SECONDS       connects and never reads
          hold HOST PORT COUNT FILE     COUNT connections, one round trip each; touches FILE, then holds them; when FILE is
                                        removed, one more round trip each, and ends
          loop HOST PORT FILE           short conversations until FILE is removed; what became of each
          watch HOST PORT FILE          one conversation, a line each 50 ms until FILE is removed; how it ended
          http HOST PORT COUNT ROUNDS   COUNT keep-alive connections, ROUNDS requests on each
          burst HOST PORT COUNT         COUNT connections at the same moment, one round trip each
          stalled HOST PORT COUNT BYTES one download that is never read, and beside it COUNT connections that send BYTES and
                                        get them back at the same time
          cycles HOST PORT COUNT        COUNT times: connects, is answered, has all tunnels to HOST broken by the kernel, and
                                        waits for its end; as root
"""
import asyncio
import concurrent.futures
import hashlib
import json
import os
import resource
import select
import socket
import subprocess
import sys
import time

CHUNK = 1 << 20
BLOCK = bytes(range(256)) * (CHUNK // 256)


def pattern(index):
    """A MiB that no other place of the stream has."""
    return index.to_bytes(8, "big") + BLOCK[8:]


def checksum(total):
    digest = hashlib.sha256()
    for index in range(total // CHUNK):
        digest.update(pattern(index))
    return digest.hexdigest()


def finish(**result):
    print(json.dumps(result), flush=True)


def outcome(error):
    names = {
        ConnectionResetError: "reset",
        ConnectionRefusedError: "refused",
        BrokenPipeError: "reset",
        TimeoutError: "timeout",
        asyncio.IncompleteReadError: "ended",
    }
    for kind, name in names.items():
        if isinstance(error, kind):
            return name
    return f"{type(error).__name__}: {error}"


# --- servers


async def serve_one(reader, writer):
    try:
        first = await reader.read(1)
        if first == b"e":
            await echo(reader, writer)
        elif first == b"d":
            await send_pattern(writer, int(await reader.readline()))
        elif first == b"u":
            await receive_pattern(reader, writer, int(await reader.readline()))
        elif first == b"h":
            received = 0
            while data := await reader.read(CHUNK):
                received += len(data)
            writer.write(f"got {received}\n".encode())
            await writer.drain()
        elif first == b"s":
            for number in range(30):
                writer.write(f"line {number}\n".encode())
                await writer.drain()
                await asyncio.sleep(0.2)
    except (ConnectionError, ValueError):
        pass
    finally:
        writer.close()


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def send_pattern(writer, total):
    for index in range(total // CHUNK):
        writer.write(pattern(index))
        await writer.drain()


async def receive_pattern(reader, writer, total):
    digest, left = hashlib.sha256(), total
    while left > 0:
        data = await reader.read(min(left, CHUNK))
        if not data:
            break
        digest.update(data)
        left -= len(data)
    writer.write(digest.hexdigest().encode() + b"\n")
    await writer.drain()


async def greet_one(reader, writer):
    writer.write(b"220 hello\r\n")
    await writer.drain()
    await reader.read(1)
    writer.close()


async def close_first_one(reader, writer):
    writer.write(b"x" * 100000)
    await writer.drain()
    writer.write_eof()
    received = 0
    while data := await reader.read(CHUNK):
        received += len(data)
    print(f"close-first got {received}", flush=True)
    writer.close()


async def flood_one(reader, writer):
    try:
        while True:
            writer.write(BLOCK)
            await writer.drain()
    except ConnectionError:
        writer.close()


async def run_server(handler, port):
    server = await asyncio.start_server(handler, ["0.0.0.0", "::"], port, backlog=4096)
    async with server:
        await server.serve_forever()


# --- clients


def connect(host, port, timeout=10):
    return socket.create_connection((host, int(port)), timeout=timeout)


def client_echo(host, port, text):
    with connect(host, port) as s:
        s.sendall(b"e" + text.encode())
        finish(answer=s.recv(65536).decode(), local=s.getsockname()[0])


def download(host, port, total):
    with connect(host, port, 60) as s:
        s.sendall(f"d{total}\n".encode())
        digest, received = hashlib.sha256(), 0
        while data := s.recv(CHUNK):
            digest.update(data)
            received += len(data)
    return {"bytes": received, "same": digest.hexdigest() == checksum(total)}


def upload(host, port, total):
    with connect(host, port, 60) as s:
        s.sendall(f"u{total}\n".encode())
        for index in range(total // CHUNK):
            s.sendall(pattern(index))
        answer = s.makefile().readline().strip()
    return {"bytes": total, "same": answer == checksum(total)}


def client_download(host, port, total):
    finish(**download(host, port, int(total)))


def client_upload(host, port, total):
    finish(**upload(host, port, int(total)))


def client_both(host, port, total):
    with concurrent.futures.ThreadPoolExecutor() as threads:
        halves = [threads.submit(half, host, port, int(total)) for half in (download, upload)]
        results = [half.result() for half in halves]
    finish(bytes=sum(r["bytes"] for r in results), same=all(r["same"] for r in results))


def client_banner(host, port):
    times = []
    for _ in range(5):
        started = time.monotonic()
        with connect(host, port) as s:
            line = s.recv(100)
            times.append((time.monotonic() - started) * 1000)
            s.sendall(b"q")
    finish(banner=line.decode(), milliseconds=min(times))


def client_half_close(host, port, total):
    with connect(host, port, 30) as s:
        s.sendall(b"h" + b"y" * int(total))
        s.shutdown(socket.SHUT_WR)
        finish(answer=s.makefile().read().strip())


def client_read_to_end(host, port, total):
    with connect(host, port, 30) as s:
        received = 0
        while data := s.recv(CHUNK):
            received += len(data)
        s.sendall(b"z" * int(total))
    finish(received=received)


def client_slow(host, port):
    with connect(host, port, 30) as s:
        s.sendall(b"s")
        finish(lines=len(s.makefile().readlines()))


def client_stall(host, port, seconds):
    with connect(host, port):
        time.sleep(float(seconds))
    finish(done=True)


async def round_trip(reader, writer, text):
    writer.write(text)
    await writer.drain()
    return await asyncio.wait_for(reader.readexactly(len(text)), 30) == text


async def client_hold(host, port, count, path):
    gate = asyncio.Semaphore(200)

    async def opened():
        async with gate:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), 30)
            writer.write(b"e")
            assert await round_trip(reader, writer, b"hello")
            return reader, writer

    results = await asyncio.gather(*(opened() for _ in range(int(count))), return_exceptions=True)
    held = [r for r in results if isinstance(r, tuple)]
    failures = [outcome(r) for r in results if not isinstance(r, tuple)]
    open(path, "w").close()
    while os.path.exists(path):
        await asyncio.sleep(0.05)

    async def again(reader, writer):
        async with gate:
            return await round_trip(reader, writer, b"still here")

    results = await asyncio.gather(*(again(*pair) for pair in held), return_exceptions=True)
    failures += [outcome(r) for r in results if r is not True]
    for _, writer in held:
        writer.close()
    finish(opened=len(held), failures=failures[:20], failed=len(failures))


def client_loop(host, port, path):
    counts, slowest, total = {}, 0.0, 0
    open(path, "w").close()
    while os.path.exists(path):
        started = time.monotonic()
        established = False
        try:
            with connect(host, port, 10) as s:
                established = True
                s.sendall(b"eping")
                answer = s.recv(16)
                result = "ok" if answer == b"ping" else "ended" if answer == b"" else "wrong"
        except OSError as error:
            result = outcome(error)
        result = result if result == "ok" or established else f"connect {result}"
        counts[result] = counts.get(result, 0) + 1
        total += 1
        slowest = max(slowest, time.monotonic() - started)
        time.sleep(0.005)
    finish(total=total, counts=counts, slowestSeconds=slowest)


def client_watch(host, port, path):
    result, lines = "removed", 0
    # Longer than a tunnel may take to notice that the other host is gone.
    with connect(host, port, 120) as s:
        s.sendall(b"e")
        open(path, "w").close()
        try:
            while os.path.exists(path):
                s.sendall(b"line\n")
                answer = s.recv(5, socket.MSG_WAITALL)
                if answer != b"line\n":
                    result = "ended" if answer == b"" else "wrong"
                    break
                lines += 1
                time.sleep(0.05)
        except OSError as error:
            result = outcome(error)
    finish(result=result, lines=lines)


async def client_http(host, port, count, rounds):
    gate = asyncio.Semaphore(200)
    everybody = asyncio.Event()
    waiting = 0
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()

    async def ask(reader, writer):
        writer.write(request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        length = int([line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")][0].split(b":")[1])
        await reader.readexactly(length)
        assert head.startswith(b"HTTP/1.1 200 ")

    async def conversation():
        nonlocal waiting
        try:
            async with gate:
                reader, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), 30)
                await ask(reader, writer)
        finally:
            # No request more before all are connected: they are open at the same time.
            waiting += 1
            if waiting == int(count):
                everybody.set()
        await everybody.wait()
        for _ in range(int(rounds) - 1):
            async with gate:
                await ask(reader, writer)
        writer.close()

    results = await asyncio.gather(*(conversation() for _ in range(int(count))), return_exceptions=True)
    failures = [outcome(r) for r in results if r is not None]
    finish(connections=len(results), failed=len(failures), failures=failures[:20])


def client_burst(host, port, count):
    """Without asyncio, whose every turn goes through all connections: here each ends soon after its answer."""
    started = time.monotonic()
    waiting, answers, failures = select.epoll(), {}, []
    connections = {}

    def end(connection, failure=None):
        waiting.unregister(connection)
        del connections[connection.fileno()]
        connection.close()
        if failure:
            failures.append(failure)

    def attend(descriptor, event):
        connection, text = connections[descriptor]
        try:
            if event & select.EPOLLOUT:
                connection.send(b"e" + text)
                waiting.modify(connection, select.EPOLLIN)
                return
            answer = connection.recv(100)
        except OSError as error:
            return end(connection, outcome(error))
        answers[text] = answers.get(text, b"") + answer
        if not answer:
            end(connection, "ended")
        elif answers[text] == text:
            end(connection)
        elif len(answers[text]) >= len(text):
            end(connection, "different")

    for number in range(int(count)):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex((host, int(port)))
        connections[connection.fileno()] = connection, f"{number:08}".encode()
        waiting.register(connection, select.EPOLLOUT)
        for ready in waiting.poll(0, 2):
            attend(*ready)
    while connections and time.monotonic() - started < 30:
        for ready in waiting.poll(1, 16):
            attend(*ready)
    failures += ["timeout"] * len(connections)
    seconds = time.monotonic() - started
    finish(opened=int(count) - len(failures), failed=len(failures), failures=failures[:20], slowestSeconds=seconds)


async def client_stalled(host, port, count, total):
    pieces = int(total) // CHUNK

    async def exchange():
        reader, writer = await asyncio.open_connection(host, int(port), limit=CHUNK)
        writer.write(b"e")

        async def send():
            for index in range(pieces):
                writer.write(pattern(index))
                await writer.drain()

        sending = asyncio.create_task(send())
        same = [await reader.readexactly(CHUNK) == pattern(index) for index in range(pieces)]
        await sending
        writer.close()
        return all(same)

    _, stalled = await asyncio.open_connection(host, int(port))
    stalled.transport.pause_reading()
    stalled.write(b"d%d\n" % (1 << 30))
    # Until its window is full.
    await asyncio.sleep(1)
    started = time.monotonic()
    results = await asyncio.gather(*(asyncio.wait_for(exchange(), 60) for _ in range(int(count))), return_exceptions=True)
    seconds = time.monotonic() - started
    stalled.transport.abort()
    failures = [outcome(r) for r in results if r is not True]
    finish(connections=len(results), failed=len(failures), failures=failures[:20], slowestSeconds=seconds)


def client_cycles(host, port, count):
    counts, slowest = {}, 0.0
    for _ in range(int(count)):
        answered, started = b"", time.monotonic()
        try:
            with connect(host, port, 10) as s:
                s.sendall(b"eping")
                answered = s.recv(16)
                started = time.monotonic()
                subprocess.run(["ss", "-tK", "dst", host, "dport = 15008"], check=True, stdout=subprocess.DEVNULL)
                result = "ended" if s.recv(16) == b"" else "wrong"
        except OSError as error:
            result = outcome(error)
        result = result if answered == b"ping" else f"answered {answered!r}, {result}"
        slowest = max(slowest, time.monotonic() - started)
        counts[result] = counts.get(result, 0) + 1
    finish(total=int(count), counts=counts, slowestSeconds=slowest)


SERVERS = {"serve": serve_one, "greet": greet_one, "close-first": close_first_one, "flood": flood_one}
CLIENTS = {
    "echo": client_echo,
    "download": client_download,
    "upload": client_upload,
    "both": client_both,
    "banner": client_banner,
    "half-close": client_half_close,
    "read-to-end": client_read_to_end,
    "slow": client_slow,
    "stall": client_stall,
    "hold": client_hold,
    "loop": client_loop,
    "watch": client_watch,
    "http": client_http,
    "burst": client_burst,
    "stalled": client_stalled,
    "cycles": client_cycles,
}


def main():
    # As far as the unit's LimitNOFILE goes.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    what, arguments = sys.argv[1], sys.argv[2:]
    if what in SERVERS:
        asyncio.run(run_server(SERVERS[what], int(arguments[0])))
    elif asyncio.iscoroutinefunction(CLIENTS[what]):
        asyncio.run(CLIENTS[what](*arguments))
    else:
        CLIENTS[what](*arguments)


main()
