#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""`curl -N`, OpenAI's Python library and the JavaScript clients, against `sislm-client serve` in a guest with SmolLM2, which answers
messages, and with stories260K, which continues texts: each has the same answer by all of them.

TEST_SMOLLM2 is a model's file, TEST_OPENAI and TEST_JAVASCRIPT the directories of the clients, TEST_WEB the tree of scripts/web-tree.
"""

import asyncio
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from served import report

REPO = pathlib.Path(__file__).resolve().parent.parent
SHARED = REPO.parent / "shared/models"
CHAT, COMPLETES = "smollm2", "stories260K"
NEEDED = ["TEST_SMOLLM2", "TEST_OPENAI", "TEST_JAVASCRIPT", "TEST_WEB"]
QUESTION = {"model": CHAT, "messages": [{"role": "user", "content": "Who are you?"}], "seed": 7, "max_completion_tokens": 8}
BEGINNING = "Once upon a time"
TEXT = {"model": COMPLETES, "prompt": BEGINNING, "temperature": 0, "max_tokens": 40}
# Seconds for a client.
LIMIT = 300


def in_web(*command):
    done = subprocess.run(
        [REPO / "scripts/in-web", os.environ["TEST_WEB"], *command], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    return done.stdout if done.returncode == 0 else f"status {done.returncode}: {done.stderr[-600:]}"


def curl(guest, path, request):
    """What `curl -N` prints of a stream."""
    head = ["-H", f"Authorization: Bearer {guest.key()}", "-H", "Content-Type: application/json"]
    return in_web("curl", "-sS", "-N", f"{guest.url()}{path}", *head, "-d", json.dumps({**request, "stream": True}))


def events(text):
    """The objects of a stream; None when it is none, or has no end."""
    lines = [line for line in text.split("\n\n") if line and not line.startswith(":")]
    if not lines or lines.pop() != "data: [DONE]" or not all(line.startswith("data: ") for line in lines):
        return None
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def streams(guest):
    """Yields (name, text, how it ended, or what it was instead) of curl's."""
    for name, path, request in (("curl-chat", "/v1/chat/completions", QUESTION), ("curl-text", "/v1/completions", TEXT)):
        said = curl(guest, path, request)
        choices = [choice for event in events(said) or [] for choice in event["choices"]]
        text = "".join(choice["text"] if "text" in choice else choice["delta"].get("content", "") for choice in choices)
        yield name, text, choices[-1]["finish_reason"] if choices else said


def python(guest):
    """The same of the Python library, which validates each body."""
    import openai

    options = {"base_url": f"{guest.url()}/v1", "api_key": guest.key(), "_strict_response_validation": True}
    client = openai.OpenAI(**options)
    choice = client.chat.completions.create(**QUESTION).choices[0]
    yield "python-chat", choice.message.content, choice.finish_reason
    choices = [chunk.choices[0] for chunk in client.chat.completions.create(**QUESTION, stream=True)]
    yield "python-chat-stream", "".join(choice.delta.content or "" for choice in choices), choices[-1].finish_reason
    choice = client.completions.create(**TEXT).choices[0]
    yield "python-text", choice.text, choice.finish_reason
    # The library's type of a completion has no null for why it ended, which chunks of OpenAI's own server have.
    loose = openai.OpenAI(**{**options, "_strict_response_validation": False})
    choices = [chunk.choices[0] for chunk in loose.completions.create(**TEXT, stream=True)]
    yield "python-text-stream", "".join(choice.text for choice in choices), choices[-1].finish_reason

    async def at_once():
        client = openai.AsyncOpenAI(**options)
        return await asyncio.gather(client.chat.completions.create(**QUESTION), client.completions.create(**TEXT))

    chat, text = (answer.choices[0] for answer in asyncio.run(at_once()))
    yield "python-async-chat", chat.message.content, chat.finish_reason
    yield "python-async-text", text.text, text.finish_reason


def parsed(guest):
    """Whether an answer by a schema is an object of it."""
    import openai
    import pydantic

    kind = pydantic.create_model("Sea", calm=(bool, ...))
    client = openai.OpenAI(base_url=f"{guest.url()}/v1", api_key=guest.key(), _strict_response_validation=True)
    request = {**QUESTION, "max_completion_tokens": 20}
    found = client.chat.completions.parse(**request, response_format=kind).choices[0].message.parsed
    return isinstance(found, kind), found


def javascript(guest):
    """The same of the JavaScript clients."""
    with tempfile.TemporaryDirectory(prefix="sislm-trained.") as folder:
        # Modules are looked for beside the script.
        shutil.copy(REPO / "tests/javascript/models.mjs", folder)
        os.symlink(f"{os.environ['TEST_JAVASCRIPT']}/node_modules", f"{folder}/node_modules")
        said = in_web("node", f"{folder}/models.mjs", guest.url(), guest.key(), CHAT, COMPLETES)
    lines = [line for line in said.splitlines() if line.startswith("[")]
    yield "javascript-answers", str(len(lines)), said
    for line in lines:
        yield json.loads(line)


def results(guest):
    """All of them. What the first client is told is what the others are."""
    story = (SHARED / "stories260K.expected_200_tokens.txt").read_text(encoding="utf-8")
    wanted = {}
    for name, text, end in itertools.chain(streams(guest), python(guest), javascript(guest)):
        if name == "javascript-answers":
            yield name, text == "7", end
            continue
        # The AI SDK makes a conversation of what a text begins with.
        kind = next(kind for kind in ("chat", "ai-sdk-text", "text") if kind in name)
        sound = bool(text) and text == wanted.setdefault(kind, text) and end in ("stop", "length")
        yield name, sound and (kind != "text" or story.startswith(BEGINNING + text)), (text, end, wanted[kind])
    yield "python-parse", *parsed(guest)


def main():
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing or not SHARED.is_dir():
        print("skip trained not fetched:", ", ".join(missing) or "no ../shared/models beside the repository")
        return 0
    sys.path.insert(0, os.environ["TEST_OPENAI"])
    models = {CHAT: f"/share/{CHAT}.gguf", COMPLETES: "/shared-models/stories260K-f32.gguf"}
    return report("trained", models, results, files={f"{CHAT}.gguf": os.environ["TEST_SMOLLM2"]})


if __name__ == "__main__":
    sys.exit(main())
