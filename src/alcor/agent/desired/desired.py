"""Desired state: the slices that this host holds, and which it needs.

Pure. Laws: what is older than what is held is dropped; an entry goes by a tombstone, by absence
from a snapshot that says it is complete, or because no port leads to its slice any more, and never
because information is missing. Revisions are compared within one epoch only; a new epoch replaces
what is held slice by slice, each by its complete snapshot.
"""

from collections.abc import Iterable

from alcor.agent.desired import pins
from alcor.agent.desired.held_slice import (
    HeldSlice,
    has_names,
    is_lazy,
    is_stale,
    left_in,
    newer,
    note_change,
    restored,
)
from alcor.agent.desired.held_slice import Subscription as Subscription
from alcor.agent.desired.held_slice import Taken as Taken
from alcor.agent.desired.state import SavedEntry, SavedSlice, SavedState
from alcor.goal_state.entries import Found, Neighbour, Network
from alcor.goal_state.slices import (
    host_slice,
    leads,
    looked_for,
    network_slice,
    reach_slice,
    slice_of,
)
from alcor.transport.link import Frame, Item


class Desired:
    """The slices of one host, closed over what its ports lead to."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._own = host_slice(host)
        self._slices: dict[str, HeldSlice] = {self._own: HeldSlice(self._own)}
        self.epoch = 0
        self.position = 0
        self._sought: dict[str, None] = {}  # `found` slices that machines want
        self._pinned: frozenset[str] = frozenset()  # and those that the host itself does

    @property
    def settled(self) -> bool:
        """Whether everything that is wanted is complete and followed; but for whom a machine has
        just begun to look for: else a host whose machines look for one after the other would never
        be done with anything."""
        every = self._slices.values()
        return all(each.synced or self._may_miss(each) for each in every)

    def _may_miss(self, each: HeldSlice) -> bool:
        if looked_for(each.name) is None:
            return False
        is_new = not each.epoch and each.name not in self._pinned
        return each.refused or is_new

    def subscriptions(self) -> list[Subscription]:
        """Every slice that is wanted, and up to where it is held."""
        return [self._subscription(each) for each in self._slices.values()]

    def restore(self, state: SavedState) -> Taken:
        """Begin with what the disk remembers; of another host's nothing is taken."""
        taken = Taken()
        if state.host != self._host:
            taken.faults.append(f"the saved state is of host {state.host}")
            return taken
        for saved in state.slices:
            self._slices[saved.name] = restored(saved, taken)
            if looked_for(saved.name) is not None:
                self._sought[saved.name] = None
        for each in self._slices.values():
            for key, entry in each.living():
                taken.note(key, None, entry)
        self._close_over(taken)
        return taken.sum_up()

    def saved(self) -> SavedState:
        """What is worth remembering: every slice that was complete once."""
        slices = [
            SavedSlice(
                name=each.name,
                epoch=each.epoch,
                # What can't be read now, a later release can: it asks for that again.
                position=self._held_up_to(each) if each.unread_from is None else each.unread_from,
                entries=[
                    SavedEntry(key, held.value, held.revision)
                    for key, held in each.held.items()
                    if held.entry is not None
                ],
                whole=each.whole,
            )
            for each in self._slices.values()
            if each.epoch
        ]
        return SavedState(host=self._host, slices=slices)

    @property
    def refused(self) -> list[str]:
        """The slices that are wanted and refused: for a moment any may be, while a port goes."""
        return sorted(each.name for each in self._slices.values() if each.refused)

    def lose_connection(self) -> None:
        """Nothing is followed any more, and a snapshot on its way is lost; what is held stays."""
        for each in self._slices.values():
            each.position = self._held_up_to(each)
            each.synced = each.refused = False
            each.staged = None

    # What is looked for in networks that are held lazily

    @property
    def sought(self) -> list[str]:
        """The `found` slices that machines want."""
        return list(self._sought)

    def seek(self, names: Iterable[str]) -> Taken:
        """Want `found` slices; of a network that is not held lazily nothing is looked for."""
        taken = Taken()
        for name in names:
            if self._is_lazy(_network_of(name)):
                self._sought[name] = None
                self._want(name, taken)
        return taken

    def forsake(self, names: Iterable[str]) -> Taken:
        """Want them no more."""
        taken = Taken()
        for name in names:
            if name in self._sought:
                del self._sought[name]
                if name not in self._pinned:
                    self._drop(name, taken)
        return taken.sum_up()

    def found(self, name: str) -> list[Neighbour] | None:
        """Who was found; None while that is not known."""
        each = self._slices.get(name)
        if each is None or not (each.synced or each.held):
            return None
        return [entry.neighbour for _, entry in each.living() if isinstance(entry, Found)]

    def leftovers(self) -> dict[str, list[Neighbour]]:
        """By network, the neighbours from when it was held as a whole: what of them is used must
        be looked for, and then they must go."""
        left: dict[str, list[Neighbour]] = {}
        for each in self._slices.values():
            if each.leftovers and not each.whole:
                network_id = each.name.split("/")[1]
                reach = self._slices.get(reach_slice(network_id))
                if reach is not None and reach.synced:  # who is to hear broadcasts is known
                    found = (entry for _, entry in left_in(each))
                    left[network_id] = [e for e in found if isinstance(e, Neighbour)]
        return left

    def drop_leftovers(self, network_id: str) -> Taken:
        """Hold them no more, and subscribe anew: until then all changes of them are told of."""
        taken = Taken()
        each = self._slices.get(network_slice(network_id))
        if each is not None and not each.whole:
            for key, entry in list(left_in(each)):
                del each.held[key]
                taken.note(key, entry, None)
            each.leftovers = False
            taken.subscribe.append(self._subscription(each))
        return taken.sum_up()

    def take(self, frame: Frame) -> Taken:
        """Take what a frame says; a frame may come twice."""
        taken = Taken()
        for name in frame.begins:
            self._begin(name, frame)
        for item in frame.items:
            self._take_item(item, frame.epoch, taken)
        for name in frame.completes:
            self._complete(name, frame, taken)
        for name in frame.resumes:
            self._resume(name, frame, taken)
        self._withdraw(frame.refused)
        if frame.epoch != self.epoch or frame.position > self.position:
            self.epoch, self.position = frame.epoch, frame.position
        if _may_lead(frame):
            self._pin()
            self._close_over(taken)
        if any(leads(item.key) for item in frame.items):
            self._ask_again(taken)
        return taken.sum_up()

    def _pin(self) -> None:
        partial = {each.name.split("/")[1] for each in self._slices.values() if not each.whole}
        every = (each.living() for each in self._slices.values()) if partial else ()
        self._pinned = pins.of(partial, (entry for living in every for _, entry in living))

    def _withdraw(self, refused: Iterable[str]) -> None:
        for name in refused:
            withdrawn = self._slices.get(name)
            if withdrawn is not None:
                withdrawn.position = self._held_up_to(withdrawn)  # nothing of it is sent any more
                withdrawn.refused = True

    def _ask_again(self, taken: Taken) -> None:
        """What leads to slices has moved: those that were refused, and are wanted still, are asked
        for again. Also those that were refused with it: one port may have gone, for which its
        network was withdrawn, and the next have come before either was sent."""
        for each in self._slices.values():
            if each.refused:
                each.refused = each.synced = False
                taken.subscribe.append(self._subscription(each))

    def _held_up_to(self, each: HeldSlice) -> int:
        """Of a slice that is followed, every frame moves the position."""
        if each.synced and not each.refused and each.epoch == self.epoch:
            return max(each.position, self.position)
        return each.position

    def _subscription(self, each: HeldSlice) -> Subscription:
        return Subscription(each.name, each.epoch, self._held_up_to(each))

    def _begin(self, name: str, frame: Frame) -> None:
        each = self._slices.get(name)
        if each is not None and not is_stale(each, frame):
            each.staged, each.staged_epoch, each.staged_unread = {}, frame.epoch, False

    def _take_item(self, item: Item, epoch: int, taken: Taken) -> None:
        each = self._slices.get(slice_of(item.key))
        if each is None:
            return  # of a slice that is not wanted any more
        if each.staged is not None and each.staged_epoch == epoch:
            faults = len(taken.faults)
            held = newer(each.staged.get(item.key), item, taken.faults.append)
            each.staged_unread |= len(taken.faults) > faults
            if held is None and item.key not in each.staged:
                held = each.held.get(item.key)  # not readable, which is not the same as gone
            if held is not None:
                each.staged[item.key] = held
        elif each.epoch == epoch:
            self._change(each, item, taken)
        else:
            taken.faults.append(f"{item.key} is of epoch {epoch}, and no snapshot began")

    def _change(self, each: HeldSlice, item: Item, taken: Taken) -> None:
        before = each.held.get(item.key)
        faults = len(taken.faults)
        held = newer(before, item, taken.faults.append)
        if held is None:
            if len(taken.faults) > faults and each.unread_from is None:
                each.unread_from = self._held_up_to(each)
            return
        each.hold(item.key, held)
        if isinstance(held.entry, Network) and held.entry.lazy:
            each.leftovers |= each.whole
            each.whole = False  # until a snapshot of a network that is not
        each.leftovers |= not each.whole and each.is_looked_for(held.entry)
        note_change(item.key, before, held, taken)
        taken.traces.add(item.trace)

    def _complete(self, name: str, frame: Frame, taken: Taken) -> None:
        each = self._slices.get(name)
        if each is None or each.staged is None or each.staged_epoch != frame.epoch:
            return
        before, after = each.held, each.staged
        if each.epoch == frame.epoch:
            for key, held in before.items():
                if key in after and held.revision > after[key].revision:
                    after[key] = held
        each.whole = not is_lazy(name, after)
        each.all_names = not each.whole and has_names(after)
        if not each.whole:  # what is in use goes only once it has been looked for
            left = {key: before[key]._replace(revision=0) for key, _ in left_in(each)}
            after |= {key: held for key, held in left.items() if key not in after}
            each.leftovers |= bool(left)
        for key, held in before.items():
            if key not in after and held.entry is not None:
                taken.note(key, held.entry, None)
        for key, held in after.items():
            note_change(key, before.get(key), held, taken)
        each.held = {key: held for key, held in after.items() if held.entry is not None}
        each.tombstones, each.led_to = {}, None
        each.epoch, each.position = frame.epoch, frame.position
        each.synced, each.refused, each.staged = True, False, None
        each.unread_from = 0 if each.staged_unread else None

    def _resume(self, name: str, frame: Frame, taken: Taken) -> None:
        each = self._slices.get(name)
        if each is None:
            return
        if each.epoch != frame.epoch:
            taken.faults.append(f"{name} can't resume in epoch {frame.epoch}, not {each.epoch}")
            return
        each.synced, each.refused, each.staged = True, False, None
        each.position = frame.position

    def _close_over(self, taken: Taken) -> None:
        """Want the host's slice and those that what is held leads to, and nothing else."""
        wanted, waiting = {self._own}, [self._own]
        while waiting:
            each = self._slices.get(waiting.pop())
            if each is not None:
                waiting += each.leads_to() - wanted
                wanted |= each.leads_to()
        partial = {name for name in wanted if (s := self._slices.get(name)) and not s.whole}
        for name in list(self._sought):
            asked = looked_for(name)
            if asked is None or network_slice(asked[0]) not in partial:
                del self._sought[name]
        if partial:
            wanted |= self._sought.keys()
            wanted |= {n for n in self._pinned if network_slice(_network_of(n)) in partial}
        for name in sorted(wanted - self._slices.keys()):
            self._want(name, taken)
        for name in sorted(self._slices.keys() - wanted):
            self._drop(name, taken)

    def _want(self, name: str, taken: Taken) -> None:
        if name not in self._slices:
            each = self._slices[name] = HeldSlice(name)
            taken.subscribe.append(self._subscription(each))

    def _drop(self, name: str, taken: Taken) -> None:
        for key, entry in self._slices.pop(name).living():
            taken.note(key, entry, None)
        taken.unsubscribe.append(name)

    def _is_lazy(self, network_id: str) -> bool:
        each = self._slices.get(network_slice(network_id))
        return each is not None and not each.whole


def _may_lead(frame: Frame) -> bool:
    """Whether other slices may be wanted after a frame: who was found leads nowhere, and hosts look
    for thousands, one after the other."""
    if any(looked_for(name) is None for name in frame.completes):
        return True
    return any(leads(item.key) or pins.decides(item.key) for item in frame.items)


def _network_of(name: str) -> str:
    asked = looked_for(name)
    return asked[0] if asked is not None else ""
