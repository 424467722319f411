/* What Kafka's own configuration classes know, and what they say to pairs of settings.
 *
 *     java -cp "LIBS/*" Verdicts.java KEYS VERDICTS
 *
 * LIBS: the jars of kafka_2.13 4.3.1 with all it needs. KEYS: every key of producer, consumer, topic and broker but
 * those of SASL and SSL, with type, default and validator. VERDICTS: settings (null: not set) and the effective value, or null where refused.
 */
import com.fasterxml.jackson.databind.*;
import java.io.File;
import java.lang.reflect.Method;
import java.util.*;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.config.*;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.storage.internals.log.LogConfig;

public class Verdicts {
    static final ObjectMapper JSON = new ObjectMapper();
    static final String BYTES = "org.apache.kafka.common.serialization.ByteArraySerializer";
    static final String READS = "org.apache.kafka.common.serialization.ByteArrayDeserializer";

    static List<List<Object>> keys(ConfigDef def) {
        List<List<Object>> rows = new ArrayList<>();
        for (ConfigDef.ConfigKey key : new TreeMap<>(def.configKeys()).values()) {
            if (key.name.startsWith("sasl.") || key.name.startsWith("ssl.")) continue;
            String initial = !key.hasDefault() ? "(none)" : String.valueOf(key.defaultValue);
            String bound = key.validator == null ? "" : key.validator.toString();
            rows.add(List.of(key.name, key.type.name(), initial, bound, key.internalConfig));
        }
        return rows;
    }

    interface Effective { Object of(Map<String, Object> settings) throws Throwable; }

    /** Every combination of values; a value of null is not set. */
    static List<List<Object>> verdicts(List<String> names, List<List<Object>> values, Map<String, Object> always, Effective effective) {
        List<List<Object>> rows = new ArrayList<>();
        int count = 1;
        for (List<Object> each : values) count *= each.size();
        for (int index = 0; index < count; index++) {
            Map<String, Object> settings = new HashMap<>(always);
            List<Object> row = new ArrayList<>();
            int rest = index;
            for (int place = 0; place < names.size(); place++) {
                Object value = values.get(place).get(rest % values.get(place).size());
                rest /= values.get(place).size();
                row.add(value);
                if (value != null) settings.put(names.get(place), value);
            }
            try {
                row.add(effective.of(settings));
            } catch (Throwable error) {
                Throwable cause = error;
                while (cause.getCause() != null && !(cause instanceof ConfigException)) cause = cause.getCause();
                if (!(cause instanceof ConfigException || cause instanceof IllegalArgumentException)) throw new RuntimeException(error);
                row.add(null);
            }
            rows.add(row);
        }
        return rows;
    }

    static Map<String, Object> table(String effective, List<String> names, List<List<Object>> values, Map<String, Object> always, Effective of) {
        Map<String, Object> table = new LinkedHashMap<>();
        table.put("settings", names);
        table.put("effective", effective);
        table.put("rows", verdicts(names, values, always, of));
        return table;
    }

    static List<Object> some(Object... values) { return Arrays.asList(values); }

