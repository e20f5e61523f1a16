#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Debian's Prometheus scrapes a guest, its device and `sislm-client serve`, and a collector of OpenTelemetry takes what `sislm-client
export` sends from it, also after it was away: they have the numbers that `sislm-client metrics` and `stats` and the server print.

TEST_COLLECTORS is the directory of both (scripts/collectors); without it all is skipped.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import served

REPO = pathlib.Path(__file__).resolve().parent.parent
# Seconds for a guest to boot, and for a scrape of it, on a busy machine that emulates it.
BOOT, SCRAPE = 300, 60
MODELS = {"trained": "kernel-docs-7m-q4_0", "gpt2": "random-gpt2-q8_0"}
# What metrics call them.
VERSIONS = [f"{name}@1" for name in MODELS]
# Metrics are asked for while nobody else has the device open.
COMMANDS = """
{loads}
for prompt in one 'one ten ten' the; do
	for model in {models}; do sislm-client infer -m $model --ignore-eos -n 12 "$prompt" >/dev/null; done
done
sislm-client infer -m trained -n 400 'The kernel' >/dev/null
mkdir -p /tmp/www/cgi-bin
cat >/tmp/www/cgi-bin/metrics <<'END'
#!/bin/sh
echo 'Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8'
echo
exec /run/sislm/sislm-client metrics
END
chmod +x /tmp/www/cgi-bin/metrics
sislm-client export --otlp http://10.0.2.100:4318 >/share/exported 2>&1
echo $? >>/share/exported
sislm-client stats --json >/share/stats
sislm-client metrics >/share/metrics
busybox httpd -p 8080 -h /tmp/www
touch /share/ready
until [ -e /share/export ] || [ -e /share/stop ]; do sleep 0.2; done
sislm-client export --otlp http://10.0.2.100:4318 --interval 2 2>/share/interval & exporter=$!
until [ -e /share/stop ]; do sleep 0.2; done
kill $exporter && touch /share/exporter-lived
"""
# Takes a connection of the guest to the collector.
RELAY = """#!/usr/bin/env python3
import os, socket, threading
with socket.create_connection(("127.0.0.1", {port})) as collector:
    def back():
        while some := collector.recv(65536):
            os.write(1, some)
    thread = threading.Thread(target=back)
    thread.start()
    while some := os.read(0, 65536):
        collector.sendall(some)
    collector.shutdown(socket.SHUT_WR)
    thread.join()
"""
PROMETHEUS = """
scrape_configs:
  - job_name: sislm
    scrape_interval: 5s
    scrape_timeout: 5s
    metrics_path: {path}
    authorization: {{credentials: "{key}"}}
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')
# Histograms whose names are those of the conventions, and the attribute that tells two of one name apart.
CONVENTIONS = {
    "sislm_time_to_first_token_seconds": ("gen_ai.server.time_to_first_token", None),
    "sislm_time_per_output_token_seconds": ("gen_ai.server.time_per_output_token", None),
    "sislm_request_duration_seconds": ("gen_ai.server.request.duration", None),
    "sislm_request_prompt_tokens": ("gen_ai.client.token.usage", "input"),
    "sislm_request_answer_tokens": ("gen_ai.client.token.usage", "output"),
}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def until(holds, seconds):
    """Whether it holds in time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.3)
    return True


def key(name, labels):
    """A sample's name and labels; a bound is a number, however it is written."""
    return name, tuple(sorted((label, float(value) if label == "le" else value) for label, value in labels.items()))


def printed(text):
    """Values of the samples that `metrics` prints, by key."""
    found = (SAMPLE.match(line) for line in text.splitlines() if not line.startswith("#"))
    return {key(match[1], dict(LABEL.findall(match[2] or ""))): float(match[3]) for match in found}


def asked(url, query):
    """What Prometheus answers to a query."""
    with urllib.request.urlopen(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def scraped(directory, share, port, path, secret="none"):
    """Values that Prometheus has of a scrape, by key."""
    own = free_port()
    (share / "prometheus.yml").write_text(PROMETHEUS.format(port=port, path=path, key=secret), encoding="ascii")
    command = [f"{directory}/prometheus", f"--config.file={share}/prometheus.yml", f"--storage.tsdb.path={share}/prometheus"]
    url = f"http://127.0.0.1:{own}"

    def up():
        try:
            return [one["value"][1] for one in asked(url, "up")] == ["1"]
        except OSError:
            return False

    with open(share / "prometheus.log", "wb") as log:
        server = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{own}"], stdout=log, stderr=log)
    try:
        if not until(up, SCRAPE):
            raise RuntimeError(f"no scrape: {(share / 'prometheus.log').read_text()[-600:]}")
        found = asked(url, '{__name__=~"sislm_.*"}')
    finally:
        server.terminate()
        server.wait()
    values = {}
    for one in found:
        labels = {label: value for label, value in one["metric"].items() if label not in ("__name__", "instance", "job")}
        values[key(one["metric"]["__name__"], labels)] = float(one["value"][1])
    return values


class Point:
    """A point that the collector printed."""

    def __init__(self):
        self.attributes, self.bounds, self.buckets = {}, [], []
        self.count = self.sum = self.value = self.start = None


def collected(text):
    """Points by name of their metric, and the type and temporality of each, from what the collector printed."""
    points, kinds, name = {}, {}, None
    for line in text.splitlines():
        word, _, rest = line.strip().partition(": ")
        if word == "-> Name":
            name = rest
            points[name], kinds[name] = [], []
        elif name and word in ("-> DataType", "-> AggregationTemporality", "-> Unit"):
            kinds[name].append(rest)
        elif re.match(r"(Number|Histogram)DataPoints #", line.strip()):
            points[name].append(Point())
        elif name and points[name]:
            take(points[name][-1], line.strip(), word, rest)
    return points, kinds


def take(point, line, word, rest):
    """Adds a line to a point."""
    if match := re.match(r"-> ([\w.]+): Str\((.*)\)$", line):
        point.attributes[match[1]] = match[2]
    elif match := re.match(r"ExplicitBounds #\d+: (\S+)$", line):
        point.bounds.append(float(match[1]))
    elif match := re.match(r"Buckets? #\d+, Count: (\d+)$", line):
        point.buckets.append(int(match[1]))
    elif word == "Count":
        point.count = int(rest)
    elif word == "Sum":
        point.sum = float(rest)
    elif word == "Value":
        point.value = float(rest)
    elif word == "StartTimestamp":
        point.start = int(rest)


def histogram_of(values, name, labels):
    """(bounds, counts, count, sum) of a histogram that `metrics` printed."""
    want = key(f"{name}_bucket", labels)[1]
    buckets = {}
    for (found, pairs), value in values.items():
        bound = dict(pairs).get("le")
        if found == f"{name}_bucket" and tuple(pair for pair in pairs if pair[0] != "le") == want:
            buckets[bound] = int(value)
    bounds = sorted(buckets)
    counts = [buckets[bound] - (buckets[bounds[place - 1]] if place else 0) for place, bound in enumerate(bounds)]
    return bounds[:-1], counts, int(values[key(f"{name}_count", labels)]), values[key(f"{name}_sum", labels)]


def near(one, other):
    """Whether two numbers are one, printed with six digits behind the point."""
    return abs(one - other) <= 1e-6 + 1e-6 * abs(other)


def same_histogram(point, wanted):
    bounds, counts, count, total = wanted
    near_bounds = len(point.bounds) == len(bounds) and all(map(near, point.bounds, bounds))
    return near_bounds and point.buckets == counts and point.count == count and near(point.sum, total)


def histograms(values, points, kinds):
    """Yields (name, whether it holds, what was seen) of histograms in the conventions' names."""
    for name, (convention, token) in CONVENTIONS.items():
        wrong = []
        for model in VERSIONS:
            wanted = histogram_of(values, name, {"model": model})
            found = [point for point in points.get(convention, []) if point.attributes.get("gen_ai.request.model") == model]
            found = [point for point in found if point.attributes.get("gen_ai.token.type") == token]
            if len(found) != 1 or not wanted[2] or not same_histogram(found[0], wanted):
                wrong.append((model, wanted, [vars(point) for point in found]))
        yield f"otlp-{name}", not wrong, wrong
    kind = kinds.get("gen_ai.server.request.duration")
    yield "otlp-cumulative", kind == ["s", "Histogram", "AGGREGATION_TEMPORALITY_CUMULATIVE"], kind


def numbers(values, points):
    """Of counters and gauges in the module's names."""
    for name, own in [
        ("sislm_answer_tokens_total", "sislm.answer_tokens"),
        ("sislm_steps_total", "sislm.steps"),
        ("sislm_engine_cpu_seconds_total", "sislm.engine_cpu"),
        ("sislm_model_bytes", "sislm.model"),
    ]:
        found = {point.attributes.get("sislm.model"): point for point in points.get(own, [])}
        wanted = {model: values[key(name, {"model": model})] for model in VERSIONS}
        holds = set(found) == set(wanted) and all(found[model].value is not None for model in wanted)
        seen = {model: vars(point) for model, point in found.items()}
        yield f"otlp-{name}", holds and all(near(found[model].value, wanted[model]) for model in wanted), (seen, wanted)


class Collector:
    """The collector of OpenTelemetry, at a port that it keeps."""

    def __init__(self, directory, share):
        self.directory, self.share, self.port, self.process = directory, share, free_port(), None

    def start(self, name):
        """Whether it is there, in time; it prints to a file of this name."""
        log = self.share / name
        command = [f"{self.directory}/rotel", "start", "--otlp-http-endpoint", f"127.0.0.1:{self.port}", "--otlp-grpc-endpoint"]
        command += [
            f"127.0.0.1:{free_port()}",
            "--exporter",
            "blackhole",
            "--debug-log",
            "metrics",
            "--debug-log-verbosity",
            "detailed",
        ]
        libraries = {**os.environ, "LD_LIBRARY_PATH": self.directory}
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=libraries)
        return (
            until(lambda: "Starting Rotel" in log.read_text() or self.process.poll() is not None, SCRAPE)
            and self.process.poll() is None
        )

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()

    def said(self, name):
        """What it printed, without colours."""
        return re.sub(r"\x1b\[\d*m", "", (self.share / name).read_text(errors="replace"))


def interruption(share, collector, values):
    """An export at intervals whose collector goes away and comes back, which then has all."""
    collector.stop()
    (share / "export").touch()
    told = until(lambda: (share / "interval").exists() and "sislm-client: " in (share / "interval").read_text(), SCRAPE)
    yield "export-tells-of-a-collector-away", told, list(share.iterdir())
    yield "collector-again", collector.start("again.log"), collector.said("again.log")[-600:]
    # Two requests: the first one is whole then.
    came = until(lambda: collector.said("again.log").count("Name: gen_ai.server.request.duration") >= 2, SCRAPE)
    collector.stop()
    points, _ = collected(collector.said("again.log"))
    found = points.get("gen_ai.server.request.duration", [])
    wanted = {model: histogram_of(values, "sislm_request_duration_seconds", {"model": model}) for model in VERSIONS}
    seen = {
        point.attributes.get("gen_ai.request.model"): same_histogram(point, wanted[point.attributes["gen_ai.request.model"]])
        for point in found
    }
    yield "export-misses-nothing", came and seen == dict.fromkeys(VERSIONS, True), (came, seen, [vars(point) for point in found])


def server(directory):
    """The results of a scrape of `sislm-client serve`."""

    def answered(guest, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {guest.key()}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(guest.url() + path, data, headers), timeout=SCRAPE) as answer:
            return answer.read().decode()

    def found(guest):
        for prompt in ("one", "one ten", "one ten tires"):
            answered(guest, "/v1/completions", {"model": "chat", "prompt": prompt, "max_tokens": 8, "seed": 1})
        values = printed(answered(guest, "/metrics"))
        asked_now = scraped(directory, guest.share, guest.port, "/metrics", guest.key())
        # A scrape is a request, too.
        own = key("sislm_requests_total", {"endpoint": "/metrics", "status": "200"})
        wrong = {
            sample: (asked_now.get(sample), value)
            for sample, value in values.items()
            if asked_now.get(sample) != value and sample != own
        }
        yield "prometheus", len(values) > 20 and not wrong, wrong
        yield "scrapes", asked_now.get(own, 0) >= 1, asked_now
        count = key("sislm_requests_total", {"endpoint": "/v1/completions", "status": "200"})
        yield "requests", asked_now.get(count) == 3 and asked_now.get(key("sislm_first_token_seconds_count", {})) == 3, asked_now

    return served.report("collectors-serve", {"chat": "/run/sislm/chat.gguf"}, found)


def results(guest, share, directory, port, collector):
    """All of them, once the guest is ready."""
    if not until(lambda: (share / "ready").exists() or guest.poll() is not None, BOOT) or guest.poll() is not None:
        raise RuntimeError((share / "log").read_text(errors="replace")[-600:])
    values = printed((share / "metrics").read_text())
    stats = json.loads((share / "stats").read_text())
    tokens = sum(value for (name, _), value in values.items() if name == "sislm_answer_tokens_total")
    yield "stats", tokens == stats["tokens"] > 0, (tokens, stats)
    found = scraped(directory, share, port, "/cgi-bin/metrics")
    wrong = {sample: (found.get(sample), value) for sample, value in values.items() if found.get(sample) != value}
    yield "prometheus", len(values) > 100 and not wrong, wrong
    exported = (share / "exported").read_text()
    yield "export", exported == "0\n", exported
    points, kinds = collected(collector.said("rotel.log"))
    yield from histograms(values, points, kinds)
    yield from numbers(values, points)
    starts = {point.start for point in points.get("gen_ai.server.request.duration", [])}
    yield "otlp-start", len(starts) == len(MODELS) and all(starts), starts
    yield from interruption(share, collector, values)


def run(directory, share):
    """Runs the collector and the guest; 1 when something does not hold."""
    collector, port, failed = Collector(directory, share), free_port(), 0
    relay = share / "relay"
    relay.write_text(RELAY.format(port=collector.port), encoding="ascii")
    relay.chmod(0o755)
    loads = "\n".join(f"sislm-client load /models/{file}.gguf --name {name} >/dev/null" for name, file in MODELS.items())
    options = {"KERNEL": "stock", "SHARE": str(share), "FORWARD": str(port), "COLLECTOR": str(relay), "TIMEOUT": "900"}
    options["CMD"] = COMMANDS.format(loads=loads, models=" ".join(MODELS))
    if not collector.start("rotel.log"):
        print(f"not ok collector {collector.said('rotel.log')[-600:]!r}")
        return 1
    with open(share / "log", "wb") as log:
        guest = subprocess.Popen(
            [REPO / "scripts/guest"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **options}
        )
    try:
        for name, holds, seen in results(guest, share, directory, port, collector):
            failed += not holds
            print(f"ok {name}" if holds else f"not ok {name} {str(seen)[:3000]!r}", flush=True)
    except RuntimeError as error:
        failed += 1
        print(f"not ok run {str(error)!r}")
    finally:
        (share / "stop").touch()
        guest.wait(timeout=BOOT)
        collector.stop()
    lived = (share / "exporter-lived").exists()
    failed += not lived
    print("ok export-goes-on" if lived else f"not ok export-goes-on {(share / 'interval').read_text()[-600:]!r}")
    return 1 if failed else 0


def main():
    directory = os.environ.get("TEST_COLLECTORS")
    if not directory:
        print("skip collectors they could not be fetched (scripts/collectors)")
        return 0
    with tempfile.TemporaryDirectory(prefix="sislm-collectors.") as share:
        status = run(directory, pathlib.Path(share))
    return status | server(directory)


if __name__ == "__main__":
    sys.exit(main())
