#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""OpenAI's client library for Python, with strict validation of responses, and OpenAI's schema of their bodies, against
`sislm-client serve` in a guest.

TEST_OPENAI is the directory of the library (scripts/openai-client); without it all is skipped.
"""

import asyncio
import json
import os
import sys
import typing

import openai_schema
from served import report

MODEL = "chat"
ENCODER = "bert"
TOOLS = "chat-tools"


def message(text):
    return [{"role": "user", "content": text}]


def sea():
    """What an answer is to be."""
    import pydantic

    return pydantic.create_model("Sea", state=(typing.Literal["calm", "rough"], ...), ships=(bool, ...))


def tools(openai, client):
    """Yields the same of answers that call functions."""
    import pydantic

    look = openai.pydantic_function_tool(sea(), name="look", description='Looks at the "sea".')
    chat = client.chat.completions
    options = {"model": TOOLS, "messages": message("one"), "tools": [look], "tool_choice": "required", "seed": 3}
    options["parallel_tool_calls"] = False
    whole = chat.create(**options).choices[0]
    call = whole.message.tool_calls[0].function
    arguments = json.loads(call.arguments)
    sound = call.name == "look" and arguments["state"] in ("calm", "rough") and isinstance(arguments["ships"], bool)
    yield "tools-required", sound and whole.finish_reason == "tool_calls", whole
    parsed = chat.parse(**options).choices[0].message.tool_calls[0].function.parsed_arguments
    yield "tools-parse", isinstance(parsed, pydantic.BaseModel) and parsed.model_dump() == arguments, parsed
    with chat.stream(**options) as events:
        kinds = [event.type for event in events]
        last = events.get_final_completion()
    done = "tool_calls.function.arguments.done" in kinds
    yield "tools-stream", done and last.choices[0].message.tool_calls[0].function.arguments == call.arguments, last
    history = [*message("one"), whole.message.model_dump(exclude_none=True)]
    history.append({"role": "tool", "tool_call_id": whole.message.tool_calls[0].id, "content": "calm"})
    answer = chat.create(model=TOOLS, messages=history, tools=[look], max_tokens=8)
    yield "tools-result", answer.choices[0].message.content is not None, answer
    function = {"type": "function", "strict": True, **look["function"]}
    request = {"model": TOOLS, "input": "one", "tools": [function], "tool_choice": {"type": "function", "name": "look"}}
    response = client.responses.create(**request, extra_body={"seed": 3})
    yield "response-tools", response.output[0].type == "function_call" and json.loads(response.output[0].arguments), response
    with client.responses.stream(**request) as events:
        last = events.get_final_response()
    yield "response-tools-stream", last.output[0].type == "function_call" and json.loads(last.output[0].arguments), last


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
    scored = chat.create(messages=message("one"), model=MODEL, seed=7, max_tokens=16, logprobs=True, top_logprobs=2)
    scores = scored.choices[0].logprobs.content
    # A token may be a part of a character.
    same = b"".join(bytes(score.bytes) for score in scores).decode(errors="replace") == scored.choices[0].message.content == text
    yield "logprobs", same and all(len(score.top_logprobs) == 2 for score in scores), scored
    typed = chat.parse(messages=message("one"), model=MODEL, seed=7, response_format=sea())
    yield "parse-schema", typed.choices[0].message.parsed.state in ("calm", "rough"), typed
    yield from tools(openai, client)
    completion = client.completions.create(model=MODEL, prompt=["one ten", "two"], max_tokens=4, n=2, temperature=0)
    yield "completions", [choice.index for choice in completion.choices] == [0, 1, 2, 3], completion
    response = client.responses.create(model=MODEL, input="one", max_output_tokens=16, extra_body={"seed": 7})
    yield "response", response.output_text == text, response
    wanted = {"include": ["message.output_text.logprobs"], "top_logprobs": 2, "extra_body": {"seed": 7}}
    scored = client.responses.create(model=MODEL, input="one", max_output_tokens=16, **wanted)
    scores = scored.output[0].content[0].logprobs
    same = b"".join(bytes(score.bytes) for score in scores).decode(errors="replace") == text
    yield "response-logprobs", same and all(len(score.top_logprobs) == 2 for score in scores), scored
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
    yield from openai_schema.results(guest, MODEL, ENCODER, TOOLS)


def main():
    if not os.environ.get("TEST_OPENAI"):
        print("skip openai the package could not be fetched (scripts/openai-client)")
        return 0
    sys.path.insert(0, os.environ["TEST_OPENAI"])
    return report("openai", {name: f"/run/sislm/{name}.gguf" for name in (MODEL, ENCODER, TOOLS)}, results)


if __name__ == "__main__":
    sys.exit(main())
