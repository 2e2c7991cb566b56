"""The Ask tab, answer side: progress, key frames as they come, the video, scores over time, other people, why."""

import html
import json
import threading
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any

import gradio as gr
from gradio.components import Component

from refatomnet.demo import chart, people, plots, strip, why
from refatomnet.demo.handlers import POLL_S, Answered, Arrived, Desk, Failed, Session, Working, explain
from refatomnet.demo.welcome import welcome_html
from refatomnet.types import WordPath

FILES = (("MP4", "mp4"), ("JSON", "json"), ("CSV", "csv"), ("All as ZIP", "zip"))
SUBTITLES = """
<label class='switch'><input type='checkbox' id='subtitles-on' checked><span>Actions as subtitles</span></label>
"""
# A component of raw HTML has no events of its own. This one hands on what the button pressed carries in its data-*,
# and tells answer.js when its contents changed; the selector of its buttons goes in the place of BUTTONS.
ON_LOAD = """
const changed = () => document.dispatchEvent(new CustomEvent('answer:changed'));
watch('value', changed);
changed();
element.addEventListener('click', (event) => {
  const button = event.target.closest('BUTTONS');
  if (button && !button.disabled) trigger('select', { ...button.dataset });
});
"""

Update = dict[Component, Any]
Paths = tuple[tuple[WordPath, ...], ...]


