/* What Kafka's own controller classes decide in random scripts of requests and timeouts.
 *
 *     javac -cp "LIBS/*" -d OUT ControllerScripts.java
 *     java -cp "OUT:LIBS/*" org.apache.kafka.controller.ControllerScripts COUNT OUTAGES FILE
 *
 * LIBS: the jars of kafka_2.13 4.3.1 with all it needs. Each script is a cluster and its steps; a step is the time in ms, what was
 * asked, the error, whether the broker may stop, and per batch of metadata records the partitions and brokers as they are after it, and
 * of which partitions Kafka's metrics count an unclean election and one from the eligible leader replicas.
 * COUNT scripts ask anything at random; in OUTAGES more, brokers behave as processes do: all die or stop, again and again, and come back.
 * Timeouts that change nothing are left out.
 * Of several sessions that are over at one check Kafka takes any; here all but one are kept alive just before.
 * Kafka 4.3.1 does not take a partition whose eligible leader replicas were cleared out of its index of them, and later writes the same
 * change of it twice; here the index is put right.
 */
package org.apache.kafka.controller;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.util.*;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.*;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.metadata.*;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.common.requests.*;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.image.*;
import org.apache.kafka.metadata.*;
import org.apache.kafka.server.common.*;

public class ControllerScripts {
    static final int SESSION_MS = 9_000, PREFERRED_MS = 40_000, UNCLEAN_MS = 30_000;

    static class Clock implements Time {
        long ms = 0;
        public long milliseconds() { return ms; }
        public long nanoseconds() { return ms * 1_000_000; }
        public void sleep(long more) { ms += more; }
        public void waitObject(Object object, Supplier<Boolean> condition, long deadline) { throw new UnsupportedOperationException(); }
    }

    static final ConfigDef CONFIG = new ConfigDef()
        .define("min.insync.replicas", ConfigDef.Type.INT, 1, ConfigDef.Importance.LOW, "")
        .define("unclean.leader.election.enable", ConfigDef.Type.BOOLEAN, false, ConfigDef.Importance.LOW, "");

    final Random random;
    final Clock clock = new Clock();
    final boolean elr;
    final int brokers;
    final List<Uuid> topics = new ArrayList<>();
    final List<List<Integer>> assignments = new ArrayList<>();
    final List<Integer> minIsr = new ArrayList<>();
    final List<Boolean> unclean = new ArrayList<>();
    final List<Object> steps = new ArrayList<>();
    final Map<List<Long>, Long> contacts = new HashMap<>();
    final boolean[] alive, leaving;
    long offset;
    long[] dueMs = {SESSION_MS / 8, PREFERRED_MS, UNCLEAN_MS};
    final FeatureControlManager features;
    final ConfigurationControlManager configuration;
    final ClusterControlManager cluster;
    final ReplicationControlManager replication;

