"""The page: its tabs, and how it is launched."""

import atexit
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from refatomnet.demo.about import build_about, local_card
from refatomnet.demo.ask import build_ask
from refatomnet.demo.browse import build_browse
from refatomnet.demo.endpoints import build_endpoints, forget_state, name_no_others
from refatomnet.demo.handlers import AnyPredictor, Desk
from refatomnet.demo.library import Library
from refatomnet.demo.limits import CACHE_S, MAX_SESSIONS, Limits
from refatomnet.demo.look import CSS, SCRIPT, theme
from refatomnet.demo.models import Models
from refatomnet.demo.samples import Sample
from refatomnet.demo.sessions import Session, private_folder

TITLE = """
<header>
<svg viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="3.4" stroke-linecap="round" aria-hidden="true">
<path d="M4 14V9a5 5 0 0 1 5-5h5M34 4h5a5 5 0 0 1 5 5v5M44 34v5a5 5 0 0 1-5 5h-5M14 44H9a5 5 0 0 1-5-5v-5"/>
<circle cx="24" cy="16.5" r="5" fill="currentColor" stroke="none"/>
<path d="M13.5 37c.6-8.5 4.6-12 10.5-12s9.9 3.5 10.5 12" fill="currentColor" stroke="none"/>
</svg>
<div><h1>RefAtomNet<span>++</span></h1>
<p>Describe one person in a clip: the page boxes and follows them, and names what they do, moment by moment.</p></div>
</header>
<p id="notice" role="alert" hidden></p>
"""


def launch_options(
    samples: Sequence[Sample],
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    share: bool = False,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """What every launch of the demo passes to ``launch()``; of the disk only the sample clips may be served."""
    limits = limits or Limits()
    return {
        "server_name": host,
        "server_port": port,
        "share": share,
        "theme": theme(),
        "css": CSS,
        "max_file_size": f"{limits.max_file_mb}mb",
        "max_threads": 40 + 2 * limits.queue,  # whoever waits holds one
        "state_session_capacity": MAX_SESSIONS,
        "enable_monitoring": False,
        "strict_cors": True,
        "run_history": False,
        "ssr_mode": False,
        "allowed_paths": [str(sample.clip.resolve()) for sample in samples],
        "footer_links": ["api", "settings"],
    }


def build_demo(
    predictor_or_loader: "AnyPredictor | Callable[[], AnyPredictor]",
    samples: Sequence[Sample] = (),
    data: str | Path | None = None,
    *,
    limits: Limits | None = None,
    checkpoints: Mapping[str, str] | None = None,
    choose: "Callable[[str, str], AnyPredictor] | None" = None,
    device: str = "auto",
) -> gr.Blocks:
    """The page around a predictor, or around a callable that loads one in the background.

    Args:
        predictor_or_loader: What answers unless the visitor chooses another checkpoint.
        samples: Clips to try.
        data: Folder of records or RefAVA++'s pickles to browse; without one there is no Browse tab.
        limits: What a request may be; to be given to :func:`launch_options` too.
        checkpoints: Names to choose from, and what each stands for; the first is the one to begin with.
        choose: Loads a checkpoint, one of the values of ``checkpoints``, on ``cpu`` or ``cuda``; without it there is no
            choice.
        device: Where the first one runs: auto, cpu or cuda.

    Raises:
        DataError: If a sample clip has no readable picture.
    """
    models = Models(predictor_or_loader, checkpoints, choose, device)
    desk = Desk(models, private_folder(), limits, [sample.clip for sample in samples])
    demo = gr.Blocks(title="RefAtomNet++", analytics_enabled=False, delete_cache=CACHE_S)

    def enter(request: gr.Request, *visitors: Session) -> None:
        for visitor in visitors:
            desk.visitors.enter(visitor, request.session_hash, page=True)

    def leave(request: gr.Request) -> None:
        if not desk.visitors.leave(request.session_hash):
            forget_state(demo, request.session_hash)  # a page may come back, its browser has only slept

    with demo:
        session = gr.State(Session(), delete_callback=desk.visitors.close)
        sessions = [session]
        gr.HTML(TITLE, elem_id="title")
        with gr.Tab("Ask", id="ask"):
            clip, sentences = build_ask(desk, session, samples)
        if data is not None:
            library = Library(data)
            atexit.register(library.close)
            sessions.append(build_browse(desk, session, library))
        build_about(desk, session, local_card(next(iter(checkpoints.values()))) if checkpoints else None)
        build_endpoints(desk, session, clip, sentences)
        demo.load(fn=None, js=SCRIPT, api_visibility="private")
        demo.load(enter, sessions, api_visibility="private", queue=False, show_progress="hidden")
        demo.unload(leave)
    name_no_others(demo)
    desk.visitors.uploads = lambda: set(demo.upload_file_set)
    desk.visitors.sweep_on()
    atexit.register(desk.visitors.close_all)
    # Requests wait at the desk, which tells them how many are before them; this queue only guards the server.
    return demo.queue(max_size=4 * desk.limits.queue, default_concurrency_limit=4)
