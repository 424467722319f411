/* What Kafka's own group coordinator decides in random scripts of consumer protocol heartbeats and timeouts.
 *
 *     javac -cp "LIBS/*" -d OUT ConsumerGroupScripts.java
 *     java -cp "OUT:LIBS/*" org.apache.kafka.coordinator.group.ConsumerGroupScripts COUNT STEPS FILE
 *
 * LIBS: the jars of kafka_2.13 4.3.1 with all it needs. Each script is the settings and its steps; a step is the time in ms, what
 * happened, the error or the response, the records that were written, and the group's state, epoch and size after it. Two assignors
 * that are simple and unsteady stand for Kafka's: `dealer` deals the partitions of a topic to its subscribers in turn, `blocks` gives
 * them blocks. Members are simulated clients that lose responses, are slow to revoke, come back and die.
 */
package org.apache.kafka.coordinator.group;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.lang.reflect.*;
import java.net.InetAddress;
import java.util.*;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.*;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.common.utils.*;
import org.apache.kafka.coordinator.common.runtime.*;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.generated.*;
import org.apache.kafka.coordinator.group.metrics.GroupCoordinatorMetricsShard;
import org.apache.kafka.coordinator.group.modern.*;
import org.apache.kafka.coordinator.group.modern.consumer.ConsumerGroup;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.timeline.SnapshotRegistry;

public class ConsumerGroupScripts {
    static final String GROUP = "group";
    static final List<String> ASSIGNORS = List.of("dealer", "blocks");

    static class Clock implements Time {
        long ms = 1;
        public long milliseconds() { return ms; }
        public long nanoseconds() { return ms * 1_000_000; }
        public void sleep(long more) { ms += more; }
        public void waitObject(Object object, Supplier<Boolean> condition, long deadline) { throw new UnsupportedOperationException(); }
    }

    static String nameOf(Uuid id) { return "" + (char) ('a' + (int) id.getLeastSignificantBits()); }
    static Uuid idOf(String name) { return new Uuid(7, name.charAt(0) - 'a'); }

    /** Partition counts by topic name. */
    record Image(Map<String, Integer> counts) implements CoordinatorMetadataImage {
        record Topic(String name, int partitionCount) implements TopicMetadata {
            public Uuid id() { return idOf(name); }
            public List<String> partitionRacks(int partition) { return new ArrayList<>(); }
        }
        public Set<Uuid> topicIds() { throw new UnsupportedOperationException(); }
        public Set<String> topicNames() { return counts.keySet(); }
        public Optional<TopicMetadata> topicMetadata(String name) {
            return Optional.ofNullable(counts.get(name)).map(count -> new Topic(name, count));
        }
        public Optional<TopicMetadata> topicMetadata(Uuid id) { return topicMetadata(nameOf(id)); }
        public CoordinatorMetadataDelta emptyDelta() { return CoordinatorMetadataDelta.EMPTY; }
        public long version() { return counts.size(); }
        public boolean isEmpty() { return counts.isEmpty(); }
    }

    record Delta(Image image, String changed) implements CoordinatorMetadataDelta {
        public Collection<Uuid> createdTopicIds() { return Set.of(); }
        public Collection<Uuid> changedTopicIds() { return Set.of(idOf(changed)); }
        public Set<Uuid> deletedTopicIds() { return Set.of(); }
    }

