/* Kafka's own quota managers, driven by random scripts.
 *
 *     java -cp "LIBS/*" QuotaScripts.java OUT
 *
 * LIBS: the jars of kafka_2.13 4.3.1 with all it needs. OUT: cases; each with the kind of its manager, windows,
 * length of a window in seconds, and steps: what is asked, when (ms), user, client id, a value, and the answer.
 */
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.net.InetAddress;
import java.util.*;
import java.util.function.Supplier;
import org.apache.kafka.common.metrics.*;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.network.Session;
import org.apache.kafka.server.config.ClientQuotaManagerConfig;
import org.apache.kafka.server.quota.*;

public class QuotaScripts {
    static long now = 0;

    static class Told implements Time {
        public long milliseconds() { return now; }
        public long nanoseconds() { return now * 1_000_000; }
        public void sleep(long ms) { }
        public void waitObject(Object o, Supplier<Boolean> done, long ms) { }
    }

    static Session session(String user) throws Exception {
        return new Session(new KafkaPrincipal(KafkaPrincipal.USER_TYPE, user), InetAddress.getLoopbackAddress());
    }

    static Optional<ClientQuotaEntity.ConfigEntity> user(String name) {
        if (name == null) return Optional.empty();
        return Optional.of(name.equals("<default>") ? ClientQuotaManager.DEFAULT_USER_ENTITY : new ClientQuotaManager.UserEntity(name));
    }

    static Optional<ClientQuotaEntity.ConfigEntity> client(String name) {
        if (name == null) return Optional.empty();
        return Optional.of(name.equals("<default>") ? ClientQuotaManager.DEFAULT_USER_CLIENT_ID : new ClientQuotaManager.ClientIdEntity(name));
    }

    static ClientQuotaManager manager(String kind, ClientQuotaManagerConfig config, Metrics metrics) {
        Time time = new Told();
        if (kind.equals("request")) return new kafka.server.ClientRequestQuotaManager(config, metrics, time, "", Optional.empty());
        if (kind.equals("mutation")) return new ControllerMutationQuotaManager(config, metrics, time, "", Optional.empty());
        return new ClientQuotaManager(config, metrics, QuotaType.PRODUCE, time, "");
    }

    static Object answer(ClientQuotaManager manager, String what, String user, String client, double value) throws Exception {
        switch (what) {
            case "quota":
                Optional<Quota> quota = value > 0 ? Optional.of(Quota.upperBound(value)) : Optional.empty();
                manager.updateQuota(user(user), client(client), quota);
                return null;
            case "record":
                return manager.maybeRecordAndGetThrottleTimeMs(session(user), client, value, now);
            case "record_only":
                if (manager.quotasEnabled()) manager.recordNoThrottle(session(user), client, value);
                return null;
            case "most":
                double most = manager.maxValueInQuotaWindow(session(user), client);
                return most == Double.MAX_VALUE ? null : most;
            case "permissive":
                ControllerMutationQuota permissive = ((ControllerMutationQuotaManager) manager).newPermissiveQuotaFor(session(user), client);
                permissive.record(value);
                return permissive.throttleTime();
            default:
                ControllerMutationQuota strict = ((ControllerMutationQuotaManager) manager).newStrictQuotaFor(session(user), client);
                try {
                    strict.record(value);
                    return null;
                } catch (org.apache.kafka.common.errors.ThrottlingQuotaExceededException error) {
                    return error.throttleTimeMs();
                }
        }
    }

    static String pick(Random random, String... names) { return names[random.nextInt(names.length)]; }

    static Map<String, Object> script(int seed) throws Exception {
        Random random = new Random(seed * 7_919_777L);
        String kind = List.of("bytes", "bytes", "request", "mutation").get(seed % 4);
        int windows = random.nextInt(3) == 0 ? 2 + random.nextInt(3) : 11;
        int seconds = random.nextInt(3) == 0 ? 2 : 1;
        ClientQuotaManager manager = manager(kind, new ClientQuotaManagerConfig(windows, seconds), new Metrics(new Told()));
        now = 1_000_000 + random.nextInt(5_000);
        boolean oneSort = seed % 8 < 4;
        double scale = kind.equals("bytes") ? 1_000 : kind.equals("request") ? 20 : 3;
        List<List<Object>> steps = new ArrayList<>();
        for (int index = 0; index < 70; index++) {
            String what, user = pick(random, "ann", "bob"), client = pick(random, "one", "two", "three");
            double value;
            if (index < 2 || random.nextInt(15) == 0) {
                what = "quota";
                user = oneSort ? null : pick(random, null, "ann", "<default>");
                client = pick(random, "one", "two", "<default>");
                if (user != null && random.nextBoolean()) client = null;
                value = index > 2 && random.nextInt(4) == 0 ? 0 : scale * (1 + random.nextInt(20)) / 10.0;
            } else if (kind.equals("mutation")) {
                what = pick(random, "strict", "strict", "permissive");
                value = 1 + random.nextInt(12);
            } else {
                what = pick(random, "record", "record", "record", "record_only", "most");
                value = what.equals("most") ? 0 : scale * random.nextInt(3_000) / 700.0;
                if (what.equals("record_only") && random.nextInt(3) == 0) value = -value;
            }
            steps.add(Arrays.asList(what, now, user, client, value, answer(manager, what, user, client, value)));
            now += random.nextInt(6) == 0 ? random.nextInt(15_000) : random.nextInt(4) == 0 ? 0 : random.nextInt(700);
        }
        manager.shutdown();
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("kind", kind);
        found.put("windows", windows);
        found.put("window_s", seconds);
        found.put("steps", steps);
        return found;
    }

    public static void main(String[] args) throws Exception {
        List<Object> cases = new ArrayList<>();
        for (int seed = 0; seed < 16; seed++) cases.add(script(seed));
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("source", "ClientQuotaManager, ClientRequestQuotaManager and ControllerMutationQuotaManager of Apache Kafka 4.3.1, run on random scripts");
        all.put("columns", List.of("asked", "now_ms", "user", "client", "value", "answer"));
        all.put("cases", cases);
        new ObjectMapper().writeValue(new File(args[0]), all);
        System.exit(0);
    }
}
