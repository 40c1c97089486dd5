"""The load: HTTP requests that were built beforehand, sent over kept-alive connections from a process of its own.

A job is one line of JSON on standard input, its result one line on standard output. Each client sends its next request
when it has read the answer to the last. Raw sockets, no parsing beyond the length: the cores are the server's.
"""

import asyncio
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field


@dataclass
class Job:
    """`requests` are complete HTTP/1.1 requests, a list for each client. `seconds` 0: until they are all sent."""

    port: int
    requests: list[list[str]]
    expected: int = 200
    seconds: float = 0


@dataclass
class Result:
    """Latencies in seconds, of answers with the expected status. `strange` quotes the first other answer."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    strange: str = ""
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


class Client(asyncio.Protocol):
    def __init__(self, job: Job, requests: list[str], result: Result, began: float):
        self.requests = (request.encode() for request in requests)
        self.expected, self.result = job.expected, result
        self.ends = began + job.seconds if job.seconds else float("inf")
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.send_next()

    def send_next(self):
        request = next(self.requests, None)
        self.sent_at = time.perf_counter()
        if request is None or self.sent_at >= self.ends:
            self.transport.close()
            return
        self.answer = b""
        self.transport.write(request)

    def data_received(self, data):
        self.answer += data
        if not is_complete(self.answer):
            return
        if int(self.answer[9:12]) == self.expected:
            self.result.latencies.append(time.perf_counter() - self.sent_at)
        elif not self.result.strange:
            self.result.strange = self.answer[:1500].decode(errors="replace")
        self.send_next()

    def connection_lost(self, error):
        if error and not self.result.strange:
            self.result.strange = repr(error)
        self.done.set_result(None)


def is_complete(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    head = head.lower()
    if head.startswith(b"http/1.1 304"):
        return True
    if (at := head.find(b"content-length:")) >= 0:
        return len(body) >= int(head[at + 15 :].split(b"\r\n", 1)[0])
    return body.endswith(b"0\r\n\r\n")  # chunked


async def perform(job: Job) -> Result:
    result, began, cpu = Result(), time.perf_counter(), time.process_time()
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda own=own: Client(job, own, result, began), "127.0.0.1", job.port))[1]
        for own in job.requests
    ]
    await asyncio.gather(*(client.done for client in clients))
    result.seconds, result.cpu = time.perf_counter() - began, time.process_time() - cpu
    return result


class Generator:
    """The other process, seen from the benchmark."""

    def __init__(self, process: subprocess.Popen):
        self.process = process

    def run(self, job: Job) -> Result:
        """Raises RuntimeError at the first answer that was not the expected one."""
        self.process.stdin.write(json.dumps(asdict(job)) + "\n")
        self.process.stdin.flush()
        result = Result(**json.loads(self.process.stdout.readline()))
        if result.strange:
            raise RuntimeError(f"Expected {job.expected}, got: {result.strange}")
        return result


@contextmanager
def generator():
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Generator(process)
        finally:
            process.stdin.close()


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(asdict(asyncio.run(perform(Job(**json.loads(line)))))), flush=True)
