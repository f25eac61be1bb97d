"""Which modules of hocket a module can reach, read from the source: imports inside functions count too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SRC = Path(__file__).parents[1] / "src"
# how stages are started, configured and written down; a change there does not change what a stage computes
PLUMBING = {
    *("hocket", "hocket.errors", "hocket.files", "hocket.report", "hocket.stages", "hocket.training.loggers"),
    *("hocket.training.records", "hocket.exhibits"),
    *("hocket.config", "hocket.config.checks", "hocket.config.load", "hocket.config.registry", "hocket.config.schema"),
}


def reachable(module: str) -> set[Path]:
    """Files under src/, relative to the project, of the module and all it imports, without the plumbing."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found and name not in PLUMBING:
            found.add(name)
            waiting += [other for other in _imports(_file(name)) if _exists(other)]
    paths = [_file(name) for name in found]
    return {path.relative_to(SRC.parent) for path in paths if path.read_text().strip()}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("hocket."):
            yield node.value.partition(":")[0]  # "hocket.views.performance:run", imported by its path


def _exists(module: str) -> bool:
    return module.startswith("hocket") and _file(module).exists()


def _file(module: str) -> Path:
    path = SRC.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
