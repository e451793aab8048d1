#!/usr/bin/env python3
"""Milliseconds that `provisor lsp` takes to answer in a script of 2,000 lines: completion after a dot near its end, hover, and
the findings after a change."""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

program = sys.argv[1] if len(sys.argv) > 1 else str(pathlib.Path(__file__).parent.parent / "target/release/provisor")
URI = "file:///nowhere/long.rhai"

PART = """
/// Set up client {0}.
///
/// @param partner mobsted::Session  the master account
fn setup_{0}(partner, email) {{
    let tenant = partner.ensure_tenant(email, #{{ adopt: true }});
    let client = tenant.connect();
    let names = ["a", "b"].map(|name| name.to_upper());
    for (name, number) in names {{
        print(`${{name}} ${{number}} ${{tenant.email}}`);
    }}
    let app = client.ensure_app("app {0}", tenant.url);
    if app.id == () {{
        throw "no app";
    }}
    #{{ url: tenant.url, app: app.id, before: {1} }}
}}
"""
parts = [PART.format(number, f"setup_{number - 1}(partner, email)" if number else "()") for number in range(117)]
text = "".join(parts) + "\nfn main(email) {\n    let partner = mobsted::connect();\n    partner.\n}\n"
lines = text.count("\n")
place = {"line": lines - 2, "character": len("    partner.")}

with tempfile.TemporaryDirectory() as home:
    server = subprocess.Popen(
        [program, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"HOME": home, "PROVISOR_HOME": home}
    )

    def send(message):
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        server.stdin.flush()

    def receive(is_wanted):
        while True:
            length = int(server.stdout.readline().split(b":")[1])
            server.stdout.readline()
            message = json.loads(server.stdout.read(length))
            if is_wanted(message):
                return message

    def request(number, method, params):
        begun = time.monotonic()
        send({"id": number, "method": method, "params": params})
        answer = receive(lambda message: message.get("id") == number)
        return (time.monotonic() - begun) * 1000, answer["result"]

    def change(version, text):
        begun = time.monotonic()
        document = {"uri": URI, "version": version}
        params = {"textDocument": document, "contentChanges": [{"text": text}]}
        send({"method": "textDocument/didChange", "params": params})
        receive(lambda message: message.get("params", {}).get("version") == version)
        return (time.monotonic() - begun) * 1000

    request(0, "initialize", {"capabilities": {}})
    send({"method": "textDocument/didOpen", "params": {"textDocument": {"uri": URI, "version": 0, "text": text}}})
    at = {"textDocument": {"uri": URI}, "position": place}
    completions = [request(number, "textDocument/completion", at) for number in range(1, 32)]
    assert len(completions[0][1]["items"]) > 5, completions[0]
    before = {"textDocument": {"uri": URI}, "position": {**place, "character": 6}}
    hovers = [request(number, "textDocument/hover", before) for number in range(100, 131)]
    assert "mobsted::Session" in hovers[0][1]["contents"]["value"], hovers[0]
    whole = text.replace("    partner.\n", "    setup_1(partner, email)\n")
    changes = [change(version, whole + "\n" * (version % 2)) for version in range(1, 32)]
    send({"id": 999, "method": "shutdown"})
    send({"method": "exit"})
    assert server.wait() == 0

for name, times in [("completion", completions), ("hover", hovers), ("findings", changes)]:
    times = [time if isinstance(time, float) else time[0] for time in times][1:]
    print(f"{name} in {lines} lines: mean {statistics.mean(times):.1f}, from {min(times):.1f} to {max(times):.1f}")