    static class Timers implements CoordinatorTimer<CoordinatorRecord> {
        record Entry(long at, long turn, TimeoutOperation<CoordinatorRecord> operation) { }
        final Clock clock;
        final Map<String, Entry> entries = new HashMap<>();
        long turn = 0;
        Timers(Clock clock) { this.clock = clock; }
        public void schedule(String key, long delay, TimeUnit unit, boolean retry, TimeoutOperation<CoordinatorRecord> operation) {
            entries.put(key, new Entry(clock.ms + delay, turn++, operation));
        }
        public void schedule(String key, long delay, TimeUnit unit, boolean retry, long backoff, TimeoutOperation<CoordinatorRecord> operation) {
            schedule(key, delay, unit, retry, operation);
        }
        public void scheduleIfAbsent(String key, long delay, TimeUnit unit, boolean retry, TimeoutOperation<CoordinatorRecord> operation) {
            if (!entries.containsKey(key)) schedule(key, delay, unit, retry, operation);
        }
        public void cancel(String key) { entries.remove(key); }
        public boolean isScheduled(String key) { return entries.containsKey(key); }
        Optional<Map.Entry<String, Entry>> next() {
            return entries.entrySet().stream().min(
                Comparator.comparingLong((Map.Entry<String, Entry> e) -> e.getValue().at).thenComparingLong(e -> e.getValue().turn));
        }
    }

    static class Nobody implements CoordinatorExecutor<CoordinatorRecord> {
        public <R> boolean schedule(String key, TaskRunnable<R> task, TaskOperation<CoordinatorRecord, R> operation) {
            throw new UnsupportedOperationException();
        }
        public boolean isScheduled(String key) { return false; }
        public void cancel(String key) { }
    }

    abstract static class Simple implements ConsumerGroupPartitionAssignor {
        public GroupAssignment assign(GroupSpec spec, SubscribedTopicDescriber topics) {
            Map<String, Map<Uuid, Set<Integer>>> result = new HashMap<>();
            TreeMap<String, List<String>> subscribers = new TreeMap<>();
            for (String member : new TreeSet<>(spec.memberIds())) {
                result.put(member, new HashMap<>());
                for (Uuid topic : spec.memberSubscription(member).subscribedTopicIds())
                    subscribers.computeIfAbsent(nameOf(topic), name -> new ArrayList<>()).add(member);
            }
            subscribers.forEach((name, members) -> {
                int count = topics.numPartitions(idOf(name));
                for (int p = 0; p < count; p++)
                    result.get(members.get(turn(p, count, members.size()))).computeIfAbsent(idOf(name), id -> new HashSet<>()).add(p);
            });
            Map<String, MemberAssignment> assignment = new HashMap<>();
            result.forEach((member, partitions) -> assignment.put(member, new MemberAssignmentImpl(partitions)));
            return new GroupAssignment(assignment);
        }
        abstract int turn(int partition, int count, int members);
    }
    public static class Dealer extends Simple {
        public String name() { return "dealer"; }
        int turn(int partition, int count, int members) { return partition % members; }
    }
    public static class Blocks extends Simple {
        public String name() { return "blocks"; }
        int turn(int partition, int count, int members) { return partition * members / count; }
    }

    /** A client as the script moves it. */
    static class Client {
        String id, instance;
        int epoch;
        Map<String, TreeSet<Integer>> owned = new TreeMap<>(), told = new TreeMap<>();
        List<String> topics;
    }

    final Random random;
    final Clock clock = new Clock();
    final Timers timers = new Timers(clock);
    final List<Object> steps = new ArrayList<>();
    final List<CoordinatorRecord> log = new ArrayList<>();
    final List<Client> clients = new ArrayList<>(), away = new ArrayList<>();
    final Map<String, Object> settings = new LinkedHashMap<>();
    final TreeMap<String, Integer> counts = new TreeMap<>();
    GroupMetadataManager manager;
    GroupCoordinatorService service;
    int named = 0;

    ConsumerGroupScripts(long seed) {
        random = new Random(seed);
        settings.put("session_timeout_ms", 10_000);
        settings.put("heartbeat_interval_ms", 5_000);
        settings.put("assignment_interval_ms", List.of(0, 1_000, 3_000).get(random.nextInt(3)));
        settings.put("max_size", random.nextInt(4) == 0 ? 3 : Integer.MAX_VALUE);
        counts.put("a", 1 + random.nextInt(6));
        counts.put("b", 1 + random.nextInt(4));
        manager = manager();
    }

