#!/usr/bin/python3
"""gRPC programs of the end-to-end tests, with the grpcio of PyPI. Results are JSON on standard output.

calls.py serve PORT NAME
    /test.Calls/Who       one message for one: the server's name
    /test.Calls/Echo      one message for one: itself
    /test.Calls/Collect   many for one: how many bytes came
    /test.Calls/Expand    one for many: as many numbers as it says
    /test.Calls/Chat      many for many: each as it comes
    /test.Calls/Fail      ends with the status that the message says
    /test.Calls/Sleep     waits for as many milliseconds as the message says
calls.py check HOST PORT
    Every kind of call once, and what came of it.
calls.py spread HOST PORT COUNT [WORKERS]
    COUNT calls on one channel, WORKERS at a time: answers by the server's name, errors by status.
calls.py talk HOST PORT SECONDS
    One conversation, a message each 50 ms, beside calls on the same channel; all answered?
"""
import collections
import concurrent.futures
import json
import sys
import time

sys.path.insert(0, "/srv/weft-peers")
import grpc  # noqa: E402

OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]


def serve(port, name):
    def fail(request, context):
        codes = {code.value[0]: code for code in grpc.StatusCode}
        context.set_trailing_metadata((("x-trailer", name),))
        context.abort(codes[int(request)], "told to fail: 100 %")

    def sleep(request, _):
        time.sleep(int(request) / 1000)
        return b""

    handlers = {
        "Who": grpc.unary_unary_rpc_method_handler(lambda _request, _context: name.encode()),
        "Echo": grpc.unary_unary_rpc_method_handler(lambda request, _: request),
        "Collect": grpc.stream_unary_rpc_method_handler(lambda all, _: str(sum(map(len, all))).encode()),
        "Expand": grpc.unary_stream_rpc_method_handler(lambda n, _: (str(i).encode() for i in range(int(n)))),
        "Chat": grpc.stream_stream_rpc_method_handler(lambda all, _: (each for each in all)),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
        "Sleep": grpc.unary_unary_rpc_method_handler(sleep),
    }
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(64), options=OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Calls", handlers),))
    server.add_insecure_port(f"[::]:{port}")
    server.start()
    server.wait_for_termination()


class Client:
    def __init__(self, host, port):
        self.channel = grpc.insecure_channel(f"{host}:{port}", options=OPTIONS)

    def unary(self, name, message, timeout=30):
        return self.channel.unary_unary(f"/test.Calls/{name}")(message, timeout=timeout)

    def failure(self, name, message, timeout=30):
        try:
            self.unary(name, message, timeout)
            return None
        except grpc.RpcError as error:
            return error


def check(host, port):
    client = Client(host, port)
    channel = client.channel
    large = bytes(range(256)) * (32 << 12)
    failures = {}
    for code in grpc.StatusCode:
        # Each is told again as it came; 0 cannot be aborted with.
        if code.value[0]:
            failures[code.value[1]] = client.failure("Fail", str(code.value[0]).encode())
    late = client.failure("Sleep", b"5000", timeout=1)
    missing = client.failure("Nothing", b"")
    said = [b"%d" % number * 1000 for number in range(200)]
    print(json.dumps({
        "who": client.unary("Who", b"").decode(),
        "large": client.unary("Echo", large, timeout=60) == large,
        "collected": int(channel.stream_unary("/test.Calls/Collect")(iter([b"x" * 70_000] * 100), timeout=60)),
        "expanded": sum(int(each) for each in channel.unary_stream("/test.Calls/Expand")(b"1000", timeout=60)),
        "chatted": list(channel.stream_stream("/test.Calls/Chat")(iter(said), timeout=60)) == said,
        "late": late.code().name,
        "missing": missing.code().name,
        "statuses": [name for name, error in failures.items() if error and error.code().value[1] == name],
        "details": sorted({error.details() for error in failures.values()}),
        "trailers": sorted({dict(error.trailing_metadata()).get("x-trailer", "") for error in failures.values()}),
    }))


def spread(host, port, count, workers="8"):
    client, servers, errors = Client(host, port), collections.Counter(), collections.Counter()

    def call(_):
        try:
            servers[client.unary("Who", b"").decode()] += 1
        except grpc.RpcError as error:
            errors[f"{error.code().name}: {error.details()}"] += 1

    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(int(workers)) as pool:
        list(pool.map(call, range(int(count))))
    print(json.dumps({"servers": servers, "errors": errors, "seconds": time.monotonic() - begun}))


def talk(host, port, seconds):
    client, sent = Client(host, port), []
    end = time.monotonic() + float(seconds)

    def messages():
        while time.monotonic() < end:
            sent.append(b"%d" % len(sent))
            yield sent[-1]
            time.sleep(0.05)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        heard = pool.submit(lambda: list(client.channel.stream_stream("/test.Calls/Chat")(messages())))
        beside = 0
        while not heard.done():
            client.unary("Who", b"")
            beside += 1
    print(json.dumps({"sent": len(sent), "same": heard.result() == sent, "beside": beside}))


if __name__ == "__main__":
    {"serve": serve, "check": check, "spread": spread, "talk": talk}[sys.argv[1]](*sys.argv[2:])
