/* How large Kafka's own classes make the requests of groups and their responses, with headers and length.
 *
 *     javac -cp "LIBS/*" -d OUT MessageSizes.java
 *     java -cp "OUT:LIBS/*" MessageSizes FILE
 *
 * LIBS: the jars of kafka-clients 4.3.1 with all it needs. The messages are those of tests/protocol/groups/test_message_bytes.py, in its order.
 */
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.util.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.*;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.common.requests.*;

public class MessageSizes {
    static List<String> lines = new ArrayList<>();

    static void add(ApiKeys api, int version, ApiMessage request, ApiMessage response) {
        short v = (short) version;
        var header = new RequestHeader(api, v, "consumer-billing-1", 7);
        int asked = 4 + header.size() + request.size(new ObjectSerializationCache(), v);
        var answers = new ResponseHeader(7, api.responseHeaderVersion(v));
        int answered = 4 + answers.data().size(new ObjectSerializationCache(), answers.headerVersion()) + response.size(new ObjectSerializationCache(), v);
        lines.add("[\"" + api.name + "\", " + asked + ", " + answered + "]");
    }

    static byte[] bytes(ByteBuffer buffer) {
        byte[] out = new byte[buffer.remaining()];
        buffer.get(out);
        return out;
    }

    public static void main(String[] args) throws Exception {
        var at = new TopicPartition[] {new TopicPartition("orders", 0), new TopicPartition("orders", 1), new TopicPartition("paid", 0)};
        byte[] says = bytes(ConsumerProtocol.serializeSubscription(
            new Subscription(List.of("orders", "paid"), null, List.of(at), 3, Optional.of("r1"))));
        byte[] gets = bytes(ConsumerProtocol.serializeAssignment(new Assignment(List.of(at))));

        add(ApiKeys.FIND_COORDINATOR, 6,
            new FindCoordinatorRequestData().setKeyType((byte) 0).setCoordinatorKeys(List.of("billing")),
            new FindCoordinatorResponseData().setCoordinators(List.of(new FindCoordinatorResponseData.Coordinator()
                .setKey("billing").setNodeId(1).setHost("broker-1").setPort(9092).setErrorMessage(""))));
        var protocols = new JoinGroupRequestData.JoinGroupRequestProtocolCollection();
        protocols.add(new JoinGroupRequestData.JoinGroupRequestProtocol().setName("range").setMetadata(says));
        add(ApiKeys.JOIN_GROUP, 9,
            new JoinGroupRequestData().setGroupId("billing").setMemberId("m-1").setGroupInstanceId("i").setProtocolType("consumer")
                .setProtocols(protocols).setReason(""),
            new JoinGroupResponseData().setProtocolType("consumer").setProtocolName("range").setLeader("m-1").setMemberId("m-1").setMembers(List.of(
                new JoinGroupResponseData.JoinGroupResponseMember().setMemberId("m-1").setGroupInstanceId("i").setMetadata(says),
                new JoinGroupResponseData.JoinGroupResponseMember().setMemberId("m-22").setMetadata(says))));
        add(ApiKeys.SYNC_GROUP, 5,
            new SyncGroupRequestData().setGroupId("billing").setGenerationId(3).setMemberId("m-1").setGroupInstanceId("i").setProtocolType("consumer")
                .setProtocolName("range").setAssignments(List.of(
                    new SyncGroupRequestData.SyncGroupRequestAssignment().setMemberId("m-1").setAssignment(gets))),
            new SyncGroupResponseData().setProtocolType("consumer").setProtocolName("range").setAssignment(gets));
        add(ApiKeys.HEARTBEAT, 4,
            new HeartbeatRequestData().setGroupId("billing").setGenerationId(3).setMemberId("m-1"),
            new HeartbeatResponseData());
        add(ApiKeys.LEAVE_GROUP, 5,
            new LeaveGroupRequestData().setGroupId("billing").setMembers(List.of(
                new LeaveGroupRequestData.MemberIdentity().setMemberId("m-1").setReason(""))),
            new LeaveGroupResponseData().setMembers(List.of(new LeaveGroupResponseData.MemberResponse().setMemberId("m-1"))));
        var committed = List.of(
            new OffsetCommitRequestData.OffsetCommitRequestTopic().setName("orders").setPartitions(List.of(
                new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(0).setCommittedOffset(5).setCommittedLeaderEpoch(1).setCommittedMetadata(""),
                new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(1).setCommittedOffset(6).setCommittedMetadata("x"))),
            new OffsetCommitRequestData.OffsetCommitRequestTopic().setName("paid").setPartitions(List.of(
                new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(0).setCommittedOffset(7).setCommittedMetadata(""))));
        add(ApiKeys.OFFSET_COMMIT, 9,
            new OffsetCommitRequestData().setGroupId("billing").setGenerationIdOrMemberEpoch(3).setMemberId("m-1").setTopics(committed),
            new OffsetCommitResponseData().setTopics(List.of(
                new OffsetCommitResponseData.OffsetCommitResponseTopic().setName("orders").setPartitions(List.of(
                    new OffsetCommitResponseData.OffsetCommitResponsePartition().setPartitionIndex(0),
                    new OffsetCommitResponseData.OffsetCommitResponsePartition().setPartitionIndex(1))),
                new OffsetCommitResponseData.OffsetCommitResponseTopic().setName("paid").setPartitions(List.of(
                    new OffsetCommitResponseData.OffsetCommitResponsePartition().setPartitionIndex(0))))));
        add(ApiKeys.OFFSET_FETCH, 9,
            new OffsetFetchRequestData().setRequireStable(true).setGroups(List.of(new OffsetFetchRequestData.OffsetFetchRequestGroup()
                .setGroupId("billing").setTopics(List.of(
                    new OffsetFetchRequestData.OffsetFetchRequestTopics().setName("orders").setPartitionIndexes(List.of(0, 1)),
                    new OffsetFetchRequestData.OffsetFetchRequestTopics().setName("paid").setPartitionIndexes(List.of(0)))))),
            new OffsetFetchResponseData().setGroups(List.of(new OffsetFetchResponseData.OffsetFetchResponseGroup().setGroupId("billing").setTopics(List.of(
                new OffsetFetchResponseData.OffsetFetchResponseTopics().setName("orders").setPartitions(List.of(
                    new OffsetFetchResponseData.OffsetFetchResponsePartitions().setPartitionIndex(0).setCommittedOffset(5).setMetadata(""),
                    new OffsetFetchResponseData.OffsetFetchResponsePartitions().setPartitionIndex(1).setCommittedOffset(6).setMetadata("x"))),
                new OffsetFetchResponseData.OffsetFetchResponseTopics().setName("paid").setPartitions(List.of(
                    new OffsetFetchResponseData.OffsetFetchResponsePartitions().setPartitionIndex(0).setCommittedOffset(7).setMetadata(""))))))));
        var owned = List.of(
            new ConsumerGroupHeartbeatRequestData.TopicPartitions().setTopicId(Uuid.randomUuid()).setPartitions(List.of(0, 1)),
            new ConsumerGroupHeartbeatRequestData.TopicPartitions().setTopicId(Uuid.randomUuid()).setPartitions(List.of(0)));
        add(ApiKeys.CONSUMER_GROUP_HEARTBEAT, 1,
            new ConsumerGroupHeartbeatRequestData().setGroupId("billing").setMemberId("m-1").setMemberEpoch(3).setRebalanceTimeoutMs(300000)
                .setSubscribedTopicNames(List.of("orders", "paid")).setServerAssignor("uniform").setTopicPartitions(owned),
            new ConsumerGroupHeartbeatResponseData().setMemberId("m-1").setMemberEpoch(3).setHeartbeatIntervalMs(5000).setAssignment(
                new ConsumerGroupHeartbeatResponseData.Assignment().setTopicPartitions(List.of(
                    new ConsumerGroupHeartbeatResponseData.TopicPartitions().setTopicId(Uuid.randomUuid()).setPartitions(List.of(0, 1)),
                    new ConsumerGroupHeartbeatResponseData.TopicPartitions().setTopicId(Uuid.randomUuid()).setPartitions(List.of(0))))));
        add(ApiKeys.CONSUMER_GROUP_HEARTBEAT, 1,
            new ConsumerGroupHeartbeatRequestData().setGroupId("billing").setMemberId("m-1").setMemberEpoch(3),
            new ConsumerGroupHeartbeatResponseData().setMemberId("m-1").setMemberEpoch(3).setHeartbeatIntervalMs(5000));
        try (var out = new PrintWriter(args[0])) {
            out.println("[" + String.join(",\n ", lines) + "]");
        }
    }
}
