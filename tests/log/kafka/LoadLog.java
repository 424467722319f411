/* Kafka's own partition log, written once and opened after damage.
 *
 *     java -cp "LIBS/*" LoadLog.java write DIR          two folders: DIR/clean/t-0 and DIR/crashed/t-0
 *     java -cp "LIBS/*" LoadLog.java load CASES OUT     CASES: JSON list of {folder, clean, recovery_point, log_start}
 *
 * OUT: for each case what UnifiedLog answers after LogLoader, every file as it is then (hex), and for each offset
 * the base offset of the batch that a read begins with; or the exception.
 */
import com.fasterxml.jackson.databind.*;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Supplier;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.server.util.Scheduler;
import org.apache.kafka.storage.internals.log.*;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

public class LoadLog {
    static final long T0 = 1_700_000_000_000L;
    static final long NOW = T0 + 3_600_000;

    /** A clock that stands still. */
    static class Still implements Time {
        public long milliseconds() { return NOW; }
        public long nanoseconds() { return NOW * 1_000_000; }
        public void sleep(long ms) { }
        public void waitObject(Object o, Supplier<Boolean> done, long ms) { }
    }

    /** Does at once what has no delay, and nothing else: renamed files stay where they are. */
    static class AtOnce implements Scheduler {
        final ScheduledThreadPoolExecutor later = new ScheduledThreadPoolExecutor(1);
        public void startup() { }
        public void shutdown() { }
        public void resizeThreadPool(int n) { }
        public ScheduledFuture<?> schedule(String name, Runnable r, long delay, long period) {
            if (delay <= 0 && period < 0) r.run();
            return later.schedule(() -> { }, 1, TimeUnit.DAYS);
        }
    }

    static UnifiedLog open(File dir, boolean clean, long recoveryPoint, long logStart) throws Exception {
        LogConfig config = new LogConfig(Map.of("internal.segment.bytes", "700", "segment.index.bytes", "480",
            "index.interval.bytes", "150", "retention.ms", "-1", "segment.ms", "" + Long.MAX_VALUE));
        return UnifiedLog.create(dir, config, logStart, recoveryPoint, new AtOnce(), new BrokerTopicStats(),
            new Still(), 900_000, new ProducerStateManagerConfig(86_400_000, false), 600_000,
            new LogDirFailureChannel(10), clean, Optional.empty());
    }

    static int batches = 0;

    static SimpleRecord[] records(int n) {
        SimpleRecord[] out = new SimpleRecord[n];
        for (int i = 0; i < n; i++) out[i] = new SimpleRecord(T0 + batches * 1000L + i,
            ("k" + (batches + i) % 5).getBytes(StandardCharsets.UTF_8), ("value-" + batches + "-" + i).getBytes(StandardCharsets.UTF_8));
        batches++;
        return out;
    }

    static void append(UnifiedLog log, MemoryRecords records, int epoch, AppendOrigin origin) {
        log.appendAsLeader(records, epoch, origin, RequestLocal.noCaching(), VerificationGuard.SENTINEL, (short) 1);
    }

    static void write(File dir, File copy) throws Exception {
        dir.mkdirs();
        UnifiedLog log = open(dir, true, 0, 0);
        Compression none = Compression.NONE;
        AppendOrigin client = AppendOrigin.CLIENT;
        for (int i = 0; i < 4; i++) append(log, MemoryRecords.withRecords(none, records(3)), 0, client);
        for (int i = 0; i < 4; i++) append(log, MemoryRecords.withIdempotentRecords(none, 1001, (short) 0, 2 * i, records(2)), 0, client);
        append(log, MemoryRecords.withTransactionalRecords(none, 2002, (short) 4, 0, records(3)), 1, client);
        append(log, MemoryRecords.withRecords(Compression.gzip().build(), records(6)), 1, client);
        append(log, MemoryRecords.withTransactionalRecords(none, 2002, (short) 4, 3, records(2)), 1, client);
        append(log, MemoryRecords.withEndTransactionMarker(0, T0 + 20_000, 1, 2002, (short) 4, new EndTransactionMarker(ControlRecordType.ABORT, 7)), 1, AppendOrigin.COORDINATOR);
        for (int i = 4; i < 8; i++) append(log, MemoryRecords.withIdempotentRecords(none, 1001, (short) 0, 2 * i, records(2)), 1, client);
        for (int i = 0; i < 4; i++) append(log, MemoryRecords.withRecords(none, records(3)), 3, client);
        append(log, MemoryRecords.withTransactionalRecords(none, 2002, (short) 4, 5, records(2)), 3, client);
        for (int i = 0; i < 2; i++) append(log, MemoryRecords.withRecords(none, records(4)), 3, client);
        if (copy != null) {
            copy.mkdirs();
            for (File f : dir.listFiles()) Files.copy(f.toPath(), copy.toPath().resolve(f.getName()));
        }
        log.close();
    }