    ControllerScripts(long seed) {
        random = new Random(new SplittableRandom(seed).nextLong());  // of neighbouring seeds the first draws are alike
        elr = random.nextInt(4) > 0;
        brokers = 3 + random.nextInt(3);
        alive = new boolean[brokers];
        leaving = new boolean[brokers];
        Arrays.fill(alive, true);
        features = new FeatureControlManager.Builder().setQuorumFeatures(
            new QuorumFeatures(0, QuorumFeatures.defaultSupportedFeatureMap(true), List.of(0))).build();
        features.replay(new FeatureLevelRecord().setName(MetadataVersion.FEATURE_NAME).setFeatureLevel(MetadataVersion.latestProduction().featureLevel()));
        if (elr) features.replay(new FeatureLevelRecord().setName(EligibleLeaderReplicasVersion.FEATURE_NAME).setFeatureLevel((short) 1));
        configuration = new ConfigurationControlManager.Builder().setFeatureControl(features).setKafkaConfigSchema(
            new KafkaConfigSchema(Map.of(ConfigResource.Type.TOPIC, CONFIG, ConfigResource.Type.BROKER, CONFIG), Map.of())).build();
        cluster = new ClusterControlManager.Builder().setTime(clock).setClusterId("c").setSessionTimeoutNs(TimeUnit.MILLISECONDS.toNanos(SESSION_MS))
            .setFeatureControlManager(features)
            .setBrokerShutdownHandler((node, clean, records) -> handler().handleBrokerShutdown(node, clean, records)).build();
        replication = new ReplicationControlManager.Builder().setConfigurationControl(configuration).setClusterControl(cluster).setFeatureControl(features).build();
        for (int node = 0; node < brokers; node++)
            cluster.replay(new RegisterBrokerRecord().setBrokerId(node).setBrokerEpoch(node).setIncarnationId(Uuid.randomUuid()).setFenced(false)
                .setLogDirs(List.of(new Uuid(7, node + 1000))), node);
        int count = 1 + random.nextInt(4);
        for (int at = 0; at < count; at++) {
            List<Integer> nodes = new ArrayList<>();
            for (int node = 0; node < brokers; node++) nodes.add(node);
            Collections.shuffle(nodes, random);
            List<Integer> replicas = new ArrayList<>(nodes.subList(0, 1 + random.nextInt(brokers)));
            Uuid topic = new Uuid(9, at + 1000);
            topics.add(topic);
            assignments.add(replicas);
            minIsr.add(1 + random.nextInt(3));
            unclean.add(random.nextInt(3) == 0);
            replication.replay(new TopicRecord().setName("t" + at).setTopicId(topic));
            configuration.replay(set(at, "min.insync.replicas", minIsr.get(at).toString()));
            configuration.replay(set(at, "unclean.leader.election.enable", unclean.get(at).toString()));
            List<Uuid> directories = replicas.stream().map(node -> new Uuid(7, node + 1000)).toList();
            replication.replay(new PartitionRecord().setTopicId(topic).setPartitionId(0).setReplicas(replicas).setIsr(replicas).setDirectories(directories)
                .setLeader(replicas.get(0)).setLeaderEpoch(0).setPartitionEpoch(0));
        }
        offset = brokers + count - 1;
        activate();
    }

    ReplicationControlManager handler() { return replication; }

    static ConfigRecord set(int at, String name, String value) {
        return new ConfigRecord().setResourceType(ConfigResource.Type.TOPIC.id()).setResourceName("t" + at).setName(name).setValue(value);
    }

    void activate() {
        cluster.activate();
        contacts.clear();
        for (BrokerRegistration each : cluster.brokerRegistrations().values())
            if (!each.fenced()) contacts.put(List.of((long) each.id(), each.epoch()), clock.ms);
        dueMs = new long[] {clock.ms + SESSION_MS / 8, clock.ms + PREFERRED_MS, clock.ms + UNCLEAN_MS};
    }

    PartitionRegistration partition(int at) { return replication.getPartition(topics.get(at), 0); }

    List<Object> state(int at) {
        PartitionRegistration p = partition(at);
        return List.of(p.replicas, p.isr, p.leader, p.leaderEpoch, p.partitionEpoch, sorted(p.elr), p.lastKnownElr,
            p.leaderRecoveryState == LeaderRecoveryState.RECOVERING);
    }

    static int[] sorted(int[] nodes) {
        int[] copy = nodes.clone();
        Arrays.sort(copy);
        return copy;
    }

    List<Object> broker(int node) {
        BrokerRegistration r = cluster.registration(node);
        return List.of(node, r.fenced(), r.inControlledShutdown(), r.epoch());
    }

    /** Replay a batch; return what it changed, nothing if it changed nothing. */
    List<Object> write(List<ApiMessageAndVersion> records) {
        TreeSet<Integer> partitions = new TreeSet<>(), nodes = new TreeSet<>(), unclean = new TreeSet<>(), eligible = new TreeSet<>();
        long count = 0;
        for (ApiMessageAndVersion each : records) {
            ApiMessage record = each.message();
            if (record instanceof PartitionChangeRecord change) {
                int at = topics.indexOf(change.topicId());
                TopicDelta delta = new TopicDelta(new TopicImage("t" + at, change.topicId(), Map.of(0, partition(at))));
                delta.replay(change);
                if (!delta.partitionToUncleanLeaderElectionCount().isEmpty()) unclean.add(at);
                if (!delta.partitionToElrElectionCount().isEmpty()) eligible.add(at);
                replication.replay(change);
                partitions.add(at);
                count++;
            } else if (record instanceof BrokerRegistrationChangeRecord change) {
                List<Object> before = broker(change.brokerId());
                cluster.replay(change);
                if (!before.equals(broker(change.brokerId()))) { nodes.add(change.brokerId()); count++; }
            } else if (record instanceof RegisterBrokerRecord register) {
                cluster.replay(register, offset + count + 1);
                nodes.add(register.brokerId());
                count++;
            } else if (record instanceof ConfigRecord config) {
                configuration.replay(config);
            } else if (record instanceof ClearElrRecord clear) {
                int at = Integer.parseInt(clear.topicName().substring(1));
                PartitionRegistration before = partition(at);
                replication.replay(clear);
                if (!before.equals(partition(at))) { partitions.add(at); count++; }
                replication.brokersToElrs().update(topics.get(at), 0, before.elr, partition(at).elr);
            } else throw new IllegalStateException(record.toString());
        }
        if (count == 0) return List.of();
        offset += count;
        return List.of(List.of(partitions.stream().map(at -> List.of(at, state(at))).toList(), nodes.stream().map(this::broker).toList(), offset,
            unclean, eligible));
    }

