/* What Kafka's own Partition makes of random fetches, appends and answers of the controller, as the leader.
 *
 *     javac -cp "LIBS/*" -d OUT LeaderScripts.java
 *     java -cp "OUT:LIBS/*" kafka.cluster.LeaderScripts COUNT FILE
 *
 * LIBS: the jars of kafka_2.13 4.3.1 with all it needs. Each script is a partition as its leader takes it over and its steps; a step is
 * the time in ms, what happened, and the state after it: high watermark, ISR, maximal ISR, whether a change of it is in flight, whether
 * the ISR is below the least, and the answers to acks=all at the log's end and at the high watermark (null: it waits).
 */
package kafka.cluster;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.*;
import java.lang.reflect.Proxy;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import kafka.server.AlterPartitionManager;
import org.apache.kafka.common.*;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.*;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.server.partition.AlterPartitionListener;
import org.apache.kafka.server.util.Scheduler;
import org.apache.kafka.storage.internals.log.*;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;
import scala.Option;

public class LeaderScripts {
    static final int LAG_MS = 30_000;
    static final TopicPartition PARTITION = new TopicPartition("t", 0);
    static final Uuid TOPIC = new Uuid(1, 1);

    static class Clock implements Time {
        long ms = 1_000_000;
        public long milliseconds() { return ms; }
        public long nanoseconds() { return ms * 1_000_000; }
        public void sleep(long more) { ms += more; }
        public void waitObject(Object object, Supplier<Boolean> condition, long deadline) { throw new UnsupportedOperationException(); }
    }

    final Random random;
    final Clock clock = new Clock();
    final Set<Integer> fenced = new HashSet<>();
    final List<Object> steps = new ArrayList<>();
    final Map<String, Object> script = new LinkedHashMap<>();
    final int replicas;
    final long[] ends;
    final UnifiedLog log;
    final Partition partition;
    CompletableFuture<LeaderAndIsr> asked;
    LeaderAndIsr proposed;

