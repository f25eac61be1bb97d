"""``python -m hocket stage=... key=value``: one stage of the pipeline, or a sweep of them with ``--multirun``."""

from __future__ import annotations

import os
import sys
import traceback

from hocket.errors import exit_code


def main(arguments: list[str]) -> int:
    """Runs one stage; 0 when it went well, 1 for a fault of ours, 2 for bad input (one line on stderr)."""
    if any(argument.startswith("-") for argument in arguments):
        return _hydra_program()
    from hocket.config import compose
    from hocket.stages import run_stage

    try:
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
    from omegaconf import DictConfig, OmegaConf

    from hocket.config import conf_folder, from_mapping
    from hocket.stages import run_stage

    @hydra.main(version_base="1.3", config_path=str(conf_folder().resolve()), config_name="config")  # type: ignore[untyped-decorator]  # hydra has no types
    def program(cfg: DictConfig) -> None:
        plain = OmegaConf.to_container(cfg, resolve=True)
        assert isinstance(plain, dict)
        print(run_stage(from_mapping({str(key): value for key, value in plain.items()})).summary)

    program()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
