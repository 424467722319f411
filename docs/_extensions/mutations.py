"""Tables of the rules, and of the mutations that their tests catch.

Each list `tests/mutations/<list>.toml` is made a page `evidence/<list>-mutations.md`
when a build begins, so that no page is older than its list.

    ```{rules}
    ```

shows the numbered rules of `tests/kafka_rules.toml`, each with the lists that have rows
for it, and

    ```{stories}
    ```

its delivery scenarios, each with the tests whose docstring cites it.
"""

from collections import Counter
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

from tests.mutations import lists


def page_of(listed: lists.MutationList) -> str:
    """Return the page of one list, in Markdown."""
    lines = [
        f"# {listed.title}",
        "",
        listed.intro.strip(),
        "",
        f"`python tests/mutations/run.py {listed.name}` makes each change in a copy of",
        "the package and runs the named tests there; every one of them must fail.",
        "",
        "| rule | test | in | is | becomes |",
        "| --- | --- | --- | --- | --- |",
    ]
    for mutation in listed.mutations:
        names = "<br>".join(
            f"`{test.removeprefix('tests/')}`" for test in mutation.tests
        )
        file = mutation.file.removeprefix("kafkasim/")
        lines.append(
            f"| {mutation.rule} | {names} | `{file}` | {_code(mutation.old)} "
            f"| {_code(mutation.new)} |"
        )
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    lines = [line.strip().replace("|", "\\|") for line in text.strip().splitlines()]
    return "<br>".join(f"`{line}`" for line in lines if line) or "(nothing)"


def rules() -> str:
    """Return the tables of the numbered rules, in Markdown."""
    rows: dict[str, Counter[str]] = {}
    for each in map(lists.read_list, lists.FILES):
        for mutation in each.mutations:
            for rule in lists.rules_of(mutation):
                rows.setdefault(rule, Counter())[each.name] += 1
    lines = []
    for section in lists.sections():
        lines += [f"## {section.title}", "", section.source, ""]
        lines += ["| rule | what happens | rows |", "| --- | --- | --- |"]
        for rule, says in section.says.items():
            counts = rows.get(rule, Counter())
            held = ", ".join(
                f"[{name}]({name}-mutations.md) {count}"
                for name, count in sorted(counts.items())
            )
            lines.append(f"| {rule} | {says} | {held} |")
        for rule, says in section.left_out.items():
            lines.append(f"| {rule} | {says} | left out |")
        lines.append("")
    return "\n".join(lines)


def write_pages(folder: Path) -> None:
    """Write the page of every list, and remove those of lists that are gone."""
    pages = {
        f"{each.name}-mutations.md": page_of(each)
        for each in map(lists.read_list, lists.FILES)
    }
    for old in folder.glob("*-mutations.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        target = folder / name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


def stories() -> str:
    """Return the table of the delivery scenarios, in Markdown."""
    tellers = lists.tellers()
    lines = [
        "| | what happens | what is expected | told by |",
        "| --- | --- | --- | --- |",
    ]
    for each in lists.scenarios():
        told = "<br>".join(f"`{test}`" for test in tellers.get(each.number, []))
        lines.append(f"| {each.number} | {each.setup} | {each.expected} | {told} |")
    return "\n".join(lines)


class StoriesTable(SphinxDirective):
    """The directive for the delivery scenarios."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        for path in (lists.RULES, *lists.STORIES.rglob("test_*.py")):
            self.env.note_dependency(str(path))
        return self.parse_text_to_nodes(stories())


class RulesTable(SphinxDirective):
    """The directive for the rules."""

    def run(self) -> list[nodes.Node]:
        """Return the tables."""
        for path in (lists.RULES, *lists.FILES):
            self.env.note_dependency(str(path))
        return self.parse_text_to_nodes(rules(), allow_section_headings=True)


def _begin(app: Sphinx, _: Config) -> None:
    write_pages(Path(app.srcdir) / "evidence")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them, and tell it of the directive."""
    app.connect("config-inited", _begin)
    app.add_directive("rules", RulesTable)
    app.add_directive("stories", StoriesTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
