/* What Kafka's own group coordinator classes decide in random scripts of the classic protocol.
 *
 *     javac -cp "LIBS/*" -d OUT ClassicScripts.java
 *     java -cp "OUT:LIBS/*" org.apache.kafka.coordinator.group.ClassicScripts COUNT STEPS FILE
 *
 * LIBS: the jars of kafka_2.13 4.3.1 with all it needs. Each script is the settings of a coordinator, the member ids as they were given
 * out, and steps: the time in ms, what was asked (ids by their position, -1 for none), all answers that came of it (each with the number of
 * the step that asked), records written, the next deadline of a timer, and the group as it is then, if it changed.
 * Of a group: state, generation, leader, members in order, those whose join waits, those whose sync waits, ids given out but not used, and
 * members who have yet to sync. Timers that change nothing are left out. What waits for a write goes on when the script ends that write.
 * A member id is drawn by Kafka at random, and order in its maps follows from it: so other scripts come of each run.
 */
package org.apache.kafka.coordinator.group;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.message.JoinGroupRequestData.*;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.security.auth.*;
import org.apache.kafka.common.utils.*;
import org.apache.kafka.coordinator.common.runtime.*;
import org.apache.kafka.coordinator.group.classic.*;
import org.apache.kafka.coordinator.group.generated.*;
import org.apache.kafka.coordinator.group.metrics.GroupCoordinatorMetricsShard;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.timeline.SnapshotRegistry;

public class ClassicScripts {
    static final String GROUP = "g";

    static class Clock implements Time {
        long ms = 0;
        public long milliseconds() { return ms; }
        public long nanoseconds() { return ms * 1_000_000; }
        public void sleep(long more) { ms += more; }
        public void waitObject(Object object, Supplier<Boolean> condition, long deadline) { throw new UnsupportedOperationException(); }
    }

    record Task(long dueMs, long number, CoordinatorTimer.TimeoutOperation<CoordinatorRecord> operation) { }

    class Timer implements CoordinatorTimer<CoordinatorRecord> {
        final Map<String, Task> tasks = new HashMap<>();
        long count = 0;
        public void schedule(String key, long delay, TimeUnit unit, boolean retry, TimeoutOperation<CoordinatorRecord> operation) {
            tasks.put(key, new Task(clock.ms + unit.toMillis(delay), count++, operation));
        }
        public void schedule(String key, long delay, TimeUnit unit, boolean retry, long backoff, TimeoutOperation<CoordinatorRecord> operation) {
            schedule(key, delay, unit, retry, operation);
        }
        public void scheduleIfAbsent(String key, long delay, TimeUnit unit, boolean retry, TimeoutOperation<CoordinatorRecord> operation) {
            if (!tasks.containsKey(key)) schedule(key, delay, unit, retry, operation);
        }
        public void cancel(String key) { tasks.remove(key); }
        public boolean isScheduled(String key) { return tasks.containsKey(key); }
        Map.Entry<String, Task> next() {
            return tasks.entrySet().stream().min(Comparator.comparingLong((Map.Entry<String, Task> e) -> e.getValue().dueMs)
                .thenComparingLong(e -> e.getValue().number)).orElse(null);
        }
    }

    record Context(String clientId, int requestVersion) implements AuthorizableRequestContext {
        public String listenerName() { return "l"; }
        public SecurityProtocol securityProtocol() { return SecurityProtocol.PLAINTEXT; }
        public KafkaPrincipal principal() { return KafkaPrincipal.ANONYMOUS; }
        public InetAddress clientAddress() { return InetAddress.getLoopbackAddress(); }
        public int requestType() { return 0; }
        public int correlationId() { return 0; }
    }

    record Pending(CoordinatorResult<?, CoordinatorRecord> result, int leaveStep, List<Object> leaveAnswer, boolean made) { }

    static class Client {
        String name, id = "", instance;
        int generation = -1, sessionMs, rebalanceMs;
        boolean parked, joined, synced;
        List<String> members = List.of();
        List<List<String>> protocols;
    }

    final Random random;
    final Clock clock = new Clock();
    final int maxSize, delayMs;
    final List<Client> clients = new ArrayList<>();
    final List<String> ids = new ArrayList<>();
    final List<Object> steps = new ArrayList<>();
    final List<CoordinatorRecord> log = new ArrayList<>();
    final Deque<Pending> pending = new ArrayDeque<>();
    final List<Object> answers = new ArrayList<>(), records = new ArrayList<>();
    Object lastGroup = null;
    Timer timer;
    SnapshotRegistry registry;
    GroupMetadataManager manager;
    OffsetMetadataManager offsets;

