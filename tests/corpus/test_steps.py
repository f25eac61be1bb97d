from __future__ import annotations

from pathlib import Path

import pytest

from hocket.config.corpus import AugmentConfig, CleanConfig, SplitConfig
from hocket.corpus import steps
from hocket.files import sha256_folder
from hocket.note_files import read_tables, write_tables
from hocket.page import sections
from hocket.report import Report
from making import make_config
from making_corpus import corpus, melody, walk


def run_all(folder: Path) -> dict[str, Report]:
    config = make_config(
        folder, clean=CleanConfig(), split=SplitConfig(validation=0.2, test=0.2), augment=AugmentConfig(write=True)
    )
    source = Path(config.out, "corpus", "notes")
    source.mkdir(parents=True)
    pieces = [melody([p + k for p in walk(seed)], f"{seed}-{k}") for seed in range(20) for k in (0, 3)]
    write_tables(corpus(*pieces, melody([60, 62], "short")), source)
    reports = {}
    for name, stage in (
        ("clean", steps.clean_corpus), ("split", steps.split_corpus), ("augmented", steps.augment_corpus),
    ):  # fmt: skip
        out = Path(config.out, "corpus", name)
        out.mkdir()
        reports[name] = stage(config, out)
        reports[name].write(out)
    return reports


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Report]]:
    folder = tmp_path_factory.mktemp("stages")
    return folder / "out" / "corpus", run_all(folder)


def test_every_blocking_check_passes(done: tuple[Path, dict[str, Report]]) -> None:
    checks = {check.name: check.passed for report in done[1].values() for check in report.checks if check.blocking}
    wanted = {"no_work_in_two_splits", "no_fingerprint_in_two_splits", "every_split_has_pieces", "counts_add_up"}
    assert wanted | {"augmented_is_train_only"} <= set(checks)
    assert all(checks.values())


def test_the_tables_say_what_the_reports_say(done: tuple[Path, dict[str, Report]]) -> None:
    folder, reports = done
    table = read_tables(folder / "split")
    assert len(table) == reports["split"].counts["pieces"] == reports["clean"].counts["pieces"] == 40
    assert reports["clean"].counts["quarantined"] == 1
    assert reports["split"].counts["works"] == 20
    changed = read_tables(folder / "augmented")
    train = set(table.of_split("train").piece_column("id"))
    assert {identity[:16] for identity in changed.piece_column("id")} == train


def test_pictures_stand_beside_the_reports(done: tuple[Path, dict[str, Report]]) -> None:
    folder, reports = done
    assert list(reports["clean"].pictures) == ["look_tiny.png"]
    assert (folder / "clean" / "look_tiny.png").is_file()


def test_the_page_shows_how_every_corpus_looks_and_what_each_policy_touched(
    done: tuple[Path, dict[str, Report]],
) -> None:
    folder, reports = done
    pictures = {name: (folder / "clean" / name).read_bytes() for name in reports["clean"].pictures}
    shown = sections.stages({"corpus_clean": reports["clean"]}, {"corpus_clean": pictures})
    assert shown.count("data:image/png") == 1
    for text in ("tiny: pitch, velocity", "velocity_keep/tiny", "duration_keep/tiny", "repeated/tiny"):
        assert text in shown


def test_the_split_leaves_the_notes_as_they_are(done: tuple[Path, dict[str, Report]]) -> None:
    for name in ("notes", "controls", "timeline"):
        assert (done[0] / "split" / f"{name}.parquet").read_bytes() == (
            done[0] / "clean" / f"{name}.parquet"
        ).read_bytes()


def test_two_runs_give_the_same_bytes(done: tuple[Path, dict[str, Report]], tmp_path: Path) -> None:
    run_all(tmp_path)
    for name in ("clean", "split", "augmented"):
        assert sha256_folder(tmp_path / "out" / "corpus" / name) == sha256_folder(done[0] / name)


def test_a_swallowed_corpus_is_a_warning() -> None:
    check = steps.no_work_swallows_a_corpus({"tiny": {"largest_work": 5, "pieces": 20}}, 0.1)
    assert not check.passed
    assert not check.blocking
    assert "tiny 25%" in check.detail
    assert steps.no_work_swallows_a_corpus({"tiny": {"largest_work": 2, "pieces": 20}}, 0.1).passed
