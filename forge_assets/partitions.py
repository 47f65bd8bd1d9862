"""The partition sets of Forge: 64 hash shards of the corpus, and one partition for each blueprint.

(Dagster stops propagating staleness at 100 partitions.)
"""

from dagster import DynamicPartitionsDefinition, StaticPartitionsDefinition

from forge_assets.corpus.addresses import SHARD_KEYS

SHARDS = StaticPartitionsDefinition(SHARD_KEYS)
FIRST_SHARD, LAST_SHARD = SHARD_KEYS[0], SHARD_KEYS[-1]
BLUEPRINTS = DynamicPartitionsDefinition(name="blueprint")
"""`forge blueprint create` adds a key, `delete` takes it away."""