class AnswerView:
    """The answer's components, built inside the current Blocks.

    Args:
        desk: Answers when another person is picked, and explains.
        session: The state that holds the visitor's Session.
    """

    def __init__(self, desk: Desk, session: gr.State) -> None:
        self._desk = desk
        self._session = session
        self._chosen = gr.State(0)
        self._told = gr.State({})  # by sentence, the paths of its words once asked why
        self._open = gr.State(False)  # whether Why is unfolded
        self._status = gr.HTML(welcome_html(), elem_id="status")
        with gr.Column(visible=False, elem_id="watch") as self._watch:
            self._video = gr.Video(
                label="Annotated clip", interactive=False, elem_id="annotated", buttons=[], height=360
            )  # fmt: skip
            self._files = [
                gr.DownloadButton(
                    label, size="sm", interactive=False, min_width=80, elem_id=f"get-{name}", render=False
                )
                for label, name in FILES
            ]
            with gr.Row(elem_id="under-video"):
                gr.HTML(SUBTITLES, elem_id="subtitles")
                for button in self._files:
                    button.render()
        self._strip = gr.HTML("", elem_id="strip")
        with gr.Column(visible=False, elem_id="details") as self._details:
            self._choice = gr.HTML("", elem_id="which", js_on_load=_buttons("[data-index]"))
            self._closest = gr.HTML("", elem_id="closest", js_on_load=_buttons("[data-key], [data-back]"))
            self._chart = gr.HTML("", elem_id="chart", js_on_load=_buttons("[data-none]"))
            self._table = gr.HTML("", elem_id="segments")
            self._people = gr.HTML("", elem_id="people", js_on_load=_buttons("[data-key], [data-back]"))
            with gr.Accordion("Why: what each word followed", open=False, elem_id="why") as self._fold:
                self._why = gr.HTML("", elem_id="paths", js_on_load=_buttons("[data-key]"))
        self._wire()

    @property
    def outputs(self) -> list[Component]:
        """All that the view ever updates."""
        blocks: list[Any] = [
            self._status, self._watch, self._video, *self._files, self._strip, self._details, *self._shown,
            self._fold, self._why, self._chosen, self._told, self._open,
        ]  # fmt: skip
        return blocks

    @property
    def _shown(self) -> list[Component]:
        """What depends on the sentence chosen."""
        return [self._choice, self._closest, self._chart, self._table, self._people]

    def begin(self, sentences: Sequence[str]) -> Update:
        """A run starts: the last answer goes."""
        return {
            self._status: plots.progress_html("Starting", 0.0),
            self._watch: gr.Column(visible=False),
            self._strip: "",
            self._details: gr.Column(visible=False),
            **{button: gr.DownloadButton(interactive=False) for button in self._files},
        }

    def working(self, step: Working) -> Update:
        """The work goes on."""
        return {self._status: plots.progress_html(step.stage, step.done, step.left_s)}

    def arrived(self, step: Arrived, tiles: list[str]) -> Update:
        """Key frames came; ``tiles`` are those of this run so far, to which the new ones are added."""
        tiles += [strip.tile_html(moment.picture, moment.keys, moment.size) for moment in step.moments]
        return {self._strip: strip.strip_html(tiles, whole=False)}

    def fail(self, step: Failed) -> Update:
        """No answer, and why, in one sentence."""
        return {
            self._status: plots.message_html(step.message, "note" if step.stopped else "problem"),
            self._strip: "",
        }

    def show(self, step: Answered) -> Update:
        """The answer, with the details of the first sentence that somebody fits."""
        queries = step.result.queries
        chosen = next((i for i, query in enumerate(queries) if query.found), 0)
        return self._answer(step, chosen, set()) | {
            self._fold: gr.Accordion(open=False),
            self._why: "",
            self._told: {},
            self._open: False,
        }

    def _answer(self, step: Answered, chosen: int, switched: Set[int]) -> Update:
        """What changes when one sentence's person does."""
        files = (step.video, step.json, step.csv, step.zip)
        return {
            self._status: plots.answers_html(step.result, switched),
            self._watch: gr.Column(visible=True),
            self._video: step.video,
            **{
                button: gr.DownloadButton(value=path, interactive=True)
                for button, path in zip(self._files, files, strict=True)
            },
            self._details: gr.Column(visible=True),
            self._chosen: chosen,
            self._strip: strip.result_strip_html(step.result, step.pictures),
            **self._of(step, chosen, switched),
        }

    def _of(self, step: Answered, chosen: int, switched: Set[int], note: str = "") -> Update:
        """What depends on the sentence chosen."""
        result, query = step.result, step.result.queries[chosen]
        spoken = html.escape(json.dumps(chart.cues(query, result.start, result.end)), quote=True)
        others = people.people_html(query, step.pictures, result.video, switched=chosen in switched, note=note)
        first = next((max(0.0, key.time - result.start) for key in query.keyframes if key.found), 0.0)
        scores = chart.chart_html(query, result.start, result.end, chosen)
        return {
            self._choice: plots.choice_html(result, chosen),
            # where nobody fits, the closest people come first
            self._closest: "" if query.found else others,
            self._chart: f"<div data-cues='{spoken}' data-first='{first:.3f}'>{scores}</div>",
            self._table: chart.segments_html(query, result.start),
            self._people: others if query.found else "",
        }

    def _wire(self) -> None:
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        visitor, chosen = self._session, self._chosen
        picked = self._choice.select(self._choose, visitor, [chosen, *self._shown], queue=False, **quiet)
        # one switch at a time and in turn with runs, for they share the model
        switches = [
            crops.select(
                self._switch, [visitor, chosen], self.outputs, concurrency_id="predictor", concurrency_limit=1,
                trigger_mode="once", **quiet,
            )
            for crops in (self._closest, self._people)
        ]  # fmt: skip
        self._fold.collapse(lambda: False, None, self._open, queue=False, **quiet)
        asked = [visitor, chosen, self._told, self._open]
        unfolded = self._fold.expand(lambda: True, None, self._open, queue=False, **quiet)
        for before in (unfolded, picked, *switches):
            before.then(self._explain, asked, [self._why, self._told], **quiet)
        self._why.select(self._step, [visitor, chosen, self._told], self._why, queue=False, **quiet)

    def _choose(self, visitor: Session, event: gr.EventData) -> Update:
        """Show the details of another sentence."""
        answered, index = visitor.answered, _number(event, "index")
        if answered is None or not 0 <= index < len(answered.result.queries):
            return {self._chosen: gr.skip()}
        return {self._chosen: index, **self._of(answered, index, _switched(visitor))}

    def _switch(self, visitor: Session, chosen: int, event: gr.EventData) -> Iterator[Update]:
        """Answer the sentence with the person picked, or with the model's own again."""
        answered = visitor.answered
        if answered is None:
            return
        back, key, candidate = (_number(event, name) for name in ("back", "key", "candidate"))

        def work(progress: Callable[[float], None]) -> Answered:
            if back == 1:
                return self._desk.restore(visitor, chosen, progress)
            return self._desk.follow(visitor, chosen, key, candidate, progress)

        yield {self._status: plots.busy_html("Following this person")}
        for step in _watched(work):
            if isinstance(step, float):
                yield {self._status: plots.progress_html("Drawing the answer", step)}
            elif isinstance(step, Answered):
                yield self._answer(step, chosen, _switched(visitor))
            else:
                switched = _switched(visitor)
                yield {
                    self._status: plots.answers_html(answered.result, switched),
                    **self._of(answered, chosen, switched, step.message),
                }

    def _explain(
        self, visitor: Session, chosen: int, told: dict[int, Paths], unfolded: bool
    ) -> Iterator[tuple[Any, Any]]:
        """Draw what the words followed, computing it the first time; nothing while Why is folded."""
        answered = visitor.answered
        if answered is None or not unfolded:
            yield gr.skip(), gr.skip()
            return
        if chosen not in told:
            yield plots.busy_html("Looking up what each word followed"), gr.skip()
            try:
                told = {**told, chosen: self._desk.explain(visitor, chosen)}
            except Exception as error:
                yield plots.message_html(explain(error).message, "problem"), gr.skip()
                return
        key = why.best_key(answered.result.queries[chosen], len(answered.pictures))
        yield self._paths(answered, chosen, told, key), told

    def _step(self, visitor: Session, chosen: int, told: dict[int, Paths], event: gr.EventData) -> Any:
        """Why, at another key frame."""
        if visitor.answered is None or chosen not in told:
            return gr.skip()
        return self._paths(visitor.answered, chosen, told, _number(event, "key"))

    @staticmethod
    def _paths(answered: Answered, chosen: int, told: dict[int, Paths], key: int) -> str:
        result = answered.result
        return why.why_html(told[chosen], result.queries[chosen], answered.pictures, result.video, key, result.start)


