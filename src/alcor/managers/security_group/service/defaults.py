"""What a new group begins with, and the default group that every project has from its first use."""

from alcor.contracts.resources import ListRequest
from alcor.managers.security_group.model.group import Group, default_group
from alcor.managers.security_group.model.rule import rule
from alcor.managers.security_group.model.template import traffic_for
from alcor.managers.security_group.needs import Store, Transaction
from alcor.runtime.managing.writes import Makers, seen_by


def insert_group(tx: Transaction, group: Group, makers: Makers) -> None:
    """Save a new group with the rules of its kind's templates."""
    tx.insert_groups([group])
    rules = [
        rule(traffic, group, makers.new_id(), group.project_id, "", group.created_at)
        for traffic in traffic_for(group, tx.templates())
    ]
    tx.insert_rules(rules, group.project_id)


def default_of(tx: Transaction, project: str, makers: Makers) -> Group:
    """The project's default group, made now if it is missing. Within a write: made once."""
    held = tx.default_of(project)
    if held is not None:
        return held
    made = default_group(project, makers.new_id(), makers.now())
    insert_group(tx, made, makers)
    return made


async def ensure_at_first_use(store: Store, request: ListRequest, makers: Makers) -> None:
    """See to it that the project asked about has its default group; a read when it has.

    Whoever asks about a project that is not theirs makes nothing.
    """
    caller = request.caller
    filters = {each.field: each.values for each in request.query.filters}
    project = str(filters.get("project_id", (caller.project_id,))[0] or "")
    if "id" in filters or not project or seen_by(caller) not in (None, project):
        return
    if await store.read(lambda tx: tx.default_of(project)) is None:
        await store.write(lambda tx: default_of(tx, project, makers), caller.request_id)
