from __future__ import annotations

from pathlib import Path

import pytest

from hocket.config import compose, conf_folder
from hocket.config.registry import MODELS
from hocket.errors import ConfigError

GROUPS = ("clean", "split", "augment", "trainer", "logger", "render", "evaluation", "engine", "model", "profile")
OPTIONS = [(group, path.stem) for group in GROUPS for path in sorted((conf_folder() / group).glob("*.yaml"))]


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_of_every_group_composes(group: str, option: str) -> None:
    cfg = compose(["stage=corpus_notes", f"{group}={option}"])
    assert getattr(cfg, group) is not None


@pytest.mark.parametrize("path", sorted((conf_folder() / "experiment").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_experiment_composes(path: Path) -> None:
    assert compose(["stage=models", f"experiment={path.stem}"]).experiment == path.stem


@pytest.mark.parametrize("path", sorted((conf_folder() / "corpus").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_corpus_composes(path: Path) -> None:
    cfg = compose(["stage=corpus_notes", f"corpus=[{path.stem}]"])
    assert list(cfg.corpus) == [path.stem]


def test_every_model_has_a_file_that_says_its_name() -> None:
    names = {
        path.stem: compose(["stage=models", f"model={path.stem}"]).model.name
        for path in (conf_folder() / "model").glob("*.yaml")
    }
    assert set(names.values()) == set(MODELS)


def test_a_profile_names_only_corpora_that_it_loads() -> None:
    for path in (conf_folder() / "profile").glob("*.yaml"):
        cfg = compose(["stage=corpus_notes", f"profile={path.stem}"])
        named = {name for names in cfg.profile.corpora.values() for name in names}
        assert named == set(cfg.corpus)
        assert cfg.profile.name == path.stem


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.max_epoch=3", "max_epoch"),
        ("trainer.max_epochs=0", "max_epochs: is 0"),
        ("trainer.max_epochs=few", "trainer.max_epochs"),
        ("threads=0", "threads: is 0"),
        ("seed=many", "seed"),
        ("model=froest", "froest"),
        ("+nonsense=1", "nonsense"),
    ],
)
def test_a_wrong_key_type_or_range_names_the_key_in_one_line(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        compose(["stage=corpus_notes", override])
    assert "\n" not in str(caught.value)