    @SuppressWarnings("unchecked")
    static <T> T made(Class<T> type, java.util.function.BiFunction<String, Object[], Object> answers) {
        return (T) Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, with) -> answers.apply(method.getName(), with));
    }

    Object metadata(String method, Object[] with) {
        switch (method) {
            case "isBrokerFenced": return fenced.contains((Integer) with[0]);
            case "isBrokerShuttingDown": return false;
            case "getAliveBrokerEpoch": return Optional.of(1L);
            default: throw new UnsupportedOperationException(method);
        }
    }

    LeaderScripts(long seed, Path folder) throws IOException {
        random = new Random(seed);
        replicas = 2 + random.nextInt(3);
        int minIsr = 1 + random.nextInt(3);
        LogConfig config = new LogConfig(Map.of("min.insync.replicas", String.valueOf(minIsr)));
        Path place = Files.createDirectories(folder.resolve(seed + "/t-0"));
        Scheduler scheduler = made(Scheduler.class, (name, with) -> null);
        log = UnifiedLog.create(place.toFile(), config, 0, 0, scheduler, new BrokerTopicStats(), clock, 60_000,
            new ProducerStateManagerConfig(86_400_000, true), 600_000, new LogDirFailureChannel(1), true, Optional.of(TOPIC));
        int logEnd = random.nextInt(7), highWatermark = random.nextInt(logEnd + 1);
        for (int offset = 0; offset < logEnd; offset++) log.appendAsLeader(record(), 0);  // a watermark is never inside a batch
        log.updateHighWatermark(highWatermark);
        int[] isr = IntStream.range(0, replicas).filter(node -> node == 0 || random.nextBoolean()).toArray();
        ends = new long[replicas];
        for (int node = 1; node < replicas; node++) {
            int of = node, from = IntStream.of(isr).anyMatch(member -> member == of) ? highWatermark : 0;
            ends[node] = from + random.nextInt(logEnd - from + 1);
        }
        AlterPartitionManager manager = made(AlterPartitionManager.class, (name, with) -> {
            proposed = (LeaderAndIsr) with[1];
            return asked = new CompletableFuture<>();
        });
        DelayedOperations none = new DelayedOperations(Option.empty(), PARTITION, null, null, null, null) {
            @Override public void checkAndCompleteAll() {}
            @Override public int numDelayedDelete() { return 0; }
        };
        partition = new Partition(PARTITION, LAG_MS, 0, () -> 1L, clock, made(AlterPartitionListener.class, (name, with) -> null), none,
            made(MetadataCache.class, this::metadata), null, manager, Option.apply(TOPIC));
        partition.log_$eq(Option.apply(log));
        script.put("replicas", replicas);
        script.put("isr", isr);
        script.put("log_end", logEnd);
        script.put("high_watermark", highWatermark);
        script.put("min_isr", minIsr);
        script.put("lag_ms", LAG_MS);
        script.put("now_ms", clock.ms);
        elect(isr, 1);
        script.put("state", state());
        script.put("steps", steps);
    }

    static MemoryRecords record() {
        return MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(0, "v".getBytes()));
    }

    void elect(int[] isr, int partitionEpoch) {
        Uuid[] directories = new Uuid[replicas];
        Arrays.fill(directories, DirectoryId.UNASSIGNED);
        partition.makeLeader(new PartitionRegistration.Builder().setReplicas(IntStream.range(0, replicas).toArray()).setDirectories(directories)
            .setIsr(isr).setLeader(0).setLeaderEpoch(1).setPartitionEpoch(partitionEpoch).setLeaderRecoveryState(LeaderRecoveryState.RECOVERED)
            .build(), false, null, Option.apply(TOPIC), Option.empty());
    }

    Object answer(long offset) {
        scala.Tuple2<Object, Errors> verdict = partition.checkEnoughReplicasReachOffset(offset);
        return (Boolean) verdict._1() ? verdict._2().name() : null;
    }

    List<Object> state() {
        return Arrays.asList(log.highWatermark(), new TreeSet<>(partition.partitionState().isr()), new TreeSet<>(partition.partitionState().maximalIsr()),
            partition.partitionState().isInflight() ? new TreeSet<>(proposed.isr()) : null, partition.isUnderMinIsr(),
            answer(log.logEndOffset()), answer(log.highWatermark()));
    }

    int[] committed() {
        return partition.partitionState().isr().stream().mapToInt(node -> node).sorted().toArray();
    }

    boolean inFlight() {
        return partition.partitionState().isInflight();
    }

    void step() {
        clock.ms += new int[] {0, 0, 0, 1, 4_000, LAG_MS - 1, LAG_MS, LAG_MS + 1}[random.nextInt(8)];
        int node = 1 + random.nextInt(replicas - 1), epoch = partition.getPartitionEpoch();
        List<Object> what = new ArrayList<>();
        switch (random.nextInt(13)) {
            case 0: case 1: case 2:
                partition.appendRecordsToLeader(record(), AppendOrigin.CLIENT, 1, RequestLocal.noCaching(), VerificationGuard.SENTINEL, (short) 1);
                what.addAll(List.of("append", log.logEndOffset()));
                break;
            case 3: case 4: case 5: case 6: case 7:
                if (random.nextBoolean()) ends[node] = Math.min(log.logEndOffset(), ends[node] + random.nextInt(4));
                if (random.nextInt(3) == 0) ends[node] = log.logEndOffset();
                partition.updateFollowerFetchState(partition.getReplica(node).get(), new LogOffsetMetadata(ends[node]), 0, clock.ms, log.logEndOffset(), 1);
                what.addAll(List.of("fetch", node, ends[node], !fenced.contains(node)));
                break;
            case 8:
                partition.maybeShrinkIsr();
                what.add("check");
                break;
            case 9:
                if (!inFlight() || asked.isDone()) return;
                int[] isr = proposed.isr().stream().mapToInt(member -> member).sorted().toArray();
                asked.complete(new LeaderAndIsr(0, 1, Arrays.stream(isr).boxed().toList(), LeaderRecoveryState.RECOVERED, epoch + 1));
                what.addAll(List.of("answer", isr, epoch + 1));
                break;
            case 10:
                if (!inFlight() || asked.isDone()) return;
                Errors error = List.of(Errors.INELIGIBLE_REPLICA, Errors.INVALID_UPDATE_VERSION, Errors.NOT_CONTROLLER).get(random.nextInt(3));
                asked.completeExceptionally(error.exception());
                what.addAll(List.of("refuse", error.name()));
                break;
            case 11:
                boolean out = random.nextBoolean();
                if (out ? !fenced.add(node) : !fenced.remove(node)) return;
                what.addAll(List.of("eligibility", node, !out));
                break;
            default:
                int ahead = random.nextInt(3) - 1;
                int[] left = ahead < 1 ? committed() : Arrays.stream(committed()).filter(member -> member != node).toArray();
                elect(left, epoch + ahead);
                what.addAll(List.of("metadata", left, epoch + ahead));
        }
        steps.add(List.of(clock.ms, what, state()));
    }

    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createTempDirectory("leaders");
        try (PrintWriter out = new PrintWriter(arguments[1], "UTF-8")) {
            for (int seed = 0; seed < Integer.parseInt(arguments[0]); seed++) {
                LeaderScripts made = new LeaderScripts(seed, folder);
                for (int at = 0; at < 60; at++) made.step();
                made.log.closeHandlers();
                out.println((seed == 0 ? "[" : ",") + new ObjectMapper().writeValueAsString(made.script));
            }
            out.println("]");
        }
    }
}
