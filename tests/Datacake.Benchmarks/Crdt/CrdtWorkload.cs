using System.Buffers;
using System.Text;
using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Replication;
using Datacake.Crdt;

namespace Datacake.Benchmarks.Crdt;

/// <summary>The workload of the CRDT building blocks, on one thread.</summary>
static class CrdtWorkload
{
    const int Repeats = 1_000;
    const int Properties = 10;
    const string Rust = "Rust crate";

    public static async Task RunAsync(Runner runner)
    {
        await MeasureClockAsync(runner);
        await MeasureMergeAsync(runner);
        await MeasureVersionVectorAsync(runner);
        foreach (int keys in runner.Pace.Choose([10_000, 100_000, 1_000_000], [100_000]))
            await MeasureSetAsync(runner, keys);
    }

    static async Task MeasureClockAsync(Runner runner)
    {
        var clock = new HybridLogicalClock(1, TimeProvider.System);
        await MeasureAsync(runner, "clock tick", Repeats, [], () =>
        {
            for (int i = 0; i < Repeats; i++)
                clock.Tick();
        });
    }

    static async Task MeasureMergeAsync(Runner runner)
    {
        var whole = Document.Put(new HlcTimestamp(100, 0, 0, 1), ContentOf(Enumerable.Range(0, Properties)));
        var edit = Document.Update(new HlcTimestamp(200, 0, 0, 2), ContentOf([Properties / 2]));
        await MeasureAsync(runner, $"merge of an edit into {Properties} properties", Repeats, [], () =>
        {
            for (int i = 0; i < Repeats; i++)
                Document.Merge(whole, edit);
        });
        var raw = Document.Put(new HlcTimestamp(100, 0, 0, 1), DocumentContent.OfRaw(new byte[30]));
        var later = Document.Put(new HlcTimestamp(200, 0, 0, 2), DocumentContent.OfRaw(new byte[30]));
        await MeasureAsync(runner, "merge of raw documents", Repeats, [], () =>
        {
            for (int i = 0; i < Repeats; i++)
                Document.Merge(raw, later);
        });
        await MeasureAsync(runner, $"parse of {Properties} properties", Repeats, [], () =>
        {
            for (int i = 0; i < Repeats; i++)
                Document.Parse(whole.Encoded);
        });
    }

    static async Task MeasureVersionVectorAsync(Runner runner)
    {
        var known = VersionVector.Empty;
        for (byte node = 1; node <= 5; node++)
            known = known.Union(VersionVector.Of(node, HlcTimestamp.None, new HlcTimestamp(1_000u + node, 0, 0, node)));
        await MeasureAsync(runner, "version vector of 5 nodes, addition", Repeats, [], () =>
        {
            var vector = known;
            for (uint i = 0; i < Repeats; i++)
                vector = vector.Union(VersionVector.Of(3, new HlcTimestamp(1_003 + i, 0, 0, 3), new HlcTimestamp(1_004 + i, 0, 0, 3)));
        });
        var stamp = new HlcTimestamp(500, 0, 0, 4);
        await MeasureAsync(runner, "version vector of 5 nodes, question", Repeats, [], () =>
        {
            for (int i = 0; i < Repeats; i++)
                known.Contains(stamp);
        });
        await MeasureAsync(runner, "version vector of 5 nodes, encoding", Repeats, [], () =>
        {
            var output = new ArrayBufferWriter<byte>(Repeats * 100);
            for (int i = 0; i < Repeats; i++)
                known.Write(output);
        });
    }

    static async Task MeasureSetAsync(Runner runner, int keys)
    {
        // The Rust crate, on two cores: 5 million inserts per second, and 50 ms for the difference of two sets of a million elements.
        await MeasureAsync(runner, $"ORSWOT set, insert of {keys}", keys, [Target.TimesKnown(Rust, 5e6, 1)], () => SetOf(keys, 1));
        var one = new Lazy<OrSwotSet<long>>(() => SetOf(keys, 1));
        var other = new Lazy<OrSwotSet<long>>(() => SetOf(keys, 2));
        await MeasureAsync(runner, $"ORSWOT set, difference of {keys}", keys, [Target.TimesKnown(Rust, 20e6, 1)], () => one.Value.Diff(other.Value));
        await MeasureAsync(runner, $"ORSWOT set, merge of {keys}", keys, [], () => one.Value.Merge(other.Value));
    }

    static Task MeasureAsync(Runner runner, string name, int items, IReadOnlyList<Target> targets, Action operate) =>
        runner.MeasureAsync(new Cell("crdt", name, new Subject(DatacakeCluster.System, (_, _) =>
        {
            operate();
            return ValueTask.CompletedTask;
        }))
        {
            ItemsPerOperation = items,
            Targets = targets,
        });

    static OrSwotSet<long> SetOf(int keys, byte node)
    {
        var set = new OrSwotSet<long>();
        for (int i = 0; i < keys; i++)
            set.Insert(i, new HlcTimestamp((uint)i + node, 0, 0, node));
        return set;
    }

    static DocumentContent ContentOf(IEnumerable<int> properties)
    {
        var builder = new DocumentContentBuilder();
        foreach (int property in properties)
            builder.Set(DocumentPath.OfProperty($"Property{property}").Encoded.Span, Encoding.UTF8.GetBytes($"value of {property}"));
        return builder.Build();
    }
}