    GroupMetadataManager manager() {
        Map<String, Object> props = new HashMap<>();
        props.put("group.consumer.session.timeout.ms", settings.get("session_timeout_ms"));
        props.put("group.consumer.min.session.timeout.ms", 6_000);
        props.put("group.consumer.heartbeat.interval.ms", settings.get("heartbeat_interval_ms"));
        props.put("group.consumer.assignment.interval.ms", settings.get("assignment_interval_ms"));
        props.put("group.consumer.max.size", settings.get("max_size"));
        props.put("group.consumer.assignors", Dealer.class.getName() + "," + Blocks.class.getName());
        AbstractConfig all = new AbstractConfig(
            org.apache.kafka.common.utils.Utils.mergeConfigs(List.of(GroupCoordinatorConfig.CONFIG_DEF, ShareGroupConfig.CONFIG_DEF)), props, false);
        GroupCoordinatorConfig config = new GroupCoordinatorConfig(all);
        service = new GroupCoordinatorService(new LogContext(), config, null, null, null, null, null, null);
        SnapshotRegistry registry = new SnapshotRegistry(new LogContext());
        timers.entries.clear();
        return new GroupMetadataManager.Builder()
            .withSnapshotRegistry(registry).withTime(clock).withTimer(timers).withExecutor(new Nobody()).withConfig(config)
            .withGroupConfigManager(new GroupConfigManager(Map.of(), config, new ShareGroupConfig(all)))
            .withMetadataImage(new Image(new TreeMap<>(counts)))
            .withGroupCoordinatorMetricsShard(new GroupCoordinatorMetricsShard(registry, Map.of(), new TopicPartition("__consumer_offsets", 0)))
            .build();
    }

    static final AuthorizableRequestContext CONTEXT = (AuthorizableRequestContext) Proxy.newProxyInstance(
        ConsumerGroupScripts.class.getClassLoader(), new Class<?>[] {AuthorizableRequestContext.class}, (proxy, method, args) ->
            switch (method.getName()) {
                case "clientId" -> "consumer";
                case "clientAddress" -> InetAddress.getByName("127.0.0.1");
                default -> throw new UnsupportedOperationException(method.getName());
            });

    void replay(CoordinatorRecord record) {
        ApiMessage key = record.key(), value = record.value() == null ? null : record.value().message();
        if (key instanceof ConsumerGroupMetadataKey k) manager.replay(k, (ConsumerGroupMetadataValue) value);
        else if (key instanceof ConsumerGroupMemberMetadataKey k) manager.replay(k, (ConsumerGroupMemberMetadataValue) value);
        else if (key instanceof ConsumerGroupTargetAssignmentMetadataKey k) manager.replay(k, (ConsumerGroupTargetAssignmentMetadataValue) value);
        else if (key instanceof ConsumerGroupTargetAssignmentMemberKey k) manager.replay(k, (ConsumerGroupTargetAssignmentMemberValue) value);
        else if (key instanceof ConsumerGroupCurrentMemberAssignmentKey k) manager.replay(k, (ConsumerGroupCurrentMemberAssignmentValue) value);
        else throw new IllegalStateException("" + record);
    }

    static List<Object> pairs(List<ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions> parts) {
        TreeMap<String, Object> sorted = new TreeMap<>();
        for (var part : parts)
            for (int i = 0; i < part.partitions().size(); i++)
                sorted.put(nameOf(part.topicId()) + String.format("%03d", part.partitions().get(i)),
                    List.of(nameOf(part.topicId()), part.partitions().get(i), part.assignmentEpochs().get(i)));
        return new ArrayList<>(sorted.values());
    }

    static List<Object> flat(Map<String, TreeSet<Integer>> owned) {
        List<Object> result = new ArrayList<>();
        owned.forEach((name, parts) -> parts.forEach(p -> result.add(List.of(name, p))));
        return result;
    }

