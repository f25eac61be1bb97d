"""``python -m hocket stage=... key=value``: one stage of the pipeline, or a sweep of them with ``--multirun``."""

from __future__ import annotations

import os
import sys
import traceback

from hocket.errors import exit_code


def main(arguments: list[str]) -> int:
    """Runs one stage; 0 when it went well, 1 for a fault of ours, 2 for bad input (one line on stderr)."""
    from hocket.config import compose, require_experiment
    from hocket.stages import run_stage

    try:
        if any(argument.startswith("-") for argument in arguments):
            require_experiment(arguments)
            return _hydra_program()
        report = run_stage(compose(arguments))
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("HOCKET_DEBUG"):
            raise
        code, line = exit_code(error)
        if code == 1:
            traceback.print_exc()
        print(f"hocket: {line}", file=sys.stderr)
        return code
    print(f"{report.stage}: {report.summary}")
    return 0


def _hydra_program() -> int:
    """Hydra's own command line, for ``--multirun``, ``--cfg job``, ``--help``."""
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf import DictConfig, OmegaConf

    from hocket.config import conf_folder, from_mapping
    from hocket.stages import run_stage

    @hydra.main(version_base="1.3", config_path=str(conf_folder().resolve()), config_name="config")  # type: ignore[untyped-decorator]  # hydra has no types
    def program(cfg: DictConfig) -> None:
        plain = OmegaConf.to_container(cfg, resolve=True)
        assert isinstance(plain, dict)
        if HydraConfig.get().mode == RunMode.MULTIRUN and not plain["experiment"]:
            plain["experiment"] = sweep_name(sys.argv[1:])
        print(run_stage(from_mapping({str(key): value for key, value in plain.items()})).summary)

    program()
    return 0


def sweep_name(arguments: list[str]) -> str:
    """Group of a sweep that is no named experiment, so that its runs land together and beside nothing else.

    ``stage=models model=forest seed=1,2`` is ``sweep-models-forest-seed``.
    """
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    swept = sorted(name for name, value in given.items() if "," in value)
    fixed = [given[name] for name in ("stage", "model") if name in given and name not in swept]
    return "-".join(["sweep", *fixed, *(name.split(".")[-1].lstrip("+") for name in swept)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
