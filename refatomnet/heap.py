"""What glibc does with freed memory: by itself it neither gives back enough for a server nor keeps enough for training.

A heap a thread, as is its habit, leaves free room in each of them that no other thread can use; and what is given back
after every large tensor is taken again, page by page, for the next one.
"""

import ctypes
import sys
from functools import cache
from typing import Any

M_ARENA_MAX, M_MMAP_MAX, M_TOP_PAD, M_TRIM_THRESHOLD = -8, -4, -2, -1  # of glibc's malloc.h
_MOST = 2**31 - 1


def share_one_heap() -> None:
    """Let all threads share one heap; to be called before there are any. Does nothing where there is no glibc."""
    if (libc := _glibc()) is not None:
        libc.mallopt(M_ARENA_MAX, 1)


def keep_freed() -> None:
    """Keep freed memory for what comes next, up to 2 GiB: pages need not be taken again. Else as above."""
    if (libc := _glibc()) is not None:
        for option, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, _MOST), (M_TOP_PAD, 2**28)):
            libc.mallopt(option, value)


def give_back() -> None:
    """Return the pages that are free; takes some milliseconds, during which nobody can allocate."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
