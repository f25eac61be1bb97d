"""Which dataclass each group of conf/ is checked against. A new model or view adds its line here.

Values are import paths, so that looking one up does not import the others.
"""

SINGLE = {
    "profile": "hocket.config.schema:ProfileConfig",
    "trainer": "hocket.config.schema:TrainerConfig",
    "logger": "hocket.config.schema:LoggerConfig",
    "clean": "hocket.config.corpus:CleanConfig",
    "split": "hocket.config.corpus:SplitConfig",
    "augment": "hocket.config.corpus:AugmentConfig",
    "engine": "hocket.config.engine:EngineConfig",
    "render": "hocket.config.audio:RenderConfig",
    "storage": "hocket.config.storage:StorageConfig",
    "catalog": "hocket.config.storage:CatalogConfig",
    "evaluation": "hocket.config.evaluation:EvaluationConfig",
}
# groups of several files: one schema for all, or one by the name of the entry
GATHERED: dict[str, str | dict[str, str]] = {
    "corpus": "hocket.config.sources:CorpusConfig",
    "view": {
        "performance": "hocket.config.views:PerformanceConfig",
        "melodies": "hocket.config.melodies:MelodiesConfig",
        "drums": "hocket.config.drums:DrumsConfig",
        "tunes": "hocket.config.tunes:TunesConfig",
        "segments": "hocket.config.latent:SegmentsConfig",
    },
    "generation": {
        "composer": "hocket.config.generation:ComposerConfig",
        "melody_rewarded": "hocket.config.generation:MelodyRewardedConfig",
        "melody_lstm": "hocket.config.melodies:MelodyGenerationConfig",
        "melody_vae": "hocket.config.latent:MelodyVaeGenerationConfig",
        "melody_gan": "hocket.config.latent:MelodyGanGenerationConfig",
        "drum_vae": "hocket.config.drums:DrumGenerationConfig",
        "tune_lm": "hocket.config.tunes:TuneGenerationConfig",
    },
}
# conf/model/<name>.yaml carries `name`, which selects its schema
MODELS = {
    "forest": "hocket.config.models:ForestConfig",
    "melody_lstm": "hocket.config.melodies:MelodyLstmConfig",
    "melody_vae": "hocket.config.latent:MelodyVaeConfig",
    "melody_gan": "hocket.config.latent:MelodyGanConfig",
    "drum_vae": "hocket.config.drums:DrumVaeConfig",
    "tune_lm": "hocket.config.tunes:TuneLmConfig",
    "tune_transformer": "hocket.config.tunes:TuneTransformerConfig",
    "performer": "hocket.config.performer:PerformerConfig",
    "performer_ar": "hocket.config.performer:PerformerConfig",
}