    static Object next(LogSegment s) {
        try {
            return s.readNextOffset();
        } catch (Throwable e) {
            return e.getClass().getSimpleName();
        }
    }

    static Map<String, Object> answer(File dir, JsonNode c) {
        Map<String, Object> out = new TreeMap<>();
        try {
            UnifiedLog log = open(dir, c.get("clean").asBoolean(), c.get("recovery_point").asLong(), c.get("log_start").asLong());
            Map<String, String> files = new TreeMap<>();
            for (File f : dir.listFiles()) files.put(f.getName(), HexFormat.of().formatHex(Files.readAllBytes(f.toPath())));
            out.put("files", files);
            out.put("log_end_offset", log.logEndOffset());
            out.put("log_start_offset", log.logStartOffset());
            out.put("recovery_point", log.recoveryPoint());
            out.put("first_unstable_offset", log.firstUnstableOffset().orElse(null));
            List<Object> segments = new ArrayList<>();
            for (LogSegment s : log.logSegments()) segments.add(List.of(s.baseOffset(), s.size(), s.offsetIndex().entries(), s.timeIndex().entries(), s.largestTimestamp(), next(s)));
            out.put("segments", segments);
            List<Object> epochs = new ArrayList<>();
            log.leaderEpochCache().epochEntries().forEach(e -> epochs.add(List.of(e.epoch(), e.startOffset())));
            out.put("epochs", epochs);
            List<Object> producers = new ArrayList<>();
            log.activeProducers().stream().sorted(Comparator.comparing(p -> p.producerId())).forEach(p -> producers.add(List.of(
                p.producerId(), p.producerEpoch(), p.lastSequence(), p.lastTimestamp(), p.coordinatorEpoch(), p.currentTxnStartOffset())));
            out.put("producers", producers);
            List<Object> reads = new ArrayList<>();
            for (long o = log.logStartOffset(); o < Math.min(log.logEndOffset(), log.logStartOffset() + 100); o++) {
                try {
                    Iterator<? extends RecordBatch> it = log.read(o, 1, FetchIsolation.LOG_END, true).records.batches().iterator();
                    reads.add(it.hasNext() ? List.of(o, it.next().baseOffset()) : List.of(o, -1));
                } catch (Throwable e) {
                    reads.add(List.of(o, e.getClass().getSimpleName()));
                }
            }
            out.put("reads", reads);
            log.closeHandlers();
        } catch (Throwable e) {
            out.put("error", e.getClass().getSimpleName());
            out.put("message", String.valueOf(e.getMessage()).replace(dir.getPath(), "DIR"));
        }
        return out;
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("write")) {
            Path dir = Path.of(args[1]);
            write(dir.resolve("clean/t-0").toFile(), dir.resolve("crashed/t-0").toFile());
        } else {
            ObjectMapper mapper = new ObjectMapper();
            List<Object> out = new ArrayList<>();
            for (JsonNode c : mapper.readTree(new File(args[1]))) out.add(answer(new File(c.get("folder").asText()), c));
            mapper.writeValue(new File(args[2]), out);
        }
        System.exit(0);
    }
}
