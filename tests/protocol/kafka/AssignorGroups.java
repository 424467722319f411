/* What Kafka's own assignors make of random groups.
 *
 *     java -cp "LIBS/*" AssignorGroups.java OUT SEED COUNT
 *
 * LIBS: the jars of kafka_2.13 4.3.1 with all it needs. Writes OUT-client.jsonl and OUT-server.jsonl, one step of a group on a line:
 * members in the order in which they are put into the map, each with what it says; the answer, each list in Kafka's order, or the
 * exception. A group has a history of up to six steps (members join and leave, partitions and topics are added, subscriptions change).
 * Odd kinds have unequal subscriptions; kinds with bit 1 racks, with bit 2 members that claim what is not theirs, in older
 * generations. Targets of the broker's assignors are written as records and read again between two steps, as the coordinator does.
 * tests/protocol/data/assignor_groups.json keeps a sample of seeds 1 (3,000 groups) and 2 (6,000), short ones of each kind.
 */
import java.io.*;
import java.nio.ByteBuffer;
import java.util.*;
import java.util.stream.*;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.*;
import org.apache.kafka.common.*;
import org.apache.kafka.coordinator.group.*;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.modern.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;

public class AssignorGroups {
    static final ObjectMapper JSON = new ObjectMapper();
    static Random r;
    static String[] RACKS = {"a", "b", "c", "d"};

    static String uuidText() { return new UUID(r.nextLong(), r.nextLong()).toString(); }
    static String memberId(int style, int i) {
        switch (style) {
            case 0: return "m-" + i;
            case 1: return "consumer-" + i + "-" + uuidText();
            case 2: return uuidText();
            case 3: { String s = ""; int k = i; for (int b = 0; b < 3; b++) { s += (k & 1) == 0 ? "Aa" : "BB"; k >>= 1; } return s + (k == 0 ? "" : "" + k); }
            default: return "c" + (char) ('a' + i % 26) + (i / 26);
        }
    }
    static String topicName(int style, int i) {
        switch (style) { case 0: return "t" + i; case 1: return "topic-" + (i * 7919 % 1000); default: return (char) ('a' + (i * 11) % 26) + ".orders" + i; }
    }
    static <T> List<T> some(List<T> all, int min) {
        List<T> l = new ArrayList<>(all); Collections.shuffle(l, r);
        return new ArrayList<>(l.subList(0, min + r.nextInt(l.size() - min + 1)));
    }
    static List<Object> tps(Collection<TopicPartition> l) { List<Object> o = new ArrayList<>(); for (TopicPartition t : l) o.add(List.of(t.topic(), t.partition())); return o; }

    // ------------------------------------------------------------------ client
    static Cluster cluster(Map<String, Integer> topics, Map<String, List<List<String>>> racks) {
        List<PartitionInfo> infos = new ArrayList<>();
        List<Node> nodes = new ArrayList<>(); int id = 0;
        for (var e : topics.entrySet()) for (int p = 0; p < e.getValue(); p++) {
            List<String> rs = racks == null ? Arrays.asList((String) null) : racks.get(e.getKey()).get(p);
            Node[] reps = new Node[rs.size()];
            for (int k = 0; k < reps.length; k++) { reps[k] = new Node(id++, "h", 1, rs.get(k)); nodes.add(reps[k]); }
            infos.add(new PartitionInfo(e.getKey(), p, reps.length > 0 ? reps[0] : Node.noNode(), reps, reps));
        }
        return new Cluster("c", nodes, infos, Set.of(), Set.of());
    }

    static ConsumerPartitionAssignor make(String n) {
        return switch (n) { case "range" -> new RangeAssignor(); case "roundrobin" -> new RoundRobinAssignor(); case "sticky" -> new StickyAssignor(); default -> new CooperativeStickyAssignor(); };
    }

