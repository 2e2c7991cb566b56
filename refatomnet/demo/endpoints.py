"""The named endpoints, for programs and for MCP: /predict and /annotate."""

import asyncio
import json
import math
import os
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from anyio import CapacityLimiter, to_thread
from gradio import mcp
from gradio.context import LocalContext
from gradio_client.utils import is_file_obj_with_meta

from refatomnet.demo.handlers import POLL_S, Desk, Done, Failed, Session, Stop, attempt
from refatomnet.demo.limits import CLIENT_IDLE_S

_ANY = CapacityLimiter(math.inf)  # Gradio itself limits how many requests it lets in


def build_endpoints(desk: Desk, session: gr.State, clip: gr.Video, sentences: gr.Textbox) -> None:
    """Add the endpoints to the page, without a button that anyone could see."""

    async def predict(session: Session, video: str, sentences: str) -> dict[str, Any]:
        """Find the person that each sentence describes in a video, and tell where they are and what they do, and when.

        A sentence is about one person's looks or place. People do some of the 80 atomic actions of AVA. Where nobody
        fits a sentence, its "found" is false.

        Args:
            video: The video, with people in it.
            sentences: Who to look for, in English, one sentence a line, for example: the man in the grey shirt.

        Returns:
            A JSON object with one query a sentence: key frames with box and actions, segments of time with an action.
        """
        return await _while_wanted(desk, session, partial(desk.predict, session, video, sentences))

    async def annotate(session: Session, video: str, sentences: str) -> str:
        """Draw the person that each sentence describes into a video, with a box and their actions over time.

        A sentence is about one person's looks or place. Where nobody fits it, the picture says so.

        Args:
            video: The video, with people in it.
            sentences: Who to look for, in English, one sentence a line, for example: the man in the grey shirt.

        Returns:
            The annotated video, an MP4 file.
        """
        return await _while_wanted(desk, session, partial(desk.annotate, session, video, sentences))

    answers: dict[str, tuple[Callable[..., Any], gr.JSON | gr.File]] = {
        "predict": (predict, gr.JSON(visible=False)),
        "annotate": (annotate, gr.File(visible=False)),
    }
    for name, (function, output) in answers.items():
        # All may come in: they wait at the desk, with the page's own, and it says when too many do.
        gr.Button(visible=False).click(
            function, [session, clip, sentences], output, api_name=name, concurrency_id="ask", concurrency_limit=None
        )


def name_no_others(demo: gr.Blocks) -> None:
    """Take the names off the page's own events; Gradio only leaves private ones out of its list."""
    for event in demo.fns.values():
        if event.api_visibility == "private":
            event.api_name = None


def forget_state(demo: gr.Blocks | None, name: str | None) -> None:
    """Drop what Gradio keeps of a program that has gone; it is as much as of an open page, which it may displace."""
    holder = getattr(demo, "state_holder", None)  # there is none before the launch
    if holder is not None and name:
        holder.session_data.pop(name, None)
        holder.time_last_used.pop(name, None)


def prepare_tools(demo: gr.Blocks) -> None:
    """Once the demo is launched with MCP: objects are told as JSON, and clips given as ``data:`` are deleted again.

    Gradio would write objects as Python does, and leave those clips on the disk.
    """
    server = demo.mcp_server_obj
    if server is None:
        return
    given_data = tempfile.TemporaryDirectory(prefix="refatomnet-tools-")  # deleted at the end at the latest
    mcp.DEFAULT_TEMP_DIR = given_data.name
    plain, convert = server.postprocess_output_data, server.convert_strings_to_filedata

    def in_json(data: Any, root_url: str) -> Any:
        objects = [isinstance(part, dict) and not is_file_obj_with_meta(part) for part in data]
        return plain([json.dumps(part) if yes else part for part, yes in zip(data, objects, strict=True)], root_url)

    def for_a_while(value: Any, places: list[list[str | int]]) -> Any:
        given = convert(value, places)
        for part in given.values() if isinstance(given, dict) else ():
            if is_file_obj_with_meta(part) and Path(part["path"]).is_relative_to(given_data.name):
                os.utime(part["path"])  # the same may have been given before
                timer = threading.Timer(CLIENT_IDLE_S, _delete_old, [Path(part["path"])])
                timer.daemon = True
                timer.start()
        return given

    server.postprocess_output_data = in_json  # type: ignore[method-assign]
    server.convert_strings_to_filedata = for_a_while  # type: ignore[method-assign, assignment]


def _delete_old(path: Path) -> None:
    """Delete a file, unless it has been given anew meanwhile."""
    with suppress(OSError):
        if time.time() - path.stat().st_mtime >= CLIENT_IDLE_S:
            path.unlink()
            path.parent.rmdir()


async def _while_wanted(desk: Desk, session: Session, work: Callable[[Stop], Done]) -> Done:
    """Do a program's work on a thread of its own, and stop it when it is cancelled or the program has gone.

    Gradio would let it go on to its end, with everybody else waiting. Every error becomes the sentence that the page
    would show, without a traceback.
    """
    request, number = LocalContext.request.get(None), LocalContext.event_id.get(None)
    name = request.session_hash if request else None
    alone = name in (None, number)  # asks this once: the next request will be another session's
    desk.visitors.enter(session, name)
    stop, gone = threading.Event(), _gone(number)

    def whole() -> Done:
        try:
            return work(stop.is_set)
        finally:
            if alone:
                session.forget()

    asked = to_thread.run_sync(partial(attempt, whole), abandon_on_cancel=True, limiter=_ANY)
    task = asyncio.ensure_future(asked)
    try:
        while not (await asyncio.wait([task], timeout=POLL_S))[0]:
            if await gone():
                stop.set()
        answer = task.result()
        if isinstance(answer, Failed):
            raise gr.Error(answer.message, print_exception=False)
        return answer
    finally:
        stop.set()
        task.cancel()
        if await gone():
            session.forget()
            alone = True
        if alone:
            forget_state(LocalContext.blocks.get(None), name)


def _gone(number: str | None) -> Callable[[], Awaitable[bool]]:
    """Says whether the program that waits for this event has gone; without a number, for the present request."""
    blocks, request = LocalContext.blocks.get(None), LocalContext.request.get(None)
    event = blocks._queue.event_ids_to_events.get(number) if blocks and number else None

    async def gone() -> bool:
        if event is not None:
            return not event.alive
        return bool(request and request.request and await request.request.is_disconnected())

    return gone
