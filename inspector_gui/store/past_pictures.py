"""Where the pictures of inspected parts are: kept in the workspace, or in the file they came in."""

from collections.abc import Iterable

from sqlalchemy import select

from inspector_gui.core.sets.side_by_side import Candidate
from inspector_gui.core.types import Outcome
from inspector_gui.store.database import Workspace
from inspector_gui.store.schema import InspectionRecord

_AT_ONCE = 500  # numbers in one question to the database


def past_pictures(workspace: Workspace, rows: Iterable[int]) -> tuple[Candidate, ...]:
    """Return the pictures of inspections, in the order of `rows` (ids); of errors there is none.

    Whether a file is still there, with the content that was judged, is for the reader to see.
    """
    wanted = tuple(rows)
    record = InspectionRecord
    found: dict[int, Candidate] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(
            record.id, record.name, record.path, record.content_sha, record.picture_sha
        ).where(
            record.id.in_(wanted[start : start + _AT_ONCE]),
            record.outcome != Outcome.ERROR.value,
        )
        with workspace.session() as session:
            for one in session.execute(query):
                if one.picture_sha is not None:
                    found[one.id] = Candidate(one.name, one.picture_sha, row_id=one.id)
                elif one.path is not None:
                    found[one.id] = Candidate(
                        one.name, one.content_sha or "", one.path, row_id=one.id
                    )
    return tuple(found[row] for row in wanted if row in found)
