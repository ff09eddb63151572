using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Simulation.Scenarios;

/// <summary>A possible document of a simulated cluster, whether or not it exists.</summary>
sealed record Slot(int Number, string Keyspace, MergePolicy Policy, DocumentKey Key)
{
    /// <summary>True if only serial transactions write the document.</summary>
    public bool IsSerial => Policy == MergePolicy.Serial;

    /// <summary>True if no process declares the keyspace, so that it is removed when it becomes empty.</summary>
    public bool IsUndeclared => Keyspace is "scraps" or "crumbs";

    public override string ToString() => $"{Keyspace}/{Key}";
}