    static List<Object> told(CoordinatorRecord record) {
        ApiMessage key = record.key(), value = record.value() == null ? null : record.value().message();
        if (key instanceof ConsumerGroupMetadataKey)
            return Arrays.asList(3, value == null ? null : ((ConsumerGroupMetadataValue) value).epoch());
        if (key instanceof ConsumerGroupMemberMetadataKey k) {
            var v = (ConsumerGroupMemberMetadataValue) value;
            return Arrays.asList(5, k.memberId(), v == null ? null : Arrays.asList(v.instanceId(), v.rackId(), v.clientId(), v.clientHost(),
                v.subscribedTopicNames(), v.subscribedTopicRegex(), v.rebalanceTimeoutMs(), v.serverAssignor()));
        }
        if (key instanceof ConsumerGroupTargetAssignmentMetadataKey) {
            var v = (ConsumerGroupTargetAssignmentMetadataValue) value;
            return Arrays.asList(6, v == null ? null : List.of(v.assignmentEpoch(), v.assignmentTimestamp()));
        }
        if (key instanceof ConsumerGroupTargetAssignmentMemberKey k) {
            var v = (ConsumerGroupTargetAssignmentMemberValue) value;
            if (v == null) return Arrays.asList(7, k.memberId(), null);
            Map<String, TreeSet<Integer>> parts = new TreeMap<>();
            v.topicPartitions().forEach(part -> parts.put(nameOf(part.topicId()), new TreeSet<>(part.partitions())));
            return List.of(7, k.memberId(), flat(parts));
        }
        var k = (ConsumerGroupCurrentMemberAssignmentKey) key;
        var v = (ConsumerGroupCurrentMemberAssignmentValue) value;
        return Arrays.asList(8, k.memberId(), v == null ? null : List.of(v.memberEpoch(), v.previousMemberEpoch(), (int) v.state(),
            pairs(v.assignedPartitions()), pairs(v.partitionsPendingRevocation())));
    }

    List<Object> write(List<CoordinatorRecord> records) {
        List<Object> all = new ArrayList<>();
        for (CoordinatorRecord record : records) {
            all.add(told(record));
            log.add(record);
            replay(record);
        }
        return all;
    }

    Object standing() {
        try {
            ConsumerGroup group = manager.consumerGroup(GROUP);
            return List.of(group.stateAsString(), group.groupEpoch(), group.numMembers());
        } catch (ApiException e) {
            return null;
        }
    }

    void step(Object... parts) {
        List<Object> step = new ArrayList<>(List.of(clock.ms));
        step.addAll(Arrays.asList(parts));
        steps.add(step);
    }

    /** All timers of one time are one step. */
    void runTo(long ms) {
        for (var next = timers.next(); next.isPresent() && next.get().getValue().at <= ms; next = timers.next()) {
            clock.ms = next.get().getValue().at;
            List<Object> written = new ArrayList<>();
            for (; next.isPresent() && next.get().getValue().at == clock.ms; next = timers.next()) {
                timers.entries.remove(next.get().getKey());
                written.addAll(write(next.get().getValue().operation().generateRecords().records()));
            }
            step("timeout", written, standing());
        }
        clock.ms = ms;
    }

    static List<ConsumerGroupHeartbeatRequestData.TopicPartitions> listed(Map<String, TreeSet<Integer>> owned) {
        List<ConsumerGroupHeartbeatRequestData.TopicPartitions> parts = new ArrayList<>();
        owned.forEach((name, ps) -> parts.add(
            new ConsumerGroupHeartbeatRequestData.TopicPartitions().setTopicId(idOf(name)).setPartitions(new ArrayList<>(ps))));
        return parts;
    }

