"""One kind of bad input, as the tables of bad_models.py and bad_jobs.py list them."""

from dataclasses import dataclass
from typing import Callable

from workshop import Workshop


@dataclass
class Case:
    """`command` spoils something in the workshop and returns arguments; the error must hold every text of `names`."""

    name: str
    command: Callable[[Workshop], list]
    names: tuple
    makes: tuple = ()  # Files that may appear all the same.