    void step(List<Object> request, int error, boolean stops, List<Object> batches) {
        steps.add(List.of(clock.ms, request, error == 0 ? "NONE" : Errors.forCode((short) error).name(), stops, batches));
    }

    void heartbeat(int node, long epoch, boolean caughtUp, boolean wantsShutdown, long replayed) {
        List<Object> request = List.of("heartbeat", node, epoch, caughtUp, wantsShutdown, replayed);
        contacts.put(List.of((long) node, epoch), clock.ms);
        cluster.trackBrokerHeartbeat(node, epoch);
        try {
            OptionalLong registered = cluster.registerBrokerRecordOffset(node);
            if (registered.isEmpty()) throw Errors.STALE_BROKER_EPOCH.exception();
            ControllerResult<BrokerHeartbeatReply> result = replication.processBrokerHeartbeat(new BrokerHeartbeatRequestData().setBrokerId(node)
                .setBrokerEpoch(epoch).setWantFence(!caughtUp).setWantShutDown(wantsShutdown).setCurrentMetadataOffset(replayed), registered.getAsLong());
            List<Object> batches = write(result.records());
            if (result.response().inControlledShutdown()) cluster.heartbeatManager().maybeUpdateControlledShutdownOffset(node, offset);
            if (result.response().shouldShutDown()) { alive[node] = false; leaving[node] = false; }
            step(request, 0, result.response().shouldShutDown(), batches);
        } catch (ApiException refused) {
            step(request, Errors.forException(refused).code(), false, List.of());
        }
    }

    void register(int node, boolean clean) {
        List<Object> request = List.of("register", node, clean);
        try {
            BrokerRegistrationRequestData data = new BrokerRegistrationRequestData().setBrokerId(node).setClusterId("c").setIncarnationId(Uuid.randomUuid())
                .setLogDirs(List.of(new Uuid(7, node + 1000))).setPreviousBrokerEpoch(clean ? cluster.registration(node).epoch() : -1);
            data.features().add(new BrokerRegistrationRequestData.Feature().setName(MetadataVersion.FEATURE_NAME)
                .setMinSupportedVersion(MetadataVersion.MINIMUM_VERSION.featureLevel()).setMaxSupportedVersion(MetadataVersion.latestProduction().featureLevel()));
            ControllerResult<BrokerRegistrationReply> result = cluster.registerBroker(data, offset + 1,
                new FinalizedControllerFeatures(Map.of(MetadataVersion.FEATURE_NAME, MetadataVersion.latestProduction().featureLevel()), 1), true);
            step(request, 0, false, write(result.records()));
            alive[node] = true;
            leaving[node] = false;
        } catch (ApiException refused) {
            step(request, Errors.forException(refused).code(), false, List.of());
        }
    }

    void alter(int node, long epoch, int at, int leaderEpoch, int partitionEpoch, List<Integer> isr, List<Long> epochs, boolean recovering) {
        List<Object> request = List.of("alter", node, epoch, at, leaderEpoch, partitionEpoch, isr, epochs, recovering);
        List<AlterPartitionRequestData.BrokerState> states = new ArrayList<>();
        for (int i = 0; i < isr.size(); i++) states.add(new AlterPartitionRequestData.BrokerState().setBrokerId(isr.get(i)).setBrokerEpoch(epochs.get(i)));
        AlterPartitionRequestData data = new AlterPartitionRequestData().setBrokerId(node).setBrokerEpoch(epoch).setTopics(List.of(
            new AlterPartitionRequestData.TopicData().setTopicId(topics.get(at)).setPartitions(List.of(new AlterPartitionRequestData.PartitionData()
                .setPartitionIndex(0).setLeaderEpoch(leaderEpoch).setPartitionEpoch(partitionEpoch).setNewIsrWithEpochs(states)
                .setLeaderRecoveryState((byte) (recovering ? 1 : 0))))));
        try {
            ControllerResult<AlterPartitionResponseData> result = replication.alterPartition(
                new ControllerRequestContext(new RequestHeaderData().setRequestApiVersion((short) 3), null, OptionalLong.empty()), data);
            step(request, result.response().topics().get(0).partitions().get(0).errorCode(), false, write(result.records()));
        } catch (ApiException refused) {
            step(request, Errors.forException(refused).code(), false, List.of());
        }
    }

