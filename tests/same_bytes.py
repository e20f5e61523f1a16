#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The same requests with the same seeds to `sislm-client serve`, twice, in guests with CPUs of different instruction levels: the same
bytes, but for the name and the time that each answer has of its own.
"""

import functools
import http.client
import json
import re
import sys

from served import report

MODELS = {"chat": "/run/sislm/chat.gguf", "quants": "/models/random-llama-q4_k.gguf", "halves": "/models/random-llama-f16.gguf"}
# Their levels: NEON alone, and all.
CPUS = ["cortex-a53", "max,sve=off,sme=off"]
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one </s> \u00e9"}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "array", "items": {"enum": ["b", 1, None]}, "maxItems": 4}}}
ALL_DRAWS = {"top_p": 1, "top_k": 0, "min_p": 0.02, "presence_penalty": 0.5, "logit_bias": {"7": 1.5}}
REQUESTS = [
    ("/v1/chat/completions", {"model": "chat", "messages": MESSAGES, "seed": 7, "max_tokens": 48, "n": 3}),
    ("/v1/chat/completions", {"model": "chat", "messages": MESSAGES, "seed": 8, "max_tokens": 32, "logprobs": True, "top_logprobs": 5}),
    ("/v1/chat/completions", {"model": "chat", "messages": MESSAGES, "seed": 9, "response_format": SCHEMA}),
    ("/v1/chat/completions", {"model": "chat", "messages": MESSAGES, "seed": 10, "max_tokens": 32, "stream": True}),
    ("/v1/responses", {"model": "chat", "input": "ten", "seed": 11, "max_output_tokens": 32}),
    *[
        ("/v1/completions", {"model": model, "prompt": ["the lock", "two"], "seed": 12, "max_tokens": 32, "logprobs": 3, "echo": True, **more})
        for model in ("quants", "halves")
        for more in ({}, {"temperature": 1.4, **ALL_DRAWS})
    ],
    ("/v1/embeddings", {"model": "quants", "input": ["one", "two"], "pooling": "mean"}),
]
# Names and times of answers, and how much of a prompt a session had of the request before.
OWN = re.compile(r'"(?:id|item_id)":"[^"]*"|"(?:created|created_at|completed_at|cached_tokens)":[0-9.]+')


def body(guest, path, request):
    """The response's status and body, without what is its own. Of a stream the text: how it is cut is up to the time."""
    connection = http.client.HTTPConnection("127.0.0.1", guest.port, timeout=120)
    head = {"Authorization": f"Bearer {guest.key()}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(request), head)
    response = connection.getresponse()
    text = response.read().decode()
    if request.get("stream") and response.status == 200:
        events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
        text = "".join(choice["delta"].get("content", "") for event in events for choice in event["choices"])
    return f"{response.status} {OWN.sub('', text)}"


def answers(found, guest):
    """Yields (name, whether it holds, what was seen), and adds all answers to `found`."""
    first, again = ([body(guest, *request) for request in REQUESTS] for _ in range(2))
    wrong = [answer for answer in first if not answer.startswith("200 ") or len(answer) < 20]
    yield "answered", not wrong, wrong
    yield "twice", first == again, different(first, again)
    found.extend(first)


def different(one, other):
    return [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]] if len(one) == len(other) else [one, other]


def main():
    found = {cpu: [] for cpu in CPUS}
    failed = [report(f"same-bytes/{cpu.split(',')[0]}", MODELS, functools.partial(answers, found[cpu]), cpu=cpu) for cpu in CPUS]
    one, other = found.values()
    same = one == other and len(one) == len(REQUESTS)
    print("ok same-bytes/cpus" if same else f"not ok same-bytes/cpus {str(different(one, other))[:2000]!r}")
    return 1 if any(failed) or not same else 0


if __name__ == "__main__":
    sys.exit(main())
