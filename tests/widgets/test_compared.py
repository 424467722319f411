from kafkasim.widgets.compared import compared


def test_the_run_before_stands_beside_this_one() -> None:
    alone = compared({"a": "1", "b": "2"}, None)
    both = compared({"a": "1", "b": "2"}, {"a": "3"})
    assert "run before" not in alone
    assert both.count("<tr>") == alone.count("<tr>") == 3
    assert both.index(">1") < both.index(">3") < both.index(">2")


def test_labels_and_texts_are_no_markup() -> None:
    made = compared({"<b>": "1 < 2"}, None)
    assert "&lt;b&gt;" in made
    assert "1 &lt; 2" in made
