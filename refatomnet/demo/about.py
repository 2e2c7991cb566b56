"""The About tab: what the demo can and cannot do, how it works, the chosen checkpoint's card, licence and citations."""

import base64
import html
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from refatomnet.card import Bullets, Commands, Part, Picture, Table, learnt_from, sections
from refatomnet.demo.handlers import Desk
from refatomnet.demo.limits import Limits
from refatomnet.demo.sessions import Session
from refatomnet.downloads import glance
from refatomnet.errors import RefAtomNetError

log = logging.getLogger(__name__)

LOADING = "<p class='subtle' role='status'>The model is still loading; open this tab again in a moment.</p>"
FLOW = Path(__file__).parents[2] / "assets" / "data_flow.svg"  # where the repository is at hand

FACTS = {"Name": "name", "Version": "version", "Trained on": "trained_on", "Licence": "licence"}

WHAT = """
<h2>What it does</h2>
<p>You give a clip and a sentence about one person. The page finds that person, follows them with a box, and tells which
of AVA’s 80 atomic actions they perform, moment by moment. When nobody fits, it says so instead of boxing somebody.</p>
<h2>What it cannot do</h2>
<ul>
<li><b>The shipped weights learnt from rendered people</b>, not from films. On real clips boxes, sentences and actions
will be wrong more often than the measured scores suggest.</li>
<li>Sentences are English, about how a person looks or where they are. It knows no names and identifies nobody.</li>
<li>Actions are judged at key frames; one shorter than the stride can be missed. Scores are estimates, not
certainties, and rare actions are hardly learnt at all.</li>
<li>Do not use it to watch, rate or make decisions about people.</li>
</ul>
<h2>Limits of this page</h2>
<p>Clips {clip}; {sentences} sentences a run, of {letters} letters each; one run at a time, the others wait in line.
What you upload and what you are answered is deleted when you leave. Programs get the same answers from
<code>/predict</code> and <code>/annotate</code>: see <i>Use via API</i> at the foot of the page.</p>
<h2>How it works</h2>
<p>Around each key frame eight frames are read, and a frozen image network turns each into a grid of tokens. People and
things are detected on the key frame and followed through the eight. A small language model reads the sentence, and
every content word looks up the token most like it in every frame; these paths are scanned in time by a state-space
layer (Mamba). Two branches of cross-attention, one over time and one over space, let the picture read scene, words and
sentence. Then each person is scored for being the one who is meant, nobody being one of the choices, and for the
80 actions; the answers of all key frames are joined to one track.</p>
"""

LICENCE = """
<h2>Licence</h2>
<p>Code and shipped weights: Apache-2.0. The sample clips, rendered people all of them: CC0 1.0. The visual encoder
starts from MobileNetV2’s ImageNet weights; the sentence encoder is all-MiniLM-L6-v2 (Apache-2.0).</p>
<h2>Cite</h2>
<p>The task and the method are those of <a href="https://arxiv.org/abs/2407.01872">RefAtomNet</a> (ECCV 2024,
arXiv 2407.01872) and <a href="https://arxiv.org/abs/2510.16444">RefAtomNet++</a> (arXiv 2510.16444); the actions are
<a href="https://arxiv.org/abs/1705.08421">AVA</a>’s (CVPR 2018). This implementation is independent of them.</p>
"""

BIBTEX = """@article{peng2025refatomnetpp,
  title   = {{RefAtomNet++}: Advancing Referring Atomic Video Action Recognition using
             Semantic Retrieval based Multi-Trajectory {Mamba}},
  author  = {Peng, Kunyu and Wen, Di and Fu, Jia and Wu, Jiamin and Yang, Kailun and Zheng, Junwei and
             Liu, Ruiping and Chen, Yufan and Fu, Yuqian and Paudel, Danda Pani and Van Gool, Luc and
             Stiefelhagen, Rainer},
  journal = {arXiv preprint arXiv:2510.16444},
  year    = {2025}
}

@inproceedings{peng2024ravar,
  title     = {Referring Atomic Video Action Recognition},
  author    = {Peng, Kunyu and Fu, Jia and Yang, Kailun and Wen, Di and Chen, Yufan and Liu, Ruiping and
               Zheng, Junwei and Zhang, Jiaming and Sarfraz, M. Saquib and Stiefelhagen, Rainer and
               Roitberg, Alina},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year      = {2024},
  note      = {arXiv:2407.01872}
}

@inproceedings{gu2018ava,
  title     = {{AVA}: A Video Dataset of Spatio-temporally Localized Atomic Visual Actions},
  author    = {Gu, Chunhui and Sun, Chen and Ross, David A. and Vondrick, Carl and Pantofaru, Caroline and
               Li, Yeqing and Vijayanarasimhan, Sudheendra and Toderici, George and Ricco, Susanna and
               Sukthankar, Rahul and Schmid, Cordelia and Malik, Jitendra},
  booktitle = {Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2018}
}"""

