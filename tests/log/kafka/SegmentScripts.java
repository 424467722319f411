/* Kafka's own LogSegment, OffsetIndex and TimeIndex, driven by scripts.
 *
 *     java -cp "LIBS/*" SegmentScripts.java SCRIPTS OUT
 *
 * SCRIPTS, OUT: JSON, see segment_scripts.py, which writes the one and keeps the other.
 */
import com.fasterxml.jackson.databind.*;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.*;
import java.util.function.Supplier;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.*;

public class SegmentScripts {
    static long now = 0;

    static class Told implements Time {
        public long milliseconds() { return now; }
        public long nanoseconds() { return now * 1_000_000; }
        public void sleep(long ms) { }
        public void waitObject(Object o, Supplier<Boolean> done, long ms) { }
    }

    static LogSegment open(File dir, JsonNode s, boolean there) throws Exception {
        LogConfig config = new LogConfig(Map.of("segment.index.bytes", s.get("index_bytes").asText(),
            "index.interval.bytes", s.get("interval").asText()));
        LogSegment segment = LogSegment.open(dir, s.get("base").asLong(), config, new Told(), there, 0, false, "");
        segment.resizeIndexes(s.get("index_bytes").asInt());
        return segment;
    }

    static Object step(LogSegment g, JsonNode s, JsonNode op) throws Exception {
        switch (op.get(0).asText()) {
            case "append": {
                MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(HexFormat.of().parseHex(op.get(1).asText())));
                long last = 0, most = -1;
                for (RecordBatch b : records.batches()) { last = b.lastOffset(); most = Math.max(most, b.maxTimestamp()); }
                boolean roll = g.shouldRoll(new RollParams(s.get("segment_ms").asLong(), s.get("segment_bytes").asInt(),
                    most, last, records.sizeInBytes(), now));
                if (!roll) g.append(last, records);
                return Arrays.asList(roll, g.size(), g.offsetIndex().entries(), g.timeIndex().entries());
            }
            case "find": {
                var found = g.translateOffset(op.get(1).asLong());
                return found == null ? null : Arrays.asList(found.position, found.offset);
            }
            case "read": {
                FetchDataInfo read = g.read(op.get(1).asLong(), op.get(2).asInt(), Optional.of((long) g.size()), op.get(3).asBoolean());
                return read == null ? null : Arrays.asList(read.fetchOffsetMetadata.relativePositionInSegment,
                    read.fetchOffsetMetadata.messageOffset, read.records.sizeInBytes());
            }
            case "time": {
                var found = g.findOffsetByTimestamp(op.get(1).asLong(), op.get(2).asLong());
                return found.isEmpty() ? null : Arrays.asList(found.get().timestamp, found.get().offset);
            }
            case "truncate": return Arrays.asList(g.truncateTo(op.get(1).asLong()), g.size());
            case "now": now = op.get(1).asLong(); return null;
            case "next": return g.readNextOffset();
            case "largest": return Arrays.asList(g.maxTimestampSoFar(), g.readMaxTimestampAndOffsetSoFar().offset());
        }
        throw new IllegalArgumentException(op.toString());
    }

    static Object segment(JsonNode s) throws Exception {
        File dir = Files.createTempDirectory("segment").toFile();
        now = 0;
        LogSegment g = open(dir, s, false);
        List<Object> said = new ArrayList<>();
        for (JsonNode op : s.get("steps")) {
            if (op.get(0).asText().equals("reopen")) { g.close(); g = open(dir, s, true); said.add(null); }
            else try { said.add(step(g, s, op)); }
            catch (RuntimeException e) { said.add("refused"); break; }
        }
        if (s.get("rolled").asBoolean()) g.onBecomeInactiveSegment();
        g.close();
        Map<String, String> files = new TreeMap<>();
        for (File f : dir.listFiles())
            if (!f.getName().endsWith(".log")) files.put(f.getName().split("\\.")[1], HexFormat.of().formatHex(Files.readAllBytes(f.toPath())));
        return Map.of("said", said, "files", files);
    }

    static Object index(JsonNode s) throws Exception {
        File file = File.createTempFile("some", ".index");
        List<Object> said = new ArrayList<>();
        long base = s.get("base").asLong();
        for (JsonNode q : s.get("asked")) {
            Files.write(file.toPath(), HexFormat.of().parseHex(s.get("file").asText()));
            boolean cut = q.get(0).asText().equals("truncate");
            if (s.get("kind").asText().equals("offset")) {
                OffsetIndex i = new OffsetIndex(file, base, 1 << 20);
                if (cut) { i.truncateTo(q.get(1).asLong()); said.add(i.entries()); }
                else { OffsetPosition p = i.lookup(q.get(1).asLong()); said.add(List.of(p.offset(), p.position())); }
            } else {
                TimeIndex i = new TimeIndex(file, base, 1 << 20);
                if (cut) { i.truncateTo(q.get(1).asLong()); said.add(i.entries()); }
                else { TimestampOffset p = i.lookup(q.get(1).asLong()); said.add(List.of(p.timestamp(), p.offset())); }
            }
        }
        return said;
    }

    public static void main(String[] args) throws Exception {
        ObjectMapper json = new ObjectMapper();
        JsonNode all = json.readTree(new File(args[0]));
        List<Object> segments = new ArrayList<>(), indexes = new ArrayList<>();
        for (JsonNode s : all.get("segments")) segments.add(segment(s));
        for (JsonNode s : all.get("indexes")) indexes.add(index(s));
        json.writeValue(new File(args[1]), Map.of("segments", segments, "indexes", indexes));
        System.exit(0);
    }
}
