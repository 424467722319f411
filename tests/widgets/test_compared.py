from kafkasim.widgets.compared import compared, side_by_side


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


def test_columns_of_any_name_stand_side_by_side() -> None:
    made = side_by_side({"queue": {"left": "0"}, "a & b": {"left": "40"}})
    assert made.index("queue") < made.index("a &amp; b") < made.index(">0")
    assert made.index(">0") < made.index(">40")
