#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""OpenAI's client library for Python, with strict validation of responses, against `sislm-client serve` in a guest.

TEST_OPENAI is the directory of the library (scripts/openai-client); without it all is skipped.
"""

import asyncio
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

REPO = pathlib.Path(__file__).resolve().parent.parent
# Seconds for a guest to boot, on a busy machine that emulates it.
BOOT = 300
MODEL = "chat"
SERVER = """
sislm-client load /run/sislm/chat.gguf --name chat >/dev/null
sislm-client key --keys /share/keys tester >/tmp/key && mv /tmp/key /share/key
sislm-client serve --listen 0.0.0.0:8080 --keys /share/keys & server=$!
until [ -e /share/stop ]; do sleep 0.2; done
kill "$server"; wait "$server"
"""


class Guest:
    """A server in a guest, reached at a port of this machine's loopback."""

    def __init__(self, share):
        self.share = pathlib.Path(share)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        programs = subprocess.run([REPO / "tests/guest/programs"], capture_output=True, text=True, check=True).stdout.strip()
        environment = {"KERNEL": "stock", "SHARE": share, "FORWARD": str(self.port), "GUEST_PROGRAMS": programs, "CMD": SERVER}
        environment = {**os.environ, **environment, "TIMEOUT": "900"}
        command = [REPO / "scripts/guest"]
        with open(self.share / "log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def key(self):
        return (self.share / "key").read_text().strip()

    def answers(self):
        """Whether it does, in time."""
        end = time.monotonic() + BOOT
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url()}/health", timeout=5):
                    return True
            except (OSError, urllib.error.URLError):
                time.sleep(0.2)
        return False

    def end(self):
        """Stops the server by SIGTERM; its exit code."""
        (self.share / "stop").touch()
        return self.process.wait(timeout=BOOT)


def message(text):
    return [{"role": "user", "content": text}]


def sync_client(openai, guest):
    """Yields (name, whether it holds, what was seen) of the client that waits."""
    client = openai.OpenAI(base_url=f"{guest.url()}/v1", api_key=guest.key(), max_retries=0, _strict_response_validation=True)
    yield "models", MODEL in [model.id for model in client.models.list()], ""
    yield "model", client.models.retrieve(MODEL).object == "model", ""
    chat = client.chat.completions
    options = {"model": MODEL, "seed": 7, "max_completion_tokens": 16}
    whole = chat.create(messages=message("one"), **options)
    text = whole.choices[0].message.content
    again = chat.create(messages=message("one"), **options)
    yield "same-seed", again.choices[0].message.content == text and again.system_fingerprint == whole.system_fingerprint, again
    yield "cached", again.usage.prompt_tokens_details.cached_tokens == again.usage.prompt_tokens - 1, again.usage
    stream = list(chat.create(messages=message("one"), stream=True, stream_options={"include_usage": True}, **options))
    parts = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    yield "stream", "".join(parts) == text, parts
    yield "stream-usage", stream[-1].usage.total_tokens == whole.usage.total_tokens, stream[-1]
    # What is parsed must not be cut off by the most tokens.
    options["stop"] = text[3]
    parsed = chat.parse(messages=message("one"), **options)
    yield "parse", parsed.choices[0].message.content == text.partition(text[3])[0], parsed
    with chat.stream(messages=message("one"), **options) as events:
        last = events.get_final_completion()
    yield "stream-helper", last.choices[0].message.content == parsed.choices[0].message.content, last
    completion = client.completions.create(model=MODEL, prompt=["one ten", "two"], max_tokens=4, n=2, temperature=0)
    yield "completions", [choice.index for choice in completion.choices] == [0, 1, 2, 3], completion
    response = client.responses.create(model=MODEL, input="one", max_output_tokens=16, extra_body={"seed": 7})
    yield "response", response.output_text == text, response
    kinds = [event.type for event in client.responses.create(model=MODEL, input="one", max_output_tokens=16, stream=True)]
    yield "response-stream", kinds[0] == "response.created" and kinds[-1] in ("response.completed", "response.incomplete"), kinds
    wrong = [
        ("no-model", openai.NotFoundError, "model_not_found", {"model": "none", "messages": message("a")}),
        ("too-long", openai.BadRequestError, "context_length_exceeded", {"model": MODEL, "messages": message("ten " * 2000)}),
        ("tools", openai.BadRequestError, "unsupported_parameter", {"model": MODEL, "messages": message("a"), "tools": [{}]}),
    ]
    for name, kind, code, request in wrong:
        try:
            found = chat.create(**request)
        except kind as error:
            found = error
        yield f"refused-{name}", getattr(found, "code", None) == code, found
    try:
        found = client.with_options(api_key="sislm-0").models.list()
    except openai.AuthenticationError as error:
        found = error
    yield "refused-key", isinstance(found, openai.AuthenticationError), found


async def async_client(openai, guest):
    """Results of the client that does not wait: streams at once, each as it is alone."""
    # With its retries: a connection through QEMU's user network was reset once, for a reason that is not known.
    client = openai.AsyncOpenAI(base_url=f"{guest.url()}/v1", api_key=guest.key(), _strict_response_validation=True)

    async def text(seed):
        stream = await client.chat.completions.create(
            model=MODEL, messages=message(f"number {seed}"), seed=seed, max_tokens=12, stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    alone = [await text(seed) for seed in range(8)]
    together = await asyncio.gather(*[text(seed) for seed in range(8)])
    return [("async-streams", alone == together, together)]


def results(guest):
    """All of them."""
    import openai

    yield from sync_client(openai, guest)
    yield from asyncio.run(async_client(openai, guest))
    yield "exit-code", guest.end() == 0, (guest.share / "log").read_text(errors="replace")[-300:]


def main():
    if not os.environ.get("TEST_OPENAI"):
        print("skip openai the package could not be fetched (scripts/openai-client)")
        return 0
    sys.path.insert(0, os.environ["TEST_OPENAI"])
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sislm-openai.") as share:
        guest = Guest(share)
        try:
            if not guest.answers():
                print("not ok openai/boot", (guest.share / "log").read_text(errors="replace")[-600:].replace("\n", " | "))
                return 1
            for name, holds, seen in results(guest):
                failed += not holds
                print(f"ok openai/{name}" if holds else f"not ok openai/{name} {str(seen)!r}", flush=True)
        finally:
            if guest.process.poll() is None:
                guest.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
