"""All damaged partitions that are opened: of each a name, what is done, and how.

What Kafka 4.3.1's `LogLoader` made of each stands in `data/loading.json`; how it was
asked, `kafka/LoadLog.java` says.
"""

from tests.log.batch_cases import BATCH_CASES
from tests.log.damages import Case, Files, log_name, positions
from tests.log.file_cases import FILE_CASES

CASES = BATCH_CASES + FILE_CASES

__all__ = ["CASES", "Case", "Files", "log_name", "positions"]
