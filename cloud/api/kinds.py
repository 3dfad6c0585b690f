"""People and dogs: two rows of one description. The routes are made from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    create_model,
)

from cloud.api.profile import Purpose, catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from wire.metrics import Species

EARLIEST = date(1980, 1, 1)
"""No dog was born before it."""


def _past(born: date | None) -> date | None:
    if born is not None and not EARLIEST <= born <= datetime.now(UTC).date():
        raise ValueError(f"lies before {EARLIEST} or in the future")
    return born


def _past_year(year: int | None) -> int | None:
    if year is not None and year > datetime.now(UTC).year:
        raise ValueError("lies in the future")
    return year


def _one_of(keys: tuple[str, ...]) -> Any:
    """The type of a text that is one of `keys`, with the keys in its JSON schema."""

    def check(key: str) -> str:
        if key not in keys:
            raise ValueError(f"is none of {', '.join(keys)}")
        return key

    return Annotated[
        str,
        Field(max_length=40),
        AfterValidator(check),
        WithJsonSchema({"type": "string", "enum": list(keys)}),
    ]


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Email = Annotated[str, Field(max_length=320, description="of who will see it as their own; they are invited")]


class Profile(BaseModel):
    """What is known of a person or a dog. The bounds are those of the database's columns."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    alias: Name | None = Field(default=None, description="what they are called here; need not be a name")


class PersonProfile(Profile):
    """What is known of a person."""

    birth_year: Annotated[int, AfterValidator(_past_year)] | None = Field(default=None, ge=1900, le=2100)
    height_m: float | None = Field(default=None, ge=0.3, le=2.6)
    weight_kg: float | None = Field(default=None, ge=1, le=400)


class DogProfile(Profile):
    """What is known of a dog."""

    breed: Name | None = None
    born: Annotated[date, AfterValidator(_past)] | None = None
    weight_kg: float | None = Field(default=None, ge=0.3, le=150)


class ConsentGiven(BaseModel):
    """What somebody agrees to."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field(max_length=40, description="the version whose text they were shown")
    purposes: list[Purpose] = Field(min_length=1, max_length=10)


class Consent(BaseModel):
    """What somebody agreed to, and when."""

    version: str
    purposes: list[Purpose]
    given: datetime
    given_by: int | None = Field(description="the user who recorded it; none where the user was removed")
    withdrawn: datetime | None
    outdated: bool = Field(description="another version is asked for by now")

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """From a row of the table."""
        return cls(**row, outdated=row["version"] != catalogue().consent.version)


@dataclass(frozen=True)
class Kind:
    """What differs between people and dogs."""

    species: Species
    table: Literal["people", "dogs"]
    """Also their path: /api/people, /api/dogs."""
    one: str
    new: type[BaseModel]
    """A profile with consent."""
    changes: type[Profile]
    record: type[BaseModel]
    """A profile with who it is."""
    enrolled: type[BaseModel]
    """A record with an invitation, perhaps."""

    @property
    def prefix(self) -> str:
        """Of the paths."""
        return f"/api/{self.table}"


def typed(**models: type[BaseModel]) -> Callable[[Any], Any]:
    """Name the models of a handler's parameters that differ by kind: the framework reads the annotations."""

    def name(handler: Any) -> Any:
        handler.__annotations__ |= models
        return handler

    return name


def _kind(species: Species, table: Literal["people", "dogs"], one: str, profile: type[Profile]) -> Kind:
    name = one.capitalize()
    conditions = _one_of(catalogue().conditions(species))
    goal = _one_of(catalogue().goals(species))
    several: Any = GenericAlias(list, (conditions,))
    changes = create_model(
        f"{name}Profile",
        __base__=profile,
        __doc__=profile.__doc__,
        conditions=(several, Field(default=[], max_length=30)),
        goal=(goal | None, None),
    )
    new = create_model(
        f"New{name}",
        __base__=changes,
        __doc__=f"A {one} and what they, or who speaks for them, agreed to.",
        consent=(ConsentGiven, ...),
        subject=(UUID | None, Field(default=None, description="where boxes know them by an id already")),
        email=(Email | None, None),
    )
    record = create_model(
        name,
        __base__=profile,
        __doc__=f"A {one}.",
        # Of what the catalogue had when they were noted.
        conditions=(list[str], []),
        goal=(str | None, None),
        subject=(UUID, Field(description="the id by which boxes, paths and exports name them")),
        enrolled=(bool, Field(description="false: boxes tell of them, nobody has enrolled them")),
        user_id=(int | None, Field(default=None, description="the user whose they are")),
        consent=(Consent | None, Field(default=None, description="what holds at present")),
    )
    enrolled = create_model(
        f"Enrolled{name}",
        __base__=record,
        __doc__=f"A {one}, and the link for who was invited.",
        invitation=(str | None, Field(default=None, description="shown once: send it to them")),
    )
    return Kind(species, table, one, new, changes, record, enrolled)


KINDS = (
    _kind("human", "people", "person", PersonProfile),
    _kind("dog", "dogs", "dog", DogProfile),
)
