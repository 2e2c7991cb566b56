"""The Ask tab, input side: a clip, sentences, settings."""

import html
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from refatomnet.demo.answer import AnswerView
from refatomnet.demo.handlers import (
    STOPPED,
    Answered,
    Arrived,
    Desk,
    Failed,
    Options,
    Session,
    Working,
    explain,
)
from refatomnet.demo.models import DEVICES
from refatomnet.demo.plots import busy_html, data_address, progress_html
from refatomnet.demo.samples import Sample, thumbnail
from refatomnet.downloads import Outlook, megabytes
from refatomnet.errors import OptionError

# A press on a sample tells its number to the server, and page.js that Run has to wait; the chips below need no server.
PICK = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-sample]');
  if (!button) return;
  document.dispatchEvent(new Event('sample:coming'));
  trigger('click', { sample: Number(button.dataset.sample) });
});
"""
PICKED = "() => { document.dispatchEvent(new Event('sample:here')); }"
LEAVE = "Cancel loading"


def build_ask(desk: Desk, session: gr.State, samples: Sequence[Sample]) -> tuple[gr.Video, gr.Textbox]:
    """Fill the tab; returns where clip and sentences are given."""
    with gr.Row(elem_classes="sides"):
        with gr.Column(scale=5, min_width=300, elem_id="question"):
            clip = gr.Video(
                label="Clip", sources=["upload", "webcam"], include_audio=True, height=264, elem_id="clip", buttons=[]
            )
            note = gr.HTML(_note(_limits(desk)), elem_id="clip-note")
            if samples:
                gallery = gr.HTML(samples_html(samples), elem_id="samples", js_on_load=PICK)
            sentences = gr.Textbox(
                label="Who? One sentence a line",
                info="Enter runs, Shift+Enter starts a new line.",
                placeholder="the woman in the red coat", lines=2, max_lines=8, elem_id="sentences",
            )  # fmt: skip
            chips = gr.HTML("", elem_id="try", js_on_load="")
            with gr.Row(elem_id="buttons"):
                run = gr.Button("Run", variant="primary", elem_id="run", scale=3, min_width=120)
                cancel = gr.Button("Cancel", interactive=False, elem_id="cancel", scale=1, min_width=90)
            settings = _settings(desk, session)
        with gr.Column(scale=7, min_width=300, elem_id="answer"):
            view = AnswerView(desk, session)

    def answer(visitor: Session, video: str | None, text: str | None, *values: Any) -> Iterator[dict[Any, Any]]:
        asked = [line.strip() for line in (text or "").splitlines() if line.strip()]
        ready = {run: gr.Button(interactive=True), cancel: gr.Button(interactive=False)}
        tiles: list[str] = []
        try:
            options = _options(*values)
        except OptionError as error:
            yield view.fail(explain(error)) | ready
            return
        steps = desk.run(visitor, video, text, options)
        next(steps)  # from here on it can be stopped
        mine = visitor.stop
        yield {run: gr.Button(interactive=False), cancel: gr.Button(interactive=True)} | view.begin(asked)
        for step in steps:
            if visitor.stop is not mine:
                return  # a newer run has the page
            if isinstance(step, Working):
                update = view.working(step)
            elif isinstance(step, Arrived):
                update = view.arrived(step, tiles)
            elif isinstance(step, Answered):
                update = view.show(step) | ready
            else:
                update = view.fail(step) | ready
            if update:
                yield update

    def stop(visitor: Session) -> dict[Any, Any]:
        visitor.halt()
        ready = {run: gr.Button(interactive=True), cancel: gr.Button(interactive=False)}
        return view.fail(Failed(STOPPED, stopped=True)) | ready

    def receive(visitor: Session, video: str | None) -> str:
        try:
            header = desk.receive(visitor, video)
        except Exception as error:
            return _note(explain(error).message, problem=True)
        if header is None:
            return _note(_limits(desk))
        seconds = f"{header.seconds:.1f} s" if header.seconds else "length not told"
        return _note(f"{Path(video or '').name}: {header.width}×{header.height} pixels, {seconds}")

    outputs = [run, cancel, *view.outputs]
    # "multiple": right after Cancel the page still counts the old run as pending, and "once" would drop the click.
    run.click(
        answer, [session, clip, sentences, *settings], outputs, api_visibility="private",
        concurrency_limit=None, concurrency_id="ask", show_progress="hidden", trigger_mode="multiple",
    )  # fmt: skip
    # Nothing is cancelled from outside: the run itself says last that it was stopped, whatever was on its way before.
    cancel.click(stop, session, outputs, queue=False, api_visibility="private", show_progress="hidden")
    clip.change(
        receive, [session, clip], note, api_visibility="private", queue=False, show_progress="hidden",
        trigger_mode="always_last",
    )  # fmt: skip
    if samples:

        def pick(event: gr.EventData) -> tuple[str, str, str]:
            number = int(event.sample)
            sample = samples[number if 0 <= number < len(samples) else 0]
            return str(sample.clip), sample.sentences[0], chips_html(sample.sentences)

        picked = gallery.click(
            pick, None, [clip, sentences, chips], api_visibility="private", queue=False, show_progress="hidden",
            trigger_mode="multiple",
        )  # fmt: skip
        for over in (picked.success, picked.failure):  # Gradio's "then" does not follow a failure
            over(None, js=PICKED, api_visibility="private")
        clip.upload(lambda: "", None, chips, api_visibility="private", queue=False, show_progress="hidden")
    return clip, sentences


def samples_html(samples: Sequence[Sample]) -> str:
    """A button with a picture for each sample."""
    buttons = []
    for number, sample in enumerate(samples):
        picture = data_address(thumbnail(sample.clip), quality=80)
        said = html.escape(sample.sentences[0], quote=True)
        buttons.append(
            f"<button type='button' data-sample='{number}' title='{said}' aria-label='Sample {number + 1}: {said}'>"
            f"<img src='{picture}' alt=''></button>"
        )
    heading = "<p id='samples-title'>Or try a sample</p>"
    return f"{heading}<div class='samples' role='group' aria-labelledby='samples-title'>{''.join(buttons)}</div>"


def chips_html(sentences: Sequence[str]) -> str:
    """A button for each sentence that puts it into the box, and one for all of them."""
    says = [(sentence, sentence) for sentence in sentences]
    says += [("all at once", "\n".join(sentences))] if len(sentences) > 1 else []
    buttons = [
        f"<button type='button' data-say='{html.escape(text, quote=True)}'>{html.escape(label)}</button>"
        for label, text in says
    ]
    return f"<div class='chips' role='group' aria-label='Sentences to try on this clip'>{''.join(buttons)}</div>"


def _limits(desk: Desk) -> str:
    limits = desk.limits
    return f"A clip of {limits.words()}; up to {limits.sentences} sentences. Deleted when you close the page."


def _note(text: str, *, problem: bool = False) -> str:
    kind, role = ("problem", "alert") if problem else ("note", "status")
    return f"<p class='{kind}' role='{role}'>{html.escape(text)}</p>"


def _settings(desk: Desk, session: gr.State) -> list[Any]:
    """The advanced settings, in the order of Options."""
    models = desk.models
    with gr.Accordion("Advanced", open=False, elem_id="advanced"):
        # Text, because a number field that is empty sends 0 once it has been shown.
        with gr.Row():
            start = gr.Textbox(
                label="Start", info="second", placeholder="first", max_lines=1, max_length=12, min_width=90
            )
            end = gr.Textbox(label="End", info="second", placeholder="last", max_lines=1, max_length=12, min_width=90)
            threshold = gr.Textbox(
                label="Threshold",
                info="presence, 0 to 1",
                placeholder="default",
                max_lines=1,
                max_length=12,
                min_width=110,  # its label's, on a narrow page
            )
        with gr.Row():
            stride = gr.Slider(0.25, 5.0, value=1.0, step=0.25, label="Stride", info="seconds between key frames")
            top_k = gr.Slider(1, 20, value=5, step=1, label="Top k", info="actions a key frame")
        with gr.Row(visible=bool(models.names)):
            checkpoint = gr.Dropdown(
                _offers(models.outlooks(ask=False)), value=next(iter(models.names), None), label="Checkpoint",
                info="fetched and loaded when chosen", elem_id="checkpoint", min_width=220,
            )  # fmt: skip
            device = gr.Dropdown(
                list(DEVICES), value="auto", label="Device", info="where it runs", elem_id="device", min_width=110
            )
        said = gr.HTML("", elem_id="loading")
        leave = gr.Button(LEAVE, visible=False, size="sm", elem_id="cancel-loading")

    def load(visitor: Session, name: str | None, place: str) -> Iterator[tuple[str, gr.Button]]:
        visitor.choosing.set()  # an earlier choice is waited for no more
        mine = visitor.choosing = threading.Event()
        told: tuple[str, float] | None = None
        try:
            model = models.pick(name, place)
            for step in model.wait(mine.is_set):
                if step != told:
                    told = stage, done = step
                    visitor.told = progress_html(stage, done) if done else busy_html(stage)
                    yield visitor.told, gr.Button(LEAVE, visible=True)
            model.get()
            visitor.chosen = name, place
            last = _note(f"{name} is ready.")
        except Exception as error:
            if visitor.choosing is not mine:
                return  # a newer choice has the page
            why = explain(error)
            last = _note(f"Stopped; {visitor.chosen[0] or models.names[0]} answers as before.")
            last = last if why.stopped else _note(why.message, problem=True)
        visitor.told = last
        mine.set()

    def settle(visitor: Session, name: str | None, place: str) -> tuple[str, gr.Button, gr.Dropdown, str]:
        """Shows the choice as it is now: the last one that could be loaded, or one that is still waited for."""
        settled = visitor.choosing.is_set()
        if settled:
            name, place = visitor.chosen[0] or models.names[0], visitor.chosen[1]
        fields = gr.Dropdown(_offers(models.outlooks(ask=False)), value=name), place
        return visitor.told, gr.Button(LEAVE, visible=not settled), *fields

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    given = [session, checkpoint, device]
    for choice in (checkpoint, device):
        # "multiple", as "once" would drop a choice made while another is waited for. How it ended is said afterwards,
        # because a handler that ends says its last word again, and that may be of a choice that is no longer wanted.
        choice.input(load, given, [said, leave], concurrency_limit=8, trigger_mode="multiple", **quiet).then(
            settle, given, [said, leave, checkpoint, device], queue=False, **quiet
        )
    leave.click(lambda visitor: visitor.choosing.set(), session, None, queue=False, **quiet)
    # Who opens the list wants to know: only then is the hub asked.
    checkpoint.focus(lambda: gr.Dropdown(_offers(models.outlooks(ask=True))), None, checkpoint, queue=False, **quiet)
    return [stride, top_k, threshold, start, end, checkpoint, device]


def _offers(outlooks: Mapping[str, Outlook]) -> list[tuple[str, str]]:
    """Checkpoints as the list shows them, with what is still to be downloaded, and their names."""
    offers = []
    for name, outlook in outlooks.items():
        if outlook.problem:
            shown = f"{name} (out of reach)"
        elif outlook.missing is None:
            shown = f"{name} (to download)"
        else:
            shown = f"{name} ({megabytes(outlook.missing)} to download)" if outlook.missing else name
        offers.append((shown, name))
    return offers


def _options(
    stride: float | None,
    top_k: float | None,
    threshold: str | None,
    start: str | None,
    end: str | None,
    checkpoint: str | None,
    device: str | None,
) -> Options:
    step, count = 1.0 if stride is None else float(stride), 5 if top_k is None else int(top_k)
    numbers = (_number("threshold", threshold), _number("start", start), _number("end", end))
    return Options(step, count, *numbers, checkpoint or None, device or "auto")


def _number(name: str, text: str | None) -> float | None:
    """What was typed, None where nothing was.

    Raises:
        OptionError: If it is no number.
    """
    typed = (text or "").strip().replace(",", ".")
    try:
        number = float(typed) if typed else None
    except ValueError:
        number = math.nan
    if number is not None and not math.isfinite(number):
        raise OptionError(f"The {name} {typed!r} is not a number; give one such as 1.5, or leave it empty.")
    return number