    ConsumerGroupHeartbeatResponseData beat(Client client, int epoch, boolean timeout, List<String> topics, Map<String, TreeSet<Integer>> owned,
                                            String assignor, String rack) {
        int timeoutMs = timeout ? 8_000 : -1;
        var request = new ConsumerGroupHeartbeatRequestData().setGroupId(GROUP).setMemberId(client.id).setMemberEpoch(epoch)
            .setInstanceId(client.instance).setRackId(rack).setRebalanceTimeoutMs(timeoutMs).setSubscribedTopicNames(topics)
            .setServerAssignor(assignor).setTopicPartitions(owned == null ? null : listed(owned));
        List<Object> asked = Arrays.asList(client.id, epoch, client.instance, rack, timeout ? timeoutMs : null, topics, assignor,
            owned == null ? null : flat(owned));
        try {
            check(request);
            var result = manager.consumerGroupHeartbeat(CONTEXT, request);
            var response = result.response();
            Object assigned = null;
            if (response.assignment() != null) {
                Map<String, TreeSet<Integer>> parts = new TreeMap<>();
                response.assignment().topicPartitions().forEach(part -> parts.put(nameOf(part.topicId()), new TreeSet<>(part.partitions())));
                assigned = flat(parts);
            }
            List<Object> written = write(result.records());
            step("heartbeat", asked, Arrays.asList(response.memberId(), response.memberEpoch(), response.heartbeatIntervalMs(), assigned), written, standing());
            return response;
        } catch (ApiException e) {
            step("heartbeat", asked, Errors.forException(e).name(), List.of(), standing());
            return null;
        }
    }

