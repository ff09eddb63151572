using CsCheck;
using Operation = (int Key, Datacake.Crdt.HlcTimestamp Stamp, bool IsDelete);

namespace Datacake.Crdt.Tests;

public class OrSwotSetTests
{
    const int Keys = 5;

    static readonly byte[] Nodes = [1, 2, 3];

    static readonly Gen<Operation> AnyOperation = Gen.Select(Gen.Int[0, Keys - 1], Generate.Stamp, Gen.Bool);

    /// <summary>Sets in states that histories with purges and merges can reach, and in states that none can reach.</summary>
    static readonly Gen<OrSwotSet<int>> AnySet =
        Gen.Select(AnyOperation.Array[0, 6], Generate.Stamp, Gen.Int[0, 3], AnyOperation.Array[0, 4], SetOf);

    [Fact]
    public void The_latest_operation_on_a_key_wins_in_any_order_of_arrival() =>
        AnyOperation.Array[0, 20].SelectMany(operations => Gen.Select(Gen.Const(operations), Gen.Shuffle(operations)))
        .Sample((operations, shuffled) =>
        {
            var set = new OrSwotSet<int>();
            foreach (var operation in shuffled)
            {
                string before = StateOf(set);
                bool hadEffect = Apply(set, operation);
                Assert.Equal(hadEffect, before != StateOf(set));
            }
            for (int key = 0; key < Keys; key++)
            {
                var latest = operations.Where(operation => operation.Key == key)
                    .OrderBy(operation => (operation.Stamp, operation.IsDelete)).LastOrDefault();
                bool isIn = latest != default && !latest.IsDelete;
                Assert.Equal(isIn, set.Contains(key));
                Assert.Equal(isIn, set.TryGetStamp(key, out var stamp));
                Assert.Equal(isIn ? latest.Stamp : default, stamp);
            }
            Assert.Equal(set.Count, set.Count(entry => set.Contains(entry.Key)));
        }, iter: 2_000);

    [Fact]
    public void Merge_is_commutative() => Gen.Select(AnySet, AnySet)
        .Sample((a, b) => StateOf(Merged(a, b)) == StateOf(Merged(b, a)), iter: 10_000, print: Print);

    [Fact]
    public void Merge_is_associative() => Gen.Select(AnySet, AnySet, AnySet)
        .Sample((a, b, c) => StateOf(Merged(Merged(a, b), c)) == StateOf(Merged(a, Merged(b, c))), iter: 20_000, print: Print);

    [Fact]
    public void Merge_is_idempotent() => Gen.Select(AnySet, AnySet).Sample((a, b) =>
    {
        var merged = Merged(a, b);
        return StateOf(Merged(a, a)) == StateOf(a)
            && StateOf(Merged(merged, b)) == StateOf(merged)
            && StateOf(Merged(a, merged)) == StateOf(merged);
    }, iter: 10_000, print: Print);

    [Fact]
    public void A_set_merged_with_itself_does_not_change() => AnySet.Sample(set =>
    {
        string before = StateOf(set);
        set.Merge(set);
        return StateOf(set) == before;
    });

    [Fact]
    public void Applying_a_difference_gives_the_keys_of_the_merge_and_leaves_no_difference() => Gen.Select(AnySet, AnySet).Sample((a, b) =>
    {
        string expected = KeysOf(Merged(a, b));
        var (changes, removals) = a.Diff(b);
        Assert.All(changes, change => Assert.True(a.Insert(change.Key, change.Value)));
        Assert.All(removals, removal => Assert.True(a.Delete(removal.Key, removal.Value)));
        Assert.Equal(expected, KeysOf(a));
        var (again, againRemoved) = a.Diff(b);
        Assert.Empty(again);
        Assert.Empty(againRemoved);
    }, iter: 10_000, print: pair => Print(pair));

    [Fact]
    public void Two_sets_that_apply_their_differences_hold_the_same_keys() => Gen.Select(AnySet, AnySet).Sample((a, b) =>
    {
        var (toA, toB) = (a.Diff(b), b.Diff(a));
        foreach (var (set, (changes, removals)) in new[] { (a, toA), (b, toB) })
        {
            foreach (var (key, stamp) in changes)
                set.Insert(key, stamp);
            foreach (var (key, stamp) in removals)
                set.Delete(key, stamp);
        }
        return KeysOf(a) == KeysOf(b);
    }, iter: 10_000, print: Print);

