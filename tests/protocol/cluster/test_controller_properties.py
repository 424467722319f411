"""What holds of the controller whatever it is asked, and whenever."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.cluster.controller import Controller
from kafkasim.protocol.cluster.controller_election import (
    Choice,
    Election,
    change_partition,
    choice_of,
)
from kafkasim.protocol.cluster.controller_messages import (
    NO_LEADER,
    AddPartitions,
    AlterPartition,
    AlterTopic,
    Answer,
    Changed,
    ControllerSettings,
    Effect,
    ElectPreferred,
    Failover,
    Heartbeat,
    MayStop,
    PartitionState,
    Register,
    Request,
    Resign,
)
from kafkasim.protocol.errors import (
    DUPLICATE_BROKER_REGISTRATION,
    FENCED_LEADER_EPOCH,
    INELIGIBLE_REPLICA,
    INVALID_PARTITIONS,
    INVALID_REPLICA_ASSIGNMENT,
    INVALID_REPLICATION_FACTOR,
    INVALID_REQUEST,
    INVALID_UPDATE_VERSION,
    NONE,
    NOT_CONTROLLER,
    STALE_BROKER_EPOCH,
    UNKNOWN_TOPIC_OR_PARTITION,
)

LEGAL = {
    Heartbeat: {NONE, STALE_BROKER_EPOCH},
    Register: {NONE, DUPLICATE_BROKER_REGISTRATION},
    AlterPartition: {
        *(NONE, STALE_BROKER_EPOCH, UNKNOWN_TOPIC_OR_PARTITION, NOT_CONTROLLER),
        *(FENCED_LEADER_EPOCH, INVALID_REQUEST, INVALID_UPDATE_VERSION),
        INELIGIBLE_REPLICA,
    },
    ElectPreferred: {NONE},
    AddPartitions: {
        *(NONE, UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS),
        *(INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR),
    },
    AlterTopic: {NONE, UNKNOWN_TOPIC_OR_PARTITION},
}

NODES = st.integers(0, 3)
PLACES = st.integers(0, 3)
ISRS = st.lists(st.integers(0, 4), max_size=4).map(tuple)

Said = int | None
"""An epoch, None for the one that is current."""
SAID: st.SearchStrategy[Said] = st.sampled_from([None, None, None, 0, 1, 9_999])

Ask = Callable[[Controller], Request]


def current(controller: Controller, node: int, said: Said) -> int:
    return controller.brokers[node].epoch if said is None else said


def heartbeat(node: int, said: Said, caught_up: bool, leaves: bool) -> Ask:  # noqa: FBT001
    return lambda c: Heartbeat(node, current(c, node, said), caught_up, leaves)


def beat(node: int) -> Ask:
    return lambda c: Heartbeat(node, current(c, node, None))


def register(node: int, clean: bool) -> Ask:  # noqa: FBT001
    return lambda _: Register(node, clean)


def grow(place: int, node: int) -> Ask:
    def ask(controller: Controller) -> Request:
        at = place % len(controller.partitions)
        state = controller.partitions[at]
        leader = max(0, state.leader)
        return AlterPartition(
            *(leader, current(controller, leader, None), at),
            *(state.leader_epoch, state.partition_epoch),
            tuple(dict.fromkeys((*state.isr, node))),
        )

    return ask


def alter(
    node: int,
    said: tuple[Said, Said, Said],
    place: int,
    isr: tuple[int, ...],
    *,
    recovers: bool,
) -> Ask:
    def ask(controller: Controller) -> Request:
        state = controller.partitions[place % len(controller.partitions)]
        return AlterPartition(
            *(node, current(controller, node, said[0]), place),
            state.leader_epoch if said[1] is None else said[1],
            state.partition_epoch if said[2] is None else said[2],
            isr,
            recovering=recovers,
        )

    return ask


def add(first: int, count: int, replicas: tuple[int, ...]) -> Ask:
    by_hand = (replicas,) * count if replicas else ()
    return lambda _: AddPartitions(first, count, by_hand)


ASKED: st.SearchStrategy[list[Ask]] = st.one_of(
    st.lists(st.builds(beat, NODES), min_size=1, max_size=4),
    st.builds(heartbeat, NODES, SAID, st.booleans(), st.booleans()).map(lambda a: [a]),
    st.builds(
        lambda node, clean: [register(node, clean), beat(node)], NODES, st.booleans()
    ),
    st.builds(grow, PLACES, NODES).map(lambda a: [a]),
    st.builds(
        alter, NODES, st.tuples(SAID, SAID, SAID), PLACES, ISRS, recovers=st.booleans()
    ).map(lambda a: [a]),
    st.builds(add, PLACES, st.integers(0, 2), ISRS).map(lambda a: [a]),
    st.builds(
        AlterTopic,
        st.tuples(PLACES),
        st.none() | st.integers(1, 3),
        st.none() | st.booleans(),
    ).map(lambda request: [lambda _: request]),
    st.sampled_from([ElectPreferred(), Failover(), Resign()]).map(
        lambda request: [lambda _: request]
    ),
)


def check_partition(
    before: PartitionState, after: PartitionState, *, elr: bool, unclean: bool
) -> None:
    """Check one change of a partition."""
    moved = after.leader != before.leader
    assert after != before
    assert after.partition_epoch == before.partition_epoch + 1
    assert after.leader_epoch == before.leader_epoch + moved
    assert after.replicas == before.replicas
    if moved and after.leader != NO_LEADER:
        trusted = (*before.isr, *before.elr)
        forced = after.leader not in trusted
        if forced:
            assert unclean or before.last_known_elr == (after.leader,)
        if forced or (after.recovering and not before.recovering):
            assert (after.isr, after.elr) == ((after.leader,), ())
            assert after.recovering
    if not elr:
        assert after.isr and not after.elr and not after.last_known_elr


def check_state(controller: Controller, *, elr: bool) -> None:
    active = {state.node for state in controller.brokers if state.active}
    # A broker that asked to leave, was fenced, and does not want to leave any more, is
    # elected although it is not active: Kafka does so, and no broker of Kafka's.
    unfenced = {state.node for state in controller.brokers if not state.fenced}
    for state in controller.partitions:
        assert set(state.isr) <= set(state.replicas)
        assert set(state.elr) <= set(state.replicas)
        assert not set(state.isr) & set(state.elr)
        assert len(state.last_known_elr) <= 1
        if state.leader != NO_LEADER:
            assert state.leader in state.isr
            assert set(state.isr) <= unfenced
            assert not state.last_known_elr
        elif elr:
            assert not set(state.isr) & active


class Watch:
    """A controller, and what its effects said of the cluster so far."""

    def __init__(self, *, elr: bool, unclean: bool, min_isr: int) -> None:
        self.elr = elr
        self.controller = Controller(
            ControllerSettings(
                elr=elr, preferred_interval_ms=40_000, unclean_interval_ms=30_000
            ),
            [PartitionState(r, r, r[0]) for r in ((0, 1, 2), (2, 3), (1,))],
            4,
            min_isr=[min_isr] * 3,
            unclean=[unclean] * 3,
        )
        self.allowed = [unclean] * 3
        self.partitions = list(self.controller.partitions)
        self.brokers = {state.node: state for state in self.controller.brokers}
        self.offset = 4 + 3 - 1

    def pass_time(self, now_ms: int) -> None:
        controller = self.controller
        while (due_ms := controller.next_deadline_ms) is not None and due_ms <= now_ms:
            self.learn(controller.handle_timeout(due_ms))
            assert controller.handle_timeout(due_ms) == []

    def ask(self, request: Request, now_ms: int) -> None:
        legal = LEGAL.get(type(request), set())
        if not self.controller.active:
            legal = {NOT_CONTROLLER}
        effects = self.controller.handle(request, now_ms)
        if isinstance(request, Failover | Resign):
            assert effects == []
            return
        (answer,) = [effect for effect in effects if isinstance(effect, Answer)]
        assert answer.request is request and answer.error in legal
        if answer.error != NONE:
            assert effects == [answer]
            return
        if isinstance(request, AddPartitions):
            self.allowed += [self.allowed[request.first]] * request.count
        if isinstance(request, AlterTopic) and request.unclean is not None:
            self.allowed[request.partitions[0]] = request.unclean
        for effect in effects:
            if isinstance(effect, MayStop):
                assert self.controller.brokers[effect.node].fenced
        self.learn(effects)

    def learn(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Changed):
                self.replay(effect)
        assert tuple(self.partitions) == self.controller.partitions
        states = tuple(self.brokers[node] for node in sorted(self.brokers))
        assert states == self.controller.brokers
        check_state(self.controller, elr=self.elr)

    def replay(self, batch: Changed) -> None:
        self.offset += len(batch.partitions) + len(batch.brokers)
        assert batch.offset == self.offset
        for at, state in batch.partitions:
            if at == len(self.partitions):
                assert (state.leader_epoch, state.partition_epoch) == (0, 0)
                self.partitions.append(state)
                continue
            before = self.partitions[at]
            check_partition(before, state, elr=self.elr, unclean=self.allowed[at])
            self.partitions[at] = state
        for broker in batch.brokers:
            known = self.brokers[broker.node]
            assert broker != known and broker.epoch >= known.epoch
            self.brokers[broker.node] = broker


@given(
    elr=st.booleans(),
    unclean=st.booleans(),
    min_isr=st.integers(1, 3),
    steps=st.lists(st.tuples(st.integers(0, 9_000), ASKED), max_size=40),
)
def test_leaders_are_in_sync_epochs_rise_and_every_request_has_a_legal_answer(
    *, elr: bool, unclean: bool, min_isr: int, steps: list[tuple[int, list[Ask]]]
) -> None:
    watch = Watch(elr=elr, unclean=unclean, min_isr=min_isr)
    now_ms = 0
    for more_ms, asks in steps:
        now_ms += more_ms
        watch.pass_time(now_ms)
        for ask in asks:
            watch.ask(ask(watch.controller), now_ms)


def nodes(most: int = 3) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.integers(0, 3), unique=True, max_size=most).map(tuple)


@given(
    isr=nodes(),
    target=st.lists(st.booleans(), min_size=4, max_size=4),
    rest=nodes(4),
    active=nodes(4),
    min_isr=st.integers(1, 3),
    election=st.sampled_from(Election),
)
def test_a_clean_leader_has_all_that_was_committed(
    *,
    isr: tuple[int, ...],
    target: list[bool],
    rest: tuple[int, ...],
    active: tuple[int, ...],
    min_isr: int,
    election: Election,
) -> None:
    elr = tuple(sorted(node for node in rest if node not in isr))
    leader = isr[0] if isr else NO_LEADER
    if len(isr) >= min_isr:
        elr = ()
    state = PartitionState((3, 1, 0, 2), isr, leader, 5, 9, elr)
    is_active: Callable[[int], bool] = active.__contains__
    wanted = tuple(node for node in isr if target[node])
    found = change_partition(
        state, wanted, is_active, min_isr=min_isr, elr=True, election=election
    )
    after = state if found is None else found

    if after.leader != NO_LEADER and not after.recovering:
        assert after.leader in (*isr, *elr)
        assert is_active(after.leader)
    # Members that left are remembered as long as the ISR is too small to commit.
    if len(after.isr) < min_isr and not after.recovering:
        assert {*after.isr, *after.elr} == {*isr, *elr}


@given(
    elr=nodes(),
    last=st.integers(0, 3),
    active=nodes(4),
    lost_node=st.integers(-1, 3),
    min_isr=st.integers(1, 3),
)
def test_only_an_unclean_choice_needs_leave(
    elr: tuple[int, ...],
    last: int,
    active: tuple[int, ...],
    lost_node: int,
    min_isr: int,
) -> None:
    """The last leader is taken by any election, so by it the two are told apart."""
    state = PartitionState((3, 1, 0, 2), (), NO_LEADER, 5, 9, elr, (last,))
    is_active: Callable[[int], bool] = {*active}.difference({lost_node}).__contains__

    def elected(election: Election) -> PartitionState:
        found = change_partition(
            *(state, (), is_active),
            min_isr=min_isr,
            elr=True,
            election=election,
            lost_node=lost_node,
        )
        return state if found is None else found

    after = elected(Election.UNCLEAN)
    if after.leader != NO_LEADER:
        with_leave = choice_of(state, after, (lost_node,)) is Choice.UNCLEAN
        expected = NO_LEADER if with_leave else after.leader
        assert elected(Election.ONLINE).leader == expected