    ClassicScripts(long seed) {
        random = new Random(seed);
        maxSize = random.nextInt(4) == 0 ? 3 : Integer.MAX_VALUE;
        delayMs = random.nextInt(4) == 0 ? 0 : 3000;
        int count = 2 + random.nextInt(5);
        for (int i = 0; i < count; i++) {
            Client client = new Client();
            client.name = "c" + i;
            client.instance = random.nextInt(3) == 0 ? "i" + i : null;
            client.sessionMs = List.of(6_000, 10_000, 45_000).get(random.nextInt(3));
            client.rebalanceMs = List.of(5_000, 20_000, 300_000, 700_000).get(random.nextInt(4));
            client.protocols = protocols();
            clients.add(client);
        }
        build();
    }

    List<List<String>> protocols() {
        List<String> names = new ArrayList<>(List.of("range", "sticky", "roundrobin"));
        if (random.nextInt(3) == 0) Collections.shuffle(names, random);
        String topic = List.of("a", "b", "c").get(random.nextInt(3));
        return names.subList(0, random.nextInt(4) > 0 ? 3 : 1 + random.nextInt(2)).stream().map(name -> List.of(name, topic)).toList();
    }

    void build() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("group.max.size", maxSize);
        settings.put("group.initial.rebalance.delay.ms", delayMs);
        GroupCoordinatorConfig config = new GroupCoordinatorConfig(new AbstractConfig(GroupCoordinatorConfig.CONFIG_DEF, settings, false));
        timer = new Timer();
        registry = new SnapshotRegistry(new LogContext());
        GroupCoordinatorMetricsShard metrics = new GroupCoordinatorMetricsShard(registry, Map.of(), new TopicPartition("__consumer_offsets", 0));
        manager = new GroupMetadataManager.Builder().withSnapshotRegistry(registry).withTime(clock).withTimer(timer).withConfig(config)
            .withGroupCoordinatorMetricsShard(metrics).withExecutor(new CoordinatorExecutor<>() {
                public <R> boolean schedule(String key, TaskRunnable<R> task, TaskOperation<CoordinatorRecord, R> operation) { return false; }
                public boolean isScheduled(String key) { return false; }
                public void cancel(String key) { }
            }).withGroupConfigManager(new GroupConfigManager(Map.of(), config,
                new ShareGroupConfig(new AbstractConfig(org.apache.kafka.common.utils.Utils.mergeConfigs(List.of(
                    GroupCoordinatorConfig.CONFIG_DEF, ShareGroupConfig.CONFIG_DEF)), Map.of(), false)))).build();
        offsets = new OffsetMetadataManager.Builder().withSnapshotRegistry(registry).withTime(clock).withGroupMetadataManager(manager)
            .withGroupCoordinatorConfig(config).withGroupCoordinatorMetricsShard(metrics).build();
        registry.idempotentCreateSnapshot(0);
        for (CoordinatorRecord record : log)
            manager.replay((GroupMetadataKey) record.key(), record.value() == null ? null : (GroupMetadataValue) record.value().message());
    }

    ClassicGroup group() {
        try { return (ClassicGroup) manager.group(GROUP); } catch (ApiException gone) { return null; }
    }

    int id(String memberId) {
        if (memberId == null || memberId.isEmpty()) return -1;
        if (!ids.contains(memberId)) ids.add(memberId);
        return ids.indexOf(memberId);
    }

    List<Integer> all(Collection<String> memberIds) { return memberIds.stream().map(this::id).toList(); }

    /** The position of the id that was given out just now, if one was. */
    Integer newId(int known) {
        state();
        return ids.size() > known ? known : null;
    }

    @SuppressWarnings("unchecked")
    static Set<String> pendingJoins(ClassicGroup group) {
        try {
            var field = ClassicGroup.class.getDeclaredField("pendingJoinMembers");
            field.setAccessible(true);
            return new TreeSet<>((Set<String>) field.get(group));
        } catch (ReflectiveOperationException impossible) { throw new IllegalStateException(impossible); }
    }

    Object state() {
        ClassicGroup group = group();
        if (group == null) return List.of();
        List<String> joining = new ArrayList<>(), syncing = new ArrayList<>();
        group.allMembers().forEach(m -> { if (m.isAwaitingJoin()) joining.add(m.memberId()); if (m.isAwaitingSync()) syncing.add(m.memberId()); });
        return List.of(group.currentState().toString(), group.generationId(), id(group.leaderOrNull()), all(group.allMemberIds()), all(joining),
            all(syncing), all(pendingJoins(group)).stream().sorted().toList(), all(group.allPendingSyncMembers()).stream().sorted().toList(),
            group.subscribedTopics().map(topics -> (Object) topics.stream().sorted().toList()).orElse(-1));
    }

    void step(Object... asked) {
        Object group = state();
        List<Object> step = new ArrayList<>(Arrays.asList(clock.ms, Arrays.asList(asked), List.copyOf(answers), List.copyOf(records),
            timer.next() == null ? -1 : timer.next().getValue().dueMs));
        if (!group.equals(lastGroup)) step.add(group);
        lastGroup = group;
        steps.add(step);
        answers.clear();
        records.clear();
    }

    static String error(int code) { return Errors.forCode((short) code).name(); }

    static byte[] subscription(String topic) {
        ByteBuffer buffer = ConsumerProtocol.serializeSubscription(new Subscription(List.of(topic)));
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    static String topic(byte[] subscription) { return ConsumerProtocol.deserializeSubscription(ByteBuffer.wrap(subscription)).topics().get(0); }

    static Object assigned(byte[] bytes) { return bytes.length == 0 ? -1 : (int) bytes[0]; }

    void wrote(CoordinatorResult<?, CoordinatorRecord> result, int leaveStep, List<Object> leaveAnswer, boolean made) {
        if (result == null || result.records().isEmpty()) {
            if (leaveAnswer != null) answers.add(leaveAnswer);
            return;
        }
        for (CoordinatorRecord record : result.records()) {
            GroupMetadataValue v = (GroupMetadataValue) record.value().message();
            records.add(Arrays.asList(v.protocolType(), v.generation(), v.protocol(), id(v.leader()), v.currentStateTimestamp(),
                v.members().stream().map(m -> Arrays.asList(id(m.memberId()), m.groupInstanceId(), m.clientId(), m.rebalanceTimeout(),
                    m.sessionTimeout(), topic(m.subscription()), assigned(m.assignment()))).toList()));
        }
        pending.add(new Pending(result, leaveStep, leaveAnswer, made));
    }

    void join(Client client, String memberId, String instance, List<List<String>> protocols, int sessionMs) {
        int number = steps.size();
        JoinGroupRequestProtocolCollection collection = new JoinGroupRequestProtocolCollection();
        for (List<String> each : protocols) collection.add(new JoinGroupRequestProtocol().setName(each.get(0)).setMetadata(subscription(each.get(1))));
        JoinGroupRequestData data = new JoinGroupRequestData().setGroupId(GROUP).setMemberId(memberId).setGroupInstanceId(instance)
            .setProtocolType("consumer").setProtocols(collection).setSessionTimeoutMs(sessionMs).setRebalanceTimeoutMs(client.rebalanceMs);
        CompletableFuture<JoinGroupResponseData> future = new CompletableFuture<>();
        client.parked = true;
        client.joined = client.synced = false;
        future.thenAccept(r -> {
            answers.add(Arrays.asList(number, error(r.errorCode()), r.generationId(), r.protocolName(), id(r.leader()), id(r.memberId()),
                r.members().stream().map(m -> Arrays.asList(id(m.memberId()), m.groupInstanceId(), topic(m.metadata()))).toList(), r.skipAssignment()));
            client.parked = false;
            if (r.errorCode() == 0) {
                client.id = r.memberId();
                client.generation = r.generationId();
                client.joined = true;
                client.members = r.members().stream().map(JoinGroupResponseData.JoinGroupResponseMember::memberId).toList();
            } else if (r.errorCode() == Errors.MEMBER_ID_REQUIRED.code()) client.id = r.memberId();
            else client.id = "";
        });
        boolean made = group() == null;
        int known = ids.size();
        try {
            wrote(manager.classicGroupJoin(new Context(client.name, 9), data, future), -1, null, made);
        } catch (IllegalStateException unexpected) {
            future.complete(new JoinGroupResponseData().setErrorCode(Errors.UNKNOWN_SERVER_ERROR.code()));
        }
        step("join", id(memberId), instance, client.name, protocols, sessionMs, client.rebalanceMs, newId(known));
    }

    void sync(Client client, int generation, String protocol) {
        int number = steps.size();
        String memberId = client.id;
        List<List<Integer>> given = new ArrayList<>();
        SyncGroupRequestData data = new SyncGroupRequestData().setGroupId(GROUP).setMemberId(memberId).setGroupInstanceId(client.instance)
            .setGenerationId(generation).setProtocolType("consumer").setProtocolName(protocol);
        for (String member : client.members)
            if (random.nextInt(8) > 0) {
                int partition = random.nextInt(100);
                given.add(List.of(id(member), partition));
                data.assignments().add(new SyncGroupRequestData.SyncGroupRequestAssignment().setMemberId(member).setAssignment(new byte[] {(byte) partition}));
            }
        CompletableFuture<SyncGroupResponseData> future = new CompletableFuture<>();
        client.parked = true;
        future.thenAccept(r -> {
            answers.add(Arrays.asList(number, error(r.errorCode()), r.protocolName(), assigned(r.assignment())));
            client.parked = false;
            client.synced = r.errorCode() == 0;
            if (r.errorCode() != 0) lost(client, r.errorCode());
        });
        wrote(manager.classicGroupSync(new Context(client.name, 5), data, future), -1, null, false);
        step("sync", id(memberId), client.instance, generation, protocol, given);
    }

    static void lost(Client client, int code) {
        client.joined = client.synced = false;
        if (code != Errors.REBALANCE_IN_PROGRESS.code()) client.id = "";
    }

    void heartbeat(Client client, String memberId, int generation) {
        int number = steps.size(), code;
        HeartbeatRequestData data = new HeartbeatRequestData().setGroupId(GROUP).setMemberId(memberId).setGroupInstanceId(client.instance).setGenerationId(generation);
        try {
            code = manager.classicGroupHeartbeat(new Context(client.name, 4), data).response().errorCode();
        } catch (ApiException refused) { code = Errors.forException(refused).code(); }
        answers.add(List.of(number, error(code)));
        step("heartbeat", id(memberId), client.instance, generation);
        if (code != 0 && memberId.equals(client.id) && !client.parked) lost(client, code);
    }

    void leave(String memberId, String instance) {
        int number = steps.size();
        LeaveGroupRequestData data = new LeaveGroupRequestData().setGroupId(GROUP).setMembers(List.of(
            new LeaveGroupRequestData.MemberIdentity().setMemberId(memberId).setGroupInstanceId(instance)));
        try {
            CoordinatorResult<LeaveGroupResponseData, CoordinatorRecord> result = manager.classicGroupLeave(new Context("c", 5), data);
            LeaveGroupResponseData r = result.response();
            int code = r.errorCode() != 0 ? r.errorCode() : r.members().get(0).errorCode();
            wrote(result, number, List.of(number, error(code)), false);
        } catch (ApiException refused) { answers.add(List.of(number, error(Errors.forException(refused).code()))); }
        step("leave", id(memberId), instance);
    }

    void commit(Client client, String memberId, int generation) {
        int number = steps.size(), code = 0;
        OffsetCommitRequestData data = new OffsetCommitRequestData().setGroupId(GROUP).setMemberId(memberId).setGroupInstanceId(client.instance)
            .setGenerationIdOrMemberEpoch(generation);
        try { offsets.commitOffset(new Context(client.name, 9), data); } catch (ApiException refused) { code = Errors.forException(refused).code(); }
        answers.add(List.of(number, error(code)));
        step("commit", id(memberId), client.instance, generation);
    }

    void end(Errors error, boolean appended) {
        Pending write = pending.poll();
        if (error == Errors.NONE || appended) log.addAll(write.result.records());
        if (error == Errors.NONE) {
            write.result.appendFuture().complete(null);
            if (write.leaveAnswer != null) answers.add(write.leaveAnswer);
        } else {
            if (write.made && !appended) drop();
            write.result.appendFuture().completeExceptionally(error.exception());
            if (write.leaveAnswer != null)
                answers.add(List.of(write.leaveStep, GroupMetadataManager.appendGroupMetadataErrorToResponseError(error).name()));
        }
    }

    /** The group is not in the log. Kafka leaves its timers; they would trip over the next group of its name. */
    void drop() {
        ClassicGroup group = group();
        registry.revertToSnapshot(0);
        if (group == null || group() != null) return;
        timer.cancel(GroupMetadataManager.classicGroupJoinKey(GROUP));
        timer.cancel(GroupMetadataManager.classicGroupSyncKey(GROUP));
        for (String each : group.allMemberIds()) timer.cancel(GroupMetadataManager.classicGroupHeartbeatKey(GROUP, each));
        for (String each : pendingJoins(group)) timer.cancel(GroupMetadataManager.classicGroupHeartbeatKey(GROUP, each));
    }

    /** Run timers up to a time; all that are due at one ms are one step. */
    void runTo(long endMs) {
        while (timer.next() != null && timer.next().getValue().dueMs <= endMs) {
            clock.ms = Math.max(clock.ms, timer.next().getValue().dueMs);
            while (timer.next() != null && timer.next().getValue().dueMs <= clock.ms) {
                Map.Entry<String, Task> next = timer.next();
                timer.tasks.remove(next.getKey());
                wrote(next.getValue().operation.generateRecords(), -1, null, false);
            }
            if (!answers.isEmpty() || !records.isEmpty() || !state().equals(lastGroup)) step("timeout");
        }
        clock.ms = endMs;
    }

    void move() {
        List<Boolean> appended = new ArrayList<>();
        while (!pending.isEmpty()) {
            appended.add(appended.isEmpty() ? random.nextBoolean() : appended.get(appended.size() - 1) && random.nextBoolean());
            end(Errors.NOT_COORDINATOR, appended.get(appended.size() - 1));
        }
        manager.onUnloaded();
        build();
        manager.onLoaded();
        step("move", appended);
    }

    static final List<Errors> FAILURES = List.of(Errors.NOT_ENOUGH_REPLICAS, Errors.REQUEST_TIMED_OUT, Errors.NOT_LEADER_OR_FOLLOWER,
        Errors.KAFKA_STORAGE_ERROR, Errors.MESSAGE_TOO_LARGE, Errors.NOT_COORDINATOR);

    void one() {
        Client client = clients.get(random.nextInt(clients.size()));
        for (int tries = 0; tries < 3 && (client.parked || client.synced); tries++) client = clients.get(random.nextInt(clients.size()));
        boolean odd = random.nextInt(12) == 0;
        if (!pending.isEmpty() && random.nextInt(3) > 0) {
            boolean fails = random.nextInt(8) == 0, appended = random.nextBoolean();
            Errors error = fails ? FAILURES.get(random.nextInt(FAILURES.size())) : Errors.NONE;
            end(error, fails && appended);
            step("end", error.name(), fails && appended);
        } else if (odd) {
            String memberId = ids.isEmpty() || random.nextInt(4) == 0 ? "" : ids.get(random.nextInt(ids.size()));
            int generation = (group() == null ? 0 : group().generationId()) - random.nextInt(3);
            switch (random.nextInt(6)) {
                case 0 -> join(client, memberId, client.instance, protocols(), List.of(6_000, 1_800_000).get(random.nextInt(2)));
                case 1 -> heartbeat(client, memberId, generation);
                case 2 -> commit(client, memberId, random.nextInt(3) == 0 ? -1 : generation);
                case 3 -> leave(memberId, random.nextBoolean() ? client.instance : null);
                case 4 -> sync(client, generation, random.nextBoolean() ? "sticky" : null);
                default -> { if (random.nextInt(3) == 0) move(); else commit(client, "", -1); }
            }
        } else if (client.parked) {
            if (random.nextInt(6) == 0) { client.id = ""; client.parked = false; client.joined = client.synced = false; }  // it starts anew
            else if (!client.id.isEmpty()) heartbeat(client, client.id, client.generation);
        } else if (!client.joined) {
            if (random.nextInt(6) == 0) client.protocols = protocols();
            join(client, client.id, client.instance, client.protocols, client.sessionMs);
        } else if (!client.synced) {
            sync(client, client.generation, group() == null ? null : group().protocolName().orElse(null));
        } else switch (random.nextInt(14)) {
            case 0 -> { leave(client.id, client.instance); client.id = ""; client.joined = client.synced = false; }
            case 1 -> { client.id = ""; client.joined = client.synced = false; }
            case 2, 3 -> join(client, client.id, client.instance, client.protocols, client.sessionMs);
            case 4 -> { client.protocols = protocols(); join(client, client.id, client.instance, client.protocols, client.sessionMs); }
            case 5, 6 -> commit(client, client.id, client.generation);
            default -> heartbeat(client, client.id, client.generation);
        }
    }

    Map<String, Object> script(int count) {
        while (steps.size() < count) {
            int kind = random.nextInt(90);
            long more = kind == 0 ? 300_000 : kind < 3 ? 20_000 : kind < 14 ? 3_000 : random.nextInt(kind < 60 ? 50 : 900);
            runTo(clock.ms + more);
            one();
        }
        return Map.of("max_size", maxSize, "delay_ms", delayMs, "ids", ids, "steps", steps);
    }

    public static void main(String[] args) throws Exception {
        List<Object> scripts = new ArrayList<>();
        for (int seed = 0; seed < Integer.parseInt(args[0]); seed++) scripts.add(new ClassicScripts(seed).script(Integer.parseInt(args[1])));
        try (PrintWriter out = new PrintWriter(args[2], StandardCharsets.UTF_8)) {
            for (int at = 0; at < scripts.size(); at++)
                out.println((at == 0 ? "[" : " ") + new ObjectMapper().writeValueAsString(scripts.get(at)) + (at == scripts.size() - 1 ? "]" : ","));
        }
    }
}
