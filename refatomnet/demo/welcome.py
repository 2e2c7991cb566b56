"""What stands where the answer will be until the first run: how to ask, and a sketch of what comes."""

STEPS = (
    ("Give a clip", "Upload one, film with the webcam, or pick a sample."),
    ("Say who", "Clothes, looks or place of one person; one person a line."),
    ("Run", "Key frames appear as they are read, then the answer."),
)
PARTS = (
    ("The person", "boxed and followed through the clip, their actions as subtitles"),
    ("Over time", "how likely each action is, and when it holds: click to go there"),
    ("Somebody else?", "the other people, one click each; or that nobody fits"),
    ("Why", "what each word of the sentence followed in the pictures"),
)
# A clip with somebody boxed, scores over time below, and two other people beside; drawn in the colours of the page.
SKETCH = """
<svg viewBox='0 0 240 176' aria-hidden='true'>
<rect class='sheet' x='1' y='1' width='168' height='98' rx='6'/>
<g class='other'><circle cx='38' cy='46' r='6'/><path d='M28 78c0-16 3-23 10-23s10 7 10 23z'/>
<circle cx='134' cy='50' r='6'/><path d='M124 80c0-15 3-21 10-21s10 6 10 21z'/></g>
<g class='who'><circle cx='84' cy='36' r='8'/><path d='M70 82c0-24 4-35 14-35s14 11 14 35z'/></g>
<rect class='box' x='62' y='22' width='44' height='64' rx='3'/>
<rect class='cue' x='58' y='89' width='52' height='6' rx='3'/>
<rect class='sheet' x='181' y='1' width='58' height='45' rx='6'/>
<rect class='sheet' x='181' y='54' width='58' height='45' rx='6'/>
<g class='other'><circle cx='210' cy='16' r='5'/><path d='M201 41c0-13 3-18 9-18s9 5 9 18z'/>
<circle cx='210' cy='69' r='5'/><path d='M201 94c0-13 3-18 9-18s9 5 9 18z'/></g>
<path class='axis' d='M1 168h238M1 112h238'/>
<path class='one' d='M4 154L50 128L96 122L142 124L188 141L236 158'/>
<path class='two' d='M4 164L50 160L96 155L142 142L188 126L236 119'/>
<path class='now' d='M96 107v65'/>
</svg>
"""


def welcome_html() -> str:
    """Three steps, and what the answer will show."""
    steps = "".join(f"<li><b>{name}</b><span>{said}</span></li>" for name, said in STEPS)
    parts = "".join(f"<li><b>{name}</b> {said}</li>" for name, said in PARTS)
    return (
        f"<section class='welcome' aria-labelledby='welcome-title'><h2 id='welcome-title'>How to ask</h2>"
        f"<ol>{steps}</ol><div class='sketch'>{SKETCH}<div><h3>The answer will show</h3><ul>{parts}</ul></div></div>"
        "</section>"
    )
