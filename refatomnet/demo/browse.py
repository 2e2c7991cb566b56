"""The Browse tab: a folder of described people, searched, played, and compared with what the model answers."""

import html
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

from refatomnet.actions import GROUPS, NUM_ACTIONS, action
from refatomnet.demo.compare import compare, comparison_html, pair_html
from refatomnet.demo.handlers import Answered, Desk, Failed, Options, Working, explain
from refatomnet.demo.library import NOBODY, Library, Sought
from refatomnet.demo.sessions import Session
from refatomnet.records import Record
from refatomnet.video import window

PAGE = 12
QUICK_S = 0.3  # so long the page waits for the folder before it says that it does
INTRO = "People described in words, with what is true of them. Pick one, then ask the model and compare."
NOTHING_PICKED = "<p class='subtle'>Nobody is picked yet: choose one of the pictures.</p>"
STRIDE = 1.0
GRID_SCRIPT = (Path(__file__).parent / "static" / "browse.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Picked:
    """Whom a visitor looks at: the record's index, and the folder of their own copy of its clip."""

    index: int
    folder: Path


def build_browse(desk: Desk, session: gr.State, library: Library) -> gr.State:
    """Fill the tab; returns the state of the session under which the model is asked here.

    Args:
        desk: Where the model is asked.
        session: The page's visitor, to whom the clips belong that they are shown.
        library: What there is to browse.
    """
    with gr.Tab("Browse", id="browse") as tab:
        # Asked under a session of its own, so that the answer on the Ask tab stays.
        asking, picked = gr.State(Session(), delete_callback=desk.visitors.close), gr.State()
        gr.HTML(f"<p>{INTRO}</p>", elem_id="browse-intro")
        with gr.Row(elem_id="browse-filters"):
            words = gr.Textbox(label="Words of the sentence", placeholder="red jacket", max_length=200, min_width=160)
            group = gr.Dropdown(
                [("any", ""), *((name, name) for name in (*GROUPS, NOBODY))], value="", label="Group", min_width=160
            )
            actions = gr.Dropdown([("any", 0)], value=0, label="Action", min_width=160)
        count = gr.HTML("<p role='status'>Reading the folder …</p>", elem_id="browse-count")
        with gr.Row(elem_id="browse-room"):
            with gr.Column(scale=6, min_width=320):
                grid = gr.HTML(
                    elem_id="browse-grid", js_on_load=GRID_SCRIPT, server_functions=[_pictures(library)],
                )  # fmt: skip
                with gr.Row(elem_id="browse-pages"):
                    back = gr.Button("Previous", size="sm", interactive=False, min_width=90)
                    page = gr.Number(
                        1, label="Page (Enter goes there)", precision=0, min_width=90, container=False,
                        elem_id="browse-page",
                    )  # fmt: skip
                    on = gr.Button("Next", size="sm", interactive=False, min_width=90)
            with gr.Column(scale=5, min_width=320, elem_id="browse-picked"):
                clip = gr.HTML(NOTHING_PICKED, elem_id="browse-clip")
                with gr.Row(visible=False) as buttons:
                    ask = gr.Button("Ask the model", variant="primary", elem_id="browse-ask", scale=3, min_width=140)
                    cancel = gr.Button("Cancel", interactive=False, elem_id="browse-cancel", scale=1, min_width=90)
                outcome = gr.HTML(elem_id="browse-outcome")

    def listing(words: str | None, group: str | None, chosen: int | None, number: float | None) -> Iterator[Any]:
        """The people looked for, one page of them."""
        if not library.wait(QUICK_S):
            yield {count: "<p role='status'>Reading the folder …</p>"}
        try:
            group = group or ""
            there = library.actions(group)
            chosen = chosen if chosen in {entry.id for entry, _ in there} else 0
            found = library.find(Sought(words or "", chosen or None, group))
        except Exception as error:
            yield {count: _said(explain(error).message, "problem"), grid: ""}
            return
        pages = max(1, -(-len(found) // PAGE))
        here = min(max(int(number or 1), 1), pages)
        shown = found[(here - 1) * PAGE : here * PAGE]
        choices = [("any", 0), *((f"{entry.name} ({number:,})", entry.id) for entry, number in there)]
        yield {
            count: f"<p role='status'>{count_sentence(len(found), len(library.records), here, pages)}</p>",
            grid: grid_html([(i, library.record(i)) for i in shown]),
            actions: gr.Dropdown(choices, value=chosen),
            page: gr.Number(here, interactive=pages > 1),
            back: gr.Button(interactive=here > 1),
            on: gr.Button(interactive=here < pages),
        }

    def pick(visitor: Session, asking: Session, before: Picked | None, event: gr.EventData) -> Iterator[dict[Any, Any]]:
        """Show one person's clip and what is true of them."""
        asking.halt()
        if before:
            desk.visitors.discard(before.folder)
        yield {
            clip: _said("Preparing the clip …"),
            outcome: "",
            buttons: gr.Row(visible=False),
            ask: gr.Button(interactive=True),
            cancel: gr.Button(interactive=False),
            picked: None,
        }
        try:
            index = _index(getattr(event, "record", None))
            record, made = library.record(index), library.playable(index)
            mine = Picked(index, desk.visitors.new_folder(visitor))
            served = mine.folder / made.clip.name
            _link(made.clip, served)
        except Exception as error:
            yield {clip: _said(explain(error).message, "problem")}
            return
        yield {
            clip: clip_html(record, served, made.time),
            outcome: pair_html(record, made, None),
            buttons: gr.Row(visible=True),
            picked: mine,
        }

    def answer(asking: Session, chosen: Picked | None) -> Iterator[dict[Any, Any]]:
        """Ask the model about the picked person's clip, and compare."""
        ready = {ask: gr.Button(interactive=True), cancel: gr.Button(interactive=False)}
        try:
            index = _index(chosen and chosen.index)
            record, made = library.record(index), library.playable(index)
        except Exception as error:
            yield ready | {outcome: _said(explain(error).message, "problem")}
            return
        pair = pair_html(record, made, None)
        start, end = window(made.time, made.duration, STRIDE)
        options = Options(stride=STRIDE, top_k=NUM_ACTIONS, start=start, end=end)
        steps = desk.run(asking, str(made.clip), record.sentence, options)
        next(steps)  # from here on it can be stopped
        mine = asking.stop
        yield {ask: gr.Button(interactive=False), cancel: gr.Button(interactive=True)}
        for step in steps:
            if asking.stop is not mine:
                return  # a newer run has the page
            if isinstance(step, Working):
                yield {outcome: pair + _progress(step)}
            elif isinstance(step, Answered):
                desk.visitors.discard(Path(step.video).parent)  # nobody is given these files
                found = compare(record, step.result, made.time)
                yield ready | {outcome: pair_html(record, made, found) + comparison_html(found)}
            elif isinstance(step, Failed):
                yield ready | {outcome: pair + _said(step.message, "note" if step.stopped else "problem")}

    def stop(asking: Session) -> tuple[gr.Button, gr.Button]:
        asking.halt()
        return gr.Button(interactive=True), gr.Button(interactive=False)

    sought = [words, group, actions]
    listed = [count, grid, actions, page, back, on]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    first = gr.State(1)
    for change in (words.change, group.input, actions.input):
        change(listing, [*sought, first], listed, trigger_mode="always_last", **quiet)
    gr.on([tab.select, page.submit], listing, [*sought, page], listed, trigger_mode="always_last", **quiet)
    for button, step in ((back, -1), (on, 1)):
        button.click(_turned(listing, step), [*sought, page], listed, trigger_mode="always_last", **quiet)
    # "multiple": right after Cancel the page still counts the old run as pending, and "once" would drop the click.
    running = ask.click(
        answer, [asking, picked], [outcome, ask, cancel], concurrency_limit=None, concurrency_id="ask",
        trigger_mode="multiple", **quiet
    )  # fmt: skip
    shown = [clip, outcome, buttons, ask, cancel, picked]
    grid.pick(
        pick, [session, asking, picked], shown, cancels=[running], trigger_mode="multiple", **quiet
    ).then(None, js=TO_PICKED, api_visibility="private")  # fmt: skip
    cancel.click(stop, asking, [ask, cancel], queue=False, **quiet)  # the run itself says last that it was stopped
    return asking


# On a narrow page the picked clip lies below the list: go there, and let the keyboard follow.
TO_PICKED = """() => {
  const heading = document.querySelector('#browse-clip h2');
  heading?.focus({ preventScroll: window.innerWidth >= 800 });
}"""


def count_sentence(found: int, known: int, page: int, pages: int) -> str:
    """How many there are, and where in them the page is."""
    if not found:
        return f"None of {known:,} records fits; use fewer words, or another action or group."
    part = f"{found:,} of {known:,} records" if found < known else f"{known:,} record{'s' if known > 1 else ''}"
    return f"{part}, page {page:,} of {pages:,}"


def grid_html(shown: list[tuple[int, Record]]) -> str:
    """A button for each record; the pictures come when the browser asks for them."""
    cards = "".join(
        f"<li><button type='button' data-record='{i}' aria-pressed='false'><span class='shot'><img data-record='{i}' "
        f"alt=''></span><span class='said'>{html.escape(record.sentence)}</span>"
        f"<span class='does'>{html.escape(does(record))}</span></button></li>"
        for i, record in shown
    )
    return f"<ul class='cards' aria-label='Described people'>{cards}</ul>" if cards else ""


def does(record: Record) -> str:
    """A record's actions in short."""
    if record.box_xyxy is None:
        return NOBODY
    return ", ".join(action(i).name.split(" (")[0] for i in record.actions) or "no action told"


def clip_html(record: Record, clip: Path, time: float) -> str:
    """The sentence, the clip, paused at its key frame, and what is true of the person."""
    address = html.escape(f"gradio_api/file={quote(str(clip))}#t={time:.3f}")
    does_what = "".join(
        f"<li>{html.escape(action(i).name)} <span class='subtle'>{html.escape(action(i).group)}</span></li>"
        for i in record.actions
    )
    true = f"<ul class='does'>{does_what}</ul>" if does_what else f"<p>{html.escape(does(record).capitalize())}.</p>"
    facts = f"{record.source}, person {record.person_id}, {record.split}; key frame at {time:.2f} s"
    return (
        f"<h2 tabindex='-1'>‘{html.escape(record.sentence)}’</h2>"
        f"<video controls muted playsinline preload='auto' src='{address}' "
        f"aria-label='Clip, paused at its key frame'></video><p class='subtle'>{html.escape(facts)}</p>"
        f"<h3>True of them</h3>{true}"
    )


def _index(given: Any) -> int:
    """What a browser sent as a record's index; -1, which no record has, for anything else."""
    return given if isinstance(given, int) and not isinstance(given, bool) else -1


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _pictures(library: Library) -> Any:
    def pictures(indices: Any) -> list[str]:
        """Small pictures of at most a page of records."""
        asked = indices if isinstance(indices, list) else []
        return [library.picture(i) if isinstance(i, int) else "" for i in asked[:PAGE]]

    return pictures


def _turned(listing: Any, step: int) -> Any:
    def turned(words: str | None, group: str | None, chosen: int | None, number: float | None) -> Iterator[Any]:
        yield from listing(words, group, chosen, int(number or 1) + step)

    return turned


def _said(text: str, kind: str = "note") -> str:
    role = "alert" if kind == "problem" else "status"
    return f"<p class='outcome {kind}' role='{role}'>{html.escape(text)}</p>"


def _progress(step: Working) -> str:
    share = 100 * min(max(step.done, 0.0), 1.0)
    bar = f"<span class='bar'><span style='width:{share:.0f}%'></span></span>"
    return f"<div class='outcome working' role='status'>{html.escape(step.stage)} {share:.0f} %{bar}</div>"
