"""A table of Kafka's keys that no field models, and what that means.

    ```{unmodelled} broker
    ```

makes one table for producer, consumer, topic or broker, from `kafkasim.config.known`.
"""

from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from kafkasim.config import known


def table_of(kind: known.Kind) -> str:
    """Return the table of one kind of file, in Markdown."""
    lines = ["| keys | in a run |", "|---|---|"]
    for group in known.key_groups():
        if keys := group.keys.get(kind):
            listed = " ".join(
                f"`{key}*`" if key[-1] == "." else f"`{key}`" for key in keys
            )
            lines.append(f"| **{group.title}**: {listed} | {group.means} |")
    return "\n".join(lines)


class UnmodelledTable(SphinxDirective):
    """The directive."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        for file in (known.__file__, str(known.FILE), __file__):
            self.env.note_dependency(file)
        return self.parse_text_to_nodes(table_of(self.arguments[0]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("unmodelled", UnmodelledTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
