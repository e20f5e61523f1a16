# SPDX-License-Identifier: GPL-2.0
"""Chromium without a window, driven over its DevTools protocol."""

import base64
import json
import os
import pathlib
import select
import subprocess
import time

REPO = pathlib.Path(__file__).resolve().parent.parent
# Seconds in which anything happens on a page.
LIMIT = 60
# (code of the key, text it makes)
KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, "")}


class Browser:
    """One page, 320 to 1280 pixels wide. `tree` is that of scripts/web-tree, `profile` a directory for what the browser keeps."""

    def __init__(self, tree, profile):
        (read, self.write), (self.read, write) = os.pipe(), os.pipe()
        # The protocol's pipes are descriptors 3 and 4. There is no user but root here, for whom the sandbox does not work.
        program = ["chromium-headless-shell", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        command = ["bash", "-c", f'exec "$@" 3<&{read} 4>&{write}', "bash", REPO / "scripts/in-web", tree, *program]
        with open(f"{profile}.log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(read, write))
        os.close(read)
        os.close(write)
        self.calls, self.rest, self.session = 0, b"", None
        # What the page complained of: errors, and what its policy forbade.
        self.complaints = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log"]:
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session = None
        self.call("Browser.close")
        os.close(self.write)
        # Its pipe ends with the last of its processes, which may write to the profile until then.
        while os.read(self.read, 1 << 20):
            pass
        os.close(self.read)
        self.process.wait()

    def message(self, end):
        """The next message of the browser."""
        while b"\0" not in self.rest:
            if not select.select([self.read], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser said nothing")
            more = os.read(self.read, 1 << 20)
            if not more:
                raise EOFError("the browser ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        """The result of a method of the protocol."""
        self.calls += 1
        message = {"id": self.calls, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + LIMIT
        while (found := self.message(end)).get("id") != self.calls:
            if found.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(found["params"])
        if "error" in found:
            raise RuntimeError(f"{method}: {found['error']}")
        return found["result"]

    def evaluate(self, expression):
        """The value of an expression of JavaScript in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait(self, expression):
        """The value of an expression, once it is true; None when it does not become so in time."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            if value := self.evaluate(expression):
                return value
            time.sleep(0.05)
        return None

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def press(self, key):
        """One key of the keyboard."""
        code, text = KEYS[key]
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        """Text into the element that has the focus."""
        self.call("Input.insertText", text=text)

    def size(self, width, height):
        """Makes the window so large, in pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self, path):
        """Writes what is seen as PNG."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
