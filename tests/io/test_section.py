"""What a report's sections have in common."""

from gibbs_circuits.io.section import merged


def test_merged__tables_under_one_key__become_one_and_later_values_win() -> None:
    parts = [{"a": {"x": 1, "y": {"p": 1}}, "b": [1]}, {"a": {"x": 2, "y": {"q": 2}}}, {"b": [2], "c": None}]
    assert merged(parts) == {"a": {"x": 2, "y": {"p": 1, "q": 2}}, "b": [2], "c": None}
    assert parts[0] == {"a": {"x": 1, "y": {"p": 1}}, "b": [1]}