    static void client(PrintWriter out, int kind) throws Exception {
        // kind bit 0 unequal, bit 1 racks, bit 2 wild claims
        boolean unequal = (kind & 1) != 0, racky = (kind & 2) != 0, wild = (kind & 4) != 0;
        int style = r.nextInt(5), tstyle = r.nextInt(3);
        int nt = 1 + r.nextInt(r.nextInt(4) == 0 ? 14 : 5), nm = 1 + r.nextInt(r.nextInt(5) == 0 ? 40 : 10);
        int maxp = r.nextInt(6) == 0 ? 40 : 9;
        LinkedHashMap<String, Integer> topics = new LinkedHashMap<>();
        boolean same = r.nextInt(3) == 0; int samep = 1 + r.nextInt(maxp);
        for (int i = 0; i < nt; i++) topics.put(topicName(tstyle, i), same ? samep : 1 + r.nextInt(maxp));
        List<String> all = new ArrayList<>(topics.keySet());
        if (r.nextInt(12) == 0 && nt > 1) topics.remove(all.get(r.nextInt(nt)));   // subscribed, but missing
        String[] names = {"range", "roundrobin", "sticky", "cooperative-sticky"};
        String name = names[r.nextInt(4)];
        int steps = 1 + r.nextInt(5), next = 0;
        LinkedHashMap<String, List<String>> members = new LinkedHashMap<>();
        Map<String, String> instance = new HashMap<>(), rack = new HashMap<>();
        int nracks = 1 + r.nextInt(4);
        for (int i = 0; i < nm; i++) {
            String id = memberId(style, next++);
            members.put(id, unequal ? some(all, 1).stream().sorted().toList() : all.stream().sorted().toList());
            if (r.nextInt(3) == 0 && kind % 3 == 0) instance.put(id, "i" + r.nextInt(100) + id);
            if (racky && r.nextInt(6) != 0) rack.put(id, RACKS[r.nextInt(nracks)]);
        }
        ConsumerPartitionAssignor leader = make(name);
        Map<String, List<TopicPartition>> owned = new HashMap<>();
        Map<String, Integer> gens = new HashMap<>();
        Map<String, List<List<String>>> racks = null;
        int generation = r.nextInt(3);
        for (int s = 0; s < steps; s++) {
            if (racky) {
                racks = new HashMap<>();
                int rf = 1 + r.nextInt(3); boolean random = r.nextBoolean();
                for (var e : topics.entrySet()) {
                    List<List<String>> l = new ArrayList<>();
                    int shift = random ? r.nextInt(4) : 0;
                    for (int p = 0; p < e.getValue(); p++) {
                        List<String> q = new ArrayList<>();
                        for (int k = 0; k < rf; k++) q.add(random && r.nextInt(8) == 0 ? (r.nextBoolean() ? null : RACKS[r.nextInt(4)]) : RACKS[(p + k + shift) % Math.min(nracks + (random ? 1 : 0), 4)]);
                        l.add(q);
                    }
                    racks.put(e.getKey(), l);
                }
            }
            generation++;
            if (s > 0 && r.nextInt(4) == 0) leader = make(name);
            boolean coop = name.equals("cooperative-sticky");
            Map<String, Subscription> subs = new HashMap<>();
            List<Object> sent = new ArrayList<>();
            for (String id : members.keySet()) {
                List<TopicPartition> o = owned.getOrDefault(id, List.of());
                int g = gens.getOrDefault(id, -1);
                if (wild && r.nextInt(3) == 0) {
                    o = new ArrayList<>(o);
                    for (int k = r.nextInt(6); k > 0; k--) { String t = all.get(r.nextInt(all.size())); TopicPartition tp = new TopicPartition(t, r.nextInt(topics.getOrDefault(t, 3))); if (!o.contains(tp)) o.add(tp); }
                    Collections.shuffle(o, r);
                    g = r.nextInt(8) == 0 ? -1 : generation - 1 - r.nextInt(3);
                }
                ByteBuffer data = null; Object ud = null; int field = g;
                if (name.equals("sticky") && (!o.isEmpty() || g >= 0)) {
                    StickyAssignor a = new StickyAssignor();
                    a.onAssignment(new Assignment(o), new ConsumerGroupMetadata("g", g, id, Optional.empty()));
                    data = a.subscriptionUserData(Set.of()); ud = List.of(tps(o), g);
                    if (wild && r.nextInt(4) == 0) field = -1;
                }
                if (coop) {
                    CooperativeStickyAssignor a = new CooperativeStickyAssignor();
                    int dg = g; if (wild && r.nextInt(4) == 0) { field = -1; }
                    a.onAssignment(new Assignment(o), new ConsumerGroupMetadata("g", dg, id, Optional.empty()));
                    data = a.subscriptionUserData(Set.of()); ud = List.of(List.of(), dg);
                    if (r.nextInt(5) == 0) { data = null; ud = null; }
                }
                Subscription sub = new Subscription(members.get(id), data, coop ? o : List.of(), field, Optional.ofNullable(rack.get(id)));
                if (instance.containsKey(id)) sub.setGroupInstanceId(Optional.of(instance.get(id)));
                subs.put(id, sub);
                Map<String, Object> m = new LinkedHashMap<>();
                m.put("id", id); m.put("topics", members.get(id)); if (coop) m.put("owned", tps(o)); m.put("generation", field);
                if (ud != null) m.put("user_data", ud);
                if (instance.containsKey(id)) m.put("instance", instance.get(id));
                if (rack.containsKey(id)) m.put("rack", rack.get(id));
                sent.add(m);
            }
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("assignor", name); row.put("kind", kind);
            int max = leader instanceof org.apache.kafka.clients.consumer.internals.AbstractStickyAssignor a ? a.maxGeneration() : -1;
            row.put("max_generation", max);
            row.put("topics", topics); if (racks != null) row.put("racks", racks);
            row.put("members", sent);
            Map<String, Assignment> got;
            try {
                got = leader.assign(cluster(topics, racks), new GroupSubscription(subs)).groupAssignment();
            } catch (Throwable e) {
                row.put("error", e.getClass().getSimpleName()); out.println(JSON.writeValueAsString(row)); return;
            }
            Map<String, Object> result = new TreeMap<>();
            for (String id : members.keySet()) {
                Assignment a = got.get(id); result.put(id, tps(a.partitions()));
                owned.put(id, a.partitions()); gens.put(id, generation);
            }
            row.put("result", result);
            out.println(JSON.writeValueAsString(row));
            // change the group
            int what = r.nextInt(6);
            List<String> ids = new ArrayList<>(members.keySet());
            if (what <= 1 && ids.size() > 1) { int k = 1 + r.nextInt(Math.min(3, ids.size() - 1)); Collections.shuffle(ids, r); for (String id : ids.subList(0, k)) { members.remove(id); if (r.nextBoolean()) { owned.remove(id); gens.remove(id); } } }
            else if (what == 2) { int k = 1 + r.nextInt(4); for (; k > 0; k--) { String id = memberId(style, next++); members.put(id, unequal ? some(all, 1).stream().sorted().toList() : all.stream().sorted().toList()); if (racky && r.nextInt(6) != 0) rack.put(id, RACKS[r.nextInt(nracks)]); } }
            else if (what == 3) { String t = all.get(r.nextInt(all.size())); if (topics.containsKey(t)) topics.put(t, topics.get(t) + 1 + r.nextInt(4)); }
            else if (what == 4) { if (unequal) { String id = ids.get(r.nextInt(ids.size())); members.put(id, some(all, 1).stream().sorted().toList()); } else { String t = topicName(tstyle, all.size()); all.add(t); topics.put(t, 1 + r.nextInt(maxp)); members.replaceAll((k, v) -> all.stream().sorted().toList()); } }
        }
    }

