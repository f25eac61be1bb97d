"""The sections of models: whatever their stages leave is shown, without a line of code for one of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hocket.audio.pictures import piano_roll_png
from hocket.audio.stage import renders
from hocket.exhibits import Exhibit, Item, write_exhibits
from hocket.files import write_text
from hocket.midi import write_midi
from hocket.page import models
from hocket.page.gather import commit, exhibits, model_names, verdicts
from hocket.page.stage import run
from hocket.report import Report
from making import make_piece
from making_page import make_outputs

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="300px" height="90px"><script>alert(1)</script></svg>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of `make_outputs`, and a model that leaves exhibits in two stages."""
    folder = tmp_path_factory.mktemp("models")
    cfg = make_outputs(folder)
    out = Path(cfg.out)
    vae, evaluation = out / "generation" / "vae", out / "evaluation" / "vae"
    for seed in (1, 2):
        write_midi(make_piece(8, seed), vae / "strip" / f"{seed}.mid")
    (vae / "map.png").write_bytes(piano_roll_png(make_piece(4)))
    write_text(evaluation / "tune.svg", SVG)
    heard = Item("Step 1", midi="strip/1.mid", render=True, facts={"alpha": 0.5})
    strip = [heard, Item("Step 2", "not heard", midi="strip/2.mid"), Item("Map", "each a tune", picture="map.png")]
    write_exhibits([Exhibit("interpolation", "Interpolation", "From one to another.", strip)], vae)
    sets = [Item("real", facts={"bars right": 1.0}), Item("made", facts={"bars right": 0.875, "copies": 0})]
    shown = [Exhibit("scores", "Scores", items=[Item("A tune", score="tune.svg")]), Exhibit("sets", "Sets", items=sets)]
    write_exhibits(shown, evaluation)
    Report("generation_vae", "a latent code").write(vae)
    Report("evaluation_vae", "as good as none").write(evaluation)
    promoted = {"promoted": ["composer"], "refused": {"vae": [{"name": "all_alike", "detail": "diversity 0.1"}]}}
    write_text(out / "evaluation" / "promotion" / "promoted.json", json.dumps(promoted))
    write_text(out / "generation" / "composer" / "jazz-1.svg", SVG)
    target = out / "generation" / "renders"
    renders(cfg, target).write(target)
    run(cfg, folder / "report")
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report" / "index.html").read_text(encoding="utf-8")


def test_every_model_has_a_section_and_its_verdict(folder: Path, page: str) -> None:
    assert model_names(folder / "out") == ["composer", "vae"]
    assert verdicts(folder / "out") == {"composer": "", "vae": "diversity 0.1"}
    assert 'id="model-composer"' in page
    assert 'href="#model-vae"' in page
    assert "not promoted: diversity 0.1" in page
    assert "as good as none" in page


def test_exhibits_are_shown_with_what_they_bring(folder: Path, page: str) -> None:
    strip = exhibits(folder / "out")["generation_vae"][0][1]
    assert [(bool(s.midi), bool(s.picture), bool(s.audio)) for s in strip] == [
        (True, True, True),
        (True, False, False),
        (False, True, False),
    ]
    assert 'id="exhibit-generation_vae-interpolation"' in page
    assert "alpha 0.5" in page
    assert page.count("<audio ") == 3  # two samples and one step of the strip
    assert page.count('class="player"') == 4
    assert '<th scope="row">made</th><td>0.875</td><td>0</td>' in page  # figures alone are rows of a table
    assert "Score of A tune" in page
    assert "Score of composer: jazz-1" in page
    assert "<script>alert(1)" not in page


def test_lineage_names_the_commit_of_the_code(page: str) -> None:
    assert commit() == "" or f"<dt>commit</dt><dd><code>{commit()}" in page


def test_audio_beyond_the_budget_is_left_in_its_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hocket.config.audio import RenderConfig
    from making import make_config

    monkeypatch.setattr(models, "AUDIO_BYTES", 2)  # a byte for each section: the first file is the last
    run(make_config(folder, render=RenderConfig()), tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("<audio ") == 2
    assert "jazz-2.wav lies in out/generation/renders" in page
