using Datacake.Benchmarks.Measuring;
using Datacake.EventualConsistency;

namespace Datacake.Benchmarks.Replication;

/// <summary>
/// The known throughput of the Rust crate in this workload, in puts per second, on two cores with a memory store. The crate does not disable
/// Nagle's algorithm (TCP_NODELAY) on accepted sockets; "patched" is the crate with that fixed.
/// </summary>
static class KnownFigures
{
    const string Rust = "Rust crate", Patched = "Rust crate, patched";

    static readonly Dictionary<(int Nodes, Consistency Level, int Tasks), double> PutsPerSecond = new()
    {
        [(1, Consistency.All, 1)] = 19_000,
        [(1, Consistency.All, 10)] = 507_000,
        [(1, Consistency.All, 125)] = 545_000,
        [(1, Consistency.All, 256)] = 470_000,
        [(3, Consistency.All, 1)] = 1_630,
        [(3, Consistency.All, 10)] = 5_950,
        [(3, Consistency.All, 125)] = 14_800,
        [(3, Consistency.All, 256)] = 24_500,
        [(3, Consistency.Quorum, 1)] = 1_960,
        [(3, Consistency.Quorum, 10)] = 12_600,
        [(3, Consistency.Quorum, 125)] = 42_000,
        [(3, Consistency.Quorum, 256)] = 59_600,
        [(3, Consistency.None, 1)] = 13_500,
        [(3, Consistency.None, 10)] = 319_000,
        [(3, Consistency.None, 125)] = 569_000,
        [(3, Consistency.None, 256)] = 500_000,
        [(5, Consistency.All, 1)] = 750,
        [(5, Consistency.All, 10)] = 2_800,
        [(5, Consistency.All, 125)] = 10_200,
        [(5, Consistency.All, 256)] = 14_100,
        [(5, Consistency.Quorum, 1)] = 1_260,
        [(5, Consistency.Quorum, 10)] = 3_900,
        [(5, Consistency.Quorum, 125)] = 13_500,
        [(5, Consistency.Quorum, 256)] = 30_200,
    };

    static readonly Dictionary<(int Nodes, Consistency Level, int Tasks), double> PatchedPutsPerSecond = new()
    {
        [(3, Consistency.All, 1)] = 5_500,
        [(3, Consistency.All, 10)] = 18_000,
    };

    /// <summary>
    /// Returns the targets of a cell: several times the crate's figure if puts wait for acknowledgments of other nodes, otherwise the same
    /// figure.
    /// </summary>
    public static IReadOnlyList<Target> TargetsOf(int nodes, Consistency level, int tasks)
    {
        var targets = new List<Target>();
        double factor = nodes == 1 || level == Consistency.None ? 1 : tasks <= 10 ? 3 : 5;
        if (PutsPerSecond.TryGetValue((nodes, level, tasks), out double known))
            targets.Add(Target.TimesKnown(Rust, known, factor));
        if (PatchedPutsPerSecond.TryGetValue((nodes, level, tasks), out double patched))
            targets.Add(Target.TimesKnown(Patched, patched, 1));
        return targets;
    }
}
