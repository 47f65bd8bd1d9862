"""The partition sets of Forge: 64 hash shards of the corpus, one partition for each blueprint, and one for each volume of documentation.

(Dagster stops propagating staleness at 100 partitions.)
"""

from dagster import DynamicPartitionsDefinition, StaticPartitionsDefinition

from forge_assets.corpus.addresses import SHARD_KEYS

SHARDS = StaticPartitionsDefinition(SHARD_KEYS)
FIRST_SHARD, LAST_SHARD = SHARD_KEYS[0], SHARD_KEYS[-1]
BLUEPRINTS = DynamicPartitionsDefinition(name="blueprint")
"""`forge blueprint create` adds a key, `delete` takes it away."""
VOLUMES_SET = "volume"
VOLUMES = DynamicPartitionsDefinition(name=VOLUMES_SET)
"""A slot each, a coarse topic each, and the overview; the sensor `volumes` and `forge docs build` keep the keys."""
