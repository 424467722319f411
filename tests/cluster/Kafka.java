/* Kafka's own record and log classes, asked by lines of JSON on standard input.
 *
 *     java -cp "JARS/*" Kafka.java
 *
 * Each line is a command, an object whose "do" names it; each answer is a line too, and an
 * exception is one: {"error": its class, "code": its name in the protocol, "text": ...}. Bytes go as base64.
 * One log is open at a time. Its clock stands where the last "now_ms" put it, and tasks
 * that Kafka gives its scheduler run as soon as that clock has reached them.
 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.*;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Supplier;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.server.util.Scheduler;
import org.apache.kafka.storage.internals.log.*;
import org.apache.kafka.storage.internals.utils.Throttler;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;
import org.apache.kafka.tools.DumpLogSegments;

public class Kafka {
    static final ObjectMapper JSON = new ObjectMapper();
    static final Clock CLOCK = new Clock();
    static final Tasks TASKS = new Tasks();
    static UnifiedLog log;
    static Optional<Long> firstDirtyOffset;            // what the cleaner's checkpoint would say

    /** A clock that stands. */
    static class Clock implements Time {
        long now;
        public long milliseconds() { return now; }
        public long nanoseconds() { return now * 1_000_000; }
        public void sleep(long ms) { now += ms; }
        public void waitObject(Object o, Supplier<Boolean> done, long deadline) { throw new UnsupportedOperationException(); }
    }

    /** Runs a task once, in the caller's thread, when the clock has reached its time. */
    static class Tasks implements Scheduler {
        final PriorityQueue<Task> waiting = new PriorityQueue<>();
        public void startup() { }
        public void shutdown() { waiting.clear(); }
        public void resizeThreadPool(int size) { }
        public ScheduledFuture<?> schedule(String name, Runnable task, long delayMs, long periodMs) {
            Task made = new Task(task, CLOCK.now + delayMs);
            if (periodMs < 0) waiting.add(made);     // the periodic one expires producers: a command of its own
            runDue();
            return made;
        }
        void runDue() {
            while (!waiting.isEmpty() && waiting.peek().at <= CLOCK.now) waiting.poll().run();
        }
    }

    static class Task extends FutureTask<Void> implements ScheduledFuture<Void> {
        final long at;
        Task(Runnable task, long at) { super(task, null); this.at = at; }
        public long getDelay(TimeUnit unit) { return unit.convert(at - CLOCK.now, TimeUnit.MILLISECONDS); }
        public int compareTo(Delayed other) { return Long.compare(at, ((Task) other).at); }
    }

    static byte[] bytes(JsonNode node) { return node == null || node.isNull() ? null : Base64.getDecoder().decode(node.asText()); }

    static String text(ByteBuffer buffer) {
        if (buffer == null) return null;
        byte[] copy = new byte[buffer.remaining()];
        buffer.duplicate().get(copy);
        return text(copy);
    }

    static String text(byte[] some) { return some == null ? null : Base64.getEncoder().encodeToString(some); }

    static long number(JsonNode node, String name, long otherwise) { return node.has(name) ? node.get(name).asLong() : otherwise; }

    static boolean is(JsonNode node, String name) { return node.has(name) && node.get(name).asBoolean(); }

    // -- record batches ------------------------------------------------------------------

    static Compression compression(String codec) { return Compression.of(codec).build(); }

    static Object encode(JsonNode command) {
        List<String> made = new ArrayList<>();
        for (JsonNode batch : command.get("batches")) made.add(text(encodeOne(batch)));
        return made;
    }

    static ByteBuffer encodeOne(JsonNode b) {
        long base = number(b, "base_offset", 0), producer = number(b, "producer_id", -1);
        short epoch = (short) number(b, "producer_epoch", -1);
        int leader = (int) number(b, "leader_epoch", -1), sequence = (int) number(b, "base_sequence", -1);
        if (b.has("control")) {
            var kind = b.get("control").asText().equals("commit") ? ControlRecordType.COMMIT : ControlRecordType.ABORT;
            var marker = new EndTransactionMarker(kind, (int) number(b, "coordinator_epoch", 0));
            return MemoryRecords.withEndTransactionMarker(base, b.get("timestamp_ms").asLong(), leader, producer, epoch, marker).buffer();
        }
        boolean appendTime = b.has("log_append_time_ms");
        var type = appendTime ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME;
        if (b.get("records").isEmpty()) {
            ByteBuffer empty = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
            DefaultRecordBatch.writeEmptyHeader(empty, (byte) 2, producer, epoch, sequence, base, number(b, "last_offset", base), leader,
                type, number(b, "timestamp_ms", -1), is(b, "transactional"), false);
            empty.flip();
            return empty;
        }
        String codec = b.has("codec") ? b.get("codec").asText() : "none";
        var builder = new MemoryRecordsBuilder(new ByteBufferOutputStream(512), (byte) 2, compression(codec), type, base,
            number(b, "log_append_time_ms", -1), producer, epoch, sequence, is(b, "transactional"), false, leader, 1 << 30,
            number(b, "delete_horizon_ms", -1));
        long next = base;
        for (JsonNode r : b.get("records")) {          // [timestamp, key, value, headers, offset or null]
            List<Header> headers = new ArrayList<>();
            for (JsonNode h : r.get(3)) headers.add(new RecordHeader(h.get(0).asText(), bytes(h.get(1))));
            long offset = r.get(4).isNull() ? next : r.get(4).asLong();
            builder.appendWithOffset(offset, r.get(0).asLong(), bytes(r.get(1)), bytes(r.get(2)), headers.toArray(new Header[0]));
            next = offset + 1;
        }
        if (b.has("last_offset")) builder.overrideLastOffset(b.get("last_offset").asLong());
        return builder.build().buffer();
    }

    static Object decode(JsonNode command) {
        List<Object> batches = new ArrayList<>();
        MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes(command.get("data"))));
        for (RecordBatch batch : records.batches()) {
            batch.ensureValid();
            batches.add(described(batch));
        }
        return batches;
    }

    static Map<String, Object> described(RecordBatch b) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("base_offset", b.baseOffset());
        row.put("last_offset", b.lastOffset());
        row.put("leader_epoch", b.partitionLeaderEpoch());
        row.put("codec", b.compressionType().name);
        row.put("append_time", b.timestampType() == TimestampType.LOG_APPEND_TIME);
        row.put("max_timestamp_ms", b.maxTimestamp());
        row.put("producer", List.of(b.producerId(), b.producerEpoch(), b.baseSequence()));
        row.put("transactional", b.isTransactional());
        row.put("control", b.isControlBatch());
        row.put("delete_horizon_ms", b.deleteHorizonMs().isPresent() ? b.deleteHorizonMs().getAsLong() : null);
        List<Object> rows = new ArrayList<>();
        for (org.apache.kafka.common.record.internal.Record r : b) {
            List<Object> headers = new ArrayList<>();
            for (Header h : r.headers()) headers.add(Arrays.asList(h.key(), text(h.value())));
            rows.add(Arrays.asList(r.timestamp(), text(r.key()), text(r.value()), headers, r.offset()));
        }
        row.put("records", rows);
        return row;
    }

    // -- a log ---------------------------------------------------------------------------

    static LogConfig config(JsonNode command) {
        Properties set = new Properties();
        command.get("config").properties().forEach(f -> set.put(f.getKey(), f.getValue().asText()));
        return new LogConfig(set);
    }

    static Object open(JsonNode c) throws Exception {
        drop();
        CLOCK.now = number(c, "now_ms", 0);
        firstDirtyOffset = Optional.empty();
        log = UnifiedLog.create(new File(c.get("folder").asText()), config(c), number(c, "log_start_offset", 0),
            number(c, "recovery_point", 0), TASKS, new BrokerTopicStats(), CLOCK, 60_000,
            new ProducerStateManagerConfig((int) number(c, "producer_expiration_ms", 86_400_000), true), 600_000,
            new LogDirFailureChannel(4), is(c, "clean"), Optional.empty());
        // kafkasim's files have no times: a segment without timestamps is as old as its opening.
        for (LogSegment segment : log.logSegments())
            if (!segment.log().file().setLastModified(CLOCK.now)) throw new IllegalStateException(segment.toString());
        return state();
    }

    /** What a killed process leaves: nothing is written any more, waiting tasks are lost. */
    static Object drop() throws Exception {
        TASKS.shutdown();
        if (log != null) log.closeHandlers();
        log = null;
        return true;
    }

    static Object close() throws Exception {
        log.close();
        TASKS.shutdown();
        log = null;
        return true;
    }

    static Object state() {
        Map<String, Object> s = new LinkedHashMap<>();
        s.put("log_start_offset", log.logStartOffset());
        s.put("log_end_offset", log.logEndOffset());
        s.put("high_watermark", log.highWatermark());
        // Kafka puts it where the batch begins, below the log's start if that lies in a batch.
        s.put("last_stable_offset", Math.max(log.lastStableOffset(), log.logStartOffset()));
        s.put("recovery_point", log.recoveryPoint());
        List<Object> segments = new ArrayList<>();
        for (LogSegment segment : log.logSegments()) segments.add(List.of(segment.baseOffset(), segment.size()));
        s.put("segments", segments);
        List<Object> epochs = new ArrayList<>();
        log.leaderEpochCache().epochEntries().forEach(e -> epochs.add(List.of(e.epoch(), e.startOffset())));
        s.put("epochs", epochs);
        List<List<Object>> producers = new ArrayList<>();
        log.activeProducers().forEach(p -> producers.add(List.of(p.producerId(), p.producerEpoch(), p.lastSequence(), p.lastTimestamp(),
            p.coordinatorEpoch(), p.currentTxnStartOffset())));
        producers.sort(Comparator.comparingLong(p -> (Long) p.get(0)));
        s.put("producers", producers);
        return s;
    }

    /** As a broker asks its coordinator whether the transaction is open, and the answer is yes. */
    static VerificationGuard verified(MemoryRecords records, short version) {
        for (RecordBatch b : records.batches())
            if (b.isTransactional() && !b.isControlBatch())
                return log.maybeStartTransactionVerification(b.producerId(), b.baseSequence(), b.producerEpoch(), version >= 2);
        return VerificationGuard.SENTINEL;
    }

    static Object append(JsonNode c) {
        MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes(c.get("data"))));
        int epoch = (int) number(c, "leader_epoch", 0);
        LogAppendInfo info;
        if (is(c, "follower")) {
            info = log.appendAsFollower(records, epoch);
        } else {
            var origin = is(c, "coordinator") ? AppendOrigin.COORDINATOR : AppendOrigin.CLIENT;
            short version = (short) number(c, "transaction_version", 2);
            info = log.appendAsLeader(records, epoch, origin, RequestLocal.noCaching(), verified(records, version), version);
        }
        return List.of(info.firstOffset(), info.lastOffset());
    }

    static Object read(JsonNode c) throws Exception {
        var isolation = FetchIsolation.valueOf(c.has("until") ? c.get("until").asText() : "LOG_END");
        FetchDataInfo read = log.read(c.get("offset").asLong(), (int) number(c, "most_bytes", 1 << 20), isolation, !c.has("at_least_one") || is(c, "at_least_one"));
        ByteBuffer copy = ByteBuffer.allocate(read.records.sizeInBytes());
        if (read.records instanceof FileRecords file) file.readInto(copy, 0);
        else if (read.records instanceof MemoryRecords memory) copy.put(memory.buffer().duplicate()).flip();
        copy.limit(MemoryRecords.readableRecords(copy.duplicate()).validBytes());  // the last batch may be cut off
        long next = 0;
        for (RecordBatch batch : MemoryRecords.readableRecords(copy.duplicate()).batches()) next = batch.nextOffset();
        List<Object> aborted = new ArrayList<>();                      // those that reach into it, and no later ones
        for (var one : read.abortedTransactions.orElse(List.of())) if (one.firstOffset() < next) aborted.add(List.of(one.producerId(), one.firstOffset()));
        return Map.of("data", text(copy), "aborted", aborted);
    }

    /** The offset of a command; if "whole", that of the batch it lies in. */
    static long offset(JsonNode c) throws Exception {
        long offset = c.get("offset").asLong();
        if (!is(c, "whole") || offset < log.logStartOffset() || offset >= log.logEndOffset()) return offset;
        var batches = log.read(offset, 1, FetchIsolation.LOG_END, true).records.batches().iterator();
        return batches.hasNext() ? Math.max(batches.next().baseOffset(), log.logStartOffset()) : offset;
    }

    static Object offsetForTime(JsonNode c) {
        var found = log.fetchOffsetByTimestamp(c.get("timestamp_ms").asLong(), Optional.empty()).timestampAndOffsetOpt();
        return found.isPresent() ? List.of(found.get().timestamp, found.get().offset) : Collections.emptyList();
    }

    static Object clean(JsonNode c) throws Exception {
        var cleanable = LogCleanerManager.class.getDeclaredMethod("cleanableOffsets", UnifiedLog.class, Optional.class, long.class);
        cleanable.setAccessible(true);
        if (c.has("first_dirty_offset")) firstDirtyOffset = Optional.of(c.get("first_dirty_offset").asLong());
        Object offsets = cleanable.invoke(null, log, firstDirtyOffset, CLOCK.now);
        long[] range = new long[2];
        String[] names = {"firstDirtyOffset", "firstUncleanableDirtyOffset"};
        for (int i = 0; i < 2; i++) {
            var part = offsets.getClass().getMethod(names[i]);
            part.setAccessible(true);
            range[i] = (Long) part.invoke(offsets);
        }
        var found = new LogToClean(log, range[0], range[1], false);
        firstDirtyOffset = Optional.of(range[0]);
        long end = found.firstUncleanableOffset();
        if (found.cleanableBytes() == 0) return List.of(range[0], end, range[0]);    // the manager passes such a log by
        var throttler = new Throttler(Double.MAX_VALUE, Long.MAX_VALUE, "cleaner-io", "bytes", CLOCK);
        int buffer = (int) number(c, "io_buffer_bytes", 1 << 20);
        var cleaner = new Cleaner(0, new SkimpyOffsetMap((int) number(c, "map_bytes", 1 << 20)), buffer, buffer, 0.9, throttler, CLOCK, partition -> { });
        var done = cleaner.doClean(found, CLOCK.now);
        firstDirtyOffset = Optional.of(done.getKey());
        return List.of(range[0], end, done.getKey());
    }

    /** As the manager of all logs does (LogCleanerManager.maybeTruncateCheckpoint). */
    static boolean dirtyAfter(boolean truncated) {
        firstDirtyOffset = firstDirtyOffset.map(known -> Math.min(known, log.activeSegment().baseOffset()));
        return truncated;
    }

    static Object act(JsonNode c) throws Exception {
        if (c.has("now_ms")) {
            CLOCK.now = c.get("now_ms").asLong();
            TASKS.runDue();
        }
        switch (c.get("do").asText()) {
            case "encode": return encode(c);
            case "decode": return decode(c);
            case "dump": return dump(c);
            case "open": return open(c);
            case "drop": return drop();
            case "close": return close();
            case "state": return state();
            case "append": return append(c);
            case "read": return read(c);
            case "offset_for_time": return offsetForTime(c);
            case "clean": return clean(c);
            case "roll": return log.roll().baseOffset();
            case "flush": log.flush(is(c, "active")); return log.recoveryPoint();
            case "truncate_to": return dirtyAfter(log.truncateTo(c.get("offset").asLong()));
            case "truncate_fully": log.truncateFullyAndStartAt(c.get("offset").asLong(), Optional.empty()); return dirtyAfter(true);
            case "high_watermark": return log.updateHighWatermark(offset(c));
            case "delete_records": return log.maybeIncrementLogStartOffset(offset(c), LogStartOffsetIncrementReason.ClientRecordDeletion);
            case "delete_old_segments": return log.deleteOldSegments();
            case "expire_producers": log.removeExpiredProducers(CLOCK.now); return true;
            case "epoch": log.assignEpochStartOffset(c.get("epoch").asInt(), c.get("offset").asLong()); return true;
            case "end_offset_for_epoch":
                return log.endOffsetForEpoch(c.get("epoch").asInt()).map(e -> List.<Object>of(e.epoch(), e.offset())).orElse(List.of());
            default: throw new IllegalArgumentException(c.toString());
        }
    }

    /** Lets files be as old as the clock says: retention looks there if no record has a timestamp. */
    static void touch() {
        if (log == null) return;
        for (LogSegment segment : log.logSegments()) {
            File file = segment.log().file();
            if (file.lastModified() > CLOCK.now && !file.setLastModified(CLOCK.now)) throw new IllegalStateException(file.toString());
        }
    }

    /** What DumpLogSegments prints, with what it complains of. */
    static Object dump(JsonNode c) throws Exception {
        PrintStream out = System.out, err = System.err;
        var said = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
        System.setErr(System.out);
        try {
            DumpLogSegments.main(JSON.convertValue(c.get("arguments"), String[].class));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        return said.toString(StandardCharsets.UTF_8);
    }

    public static void main(String[] none) throws Exception {
        PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        System.setOut(System.err);                     // nothing else may come between the answers
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Object answer;
            try {
                answer = Collections.singletonMap("answer", act(JSON.readTree(line)));
                touch();
            } catch (Throwable thrown) {
                Throwable cause = thrown instanceof java.lang.reflect.InvocationTargetException ? thrown.getCause() : thrown;
                if (cause instanceof RecordValidationException refused) cause = refused.invalidException();
                answer = Map.of("error", cause.getClass().getSimpleName(), "code", Errors.forException(cause).name(), "text", String.valueOf(cause.getMessage()));
            }
            answers.println(JSON.writeValueAsString(answer));
        }
    }
}