def _watched(work: Callable[[Callable[[float], None]], Answered]) -> Iterator[float | Answered | Failed]:
    """Does the work on a thread, telling the share done; the last item is what came of it."""
    told, outcome = [0.0], list[Answered | Failed]()

    def run() -> None:
        try:
            outcome.append(work(lambda done: told.__setitem__(0, done)))
        except Exception as error:
            outcome.append(explain(error))

    worker = threading.Thread(target=run, name="follow", daemon=True)
    worker.start()
    before = 0.0
    while worker.is_alive():
        worker.join(POLL_S)
        if told[0] > before:
            before = told[0]
            yield before
    yield outcome[0]


def _switched(visitor: Session) -> set[int]:
    """The sentences that are answered by somebody whom the visitor picked."""
    if visitor.first is None or visitor.answered is None:
        return set()
    pairs = zip(visitor.first.queries, visitor.answered.result.queries, strict=True)
    return {index for index, (first, now) in enumerate(pairs) if first is not now}


def _buttons(selector: str) -> str:
    return ON_LOAD.replace("BUTTONS", selector)


def _number(event: gr.EventData, name: str) -> int:
    """A whole number that a pressed button carries; -1 where it carries none."""
    data = event._data if isinstance(event._data, dict) else {}
    value = str(data.get(name, ""))
    return int(value) if value.isdecimal() else -1
