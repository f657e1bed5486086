"""The bar of long work: in a terminal, and in a notebook with a real kernel. Both are fed until they have drawn it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

import nanobook as nb


@pytest.fixture
def feed(tmp_path):
    """A feed that goes on until the bar was seen, and the messages that are sent through it."""
    day = tmp_path / "day"
    nb.synth_itch(day, messages=1_200_000, symbols=50)
    path = tmp_path / "01302020.NASDAQ_ITCH50"
    os.mkfifo(path)
    return path, day.read_bytes()


PROGRAM = """
import sys
import nanobook as nb
day = nb.replay_itch(sys.argv[1], sys.argv[2], tables="trades")
print(day.report.messages)
"""


def test_a_terminal_shows_how_far_the_work_is(feed, tmp_path):
    path, day = feed
    ours, theirs = pty.openpty()
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, path, out],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    with process, open(path, "wb") as other_end:
        # The bar waits for work of over a second.
        half = len(day) // 2
        other_end.write(day[:half])
        other_end.flush()
        while b"M/s" not in shown:
            shown += os.read(ours, 65_536)
        other_end.write(day[half:])
        other_end.close()
        assert process.wait(timeout=60) == 0
        assert process.stdout.read() == "1200000\n"
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    line = [line for line in re.split(r"[\r\n]", text) if "M/s" in line][0]
    print(line)
    assert re.search(r"01302020\.NASDAQ_ITCH50 [\d.]+ [KM]iB [\d.]+ [KM]iB/s, [\d,]+ messages, \d+\.\d M/s", line)


def test_a_notebook_shows_how_far_the_work_is(feed, tmp_path):
    pytest.importorskip("ipykernel")
    manager = pytest.importorskip("jupyter_client.manager")
    path, day = feed
    kernel, client = manager.start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        asked = client.execute(
            f"import nanobook as nb\nday = nb.replay_itch({str(path)!r}, 'out', tables='trades')\nday.files"
        )
        seen = []

        def until(kind):
            while not seen or seen[-1][0] != kind:
                message = client.get_iopub_msg(timeout=60)
                if message["parent_header"].get("msg_id") == asked:
                    assert message["msg_type"] != "error", message["content"]
                    data = message["content"].get("data", {}).get("text/html", "")
                    state = message["content"].get("execution_state", "")
                    seen.append((state or message["msg_type"], data, message["content"].get("transient", {})))

        with open(path, "wb") as other_end:
            half = len(day) // 2
            other_end.write(day[:half])
            other_end.flush()
            until("display_data")
            other_end.write(day[half:])
        until("idle")
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
    shown = [data for kind, data, _ in seen if kind == "display_data"]
    print(shown[0])
    assert len(shown) == 1 and "<progress" in shown[0]
    assert re.search(r"01302020\.NASDAQ_ITCH50: \d+ MB, \d+ MB/s", shown[0])
    assert [data for kind, data, _ in seen if kind == "update_display_data"][-1] == ""
    # The last line of the cell is a frame, which a notebook shows as a table.
    assert "<table" in [data for kind, data, _ in seen if kind == "execute_result"][0]


def test_nothing_is_drawn_where_nobody_looks(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, nb.SAMPLE, tmp_path / "out"], capture_output=True, text=True
    )
    assert done.stdout == "50000\n" and done.stderr == ""