# Where the browser gives no clipboard, as on plain http, the text is selected for the keyboard instead.
COPY = """
element.addEventListener('click', async (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const text = element.querySelector('pre');
  try {
    await navigator.clipboard.writeText(text.innerText);
    button.textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren(text);
    button.textContent = 'Selected: press Ctrl+C';
  }
  setTimeout(() => { button.textContent = 'Copy BibTeX'; }, 2500);
});
"""


def build_about(desk: Desk, session: gr.State, config: Callable[[], Mapping[str, Any]] | None = None) -> None:
    """Fill the tab.

    Args:
        desk: Where the models are.
        session: The state that holds the visitor's Session, and which model they chose.
        config: Reads the card of the checkpoint that is being loaded, before it is there.
    """
    with gr.Tab("About", id="about") as tab, gr.Column(elem_id="about"):
        gr.HTML(what_html(desk.limits))
        card = gr.HTML(LOADING, elem_id="about-card")
        gr.HTML(LICENCE)
        cited = f"<button type='button'>Copy BibTeX</button><pre tabindex='0'>{html.escape(BIBTEX)}</pre>"
        gr.HTML(cited, js_on_load=COPY, elem_id="about-bibtex")
    tab.select(
        lambda visitor: _card(desk, visitor, config), session, card, api_visibility="private", show_progress="hidden"
    )


def local_card(checkpoint: str | Path | None) -> Callable[[], Mapping[str, Any]] | None:
    """Reads the config of a checkpoint that is on this machine; None for one that would have to be fetched."""
    if glance(checkpoint).missing is None:
        return None

    def read() -> Mapping[str, Any]:
        from refatomnet.predictor import read_card

        return read_card(checkpoint, local_files_only=True)

    return read


def what_html(limits: Limits) -> str:
    """What it does, cannot do, accepts, and how it works."""
    said = WHAT.format(clip=limits.words(), sentences=limits.sentences, letters=limits.letters)
    if not FLOW.is_file():
        return said
    picture = base64.b64encode(FLOW.read_bytes()).decode()
    return (
        f"{said}<details><summary>Data flow, with the shapes of one pass</summary><div class='wide' tabindex='0'>"
        f"<img src='data:image/svg+xml;base64,{picture}' alt='Data flow: a clip is encoded, its people detected and "
        "followed once; each sentence is then read against that'></div></details>"
    )


def _card(desk: Desk, visitor: Session, config: Callable[[], Mapping[str, Any]] | None) -> str:
    try:
        model = desk.models.pick(*visitor.chosen)
        if not model.loading:
            predictor = model.get()
            return card_html(predictor.card, getattr(getattr(predictor, "model", None), "misses", None))
        return LOADING if config is None else card_html(config())
    except RefAtomNetError as error:
        return f"<p class='subtle' role='alert'>No model is loaded: {html.escape(str(error))}.</p>"
    except Exception:
        log.exception("the checkpoint's card could not be shown")
        return "<p class='subtle' role='alert'>No model is loaded.</p>"


def card_html(card: Mapping[str, Any], picture: bytes | None = None) -> str:
    """The checkpoint's card: what it is, what it learnt from and how, its measured scores, failures, and its uses.

    Args:
        card: Its config.
        picture: Of its worst misses, WebP.
    """
    known = {**card, "trained_on": learnt_from(card)}
    facts = [(name, known.get(key)) for name, key in FACTS.items()]
    told = "".join(f"<dt>{name}</dt><dd>{html.escape(str(value))}</dd>" for name, value in facts if value)
    made = [section for section in sections(card, picture=picture is not None) if section.title != "Data"]
    return f"<h2>Checkpoint</h2><dl>{told}</dl>" + "".join(
        f"<h2>{section.title}</h2>{''.join(_part(part, picture) for part in section.parts)}" for section in made
    )


def _part(part: Part, picture: bytes | None) -> str:
    if isinstance(part, Table):
        table = f"<div class='wide' tabindex='0'>{_table(part)}</div>"
        folded = f"<details><summary>{html.escape(part.title)}</summary>{table}</details>"
        return folded if part.title else table
    if isinstance(part, Commands):
        return f"<pre class='wide' tabindex='0'>{html.escape(chr(10).join(part.lines))}</pre>"
    if isinstance(part, Bullets):
        return f"<ul>{''.join(f'<li>{html.escape(item)}</li>' for item in part.items)}</ul>"
    if isinstance(part, Picture):
        data = base64.b64encode(picture or b"").decode()
        shown = f"<img src='data:image/webp;base64,{data}' alt='{html.escape(part.text)}'>"
        return f"<div class='wide' tabindex='0'>{shown}</div>"
    return f"<p>{html.escape(part)}</p>"


def _table(table: Table) -> str:
    heads = "".join(f"<th scope='col'>{html.escape(cell)}</th>" for cell in table.head)
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(first)}</th>{''.join(f'<td>{html.escape(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in table.rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