    public static void main(String[] args) throws Exception {
        Map<String, Object> keys = new LinkedHashMap<>();
        String source = "ConfigDefs of Apache Kafka 4.3.1";
        keys.put("source", source + ": ProducerConfig, ConsumerConfig, LogConfig, AbstractKafkaConfig");
        keys.put("columns", List.of("key", "type", "default", "validator", "internal"));
        keys.put("producer", keys(ProducerConfig.configDef()));
        keys.put("consumer", keys(ConsumerConfig.configDef()));
        keys.put("topic", keys(LogConfig.configDefCopy()));
        keys.put("broker", keys(AbstractKafkaConfig.CONFIG_DEF));
        JSON.writeValue(new File(args[0]), keys);

        Map<String, Object> producer = Map.of("bootstrap.servers", "localhost:1", "key.serializer", BYTES, "value.serializer", BYTES);
        Map<String, Object> consumer = Map.of("bootstrap.servers", "localhost:1", "key.deserializer", READS, "value.deserializer", READS);
        Map<String, Object> broker = Map.of("process.roles", "broker,controller", "node.id", "1", "controller.listener.names", "C",
            "listeners", "P://localhost:0,C://localhost:1", "advertised.listeners", "P://localhost:9", "inter.broker.listener.name", "P",
            "listener.security.protocol.map", "P:PLAINTEXT,C:PLAINTEXT", "controller.quorum.voters", "1@localhost:1", "log.dirs", "/tmp/none");
        Method timeout = KafkaProducer.class.getDeclaredMethod("configureDeliveryTimeout", ProducerConfig.class, org.slf4j.Logger.class);
        timeout.setAccessible(true);
        org.slf4j.Logger log = org.slf4j.LoggerFactory.getLogger("none");

        Map<String, Object> all = new LinkedHashMap<>();
        all.put("source", "Apache Kafka 4.3.1's own classes, asked by kafka/Verdicts.java");
        all.put("idempotence", table("enable.idempotence",
            List.of("acks", "enable.idempotence", "retries", "max.in.flight.requests.per.connection", "transactional.id"),
            List.of(some(null, "all", "-1", "1", "0"), some(null, true, false), some(null, 0, 1), some(null, 1, 5, 6), some(null, "t")),
            producer, settings -> new ProducerConfig(settings).getBoolean("enable.idempotence")));
        all.put("delivery", table("delivery.timeout.ms", List.of("linger.ms", "request.timeout.ms", "delivery.timeout.ms"),
            List.of(some(null, 0, 5, 100, Integer.MAX_VALUE), some(null, 0, 100, 119_995, 119_996, 200_000, Integer.MAX_VALUE),
                some(null, 0, 99, 100, 105, 200, 30_004, 30_005, 30_100, 120_000, 200_100, Integer.MAX_VALUE)),
            producer, settings -> timeout.invoke(null, new ProducerConfig(settings), log)));
        all.put("reconnect", table("reconnect.backoff.max.ms", List.of("reconnect.backoff.ms", "reconnect.backoff.max.ms"),
            List.of(some(null, 0, 50, 70, 2_000), some(null, 0, 90, 1_000)),
            producer, settings -> new ProducerConfig(settings).getLong("reconnect.backoff.max.ms")));
        all.put("offset_reset", table("auto.offset.reset", List.of("auto.offset.reset"),
            List.of(some(null, "latest", "earliest", "none", "Latest", "", "by_duration", "by_duration:", "by_duration:P", "by_duration:PT",
                "by_duration:P1D", "by_duration:p1d", "by_duration:P1DT", "by_duration:P1Dt", "by_duration:PT1H", "by_duration:pt2m", "by_duration:PT0S",
                "by_duration:PT0.25S", "by_duration:PT1,5S", "by_duration:PT1.S", "by_duration:PT.5S", "by_duration:PT1.1234567891S",
                "by_duration:PT1H-30M", "by_duration:PT-1H30M", "by_duration:-PT1S", "by_duration:-PT-10S", "by_duration:-PT0S", "by_duration:+PT1S",
                "by_duration:PT2M-0.5S", "by_duration:PT-0.5S", "by_duration:P1Y", "by_duration:1h", "by_duration:PT1M1H", "by_duration: PT1S", "by_duration:P106751D")),
            consumer, settings -> new ConsumerConfig(settings).getString("auto.offset.reset")));
        all.put("lag", table("replica.lag.time.max.ms", List.of("replica.fetch.wait.max.ms", "replica.lag.time.max.ms"),
            List.of(some(null, 0, 400, 500, 30_000), some(null, 399, 400, 499, 500, 30_000)),
            broker, settings -> new kafka.server.KafkaConfig(settings, false).replicaLagTimeMaxMs()));
        all.put("brokers", table("broker.session.timeout.ms", List.of("broker.heartbeat.interval.ms", "broker.session.timeout.ms"),
            List.of(some(null, 1, 2_000, 9_000, 10_000), some(null, 1, 2_000, 9_000)),
            broker, settings -> new kafka.server.KafkaConfig(settings, false).brokerSessionTimeoutMs()));
        all.put("fetchers", table("num.replica.fetchers", List.of("num.replica.fetchers"), List.of(some(null, 0, 1, 2)),
            broker, settings -> new kafka.server.KafkaConfig(settings, false).numReplicaFetchers()));
        JSON.writeValue(new File(args[1]), all);
        System.exit(0);
    }
}
