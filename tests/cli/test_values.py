import pytest

from kafkasim.cli.values import parse_setting, parse_settings, parse_value
from kafkasim.errors import ValidationError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8", 8),
        ("-3", -3),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("525_600", 525_600),
        ("true", True),
        ("false", False),
        ('"all"', "all"),
        ("'a,b'", "a,b"),
        ("all", "all"),
        ("2013-01-01x", None),
        ("[1, 2]", [1, 2]),
        (
            '{kind="trace_column", column="carrier"}',
            {"kind": "trace_column", "column": "carrier"},
        ),
    ],
)
def test_a_value_is_read_as_toml_and_a_bare_word_as_text(
    text: str, value: object
) -> None:
    if value is None:
        with pytest.raises(ValidationError, match="seed: '2013-01-01x'"):
            parse_value("seed", text)
    else:
        read = parse_value("seed", text)
        assert read == value
        assert type(read) is type(value)


def test_commas_separate_values_outside_quotes_brackets_and_braces() -> None:
    path, values = parse_setting(
        'a.b=1,"x,y",[1, 2],{kind="k", n=[1,2]},{kind="no_keys"},word'
    )
    assert path == "a.b"
    assert values == [
        1,
        "x,y",
        [1, 2],
        {"kind": "k", "n": [1, 2]},
        {"kind": "no_keys"},
        "word",
    ]


def test_a_quoted_name_in_a_path_may_hold_dots_and_equals_signs() -> None:
    assert parse_setting('system.topics."orders=v1.2".partitions=4') == (
        'system.topics."orders=v1.2".partitions',
        [4],
    )


@pytest.mark.parametrize("text", ["seed", "=4", "", "seed=", "seed=1,,2", "seed=1,"])
def test_a_setting_without_a_path_or_a_value_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        parse_setting(text)


@pytest.mark.parametrize("text", ['seed="open', "seed=[1", "seed={a=1", "seed=a b"])
def test_a_value_that_is_not_closed_is_refused_and_named(text: str) -> None:
    with pytest.raises(ValidationError, match="seed"):
        parse_setting(text)


def test_a_date_is_no_value_of_a_scenario() -> None:
    with pytest.raises(ValidationError, match="2013-01-01"):
        parse_value("start", "2013-01-01")


def test_a_newline_cannot_smuggle_in_a_second_key() -> None:
    with pytest.raises(ValidationError):
        parse_value("seed", "1\nother = 2")


def test_a_path_is_set_once() -> None:
    with pytest.raises(ValidationError, match="seed"):
        parse_settings(["seed=1", "seed=2"])
