"""How the page looks: its theme, its style sheet and its script."""

from pathlib import Path

import gradio as gr

_STATIC = Path(__file__).parent / "static"
_ROOMS = ("page", "answer", "browse", "about")
CSS = "\n".join((_STATIC / f"{room}.css").read_text(encoding="utf-8") for room in _ROOMS)
# Each script is one function without arguments; the page calls them in turn.
_SCRIPTS = [(_STATIC / f"{room}.js").read_text(encoding="utf-8") for room in ("page", "answer")]
SCRIPT = "() => {\n" + "\n".join(f"(\n{script}\n)();" for script in _SCRIPTS) + "\n}"


def theme() -> gr.themes.Base:
    """Quiet colours, white cards on a tinted page, and the fonts of the system, so that nothing is fetched."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_lg,
        spacing_size=gr.themes.sizes.spacing_md,
        font=[gr.themes.Font(name) for name in ("system-ui", "Segoe UI", "Liberation Sans", "sans-serif")],
        font_mono=[gr.themes.Font(name) for name in ("ui-monospace", "Liberation Mono", "monospace")],
    ).set(
        body_background_fill="#f4f7f7",
        body_background_fill_dark="#0d1418",
        background_fill_primary="white",
        background_fill_primary_dark="#152027",
        background_fill_secondary="#f4f7f7",
        background_fill_secondary_dark="#0f181d",
        block_background_fill="white",
        block_background_fill_dark="#152027",
        border_color_primary="#d9e1e3",
        border_color_primary_dark="#2a3a43",
        block_border_color="#d9e1e3",
        block_border_color_dark="#2a3a43",
        block_shadow="0 1px 2px rgb(15 40 45 / 5%)",
        block_shadow_dark="none",
        input_background_fill="white",
        input_background_fill_dark="#0f181d",
        input_border_width="1px",
        input_border_color="#c2cdd0",
        input_border_color_dark="#3a4c56",
        input_border_color_focus="*primary_600",
        input_border_color_focus_dark="*primary_400",
        input_placeholder_color="#66757a",
        input_placeholder_color_dark="#8fa0a7",
        body_text_color="#17262b",
        body_text_color_dark="#e6eef0",
        body_text_color_subdued="#52646a",
        body_text_color_subdued_dark="#a3b4ba",
        block_info_text_color="#52646a",
        block_info_text_color_dark="#a3b4ba",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_title_text_weight="600",
        block_label_text_weight="600",
        block_label_text_color="#52646a",
        block_label_text_color_dark="#a3b4ba",
        color_accent="*primary_700",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_800",
        button_border_width="1px",
        button_primary_text_color="white",
        button_primary_border_color="transparent",
        button_secondary_background_fill="white",
        button_secondary_background_fill_dark="#1d2b33",
        button_secondary_background_fill_hover="#eef3f3",
        button_secondary_background_fill_hover_dark="#263740",
        button_secondary_border_color="#c2cdd0",
        button_secondary_border_color_dark="#3a4c56",
        button_secondary_text_color="*body_text_color",
        button_secondary_text_color_dark="*body_text_color",
        slider_color="*primary_700",
        slider_color_dark="*primary_400",
        link_text_color="*primary_800",
        link_text_color_dark="*primary_300",
    )
