"""Requests made from an API's own description, and whether the answers are as it says.

KINEBOX_EXAMPLES=200 makes many more of them, others at each run.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks

if TYPE_CHECKING:
    from collections.abc import Callable

load_all_checks()
MANY = int(os.environ.get("KINEBOX_EXAMPLES", "0"))
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]


def try_every_operation(
    schema: Any, examples: int, real: dict[str, list[Any]], send: Callable[[Any, bool], None]
) -> None:
    """Call `send` with cases of every operation and whether each is a right one, as the description goes.

    Of each operation so many right ones, in which some values are replaced by those of `real` (by the name of their
    parameter or field), and as many wrong ones. Operations that delete come last: what there is stays for the others.
    """
    operations = [result.ok() for result in schema.get_all_operations()]
    operations.sort(key=lambda operation: operation.method == "delete")
    for operation in operations:
        _try(operation, GenerationMode.POSITIVE, examples, real, send)
        with suppress(Unsatisfiable):  # nothing can be made wrong there
            _try(operation, GenerationMode.NEGATIVE, examples, {}, send)


def _try(
    operation: Any,
    mode: GenerationMode,
    examples: int,
    real: dict[str, list[Any]],
    send: Callable[[Any, bool], None],
) -> None:
    @settings(
        max_examples=MANY or examples, deadline=None, phases=[Phase.generate], database=None,
        derandomize=not MANY, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode), st.data())
    def attempt(case: Any, data: st.DataObject) -> None:
        for part in ("path_parameters", "query", "body") if real else ():
            if isinstance(getattr(case, part), dict):
                setattr(case, part, _named(getattr(case, part), real, data))
        send(case, mode is GenerationMode.POSITIVE)

    attempt()


def _named(value: Any, real: dict[str, list[Any]], data: st.DataObject) -> Any:
    if isinstance(value, dict):
        return {
            key: data.draw(st.sampled_from([*real.get(key, ()), _named(inner, real, data)]))
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_named(inner, real, data) for inner in value]
    return value


def faults(case: Any, answer: Any) -> list[str]:
    """In what an answer is not as the description says."""
    try:
        case.validate_response(answer, checks=CHECKS)
    except (Failure, FailureGroup) as error:
        causes = [str(cause) for cause in getattr(error, "exceptions", ())]
        return [f"{case.operation.label}: {error} {causes}"]
    return []
