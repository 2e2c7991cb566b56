"""The Gradio demo. Only this subpackage of the package imports gradio; nothing else imports this subpackage."""

from refatomnet.demo.layout import build_demo, launch_options
from refatomnet.demo.samples import Sample, read_samples

__all__ = ["Sample", "build_demo", "launch_options", "read_samples"]
