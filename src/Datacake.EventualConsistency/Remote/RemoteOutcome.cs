using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Node;
using Datacake.Storage;
using MessagePack;

namespace Datacake.EventualConsistency.Remote;

/// <summary>The reply of a member to a <see cref="RemoteCommit"/>: the result, or the error that a commit at that member ends with.</summary>
/// <param name="Kind">The kind of the outcome.</param>
/// <param name="Message">The message of the error; empty for a result.</param>
sealed record RemoteOutcome(RemoteOutcomeKind Kind, string Message)
{
    const int Version = 1;

    public HlcTimestamp Stamp { get; init; }

    /// <summary>Gets the nodes that have the transaction.</summary>
    public NodeSet Acknowledged { get; init; }

    public IReadOnlyList<long> Numbers { get; init; } = [];

    /// <summary>Gets the document that the error is about; its keyspace is empty if there is none.</summary>
    public (string Keyspace, DocumentKey Key) Document { get; init; } = ("", 0);

    /// <summary>Gets the counter that the error is about, with what may be changed here, elsewhere and later.</summary>
    public (string Property, long Amount, long Bound, bool IsUp, long Here, long Withheld, long Elsewhere) Counter { get; init; } = ("", 0, 0, false, 0, 0, 0);

    public SerialRefusal? Refusal { get; init; }

    /// <summary>Gets the members as the member sees them, with which the requirement of the level is told.</summary>
    public IReadOnlyList<ClusterMember> Members { get; init; } = [];

    public (byte LocalId, int Expected, TimeSpan Waited) Requirement { get; init; }

    public IReadOnlyList<ConsistencyFailure> Failures { get; init; } = [];

    public static RemoteOutcome Of(CommitResult result) => new(RemoteOutcomeKind.Committed, "") { Stamp = result.Stamp, Acknowledged = result.Acknowledged, Numbers = result.Numbers };

    /// <summary>Returns the outcome of a commit that has failed.</summary>
    /// <param name="failure">The exception.</param>
    /// <param name="node">The node of the member.</param>
    /// <param name="member">The operations of the member.</param>
    public static RemoteOutcome Of(Exception failure, DatacakeNode node, MemberOperations member)
    {
        return failure switch
        {
            TransactionConflictException e => Error(RemoteOutcomeKind.Conflict) with { Document = (e.Keyspace, e.Key) },
            DocumentNotFoundException e => Error(RemoteOutcomeKind.NotFound) with { Document = (e.Keyspace, e.Key) },
            CounterBoundException e => Error(RemoteOutcomeKind.CounterBound) with
            {
                Document = (e.Keyspace, e.Key),
                Counter = (e.Property, e.Amount, e.Bound, e.IsUp, e.AvailableHere, e.Withheld, e.AvailableElsewhere),
            },
            SerialConflictException e => Error(RemoteOutcomeKind.SerialConflict) with { Refusal = e.Refusal },
            ConsistencyException e => WithMembers(RemoteOutcomeKind.LevelNotReached) with { Stamp = e.Stamp ?? HlcTimestamp.None, Acknowledged = e.Acknowledged, Failures = e.Failures },
            NotEnoughNodesException { Level: not Consistency.Serial } => WithMembers(RemoteOutcomeKind.NotEnoughNodes),
            TransactionLimitException => Error(RemoteOutcomeKind.TooLarge),
            ArgumentException or InvalidDataException => Error(RemoteOutcomeKind.Invalid),
            OutcomeUnknownException => Error(RemoteOutcomeKind.Unknown),
            TimeoutException or StoreExcludedException or StorageException { Error: StorageError.Full } or NotEnoughNodesException =>
                Error(RemoteOutcomeKind.Unavailable),
            // A store that closes may have committed before: that is not known.
            InvalidOperationException and not ObjectDisposedException => Error(RemoteOutcomeKind.NotPermitted),
            _ => Error(RemoteOutcomeKind.Unknown),
        };

        RemoteOutcome Error(RemoteOutcomeKind kind) => new(kind, failure.Message);

        RemoteOutcome WithMembers(RemoteOutcomeKind kind) => Error(kind) with
        {
            Members = [.. member.Members().Select(one => node.Members.FirstOrDefault(known => known.NodeId == one.NodeId) is { } known
                ? known with { State = one.IsUp ? MemberState.Up : MemberState.Down }
                : new ClusterMember(one.NodeId, "unknown address", one.DataCenter, 0, MemberState.Down, new Dictionary<string, string>()))],
            Requirement = (node.Id, member.ExpectedNodes, member.Timeout),
        };
    }

