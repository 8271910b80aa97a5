#!/usr/bin/python3
"""Python's usual HTTP clients. `fetch.py requests URL COUNT` and `fetch.py aiohttp URL COUNT` ask COUNT times, the second
ten at a time, and print how many answers were 200 with `woven`.
"""
import asyncio
import sys

sys.path.insert(0, "/srv/weft-peers")
import aiohttp  # noqa: E402
import requests  # noqa: E402


def with_requests(url, count):
    with requests.Session() as session:
        answers = [session.get(url, timeout=30) for _ in range(count)]
    return sum(answer.status_code == 200 and answer.text == "woven\n" for answer in answers)


async def with_aiohttp(url, count):
    places = asyncio.Semaphore(10)
    async with aiohttp.ClientSession() as session:

        async def ask():
            async with places, session.get(url) as response:
                return response.status == 200 and await response.text() == "woven\n"

        return sum(await asyncio.gather(*(ask() for _ in range(count))))


if __name__ == "__main__":
    _, kind, url, count = sys.argv
    print(with_requests(url, int(count)) if kind == "requests" else asyncio.run(with_aiohttp(url, int(count))))
