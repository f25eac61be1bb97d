"""A Databricks job from the same configuration: adds the inbox of the catalogue by Spark, every night.

Written for the Jobs API 2.1; never run on Databricks from here.
"""

from __future__ import annotations

from typing import Any

from hocket.config import Config
from hocket.config.storage import StorageConfig
from hocket.errors import InputError

TIMEZONE = "Europe/Paris"
_RUNTIME = "15.4.x-scala2.12"
_NODE, _WORKERS = "Standard_DS3_v2", (1, 8)
_SCOPE = "hocket"  # secret scope of the workspace that holds storage.secret


def job_of(cfg: Config, settings: list[str], cron: str) -> dict[str, Any]:
    """The body of POST /api/2.1/jobs/create.

    Args:
        cfg: composed with engine=databricks and the settings.
        settings: passed on to the task, word for word; they hold no secrets.
        cron: Quartz expression.

    Raises:
        InputError: the storage is a folder, which a cluster does not see.
    """
    if cfg.storage.kind != "azure":
        raise InputError("catalog job: storage.kind is local, which a cluster does not see; set storage=azure")
    words = ["catalog", "add", "--inbox", "--json", "--set", "engine=databricks"]
    words += [word for setting in settings for word in ("--set", setting)]
    return {
        "name": "hocket audio catalogue",
        "max_concurrent_runs": 1,
        "schedule": {"quartz_cron_expression": cron, "timezone_id": TIMEZONE, "pause_status": "PAUSED"},
        "job_clusters": [{"job_cluster_key": "catalogue", "new_cluster": _cluster(cfg.storage)}],
        "tasks": [
            {
                "task_key": "add_inbox",
                "job_cluster_key": "catalogue",
                "python_wheel_task": {"package_name": "hocket", "entry_point": "hocket", "parameters": words},
                "libraries": [{"pypi": {"package": "hocket[catalog,azure]"}}],
                "max_retries": 1,
                "timeout_seconds": 6 * 3600,
            }
        ],
    }


def _cluster(storage: StorageConfig) -> dict[str, Any]:
    """Workers come and go with the work; the secret comes from the workspace's scope, by name."""
    low, high = _WORKERS
    secret = {} if storage.vault else {storage.secret: f"{{{{secrets/{_SCOPE}/{storage.secret}}}}}"}
    return {
        "spark_version": _RUNTIME,
        "node_type_id": _NODE,
        "autoscale": {"min_workers": low, "max_workers": high},
        "spark_env_vars": {"OMP_NUM_THREADS": "1", **secret},
    }
