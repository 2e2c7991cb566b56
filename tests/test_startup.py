"""How app.py starts: its options, what it refuses, and a page that does not wait for PyTorch."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("gradio")

import app

ROOT = Path(__file__).parents[1]
PATIENCE_S = 90


def run(*arguments, **environment):
    command = [sys.executable, "app.py", *map(str, arguments)]
    clean = {name: value for name, value in os.environ.items() if name != app.AUTH}
    return subprocess.run(
        command, cwd=ROOT, env={**clean, **environment}, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )


def test_help_names_every_option():
    shown = run("--help")
    assert shown.returncode == 0
    named = set(re.findall(r"^  (--[a-z-]+)", shown.stdout, re.M))
    assert named == {f"--{name}" for name in
                     "host port share data checkpoint device auth mcp max-upload queue".split()}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "70000"], "'70000' is no whole number from 1 to 65535"),
        (["--port", "web"], "'web' is no whole number"),
        (["--queue", "0"], "'0' is no whole number from 1"),
        (["--max-upload", "-3"], "'-3' is no whole number from 1"),
        (["--data", "/nowhere"], "--data /nowhere is not a folder"),
        (["--device", "tpu"], "invalid choice: 'tpu'"),
        (["--checkpoint", "/nowhere/at/all"], "there is no checkpoint '/nowhere/at/all'"),
        (["--checkpoint", str(ROOT / "tests")], "it has no config.json"),
        (["--auth", "eve"], "a login is USER:PASSWORD"),
        (["--auth", ":apple"], "a login is USER:PASSWORD"),
        (["--mcp", "--auth", "eve:apple"], "--mcp "),
        (["--prot", "1"], "unrecognized arguments: --prot 1"),
    ],
)
def test_bad_values_are_one_line(arguments, says, capsys, monkeypatch):
    monkeypatch.delenv(app.AUTH, raising=False)
    with pytest.raises(SystemExit) as ended:
        app.parse_arguments(arguments)
    said = capsys.readouterr().err
    assert ended.value.code == 2 and says in said and said.count("\n") == 1


def test_logins_come_from_both_places_and_a_bad_one_is_not_repeated(monkeypatch, capsys):
    monkeypatch.setenv(app.AUTH, "ann:a:b\nbob:pear\n")
    assert app.parse_arguments(["--auth", "eve:apple"]).auth == [("eve", "apple"), ("ann", "a:b"), ("bob", "pear")]
    monkeypatch.setenv(app.AUTH, "topsecret")
    with pytest.raises(SystemExit) as ended:
        app.parse_arguments([])
    assert ended.value.code == 2 and "topsecret" not in capsys.readouterr().err


def test_a_taken_port_and_bad_records_are_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shown = run("--port", port)
    assert shown.returncode == 2 and shown.stderr.count("\n") == 1
    assert shown.stderr.startswith(f"app.py: the page cannot be served at 127.0.0.1, port {port}")
    (tmp_path / "bad.jsonl").write_text("{")
    shown = run("--data", tmp_path)
    assert shown.returncode == 2 and shown.stderr.count("\n") == 1 and "bad.jsonl, line 1" in shown.stderr


def test_the_page_comes_before_pytorch_and_goes_with_all_its_files(tmp_path):
    """The launch is where the page is there; what has been imported by then is written down."""
    watch = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import app, gradio
launch = gradio.Blocks.launch
def tell(*given, **options):
    done = launch(*given, **options)
    print("EARLY", sorted({{"torch", "transformers", "av", "supervision", "cv2", "matplotlib"}} & set(sys.modules)))
    print("ADDRESS", done[1], flush=True)
    return done
gradio.Blocks.launch = tell
sys.argv = ["app.py"]
app.main()
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    environment.pop("GRADIO_TEMP_DIR", None)
    with subprocess.Popen(
        [sys.executable, "-c", watch], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("ADDRESS"):
                break
        address = lines[-1].split()[1]
        page = urllib.request.urlopen(address, timeout=PATIENCE_S).read().decode()
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(PATIENCE_S) == 0, rest
    assert "RefAtomNet++" in page
    (early,) = [line for line in lines if line.startswith("EARLY")]
    assert early.strip() in ("EARLY []", "EARLY ['av']"), "nothing heavy may be imported for the page"
    assert [path for path in tmp_path.iterdir() if path.name.startswith("refatomnet-")] == []
