using System.Collections.Immutable;
using CsCheck;

namespace Datacake.Storage.Specification;

public abstract partial class StorageSpecification
{
    /// <summary>True if a store that is opened again contains its committed data.</summary>
    protected virtual bool IsDurable => false;

    abstract record Step
    {
        public sealed record Commit(Durability Durability, (string Key, string? Value)[] Operations) : Step;

        public sealed record OpenSnapshot : Step;

        public sealed record CloseSnapshot(int Which) : Step;

        public sealed record Scan(int Which, string Start, string? End, ScanDirection Direction, int PageSize) : Step;

        public sealed record Get(int Which, string Key) : Step;

        public sealed record Reopen : Step;
    }

    // Uses few, short keys of bytes at the limits, so that most operations hit an existing key and many keys are prefixes of others.
    static readonly Gen<string> GenKey =
        Gen.OneOf('\0', '\x01', 'a', '\x7F', '\x80', '\xFE', '\xFF').Array[0, 3].Select(c => new string(c));

    static readonly Gen<string> GenValue = Gen.Frequency(
        (2, Gen.Const("")),
        (6, Gen.Int[0, 40].Select(Value)),
        (2, Gen.Int[41, 9000].Select(Value)));

    static readonly Gen<Step> GenStep = Gen.Frequency(
        (6, Gen.Select(
            Gen.Frequency((4, Gen.Const(Durability.Buffered)), (1, Gen.Const(Durability.Flushed))),
            Gen.Select(GenKey, Gen.Frequency((2, GenValue.Select(value => (string?)value)), (1, Gen.Const((string?)null)))).Array[0, 30],
            Step (durability, operations) => new Step.Commit(durability, operations))),
        (2, Gen.Const<Step>(new Step.OpenSnapshot())),
        (1, Gen.Int[0, 9].Select(Step (which) => new Step.CloseSnapshot(which))),
        (4, Gen.Select(
            Gen.Int[0, 9],
            GenKey,
            Gen.Frequency((3, GenKey.Select(key => (string?)key)), (1, Gen.Const((string?)null))),
            Gen.OneOf(ScanDirection.Forward, ScanDirection.Reverse),
            Gen.OneOf(1, 2, 7, 1000),
            Step (which, start, end, direction, pageSize) => new Step.Scan(which, start, end, direction, pageSize))),
        (3, Gen.Select(Gen.Int[0, 9], GenKey, Step (which, key) => new Step.Get(which, key))),
        (1, Gen.Const<Step>(new Step.Reopen())));

    [Fact]
    public async Task A_store_behaves_as_a_sorted_dictionary_under_any_sequence_of_operations()
    {
        int number = 0;
        await GenStep.Array[1, 30].SampleAsync(
            steps => CompareWithModelAsync(Directory[$"model-{Interlocked.Increment(ref number)}"], steps),
            iter: RandomSequences,
            print: steps => string.Join(Environment.NewLine, steps.Select(Print)));
    }

    async Task CompareWithModelAsync(string path, Step[] steps)
    {
        var model = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        var snapshots = new List<(IStorageSnapshot Actual, ImmutableSortedDictionary<string, string> Expected)>();
        IStorage storage = Open(path);
        try
        {
            foreach (Step step in steps)
            {
                switch (step)
                {
                    case Step.Commit commit:
                        var batch = new WriteBatch();
                        foreach ((string key, string? value) in commit.Operations)
                        {
                            if (value is null)
                                batch.Delete(Bytes(key));
                            else
                                batch.Put(Bytes(key), Bytes(value));
                            model = value is null ? model.Remove(key) : model.SetItem(key, value);
                        }
                        await storage.CommitAsync(batch, commit.Durability);
                        break;
                    case Step.OpenSnapshot:
                        snapshots.Add((await storage.OpenSnapshotAsync(), model));
                        break;
                    case Step.CloseSnapshot(int which) when snapshots.Count > 0:
                        snapshots[which % snapshots.Count].Actual.Dispose();
                        snapshots.RemoveAt(which % snapshots.Count);
                        break;
                    case Step.Scan scan when snapshots.Count > 0:
                        (IStorageSnapshot actual, var expected) = snapshots[scan.Which % snapshots.Count];
                        KeyRange range = Range(scan.Start, scan.End);
                        IEnumerable<string> entries = Entries(expected.Where(entry => range.Contains(Bytes(entry.Key))));
                        Assert.Equal(
                            scan.Direction == ScanDirection.Forward ? entries : entries.Reverse(),
                            await ScanAsync(actual, range, scan.Direction, scan.PageSize));
                        break;
                    case Step.Get get when snapshots.Count > 0:
                        (actual, expected) = snapshots[get.Which % snapshots.Count];
                        Assert.Equal(expected.GetValueOrDefault(get.Key), await GetAsync(actual, get.Key));
                        break;
                    case Step.Reopen when IsDurable:
                        await CheckAndCloseAsync(snapshots);
                        await storage.DisposeAsync();
                        storage = Open(path);
                        break;
                }
            }
            snapshots.Add((await storage.OpenSnapshotAsync(), model));
            await CheckAndCloseAsync(snapshots);
        }
        finally
        {
            snapshots.ForEach(snapshot => snapshot.Actual.Dispose());
            await storage.DisposeAsync();
        }
    }

    static async Task CheckAndCloseAsync(List<(IStorageSnapshot Actual, ImmutableSortedDictionary<string, string> Expected)> snapshots)
    {
        foreach ((IStorageSnapshot actual, var expected) in snapshots)
        {
            Assert.Equal(Entries(expected), await ScanAsync(actual, KeyRange.All));
            foreach ((string key, string value) in expected)
                Assert.Equal(value, await GetAsync(actual, key));
            // The bounds of random scans are too rarely existing keys.
            if (expected.Count > 0)
            {
                string middle = expected.ElementAt(expected.Count / 2).Key;
                Assert.Equal(Entries(expected.Take(expected.Count / 2)), await ScanAsync(actual, Range("", middle)));
                Assert.Equal(Entries(expected.Skip(expected.Count / 2).Reverse()), await ScanAsync(actual, Range(middle, null), ScanDirection.Reverse));
            }
            actual.Dispose();
        }
        snapshots.Clear();
    }

    static IEnumerable<string> Entries(IEnumerable<KeyValuePair<string, string>> entries) =>
        entries.Select(entry => $"{entry.Key}={entry.Value}");

    // The length distinguishes values and keeps failures readable.
    static string Value(int length) => new((char)('a' + length % 26), length);

    static string Print(Step step) => step switch
    {
        Step.Commit commit => $"commit {commit.Durability}: " + string.Join(", ", commit.Operations.Select(operation =>
            operation.Value is null ? $"-{Hex(operation.Key)}" : $"+{Hex(operation.Key)}={operation.Value.Length} bytes")),
        Step.Scan scan =>
            $"scan {scan.Which} from {Hex(scan.Start)} to {(scan.End is null ? "the end" : Hex(scan.End))} "
                + $"{scan.Direction} by {scan.PageSize}",
        Step.Get get => $"get {get.Which} {Hex(get.Key)}",
        _ => $"{step}",
    };

    static string Hex(string key) => $"[{Convert.ToHexString(Bytes(key))}]";
}
