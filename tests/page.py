#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The page of `sislm-client serve` in Chromium, without a mouse, against a server in a guest.

TEST_WEB is the tree of scripts/web-tree; without it all is skipped. With a directory as argument, writes screenshots there and
tests nothing: TEST_SMOLLM2 is the model that answers.
"""

import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time
import urllib.request

from browser import LIMIT, Browser
from served import Guest, report

# Whose answers end soon, and whose take long.
MODELS = {"chat": "/run/sislm/chat.gguf", "chat-slow": "/run/sislm/chat-slow.gguf"}
HTML = "<b>bold</b><img src=x onerror=document.title='run'>"
# Text of the last article's lines of a class.
LAST = "(kind => document.querySelector('article:last-of-type p.' + kind)?.textContent)"
TEXT = "document.querySelector('article.assistant:last-of-type p').textContent"


def fields(browser, **values):
    """Fills in options by their ids, as a user who has left them does."""
    for name, value in values.items():
        field = f"document.getElementById({name!r})"
        browser.evaluate(f"{field}.value = {json.dumps(value)}; {field}.dispatchEvent(new Event('change')); 0")


def say(browser, text):
    """Sends a message."""
    browser.evaluate("document.getElementById('message').focus()")
    browser.type(text)
    browser.press("Enter")


def answered(browser, text, **options):
    """Sends a message in a new conversation; its answer and the line below it."""
    browser.evaluate("document.getElementById('new').click()")
    fields(browser, **options)
    say(browser, text)
    end = browser.wait(f"{LAST}('end')")
    return browser.evaluate(TEXT), end


def api(guest, path, **request):
    """What the server gives for a path of the API, or answers a request with."""
    headers = {"Authorization": f"Bearer {guest.key()}", "Content-Type": "application/json"}
    body = json.dumps(request).encode() if request else None
    with urllib.request.urlopen(urllib.request.Request(guest.url() + path, body, headers), timeout=120) as response:
        return response.read().decode()


def hang_ups(guest):
    """How many clients went away before their answer was whole."""
    return int(re.search(r"^sislm_hang_ups_total (\d+)", api(guest, "/metrics"), re.MULTILINE)[1])


def opens(browser, guest):
    """The page, the key that it asks for, its fields."""
    browser.open(guest.url())
    refused = browser.wait(f"{LAST}('error')")
    yield "asks-for-key", refused and "no valid API key" in refused, refused
    yield "focus-on-key", browser.evaluate("document.activeElement.id") == "key", browser.evaluate("document.activeElement.id")
    browser.type(guest.key())
    browser.press("Enter")
    yield "models", browser.wait("document.getElementById('model').length") == len(MODELS), ""
    # That it was refused without the key is what a browser notes.
    wrong = [entry for entry in browser.complaints if "401" not in json.dumps(entry)]
    yield "no-complaints", not wrong, wrong
    nameless = browser.evaluate("[...document.querySelectorAll('input,select,textarea')].filter(field => !field.labels.length).length")
    yield "labels", nameless == 0, nameless
    browser.evaluate("document.getElementById('options').open = true; document.getElementById('message').focus()")
    reached = []
    for _ in range(12):
        browser.press("Tab")
        reached.append(browser.evaluate("document.activeElement.id || document.activeElement.localName"))
    missing = {"model", "new", "summary", "system", "seed", "most", "key", "log", "message", "send"} - set(reached)
    yield "tab-reaches-all", not missing, reached
    script = "const script = document.createElement('script'); script.textContent = 'window.ran = 1'; document.body.append(script); window.ran"
    yield "inline-script", browser.evaluate(f"{{ {script} }}") is None, ""


def answers(browser, guest):
    """Answers, compared with those of the API."""
    text, end = answered(browser, "one", model="chat", seed="7", most="12")
    message = {"role": "user", "content": "one"}
    asked = {"model": "chat", "messages": [message], "seed": 7, "max_completion_tokens": 12}
    whole = json.loads(api(guest, "/v1/chat/completions", **asked))
    yield "answer", text == whole["choices"][0]["message"]["content"], (text, whole)
    facts = f"finish: {whole['choices'][0]['finish_reason']} · {whole['usage']['completion_tokens']} tokens"
    yield "facts", end and end.startswith(facts) and "tokens/s" in end and end.endswith("chat"), end
    say(browser, "two")
    browser.wait("document.querySelectorAll('p.end').length === 2")
    asked["messages"] = [message, {"role": "assistant", "content": text}, {"role": "user", "content": "two"}]
    second = json.loads(api(guest, "/v1/chat/completions", **asked))["choices"][0]["message"]["content"]
    yield "conversation", browser.evaluate(TEXT) == second, second
    answered(browser, HTML)
    shown = browser.evaluate("document.querySelector('article.user:nth-last-of-type(2) p').textContent")
    harmless = browser.evaluate("document.querySelectorAll('#log img, #log b').length === 0 && document.title === 'sislm'")
    yield "text-is-text", shown == HTML and harmless, shown


def ends(browser, guest):
    """An error and a stopped turn."""
    browser.evaluate("document.getElementById('new').click()")
    fields(browser, model="chat", system="ten " * 2000)
    say(browser, "three")
    error = browser.wait(f"{LAST}('error')")
    yield "error", error and "context" in error and browser.evaluate("!!document.querySelector('[role=alert]')"), error
    yield "error-keeps-message", browser.evaluate("document.getElementById('message').value") == "three", ""
    browser.evaluate("document.getElementById('message').value = ''")
    browser.evaluate("document.getElementById('new').click()")
    before = hang_ups(guest)
    fields(browser, model="chat-slow", system="", most="")
    say(browser, "four")
    browser.wait(TEXT)
    browser.press("Escape")
    yield "stopped", browser.wait(f"{LAST}('end')") == "stopped by you", ""
    # The server notices when it has more to write.
    end = time.monotonic() + LIMIT
    while (found := hang_ups(guest)) == before and time.monotonic() < end:
        time.sleep(0.1)
    yield "stop-ends-turn", found == before + 1, found
    text, _ = answered(browser, "one", model="chat", seed="7", most="4")
    yield "answers-again", bool(text), text


def narrow(browser):
    """A window of 320 pixels."""
    browser.size(320, 480)
    width = browser.evaluate("document.documentElement.scrollWidth")
    yield "narrow", width <= 320, width
    hidden = browser.evaluate(
        "[...document.querySelectorAll('button,select,textarea,input')]"
        ".filter(found => found.getBoundingClientRect().right > 320).map(found => found.id).join()"
    )
    yield "narrow-fields", not hidden, hidden


def results(guest):
    """All of them."""
    with tempfile.TemporaryDirectory(prefix="sislm-browser.") as folder, Browser(os.environ["TEST_WEB"], f"{folder}/profile") as browser:
        browser.size(800, 700)
        yield from opens(browser, guest)
        yield from answers(browser, guest)
        yield from ends(browser, guest)
        yield from narrow(browser)
        guest.end()
        say(browser, "five")
        error = browser.wait(f"{LAST}('error')")
        yield "server-gone", error and "cannot be reached" in error, error


def screenshots(target):
    """An answer, an error and a stopped turn of SmolLM2, as PNG files in the directory `target`."""
    with tempfile.TemporaryDirectory(prefix="sislm-page.") as share:
        shutil.copy(os.environ["TEST_SMOLLM2"], f"{share}/smollm2.gguf")
        guest = Guest(share, {"smollm2": "/share/smollm2.gguf"})
        try:
            if not guest.answers():
                sys.exit(guest.log())
            with Browser(os.environ["TEST_WEB"], f"{share}/profile") as browser:
                browser.size(640, 540)
                browser.open(guest.url())
                fields(browser, key=guest.key())
                browser.wait("document.getElementById('model').length")
                browser.evaluate("document.getElementById('options').open = false")
                answered(browser, "Write one sentence about the sea.", seed="7", most="48")
                browser.screenshot(target / "page-answer.png")
                browser.evaluate("document.getElementById('new').click()")
                say(browser, "Write a long story about a fox.")
                browser.wait(f"{TEXT}.length > 60")
                browser.press("Escape")
                browser.wait(f"{LAST}('end')")
                browser.screenshot(target / "page-stopped.png")
                browser.evaluate("document.getElementById('new').click()")
                fields(browser, system="A system message that is too long. " * 1000)
                say(browser, "Who are you?")
                browser.wait(f"{LAST}('error')")
                browser.screenshot(target / "page-error.png")
        finally:
            guest.end()


def main():
    if sys.argv[1:]:
        return screenshots(pathlib.Path(sys.argv[1]))
    if not os.environ.get("TEST_WEB"):
        print("skip page there is no Chromium (scripts/web-tree)")
        return 0
    return report("page", MODELS, results)


if __name__ == "__main__":
    sys.exit(main())
