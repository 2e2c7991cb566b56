"""The Gradio demo. Only this subpackage of the package imports gradio; nothing else imports this subpackage.

Its two endpoints are ``/predict``, which gives the result JSON, and ``/annotate``, which gives the MP4. In the JSON of
``/predict``, ``video.path`` is null and ``video.name`` is the file's name: gradio_client takes every dict with a text
``path`` for a file to download. ``Result.from_dict`` reads both forms.
"""

from refatomnet.demo.page import build_demo, launch_options
from refatomnet.demo.samples import Sample, read_samples

__all__ = ["Sample", "build_demo", "launch_options", "read_samples"]