    [Fact]
    public void A_tombstone_remains_until_all_sources_have_passed_it_for_all_nodes()
    {
        var set = new OrSwotSet<string>(sources: 2);
        set.Insert("cake", Stamp(1, node: 1));
        set.Delete("cake", Stamp(2, node: 2));
        set.Observe(Stamp(2, node: 2), source: 0);
        set.Observe(Stamp(3, node: 1), source: 0);
        Assert.Empty(set.PurgeTombstones(1, 2));

        set.Observe(Stamp(3, node: 1), source: 1);
        Assert.Empty(set.PurgeTombstones(1, 2));
        Assert.Empty(set.PurgeTombstones());
        Assert.Equal(["cake"], set.Tombstones.Keys);

        set.Observe(Stamp(2, node: 2), source: 1);
        Assert.Empty(set.PurgeTombstones(1, 2, 3));
        Assert.Equal(["cake"], set.PurgeTombstones(1, 2));
        Assert.Empty(set.Tombstones);
        Assert.Equal(Stamp(2, node: 2), set.PurgeMark);
    }

    [Fact]
    public void A_purged_key_is_not_revived_by_a_late_insertion_or_an_outdated_replica()
    {
        var late = new OrSwotSet<string>();
        late.Insert("cake", Stamp(1));
        var set = new OrSwotSet<string>();
        set.Merge(late);
        set.Delete("cake", Stamp(2));
        set.Observe(Stamp(3));
        set.PurgeTombstones(1);

        Assert.False(set.Insert("cake", Stamp(1)));
        Assert.Empty(set.Diff(late).Changes);
        Assert.Equal("cake", Assert.Single(late.Diff(set).Removals).Key);
        set.Merge(late);
        Assert.False(set.Contains("cake"));
        late.Merge(set);
        Assert.False(late.Contains("cake"));
        Assert.True(late.Insert("cake", Stamp(4)));
    }

    [Fact]
    public void Replicas_that_purge_at_any_time_converge_to_the_keys_of_an_unpurged_set()
    {
        // Each step is a write of a node, an in-order delivery of its operations to a replica, or a merge, an applied difference or a purge of replicas.
        var step = Gen.Select(Gen.Int[0, 9], Gen.OneOf(Nodes), Gen.OneOf(Nodes), Gen.Int[0, Keys - 1], Gen.Int[1, 4]);
        step.Array[1, 80].Sample(steps =>
        {
            var replicas = Nodes.ToDictionary(node => node, _ => new OrSwotSet<int>());
            var written = Nodes.ToDictionary(node => node, _ => new List<Operation>());
            var delivered = new Dictionary<(byte From, byte To), int>();
            var unpurged = new OrSwotSet<int>();
            var clocks = Nodes.ToDictionary(node => node, _ => 0);

            void Deliver(byte from, byte to, int count)
            {
                int start = delivered.GetValueOrDefault((from, to));
                foreach (var operation in written[from].Skip(start).Take(count))
                {
                    Apply(replicas[to], operation);
                    replicas[to].Observe(operation.Stamp);
                }
                delivered[(from, to)] = Math.Min(start + count, written[from].Count);
            }

            foreach (var (kind, node, other, key, amount) in steps)
            {
                if (kind <= 3)
                {
                    clocks[node] += amount;
                    Operation operation = (key, Stamp((uint)clocks[node], node), kind <= 1);
                    written[node].Add(operation);
                    Apply(unpurged, operation);
                    Deliver(node, node, 1);
                }
                else if (kind <= 5)
                    Deliver(node, other, amount);
                else if (kind == 6)
                    replicas[node].Merge(replicas[other]);
                else if (kind == 7)
                {
                    var (changes, removals) = replicas[node].Diff(replicas[other]);
                    foreach (var (changed, stamp) in changes)
                        replicas[node].Insert(changed, stamp);
                    foreach (var (removed, stamp) in removals)
                        replicas[node].Delete(removed, stamp);
                }
                else
                    Assert.All(replicas[node].PurgeTombstones(Nodes), purged => Assert.False(replicas[node].Contains(purged)));
            }

            foreach (byte to in Nodes)
            {
                foreach (byte from in Nodes)
                {
                    Deliver(from, to, int.MaxValue / 2);
                    replicas[to].Observe(Stamp(1_000, from));
                }
                replicas[to].PurgeTombstones(Nodes);
                Assert.Equal(KeysOf(unpurged), KeysOf(replicas[to]));
                Assert.Empty(replicas[to].Tombstones);
            }
        }, iter: 5_000);
    }

