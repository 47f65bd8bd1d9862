"""Where documents come from: folders, buckets, dumps, arXiv, the Hugging Face Hub, lists of URLs."""

from forge_assets.corpus.sources.bucket import BucketSource
from forge_assets.corpus.sources.folder import FolderSource, is_container
from forge_assets.corpus.sources.interface import Cursor, Feed, Fetched, Found, Listed, Listing, Page, Source
from forge_assets.corpus.sources.jsonl import JsonLinesSource
from forge_assets.corpus.sources.places import normalise
from forge_assets.corpus.sources.records import record_identity
from forge_assets.corpus.sources.registry import add_source, is_feed, list_sources, load_sources, make_source, remove_source

__all__ = [
    "BucketSource",
    "Cursor",
    "Feed",
    "Fetched",
    "FolderSource",
    "Found",
    "JsonLinesSource",
    "Listed",
    "Listing",
    "Page",
    "Source",
    "add_source",
    "is_container",
    "is_feed",
    "list_sources",
    "load_sources",
    "make_source",
    "normalise",
    "record_identity",
    "remove_source",
]