    void randomAlter() {
        int at = random.nextInt(topics.size());
        PartitionRegistration p = partition(at);
        int node = p.leader >= 0 && random.nextInt(8) > 0 ? p.leader : random.nextInt(brokers);
        List<Integer> isr = new ArrayList<>();
        List<Long> epochs = new ArrayList<>();
        for (int replica : p.replicas)
            if ((replica == node && random.nextInt(15) > 0) || random.nextInt(3) > 0) isr.add(replica);
        Collections.shuffle(isr, random);
        for (int each : isr) epochs.add(random.nextInt(4) > 0 ? -1L : random.nextInt(6) > 0 ? cluster.registration(each).epoch() : 1000L);
        alter(node, random.nextInt(15) > 0 ? cluster.registration(node).epoch() : 1000, at, p.leaderEpoch + off(), p.partitionEpoch + off(), isr, epochs, random.nextInt(10) == 0);
    }

    int off() { return random.nextInt(12) > 0 ? 0 : random.nextInt(3) - 1; }

    void beat(int node) {
        BrokerRegistration r = cluster.registration(node);
        heartbeat(node, r.epoch(), !r.fenced() || random.nextInt(4) > 0, leaving[node], Math.max(0, offset - (random.nextInt(3) > 0 ? 0 : random.nextInt(6))));
    }

    /** Run the periodic tasks up to a time, as the controller's timers do. */
    void runTo(long endMs) {
        while (true) {
            long nextMs = Math.min(dueMs[0], Math.min(dueMs[1], dueMs[2]));
            if (nextMs > endMs) break;
            clock.ms = nextMs;
            boolean checks = dueMs[0] == nextMs;
            if (checks) keepAllButOne();
            List<Object> batches = new ArrayList<>();
            for (int task = 0; task < 3; task++) {
                if (dueMs[task] != nextMs) continue;
                ControllerResult<Boolean> result = task == 0 ? replication.maybeFenceOneStaleBroker()
                    : task == 1 ? replication.maybeBalancePartitionLeaders() : replication.maybeElectUncleanLeaders();
                batches.addAll(write(result.records()));
                dueMs[task] = nextMs + (result.response() ? 10 : task == 0 ? SESSION_MS / 8 : task == 1 ? PREFERRED_MS : UNCLEAN_MS);
            }
            if (checks) contacts.values().removeIf(ms -> ms + SESSION_MS < nextMs);
            if (!batches.isEmpty()) step(List.of("timeout"), 0, false, batches);
        }
        clock.ms = endMs;
    }

    void keepAllButOne() {
        List<List<Long>> over = new ArrayList<>();
        for (Map.Entry<List<Long>, Long> each : contacts.entrySet()) if (each.getValue() + SESSION_MS < clock.ms) over.add(each.getKey());
        over.sort(Comparator.comparing(List::toString));
        for (int i = 1; i < over.size(); i++) {
            int node = over.get(i).get(0).intValue();
            heartbeat(node, over.get(i).get(1), true, leaving[node], offset);
        }
    }

