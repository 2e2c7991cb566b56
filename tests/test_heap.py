"""Whether freed memory is kept or given back, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

HELD = """
import sys
from pathlib import Path
import refatomnet.heap as heap

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "keep":
    heap.keep_freed()
before = resident()
block = bytearray(200_000_000)
del block
kept = resident() - before
heap.give_back()
print(kept > 150e6, resident() - before > 150e6)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="reads a process's memory in /proc")
@pytest.mark.parametrize(("what", "told"), [("leave", "False False"), ("keep", "True False")])
def test_freed_memory_is_kept_where_asked_and_given_back_at_a_word(what: str, told: str) -> None:
    done = subprocess.run([sys.executable, "-c", HELD, what], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == told
