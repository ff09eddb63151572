using System.Collections.Immutable;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The newest run of each node from which anything is known; immutable. It is sent and stored together with the known set. The runs expose
/// a store whose files were put back by hand: such a store starts a run that is later than its newest known run, but not above all its
/// known stamps [R5].
/// </summary>
/// <remarks>See PROTOCOL.md: runs.</remarks>
sealed class NodeRuns : IEquatable<NodeRuns>
{
    readonly ImmutableSortedDictionary<byte, HlcTimestamp> _runs;

    NodeRuns(ImmutableSortedDictionary<byte, HlcTimestamp> runs) => _runs = runs;

    public static NodeRuns Empty { get; } = new(ImmutableSortedDictionary<byte, HlcTimestamp>.Empty);

    /// <summary>Gets the greatest run, or none.</summary>
    public HlcTimestamp Top => _runs.Values.Aggregate(HlcTimestamp.None, HlcTimestamp.Max);

    /// <summary>Gets the newest known run of a node, or none.</summary>
    public HlcTimestamp this[byte node] => _runs.GetValueOrDefault(node);

    /// <summary>Returns these runs with a run of a node added. Returns this instance if the run is not newer than the known one.</summary>
    public NodeRuns With(byte node, HlcTimestamp run) => run > this[node] ? new(_runs.SetItem(node, run)) : this;

    public NodeRuns Union(NodeRuns other)
    {
        var union = this;
        foreach (var (node, run) in other._runs)
            union = union.With(node, run);
        return union;
    }

    public bool Equals(NodeRuns? other) => other is not null && _runs.SequenceEqual(other._runs);

    public override bool Equals(object? obj) => Equals(obj as NodeRuns);

    public override int GetHashCode() => _runs.Values.Aggregate(0, HashCode.Combine);

    public override string ToString() => $"{{{string.Join(", ", _runs.Values)}}}";

    public void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(_runs.Count);
        foreach (var run in _runs.Values)
            Record.WriteStamp(ref writer, run);
    }

    public static NodeRuns Read(ref MessagePackReader reader)
    {
        var runs = ImmutableSortedDictionary.CreateBuilder<byte, HlcTimestamp>();
        for (int i = Record.ReadCount(ref reader, 256, "runs of nodes"); i > 0; i--)
        {
            var run = Record.ReadStamp(ref reader);
            runs[run.Node] = run;
        }
        return new NodeRuns(runs.ToImmutable());
    }
}
