"""JSON documents without NaN or infinities."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np


def to_json(data: Any) -> str:
    """One JSON document without NaN or infinities."""
    return json.dumps(_finite(data), indent=2, ensure_ascii=False, allow_nan=False)


def _finite(data: Any) -> Any:
    match data:
        case dict():
            return {key: _finite(value) for key, value in data.items()}
        case list() | tuple():
            return [_finite(value) for value in data]
        case bool() | np.bool_():
            return bool(data)
        case float() | np.floating():
            return float(data) if math.isfinite(data) else None
        case np.integer():
            return int(data)
        case _:
            return data