    /** What the service looks at before it asks the coordinator. */
    void check(ConsumerGroupHeartbeatRequestData request) {
        try {
            Method method = GroupCoordinatorService.class.getDeclaredMethod(
                "throwIfConsumerGroupHeartbeatRequestIsInvalid", ConsumerGroupHeartbeatRequestData.class, int.class);
            method.setAccessible(true);
            method.invoke(service, request, 1);
        } catch (InvocationTargetException e) {
            throw (ApiException) e.getCause();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    List<String> someTopics() {
        List<String> topics = new ArrayList<>();
        for (String name : List.of("a", "b", "c")) if (random.nextInt(10) < 6) topics.add(name);
        return topics;
    }

    static void take(Client client, ConsumerGroupHeartbeatResponseData response) {
        client.epoch = response.memberEpoch();
        if (response.assignment() == null) return;
        client.told.clear();
        response.assignment().topicPartitions().forEach(part -> client.told.put(nameOf(part.topicId()), new TreeSet<>(part.partitions())));
    }

    void join(Client client) {
        var response = beat(client, 0, true, client.topics, Map.of(), random.nextInt(4) == 0 ? ASSIGNORS.get(random.nextInt(2)) : null,
            random.nextInt(5) == 0 ? "rack" : null);
        client.owned.clear();
        if (response != null && random.nextInt(10) > 0) take(client, response);
        if (response == null) clients.remove(client);
    }

    void act() {
        int dice = random.nextInt(100);
        if (clients.isEmpty() || dice < 10 && clients.size() < 7) {
            Client client = away.isEmpty() || random.nextInt(2) == 0 ? new Client() : away.remove(random.nextInt(away.size()));
            client.id = "m" + named++;
            if (client.topics == null) {
                client.topics = someTopics();
                if (random.nextInt(3) == 0) client.instance = "i" + random.nextInt(3);
            }
            clients.add(client);
            join(client);
            return;
        }
        Client client = clients.get(random.nextInt(clients.size()));
        if (dice < 14) {
            join(client);
        } else if (dice < 20) {
            boolean back = client.instance != null && random.nextInt(3) > 0;
            beat(client, back ? -2 : -1, false, null, null, null, null);
            clients.remove(client);
            if (back) away.add(client);
        } else if (dice < 23) {
            clients.remove(client);
        } else if (dice < 26) {
            beat(client, client.epoch + List.of(-1, 1, 2).get(random.nextInt(3)), false, null, random.nextBoolean() ? client.owned : null, null, null);
        } else if (dice < 28) {
            Client other = new Client();
            other.id = List.of("stranger", client.id, client.id, "").get(random.nextInt(4));
            other.instance = random.nextBoolean() ? "i" + random.nextInt(4) : random.nextInt(6) == 0 ? "" : null;
            beat(other, List.of(3, -1, -2, 0, -3).get(random.nextInt(5)), random.nextBoolean(), random.nextBoolean() ? List.of("a") : null,
                random.nextBoolean() ? Map.of() : null, random.nextInt(4) == 0 ? "nobody" : null, random.nextInt(4) == 0 ? "" : null);
        } else if (dice < 31) {
            counts.merge(List.of("a", "b", "c").get(random.nextInt(3)), 1, Integer::sum);
            for (String name : counts.keySet()) {
                Integer before = manager.image().topicMetadata(name).map(CoordinatorMetadataImage.TopicMetadata::partitionCount).orElse(0);
                if (before.equals(counts.get(name))) continue;
                Image image = new Image(new TreeMap<>(counts));
                manager.onMetadataUpdate(new Delta(image, name), image);
                step("topic", name, counts.get(name));
            }
        } else if (dice < 33 && !log.isEmpty()) {
            manager = manager();
            log.forEach(this::replay);
            manager.onLoaded();
            step("loaded", standing());
        } else if (dice < 40) {
            commit(client);
        } else {
            heartbeat(client);
        }
    }

    void heartbeat(Client client) {
        Map<String, TreeSet<Integer>> owned = null;
        int dice = random.nextInt(10);
        if (dice < 5) {
            client.owned = new TreeMap<>();
            client.told.forEach((name, parts) -> client.owned.put(name, new TreeSet<>(parts)));
        }
        if (dice < 7) owned = client.owned;
        List<String> topics = null;
        if (random.nextInt(12) == 0) topics = client.topics = someTopics();
        boolean timeout = random.nextInt(8) == 0;
        if (timeout && topics == null && random.nextBoolean()) topics = client.topics;
        var response = beat(client, client.epoch, timeout, topics, owned, random.nextInt(25) == 0 ? ASSIGNORS.get(random.nextInt(2)) : null, null);
        if (response == null) {
            client.epoch = 0;
            client.owned = new TreeMap<>();
            join(client);
        } else if (random.nextInt(8) > 0) {
            take(client, response);
        }
    }

    void commit(Client client) {
        ConsumerGroup group;
        try {
            group = manager.consumerGroup(GROUP);
        } catch (ApiException e) {
            return;
        }
        String member = random.nextInt(12) == 0 ? "stranger" : client.id, topic = random.nextBoolean() ? "a" : "b";
        int epoch = client.epoch - (random.nextBoolean() ? 0 : random.nextInt(5) - 1), partition = random.nextInt(6);
        Object error = null, fetch = null;
        try {
            group.validateOffsetCommit(member, null, epoch, false, (short) 9).validate(topic, idOf(topic), partition);
        } catch (ApiException e) {
            error = Errors.forException(e).name();
        }
        try {
            group.validateOffsetFetch(member, epoch, Long.MAX_VALUE);
        } catch (ApiException e) {
            fetch = Errors.forException(e).name();
        }
        step("commit", member, epoch, topic, partition, error, fetch);
    }

    public static void main(String[] args) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        List<String> scripts = new ArrayList<>();
        for (int seed = 0; seed < Integer.parseInt(args[0]); seed++) {
            ConsumerGroupScripts script = new ConsumerGroupScripts(seed);
            Map<String, Object> result = new LinkedHashMap<>(script.settings);
            result.put("topics", new TreeMap<>(script.counts));
            int step = 0;
            try {
                for (; step < Integer.parseInt(args[1]); step++) {
                    script.runTo(script.clock.ms + (script.random.nextInt(12) == 0 ? script.random.nextInt(9_000) : script.random.nextInt(900)));
                    script.act();
                }
            } catch (IllegalStateException e) {
                System.err.println("script " + seed + " step " + step + ": " + e);
            }
            result.put("steps", script.steps);
            scripts.add(mapper.writeValueAsString(result));
        }
        try (PrintWriter out = new PrintWriter(args[2])) {
            out.println("[\n" + String.join(",\n", scripts) + "\n]");
        }
    }
}