    [Fact]
    public void A_merge_includes_the_stamps_that_the_other_set_has_observed()
    {
        var far = new OrSwotSet<string>(sources: 2);
        far.Delete("cake", Stamp(5));
        far.Observe(Stamp(6), source: 0);
        far.Observe(Stamp(5), source: 1);
        var set = new OrSwotSet<string>();
        set.Merge(far);
        Assert.Equal(["cake"], set.PurgeTombstones(1));
        Assert.Equal(Stamp(5), set.PurgeMark);
    }

    [Fact]
    public void A_set_is_restored_from_its_properties() => AnySet.Sample(set =>
        StateOf(new OrSwotSet<int>(set, set.Tombstones, set.PurgeMark)) == StateOf(set));

    /// <summary>The example of the README.</summary>
    [Fact]
    public void Replica_that_fetches_its_difference_has_the_keys_of_both_and_can_purge()
    {
        var clock = new HybridLogicalClock(node: 1, TimeProvider.System);
        var elsewhere = new HybridLogicalClock(node: 2, TimeProvider.System);
        var here = new OrSwotSet<string>();
        var there = new OrSwotSet<string>();

        here.Insert("cake", clock.Tick());
        here.Insert("bread", clock.Tick());
        there.Merge(here);
        elsewhere.Observe(clock.Last);

        here.Insert("tart", clock.Tick());
        there.Delete("bread", elsewhere.Tick());
        var (changes, removals) = here.Diff(there);
        foreach (var (key, stamp) in changes)
            here.Insert(key, stamp);
        foreach (var (key, stamp) in removals)
            here.Delete(key, stamp);
        Assert.Equal(["cake", "tart"], here.Select(entry => entry.Key).Order());

        clock.Observe(elsewhere.Last);
        here.Observe(clock.Tick());
        here.Observe(elsewhere.Last);
        Assert.Equal(["bread"], here.PurgeTombstones(1, 2));
        Assert.Empty(here.Tombstones);
    }

    [Fact]
    public void A_source_out_of_range_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new OrSwotSet<int>(sources: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new OrSwotSet<int>().Observe(Stamp(1), source: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new OrSwotSet<int>().Observe(Stamp(1), source: -1));
    }

    static HlcTimestamp Stamp(uint seconds, byte node = 1) => new(seconds, 0, 0, node);

    static bool Apply(OrSwotSet<int> set, Operation operation) =>
        operation.IsDelete ? set.Delete(operation.Key, operation.Stamp) : set.Insert(operation.Key, operation.Stamp);

    static OrSwotSet<int> SetOf(Operation[] before, HlcTimestamp observed, int observedNodes, Operation[] after)
    {
        var set = new OrSwotSet<int>();
        foreach (var operation in before)
            Apply(set, operation);
        foreach (byte node in Nodes.Take(observedNodes))
            set.Observe(new HlcTimestamp((observed.Packed & ~0xFFUL) | node));
        set.PurgeTombstones(Nodes.AsSpan(0, Math.Max(observedNodes, 1)));
        foreach (var operation in after)
            Apply(set, operation);
        return set;
    }

    static OrSwotSet<int> Merged(OrSwotSet<int> a, OrSwotSet<int> b)
    {
        var merged = new OrSwotSet<int>(a, a.Tombstones, a.PurgeMark);
        merged.Merge(b);
        return merged;
    }

    static string KeysOf(OrSwotSet<int> set) => string.Join(", ", set.OrderBy(entry => entry.Key));

    static string StateOf(OrSwotSet<int> set) =>
        $"in {KeysOf(set)}; deleted {string.Join(", ", set.Tombstones.OrderBy(tombstone => tombstone.Key))}; others at {set.PurgeMark}";

    static string Print((OrSwotSet<int> A, OrSwotSet<int> B) sets) => $"{StateOf(sets.A)}\n{StateOf(sets.B)}";

    static string Print((OrSwotSet<int> A, OrSwotSet<int> B, OrSwotSet<int> C) sets) => $"{Print((sets.A, sets.B))}\n{StateOf(sets.C)}";
}