    /// <summary>Returns the result, or throws the error.</summary>
    /// <param name="level">The level that was asked for.</param>
    /// <param name="transaction">The transaction.</param>
    /// <param name="resolve">Asks again for an outcome that is not known.</param>
    public CommitResult ToResult(Consistency level, SerialTransaction transaction, Func<CancellationToken, Task<CommitResult>> resolve) => Kind switch
    {
        RemoteOutcomeKind.Committed => new CommitResult(Stamp, Acknowledged) { Numbers = Numbers },
        RemoteOutcomeKind.Conflict => throw new TransactionConflictException(Document.Keyspace, Document.Key),
        RemoteOutcomeKind.NotFound => throw new DocumentNotFoundException(Document.Keyspace, Document.Key),
        RemoteOutcomeKind.CounterBound when transaction.Effects.Operations.FirstOrDefault(operation => operation.Keyspace == Document.Keyspace && operation.Key == Document.Key) is { } operation =>
            throw new CounterBoundException(operation, Counter.Property, Counter.Amount, Counter.Bound, Counter.IsUp, Counter.Here, Counter.Withheld, Counter.Elsewhere),
        RemoteOutcomeKind.SerialConflict when Refusal is { } refusal && refusal.IsOf(transaction.ToProposal([.. transaction.Effects.Operations.Select(static operation => default(SerialOperation) with { Operation = operation })])) =>
            throw new SerialConflictException(transaction, refusal),
        RemoteOutcomeKind.LevelNotReached => throw new ConsistencyException(RequirementOf(level), Acknowledged, Failures, Requirement.Waited, Stamp),
        RemoteOutcomeKind.NotEnoughNodes => throw new NotEnoughNodesException(RequirementOf(level), Members),
        RemoteOutcomeKind.TooLarge => throw new TransactionLimitException(Message, 0, 0),
        RemoteOutcomeKind.Invalid => throw new ArgumentException(Message),
        RemoteOutcomeKind.NotPermitted => throw new InvalidOperationException(Message),
        RemoteOutcomeKind.Unavailable => throw new TimeoutException(Message),
        _ => throw new OutcomeUnknownException(Message, cause: null, resolve),
    };

    ConsistencyRequirement RequirementOf(Consistency level) => ConsistencyRequirement.For(
        level, Requirement.LocalId, Members.Select(static member => new ConsistencyMember(member.NodeId, member.DataCenter, member.IsUp)), Requirement.Expected);

    public byte[] Encode() => Record.Encode(this, static (ref writer, outcome) =>
    {
        writer.Write(Version);
        writer.Write((byte)outcome.Kind);
        writer.Write(outcome.Message);
        Record.WriteStamp(ref writer, outcome.Stamp);
        WriteNodes(ref writer, outcome.Acknowledged);
        writer.WriteArrayHeader(outcome.Numbers.Count);
        foreach (long number in outcome.Numbers)
            writer.Write(number);
        writer.Write(outcome.Document.Keyspace);
        writer.Write(outcome.Document.Key.Encoded.Span);
        var (property, amount, bound, isUp, here, withheld, elsewhere) = outcome.Counter;
        writer.Write(property);
        writer.Write(amount);
        writer.Write(bound);
        writer.Write(isUp);
        writer.Write(here);
        writer.Write(withheld);
        writer.Write(elsewhere);
        SerialRefusal.Write(ref writer, outcome.Refusal);
        writer.WriteArrayHeader(outcome.Members.Count);
        foreach (var member in outcome.Members)
        {
            writer.Write(member.NodeId);
            writer.Write(member.Address);
            writer.Write(member.DataCenter);
            writer.Write((byte)member.State);
        }
        writer.Write(outcome.Requirement.LocalId);
        writer.Write(outcome.Requirement.Expected);
        writer.Write(outcome.Requirement.Waited.Ticks);
        writer.WriteArrayHeader(outcome.Failures.Count);
        foreach (var failure in outcome.Failures)
        {
            writer.Write(failure.NodeId);
            writer.Write(failure.Reason);
        }
    });

    /// <exception cref="InvalidDataException">The bytes are not an outcome, or are that of a later version.</exception>
    public static RemoteOutcome Decode(ReadOnlyMemory<byte> encoded) => Record.DecodeBeginning(encoded, "the outcome of a transaction", static (ref reader) =>
    {
        int version = reader.ReadInt32();
        if (version != Version)
            throw new InvalidDataException($"The outcome has the format {version}, and this node reads format {Version}. Update the older node.");
        var outcome = new RemoteOutcome((RemoteOutcomeKind)reader.ReadByte(), Record.ReadSentence(ref reader)) { Stamp = Record.ReadStamp(ref reader), Acknowledged = ReadNodes(ref reader) };
        long[] numbers = new long[Record.ReadCount(ref reader, SerialNumber.MaxNumbers, "numbers")];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = reader.ReadInt64();
        outcome = outcome with
        {
            Numbers = numbers,
            Document = (Record.ReadText(ref reader), new DocumentKey(Record.ReadBytes(ref reader))),
            Counter = (Record.ReadText(ref reader), reader.ReadInt64(), reader.ReadInt64(), reader.ReadBoolean(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64()),
            Refusal = SerialRefusal.ReadAny(ref reader),
        };
        var members = new ClusterMember[Record.ReadCount(ref reader, byte.MaxValue + 1, "members")];
        for (int i = 0; i < members.Length; i++)
        {
            members[i] = new ClusterMember(
                reader.ReadByte(), Record.ReadName(ref reader), Record.ReadName(ref reader), 0, (MemberState)Record.ReadChoice(ref reader, (byte)MemberState.Left, "state of a member"),
                new Dictionary<string, string>());
        }
        var requirement = (reader.ReadByte(), reader.ReadInt32(), new TimeSpan(reader.ReadInt64()));
        var failures = new ConsistencyFailure[Record.ReadCount(ref reader, byte.MaxValue + 1, "failures")];
        for (int i = 0; i < failures.Length; i++)
            failures[i] = new ConsistencyFailure(reader.ReadByte(), Record.ReadSentence(ref reader));
        return outcome with { Members = members, Requirement = requirement, Failures = failures };
    });

    static void WriteNodes(ref MessagePackWriter writer, NodeSet nodes)
    {
        writer.WriteArrayHeader(nodes.Count);
        foreach (byte node in nodes)
            writer.Write(node);
    }

    static NodeSet ReadNodes(ref MessagePackReader reader)
    {
        var nodes = default(NodeSet);
        for (int i = Record.ReadCount(ref reader, byte.MaxValue + 1, "nodes"); i > 0; i--)
            nodes = nodes.With(reader.ReadByte());
        return nodes;
    }
}
