from pathlib import Path

import pytest

from kafkasim.log.store import FolderStore, MemoryStore


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> MemoryStore | FolderStore:
    """Return each kind of store in turn; that in a folder writes often."""
    if request.param == "memory":
        return MemoryStore()
    return FolderStore(tmp_path / "t-0", gathered_bytes=1000)
