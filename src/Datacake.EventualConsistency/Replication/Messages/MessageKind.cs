namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>The number that a message between replicas begins with. A number is never used for anything else again.</summary>
enum MessageKind : byte
{
    Hello = 1,
    Mutations = 2,
    Acknowledgment = 3,
    RollCall = 4,
    Report = 5,
    PullRequest = 6,
    Chunk = 7,
    SnapshotPage = 8,
    Refusal = 9,
    PullDeclined = 10,
    ReadRequest = 11,
    ReadReply = 12,
    RepairHint = 13,
    KnownRequest = 14,
    KnownReply = 15,
    Sequence = 16,
    RightsRequest = 17,
    FollowRequest = 18,
    SourceState = 19,
    LeaveRequest = 20,
}
