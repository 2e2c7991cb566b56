"""How the page looks and what it says of itself: theme, css, script and texts."""

import gradio as gr

TITLE = """
<h1>RefAtomNet++</h1>
<p>Describe one person in a clip; the page follows them with a box and tells what they do, moment by moment.</p>
"""

ABOUT = """
### What it does
You give a clip and a sentence about one person. On a key frame every *stride* seconds the model decides whether that
person is in view, where, and which of AVA's 80 atomic actions they perform; between key frames the box is followed.
When nobody fits, it says so instead of boxing somebody.

### What it cannot do
- **The shipped weights learnt from rendered people**, not from films. On real clips boxes, sentences and actions will
  be wrong more often than the measured scores suggest.
- Sentences are English, about how a person looks or where they are. It knows no names and identifies nobody.
- Actions are judged at key frames; one shorter than the stride can be missed. Scores are estimates, not certainties.
- Do not use it to watch, rate or make decisions about people.

### Limits of this page
Clips up to {size} MB, up to {sentences} sentences a run, one run at a time. Clips and answers are deleted within hours.
The same answers are at hand for programs: `/predict` and `/annotate`, see *Use via API* below.
"""

CITATIONS = """
### Built on
- **RefAtomNet**: Referring Atomic Video Action Recognition, ECCV 2024,
  [arXiv 2407.01872](https://arxiv.org/abs/2407.01872)
- **RefAtomNet++**, 2025, [arXiv 2510.16444](https://arxiv.org/abs/2510.16444)
- **AVA**: Gu et al., CVPR 2018, the list of 80 actions

Code and shipped weights: Apache-2.0.
"""

# Enter runs, Shift+Enter starts a new line (the textbox alone does the opposite); on a phone Run shows the status.
PAGE_JS = """
() => {
  const box = document.querySelector('#sentences textarea');
  const status = document.querySelector('#status');
  document.querySelector('#run')?.addEventListener('click', () => {
    if (status && window.innerWidth < 700) status.scrollIntoView({ block: 'start' });
  });
  if (!box) return;
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    if (event.shiftKey) {
      document.execCommand('insertText', false, '\\n');
      return;
    }
    const run = document.querySelector('#run');
    if (run && !run.disabled) run.click();
  }, true);
}
"""

CSS = """
.gradio-container { max-width: 1240px !important; width: 100% !important; margin: 0 auto !important; }
#title h1 { font-size: 1.5rem; font-weight: 650; margin: .4rem 0 .1rem; letter-spacing: -.01em; }
#title p { color: var(--body-text-color-subdued); margin: 0 0 .3rem; max-width: 60rem; }
#clip, #annotated { min-height: 240px; }
#clip video { max-height: 232px; object-fit: contain; }
#samples, #samples .grid-wrap { min-height: 0 !important; }
#samples .caption-label { display: none; }
#status { min-height: 3.6rem; }
#status, #chart, #status .html-container, #chart .html-container { padding: 0 !important; }
.chart { margin: 0; padding: .9rem .6rem .2rem 3.2rem; border: 1px solid var(--border-color-primary);
  border-radius: 8px; }
.chart .plot { position: relative; height: 190px; border-bottom: 1px solid var(--border-color-primary);
  background: linear-gradient(var(--border-color-primary) 1px, transparent 1px) 0 0 / 100% 50%; }
.chart svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.chart polyline { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
.chart .plot i { position: absolute; width: 8px; height: 8px; margin: -4px 0 0 -4px; border-radius: 50%; }
.chart .plot span { position: absolute; font-size: 12px; color: var(--body-text-color-subdued); white-space: nowrap; }
.chart .y { right: 100%; margin: -.7em .5rem 0 0; }
.chart .x { top: 100%; margin-top: .25rem; transform: translateX(-50%); }
.chart ul { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; margin: 1.7rem 0 .4rem -2.4rem;
  padding: 0; font-size: .85rem; color: var(--body-text-color); }
.chart li i { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: .4rem; }
#segments table, #segments td, #segments .cell-wrap { font-family: var(--font); }
#status .answer, #chart .answer { border: 1px solid var(--border-color-primary);
  border-left: 4px solid var(--neutral-400); border-radius: 8px; padding: .65rem .9rem; margin-bottom: .5rem;
  background: var(--background-fill-secondary); }
#status .answer p, #chart .answer p { margin: 0; line-height: 1.45; overflow-wrap: anywhere;
  color: var(--body-text-color); }
#status .answer p.said { color: var(--body-text-color-subdued); font-size: .9em; }
#status .found { border-left-color: #1f9e77; }
#status .nobody { border-left-color: #a08a12; }
#status .problem { border-left-color: #c8443c; }
#status .working { border-left-color: var(--color-accent); }
#status .bar { height: 4px; border-radius: 2px; margin-top: .5rem; overflow: hidden;
  background: var(--border-color-primary); }
#status .bar span { display: block; height: 100%; background: var(--color-accent); transition: width .2s; }
#about { max-width: 46rem; }
@media (max-width: 640px) {
  .gradio-container { padding: 0 .5rem !important; }
  #clip, #annotated { min-height: 180px; }
  #samples .grid-container { grid-template-columns: repeat(2, 1fr) !important; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; animation: none !important; } }
"""


def theme() -> gr.themes.Base:
    """Quiet colours and the fonts of the system, so that nothing is fetched."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=[gr.themes.Font(name) for name in ("system-ui", "Segoe UI", "Liberation Sans", "sans-serif")],
        font_mono=[gr.themes.Font(name) for name in ("ui-monospace", "Liberation Mono", "monospace")],
    ).set(
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_text_color="white",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        block_title_text_weight="500",
        block_label_text_weight="500",
    )
