"""JSON documents without NaN or infinities."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, cast

import numpy as np


def to_json(data: Any) -> str:
    """One JSON document without NaN or infinities."""
    return json.dumps(plain(data), indent=2, ensure_ascii=False, allow_nan=False)


def plain(data: Any) -> Any:
    """What JSON can hold of a value: a dataclass by its fields, an array as lists, a number that is none as null."""
    match data:
        case Mapping():
            return {key: plain(value) for key, value in data.items()}
        case list() | tuple() | np.ndarray():
            return [plain(value) for value in data]
        case bool() | np.bool_():
            return bool(data)
        case Enum():
            return data.value
        case float() | np.floating():
            return float(data) if math.isfinite(data) else None
        case np.integer():
            return int(data)
    if is_dataclass(data):
        return {one.name: plain(getattr(data, one.name)) for one in fields(cast(Any, data))}
    return data