    void act() {
        int node = random.nextInt(brokers), kind = random.nextInt(100);
        if (kind < 50) { for (int each = 0; each < brokers; each++) if (alive[each] && random.nextInt(6) > 0) beat(each); }
        else if (kind < 75) randomAlter();
        else if (kind < 80) alive[node] = false;
        else if (kind < 85) { leaving[node] |= alive[node]; if (alive[node]) beat(node); }
        else if (kind < 93) { if (!alive[node]) register(node, random.nextBoolean()); }
        else if (kind < 95) {
            ElectLeadersRequestData data = new ElectLeadersRequestData().setElectionType((byte) 0).setTopicPartitions(null);
            ControllerResult<ElectLeadersResponseData> result = replication.electLeaders(data);
            step(List.of("prefer"), 0, false, write(result.records()));
        } else if (kind < 97) {
            int at = random.nextInt(topics.size()), min = 1 + random.nextInt(3);
            List<ApiMessageAndVersion> records = new ArrayList<>(List.of(new ApiMessageAndVersion(set(at, "min.insync.replicas", "" + min), (short) 0)));
            records.addAll(configuration.createClearElrRecordsAsNeeded(records));
            step(List.of("min_isr", at, min), 0, false, write(records));
        } else if (kind < 99) {
            int at = random.nextInt(topics.size());
            boolean allowed = random.nextBoolean();
            step(List.of("unclean", at, allowed), 0, false,
                write(List.of(new ApiMessageAndVersion(set(at, "unclean.leader.election.enable", "" + allowed), (short) 0))));
        } else {
            cluster.deactivate();
            activate();
            step(List.of("failover"), 0, false, List.of());
        }
    }

    /** All brokers die or stop within a while, and come back whole; those that run send heartbeats, and leaders take in who is active. */
    void outages(long endMs) {
        long[] diesMs = new long[brokers], backMs = new long[brokers];
        boolean[] clean = new boolean[brokers];
        long nextMs = 3_000 + random.nextInt(3_000);
        while (clock.ms < endMs) {
            if (clock.ms >= nextMs) {
                int within = random.nextBoolean() ? 3_000 : 16_000, longest = random.nextBoolean() ? 4_000 : 20_000;
                for (int node = 0; node < brokers; node++) {
                    diesMs[node] = clock.ms + random.nextInt(within);
                    backMs[node] = diesMs[node] + 100 + random.nextInt(longest);
                    clean[node] = random.nextInt(4) == 0;
                }
                nextMs = clock.ms + 38_000;
            }
            for (int node = 0; node < brokers; node++) {
                if (diesMs[node] > 0 && clock.ms >= diesMs[node]) {
                    diesMs[node] = 0;
                    if (!alive[node]) clean[node] = false;
                    else if (clean[node]) leaving[node] = true;
                    else alive[node] = false;
                }
                if (alive[node]) heartbeat(node, cluster.registration(node).epoch(), true, leaving[node], offset);
                else if (backMs[node] > 0 && clock.ms >= backMs[node]) {
                    register(node, clean[node]);
                    if (alive[node]) backMs[node] = 0;
                }
            }
            for (int at = 0; at < topics.size(); at++) takeIn(at);
            runTo(clock.ms + 1_000 + random.nextInt(1_000));
        }
    }

    /** A leader says that it took over, or wants another active replica in the ISR. */
    void takeIn(int at) {
        PartitionRegistration p = partition(at);
        if (p.leader < 0 || !alive[p.leader]) return;
        List<Integer> isr = new ArrayList<>();
        for (int each : p.isr) isr.add(each);
        if (p.leaderRecoveryState == LeaderRecoveryState.RECOVERED)
            for (int each : p.replicas) if (!isr.contains(each) && cluster.isActive(each) && random.nextBoolean()) isr.add(each);
        if (p.leaderRecoveryState == LeaderRecoveryState.RECOVERED && isr.size() == p.isr.length || random.nextInt(3) == 0) return;
        alter(p.leader, cluster.registration(p.leader).epoch(), at, p.leaderEpoch, p.partitionEpoch, isr, isr.stream().map(each -> -1L).toList(), false);
    }

    public static void main(String[] arguments) throws Exception {
        ObjectMapper json = new ObjectMapper();
        int count = Integer.parseInt(arguments[0]), outages = Integer.parseInt(arguments[1]);
        try (PrintWriter out = new PrintWriter(arguments[2])) {
            out.print("[");
            for (int seed = 0; seed < count + outages; seed++) {
                ControllerScripts script = new ControllerScripts(seed);
                List<Integer> first = new ArrayList<>(script.minIsr);
                List<Boolean> allowed = new ArrayList<>(script.unclean);
                if (seed >= count) script.outages(80_000);
                else while (script.clock.ms < 90_000) {
                    script.runTo(script.clock.ms + 1 + script.random.nextInt(1_500));
                    script.act();
                }
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("elr", script.elr);
                row.put("brokers", script.brokers);
                row.put("assignments", script.assignments);
                row.put("min_isr", first);
                row.put("unclean", allowed);
                row.put("steps", script.steps);
                out.print((seed > 0 ? ",\n" : "\n") + json.writeValueAsString(row));
            }
            out.print("\n]\n");
        }
    }
}
