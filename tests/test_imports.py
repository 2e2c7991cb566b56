"""Which room may know which."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "refatomnet"
HEAVY = ("torch", "transformers", "cv2", "gradio", "training")


def imported(path: Path) -> set[str]:
    """Top-level names of everything a file imports, at any depth of its code."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(str(node.module).split(".")[0])
    return names


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_the_package_knows_neither_training_nor_outside_the_demo_gradio(path: Path) -> None:
    names = imported(path)
    assert not names & {"training", "tests", "sklearn", "tensorboard", "accelerate", "yaml"}
    if PACKAGE / "demo" not in path.parents:
        assert not names & {"gradio", "gradio_client"}


def test_importing_the_package_is_light() -> None:
    code = f"import sys, refatomnet, refatomnet.cli; print([n for n in {HEAVY} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
