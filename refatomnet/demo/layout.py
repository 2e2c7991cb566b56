"""The page: components, their events, and how it is launched."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from refatomnet.demo import plots
from refatomnet.demo.handlers import MAX_SENTENCES, Answered, AnyPredictor, Desk, Options, Session, Working, explain
from refatomnet.demo.look import ABOUT, CITATIONS, CSS, PAGE_JS, TITLE, theme
from refatomnet.demo.samples import Sample, thumbnail
from refatomnet.errors import RefAtomNetError
from refatomnet.types import Result

log = logging.getLogger(__name__)

MAX_FILE_MB = 200
MAX_QUEUE = 32
MAX_SESSIONS = 256
CACHE_S = (3600, 6 * 3600)  # look every hour, delete what is older than six
NO_ANSWER = "Pick a sample or give a clip, say who to look for, and press Run."
UNDECIDED = "The model is still loading."


def launch_options(
    samples: Sequence[Sample], *, host: str = "127.0.0.1", port: int | None = None, share: bool = False
) -> dict[str, Any]:
    """What every launch of the demo passes to ``launch()``; of the disk only the sample clips may be served."""
    return {
        "server_name": host,
        "server_port": port,
        "share": share,
        "theme": theme(),
        "css": CSS,
        "max_file_size": f"{MAX_FILE_MB}mb",
        "state_session_capacity": MAX_SESSIONS,
        "enable_monitoring": False,
        "run_history": False,
        "ssr_mode": False,
        "allowed_paths": [str(sample.clip.resolve()) for sample in samples],
        "footer_links": ["api", "settings"],
    }


def build_demo(
    predictor_or_loader: "AnyPredictor | Callable[[], AnyPredictor]", samples: Sequence[Sample] = ()
) -> gr.Blocks:
    """The page around a predictor, or around a callable that loads one in the background.

    Raises:
        DataError: If a sample clip has no readable picture.
    """
    desk = Desk(predictor_or_loader, get_upload_folder())
    demo = gr.Blocks(title="RefAtomNet++", analytics_enabled=False, delete_cache=CACHE_S)
    with demo:
        session = gr.State(Session())
        gr.HTML(TITLE, elem_id="title")
        with gr.Tab("Try it"):
            _try_it(desk, session, samples)
        with gr.Tab("About") as about, gr.Column(elem_id="about"):
            gr.Markdown(ABOUT.format(size=MAX_FILE_MB, sentences=MAX_SENTENCES))
            card = gr.Markdown(UNDECIDED)
            gr.Markdown(CITATIONS)
        about.select(lambda: _card(desk), None, card, api_visibility="private", show_progress="hidden")
        demo.load(fn=None, js=PAGE_JS, api_visibility="private")
    return demo.queue(max_size=MAX_QUEUE, default_concurrency_limit=4)


def _try_it(desk: Desk, session: gr.State, samples: Sequence[Sample]) -> None:
    """The tab with everything on it."""
    with gr.Row():
        with gr.Column(scale=5, min_width=320):
            clip = gr.Video(
                label=f"Clip, up to {MAX_FILE_MB} MB", sources=["upload", "webcam"], include_audio=True,
                height=300, elem_id="clip",
            )  # fmt: skip
            sentences = gr.Textbox(
                label=f"Who? One sentence a line, up to {MAX_SENTENCES}",
                info="Enter runs, Shift+Enter starts a new line.",
                placeholder="the woman in the red coat", lines=2, max_lines=8, max_length=4000, elem_id="sentences",
            )  # fmt: skip
            with gr.Row():
                run = gr.Button("Run", variant="primary", elem_id="run", scale=3, min_width=120)
                cancel = gr.Button("Cancel", interactive=False, elem_id="cancel", scale=1, min_width=90)
            settings = _settings()
            if samples:
                _samples(samples, clip, sentences)
        with gr.Column(scale=7, min_width=320):
            status = gr.HTML(plots.message_html(NO_ANSWER), elem_id="status")
            annotated = gr.Video(
                label="Annotated clip", interactive=False, height=380, elem_id="annotated", autoplay=True, buttons=[]
            )
            which = gr.Radio([], label="Sentence", visible=False, elem_id="which")
            with gr.Column(visible=False) as details:
                view = gr.Radio(list(plots.VIEWS), value=plots.TOP, label="Scores of", elem_id="view")
                chart = gr.HTML(elem_id="chart")
                table = gr.Dataframe(
                    headers=plots.TABLE_HEADERS, datatype="str", interactive=False, label="Stretches of time",
                    elem_id="segments", buttons=["copy"], wrap=True, max_height=300,
                )  # fmt: skip
            with gr.Row():
                files = [
                    gr.DownloadButton(label, size="sm", interactive=False, min_width=80, elem_id=f"get-{label.lower()}")
                    for label in ("MP4", "JSON", "CSV")
                ]

    shown = [chart, table]

    def answer(visitor: Session, video: str | None, text: str | None, *values: Any) -> Iterator[dict[Any, Any]]:
        yield {
            run: gr.Button(interactive=False),
            cancel: gr.Button(interactive=True),
            status: plots.progress_html("Starting", 0.0),
        }
        for step in desk.run(visitor, video, text, _options(*values)):
            if isinstance(step, Working):
                yield {status: plots.progress_html(step.stage, step.done)}
                continue
            ready = {run: gr.Button(interactive=True), cancel: gr.Button(interactive=False)}
            if not isinstance(step, Answered):
                yield ready | {status: plots.message_html(step.message, "note" if step.stopped else "problem")}
                continue
            queries = step.result.queries
            first = next((i for i, query in enumerate(queries) if query.found), 0)
            names = [(query.sentence, i) for i, query in enumerate(queries)]
            yield ready | {
                status: plots.answers_html(step.result),
                annotated: step.video,
                which: gr.Radio(names, value=first, visible=len(queries) > 1),
                view: plots.TOP,
                details: gr.Column(visible=any(query.found for query in queries)),
                **dict(zip(shown, _shown(step.result, first, plots.TOP), strict=True)),
                **dict(zip(files, _downloads(step), strict=True)),
            }

    def stop(visitor: Session) -> tuple[str, gr.Button, gr.Button]:
        if visitor.stop is not None:
            visitor.stop.set()
        note = plots.message_html("Stopped. Nothing was written; you can run again.")
        return note, gr.Button(interactive=True), gr.Button(interactive=False)

    def look(visitor: Session, index: int | None, part: str) -> tuple[Any, Any]:
        result = visitor.result
        if result is None or index is None or index >= len(result.queries):
            return gr.skip(), gr.skip()
        return _shown(result, index, part)

    outputs = [status, run, cancel, annotated, which, view, details, *shown, *files]
    # "multiple": right after Cancel the page still counts the old run as pending, and "once" would drop the click.
    running = run.click(
        answer, [session, clip, sentences, *settings], outputs, api_visibility="private", concurrency_limit=1,
        concurrency_id="predictor", show_progress="minimal", show_progress_on=status, trigger_mode="multiple",
    )  # fmt: skip
    cancel.click(
        stop, session, [status, run, cancel], cancels=[running], queue=False, api_visibility="private",
        show_progress="hidden",
    )  # fmt: skip
    for choice in (which, view):
        choice.input(look, [session, which, view], shown, queue=False, api_visibility="private", show_progress="hidden")
    _programs(desk, session, clip, sentences)


def _settings() -> list[gr.Number | gr.Slider]:
    """The advanced settings, in the order of Options."""
    with gr.Accordion("Advanced", open=False):
        with gr.Row():
            stride = gr.Slider(0.25, 5.0, value=1.0, step=0.25, label="Stride", info="seconds between key frames")
            top_k = gr.Slider(1, 20, value=5, step=1, label="Top k", info="actions a key frame")
        with gr.Row():
            threshold = gr.Number(
                None, label="Threshold", info="presence asked for, 0 to 1", placeholder="the model's own", step=0.05,
                min_width=120,
            )  # fmt: skip
            start = gr.Number(None, label="Start", info="seconds", placeholder="beginning", step=0.5, min_width=120)
            end = gr.Number(None, label="End", info="seconds", placeholder="end", step=0.5, min_width=120)
    return [stride, top_k, threshold, start, end]


def _samples(samples: Sequence[Sample], clip: gr.Video, sentences: gr.Textbox) -> None:
    """The gallery of sample clips and the sentences of the one picked."""
    pictures = [(thumbnail(sample.clip), sample.sentences[0]) for sample in samples]
    gallery = gr.Gallery(
        pictures, label="Samples", columns=min(4, len(samples)), height="auto", object_fit="cover",
        allow_preview=False, interactive=False, buttons=[], elem_id="samples", show_label=False,
    )  # fmt: skip
    more = gr.Radio([], label="Sentences to try on this clip", visible=False, elem_id="try")

    def pick(event: gr.SelectData) -> tuple[str, str, gr.Radio]:
        sample = samples[event.index]
        choices = list(sample.sentences)
        return str(sample.clip), choices[0], gr.Radio(choices, value=choices[0], visible=len(choices) > 1)

    gallery.select(pick, None, [clip, sentences, more], api_visibility="private", queue=False, show_progress="hidden")
    more.input(lambda text: text, more, sentences, api_visibility="private", queue=False, show_progress="hidden")


def _programs(desk: Desk, session: gr.State, clip: gr.Video, sentences: gr.Textbox) -> None:
    """The two named endpoints, without a button that anyone could see."""

    def predict(session: Session, video: str, sentences: str) -> dict[str, Any]:
        """Find the person each sentence describes in a clip, follow them and tell their actions over time.

        Args:
            video: The clip, a video file.
            sentences: Who to look for, one sentence a line, for example "the man in the grey shirt".

        Returns:
            The result as JSON, schema version 1; video.path is null, video.name is the file's name.
        """
        try:
            return desk.predict(session, video, sentences)
        except Exception as error:
            raise gr.Error(explain(error).message, print_exception=False) from error

    def annotate(session: Session, video: str, sentences: str) -> str:
        """Draw the person each sentence describes, with box and actions, into a clip.

        Args:
            video: The clip, a video file.
            sentences: Who to look for, one sentence a line, for example "the man in the grey shirt".

        Returns:
            The annotated clip, an MP4 file.
        """
        try:
            return desk.annotate(session, video, sentences)
        except Exception as error:
            raise gr.Error(explain(error).message, print_exception=False) from error

    answers: dict[str, tuple[Callable[..., Any], gr.JSON | gr.File]] = {
        "predict": (predict, gr.JSON(visible=False)),
        "annotate": (annotate, gr.File(visible=False)),
    }
    for name, (function, output) in answers.items():
        gr.Button(visible=False).click(
            function, [session, clip, sentences], output, api_name=name, concurrency_id="predictor", concurrency_limit=1
        )


def _options(
    stride: float | None, top_k: float | None, threshold: float | None, start: float | None, end: float | None
) -> Options:
    return Options(1.0 if stride is None else float(stride), 5 if top_k is None else int(top_k), threshold, start, end)


def _shown(result: Result, index: int, view: str) -> tuple[str, list[list[str]]]:
    """Chart and table of one query."""
    query = result.queries[index]
    return plots.chart_html(query, view, result.start, result.end), plots.segment_rows(query)


def _downloads(step: Answered) -> list[gr.DownloadButton]:
    return [gr.DownloadButton(value=path, interactive=True) for path in (step.video, step.json, step.csv)]


def _card(desk: Desk) -> str:
    if desk.predictor.loading:
        return f"{UNDECIDED} Open this tab again in a moment."
    try:
        return plots.card_markdown(desk.predictor.get().card)
    except RefAtomNetError as error:
        return f"No model is loaded: {error}"
    except Exception:
        log.exception("the checkpoint's card could not be shown")
        return "No model is loaded."
