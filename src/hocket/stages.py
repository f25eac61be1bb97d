"""Stage name -> function, the only list of what the pipeline can do.

A stage function is ``run(cfg: Config, out: Path) -> Report``: it reads the outputs of other stages under ``cfg.out``,
writes into the empty folder `out`, and says what it did. `run_stage` gives it the folder, completes the report, and
puts the folder in its place only when everything went well.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from hocket.config import Config
from hocket.errors import ConfigError
from hocket.files import output_folder, sha256_folder, write_text
from hocket.report import Report, stage_folder, take_inputs_read

StageFunction = Callable[[Config, Path], Report]

# fixed stages: name as in dvc.yaml
STAGES = {
    "data": "hocket.demo.build:run",
    "corpus_notes": "hocket.corpus.stages:notes",
    "corpus_clean": "hocket.corpus.stages:clean",
    "corpus_split": "hocket.corpus.stages:split",
    "corpus_augmented": "hocket.corpus.stages:augmented",
    "views_performance": "hocket.views.performance:run",
    "views_melodies": "hocket.views.melodies:run",
    "views_drums": "hocket.views.drums:run",
    "views_tunes": "hocket.views.tunes:run",
    "views_segments": "hocket.views.segments_stage:run",
    "evaluation_melodies": "hocket.evaluation.melodies:run",
    "evaluation_latent_forms": "hocket.evaluation.latent_forms:run",
    "evaluation_compositions": "hocket.evaluation.compositions:run",
    "evaluation_likelihood": "hocket.evaluation.likelihoods:run",
    "evaluation_leaderboard": "hocket.evaluation.leaderboard:run",
    "evaluation_promotion": "hocket.evaluation.promotion:run",
    "generation_composer": "hocket.composing:run",
    "generation_melody_rewarded": "hocket.evaluation.melody_rewarded:run",
    "generation_renders": "hocket.audio.stage:renders",
    "audio_features": "hocket.catalog.stages:features",
    "audio_catalog": "hocket.catalog.stages:catalog",
    "report": "hocket.page.stage:run",
}
# stages per model, `stage=models model=forest` is models_forest in dvc.yaml
MODEL_STAGES = {
    "models": {
        "forest": "hocket.training.forest:run",
        "melody_lstm": "hocket.training.melody_lstm:run",
        "drum_vae": "hocket.training.drum_vae:run",
        "melody_vae": "hocket.training.melody_vae:run",
        "melody_gan": "hocket.training.melody_gan:run",
        "tune_lm": "hocket.training.tune_lm:run",
        "tune_transformer": "hocket.training.tune_lm:run",
        "performer": "hocket.training.performer:run",
        "performer_ar": "hocket.training.performer:run",
    },
    "evaluation": {
        "forest": "hocket.evaluation.forest:run",
        "performer": "hocket.evaluation.performer:run",
        "performer_ar": "hocket.evaluation.performer:run",
        "melody_lstm": "hocket.evaluation.melody_lstm:run",
        "melody_vae": "hocket.evaluation.melody_vae:run",
        "melody_gan": "hocket.evaluation.melody_gan:run",
        "drum_vae": "hocket.evaluation.drum_vae:run",
        "tune_lm": "hocket.evaluation.tune_lm:run",
    },
    "generation": {
        "melody_lstm": "hocket.generation.melody_lstm:run",
        "melody_vae": "hocket.generation.melody_vae:run",
        "melody_gan": "hocket.generation.melody_gan:run",
        "tune_lm": "hocket.generation.tune_lm:run",
        "drum_vae": "hocket.generation.drum_vae:run",
    },
}
RECORDED = ("models_", "evaluation_", "generation_renders")  # stages whose runs are compared
VERSIONED = ("numpy", "scipy", "scikit-learn", "torch", "pyarrow", "symusic")


def resolve(cfg: Config) -> tuple[str, StageFunction]:
    """Full stage name and function of a configuration.

    Raises:
        ConfigError: the stage is unknown, or the model has no such stage.
    """
    if cfg.stage in MODEL_STAGES:
        name = cfg.model.name if cfg.model is not None else ""
        paths = MODEL_STAGES[cfg.stage]
        if name not in paths:
            raise ConfigError(f"model: {name!r} has no stage {cfg.stage}; it must be one of {', '.join(paths)}")
        return f"{cfg.stage}_{name}", _load(paths[name])
    if cfg.stage not in STAGES:
        raise ConfigError(f"stage: {cfg.stage!r} is unknown; it must be one of {', '.join([*MODEL_STAGES, *STAGES])}")
    return cfg.stage, _load(STAGES[cfg.stage])


def run_stage(cfg: Config) -> Report:
    """Runs one stage; its output folder changes only when it succeeds. Seconds go to runs/timings, outside DVC."""
    set_threads(cfg.threads)
    stage, function = resolve(cfg)
    if stage.startswith(RECORDED):
        from hocket.training.loggers import record_run, require_logger

        require_logger(cfg.logger)
    target = output_of(cfg, stage)
    take_inputs_read()
    started, cpu = time.perf_counter(), time.process_time()
    with output_folder(target) as folder:
        report = function(cfg, folder)
        inputs = [path for path in take_inputs_read() if path.exists() and path != target]
        report.inputs = {_label(path, cfg.out): sha256_folder(path) for path in inputs}
        report.stage, report.profile, report.seed = stage, cfg.profile.name, cfg.seed
        report.versions = {name: metadata.version(name) for name in VERSIONED}
        report.write(folder)
    seconds = {"wall_s": time.perf_counter() - started, "cpu_s": time.process_time() - cpu}
    write_text(Path(cfg.logger.folder, "timings", f"{stage}.json"), json.dumps(seconds) + "\n")
    if stage.startswith(RECORDED):
        record_run(cfg, report, target, seconds)
    return report


def output_of(cfg: Config, stage: str) -> Path:
    """Where a stage writes: its folder under out/, or for an experiment one under runs/, which DVC does not track.

    Runs of a sweep are numbered in the order in which they begin.
    """
    if not cfg.experiment:
        return stage_folder(cfg.out, stage)
    folder = Path(cfg.logger.folder, "experiments", cfg.experiment)
    number = len(list(folder.glob("*"))) + 1
    return folder / f"{number:03d}" / Path(*stage.split("_", 1))


def _label(path: Path, out: str) -> str:
    """Outputs by their path, archives by their name: where they lie on this machine does not matter."""
    return path.as_posix() if path.is_relative_to(out) else path.name


def set_threads(count: int) -> None:
    """Bounds OpenMP and BLAS threads; must run before numpy-backed libraries start theirs."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(count)


def _load(path: str) -> StageFunction:
    module, _, name = path.partition(":")
    function: StageFunction = getattr(importlib.import_module(module), name)
    return function