    // ------------------------------------------------------------------ server
    static void server(PrintWriter out, int kind) throws Exception {
        boolean unequal = (kind & 1) != 0;
        int style = r.nextInt(5);
        int nt = 1 + r.nextInt(r.nextInt(4) == 0 ? 14 : 5), nm = 1 + r.nextInt(r.nextInt(5) == 0 ? 40 : 10);
        int maxp = r.nextInt(4) == 0 ? 70 : 12;
        Map<String, Integer> topics = new LinkedHashMap<>(); Map<String, Uuid> ids = new LinkedHashMap<>(); Map<Uuid, String> names = new HashMap<>();
        for (int i = 0; i < nt; i++) { String t = "t" + i; topics.put(t, 1 + r.nextInt(maxp)); Uuid u = kind % 4 < 2 ? new Uuid(r.nextLong(), r.nextLong()) : new Uuid(0, (long) (i * 16 + 1) << 32); ids.put(t, u); names.put(u, t); }
        List<String> all = new ArrayList<>(topics.keySet()); all.add("gone");
        List<String> most = new ArrayList<>(topics.keySet());
        TopicIds.TopicResolver resolver = new TopicIds.TopicResolver() {
            public org.apache.kafka.coordinator.common.runtime.CoordinatorMetadataImage image() { return null; }
            public String name(Uuid id) { return names.get(id); }
            public Uuid id(String n) { return ids.get(n); }
            public void clear() {}
        };
        String name = r.nextInt(4) == 0 ? "range" : "uniform";
        int next = 0; LinkedHashMap<String, List<String>> members = new LinkedHashMap<>(); Map<String, String> instance = new HashMap<>();
        for (int i = 0; i < nm; i++) { String id = memberId(style, next++); members.put(id, unequal ? some(r.nextInt(5) == 0 ? all : most, 1) : new ArrayList<>(most)); if (r.nextInt(3) == 0 && kind % 3 == 0) instance.put(id, "i" + r.nextInt(100) + id); }
        Map<String, org.apache.kafka.coordinator.group.modern.Assignment> target = new HashMap<>();
        int steps = 1 + r.nextInt(6);
        for (int s = 0; s < steps; s++) {
            target.keySet().retainAll(members.keySet());
            Map<String, MemberSubscriptionAndAssignmentImpl> spec = new HashMap<>();
            Map<Uuid, Map<Integer, String>> inverted = new HashMap<>();
            List<Object> sent = new ArrayList<>();
            for (String id : members.keySet()) {
                var a = target.getOrDefault(id, org.apache.kafka.coordinator.group.modern.Assignment.EMPTY);
                spec.put(id, new MemberSubscriptionAndAssignmentImpl(Optional.empty(), Optional.ofNullable(instance.get(id)), new TopicIds(new HashSet<>(members.get(id)), resolver), a));
                a.partitions().forEach((t, ps) -> ps.forEach(p -> inverted.computeIfAbsent(t, k -> new HashMap<>()).put(p, id)));
                Map<String, Object> m = new LinkedHashMap<>(); m.put("id", id); m.put("topics", members.get(id)); m.put("owned", flat(a.partitions(), names)); if (instance.containsKey(id)) m.put("instance", instance.get(id)); sent.add(m);
            }
            boolean same = new HashSet<>(members.values().stream().map(HashSet::new).toList()).size() <= 1;
            SubscribedTopicDescriber d = new SubscribedTopicDescriber() {
                public int numPartitions(Uuid id) { return topics.getOrDefault(names.get(id), -1); }
                public Set<String> racksForPartition(Uuid id, int p) { return Set.of(); }
            };
            var g = new GroupSpecImpl(spec, same ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS, inverted);
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("assignor", name); row.put("topics", topics); Map<String, Object> us = new LinkedHashMap<>();
            ids.forEach((t, u) -> us.put(t, String.format("%016x%016x", u.getMostSignificantBits(), u.getLeastSignificantBits()))); row.put("topic_ids", us);
            row.put("member_order", new ArrayList<>(spec.keySet())); row.put("members", sent);
            Map<String, MemberAssignment> got;
            try {
                got = name.equals("uniform") ? new org.apache.kafka.coordinator.group.assignor.UniformAssignor().assign(g, d).members() : new org.apache.kafka.coordinator.group.assignor.RangeAssignor().assign(g, d).members();
            } catch (Throwable e) { row.put("error", e.getClass().getSimpleName()); out.println(JSON.writeValueAsString(row)); return; }
            Map<String, Object> result = new TreeMap<>();
            for (String id : members.keySet()) {
                Map<Uuid, Set<Integer>> ps = got.containsKey(id) ? got.get(id).partitions() : Map.of();
                result.put(id, flat(ps, names));
                var record = GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentRecord("g", id, ps);
                target.put(id, org.apache.kafka.coordinator.group.modern.Assignment.fromRecord((org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMemberValue) record.value().message()));
            }
            row.put("result", result); out.println(JSON.writeValueAsString(row));
            int what = r.nextInt(6); List<String> idl = new ArrayList<>(members.keySet());
            if (what <= 1 && idl.size() > 1) { Collections.shuffle(idl, r); for (String id : idl.subList(0, 1 + r.nextInt(Math.min(3, idl.size() - 1)))) members.remove(id); }
            else if (what == 2 || what == 5) { for (int k = 1 + r.nextInt(4); k > 0; k--) { String id = memberId(style, next++); members.put(id, unequal ? some(most, 1) : new ArrayList<>(most)); } }
            else if (what == 3) { String t = most.get(r.nextInt(most.size())); topics.put(t, topics.get(t) + 1 + r.nextInt(6)); }
            else { if (unequal) members.put(idl.get(r.nextInt(idl.size())), some(most, 1)); else { if (most.size() > 1 && r.nextBoolean()) most.remove(r.nextInt(most.size())); else { for (String t : topics.keySet()) if (!most.contains(t)) { most.add(t); break; } } members.replaceAll((k, v) -> new ArrayList<>(most)); } }
        }
    }
    static List<Object> flat(Map<Uuid, Set<Integer>> ps, Map<Uuid, String> names) { List<Object> o = new ArrayList<>(); ps.forEach((t, s) -> s.forEach(p -> o.add(List.of(names.get(t), p)))); return o; }

    public static void main(String[] a) throws Exception {
        long seed = Long.parseLong(a[1]); int n = Integer.parseInt(a[2]);
        try (PrintWriter out = new PrintWriter(a[0] + "-client.jsonl")) { for (int i = 0; i < n; i++) { r = new Random(seed * 1000003 + i); client(out, i % 8); } }
        try (PrintWriter out = new PrintWriter(a[0] + "-server.jsonl")) { for (int i = 0; i < n; i++) { r = new Random(seed * 7000003 + i); server(out, i % 8); } }
    }
}
