using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.Simulation.Machines;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Replication;

/// <summary>Shows what full reconciles and pulls make of documents whose puts have lapsed [R13, R20].</summary>
public sealed class LapsedDocumentTests
{
    const byte Here = 1, There = 2, Third = 3;

    static readonly HlcTimestamp Expiry = At(4, 0), Now = At(20, Here);

    static readonly Document Original = Document.Put(At(3, There), Content("Name", "City"), Expiry);

    public static TheoryData<MergePolicy> Policies => [MergePolicy.LastWriterWins, MergePolicy.DeleteWins];

    [Theory]
    [MemberData(nameof(Policies))]
    public void Put_below_the_other_sides_purge_mark_supersedes_what_it_has_superseded(MergePolicy policy)
    {
        var superseded = Document.Put(At(2, Third), Content("Name"));

        var (kept, again) = DocumentReconciliation.Survive(Original.Lapse(), new ReconciledSide(VersionVector.Empty, Purged: At(9, Third), default), Knowing(5), Now, policy);

        Assert.True(kept.IsLapsed);
        var merged = Document.Merge(superseded, again!.Value.Document);
        Assert.Equal(Now, merged.Born);
        Assert.False(merged.IsAlive(policy));
    }

    [Fact]
    public void Put_above_the_other_sides_purge_mark_is_not_asserted()
    {
        var (kept, again) = DocumentReconciliation.Survive(
            Original.Lapse(), new ReconciledSide(VersionVector.Empty, Purged: At(2, Third), default), Knowing(5), Now, MergePolicy.LastWriterWins);

        Assert.True(kept.IsLapsed);
        Assert.Null(again);
    }

    [Theory]
    [MemberData(nameof(Policies))]
    public void Cell_that_one_side_has_removed_and_purged_does_not_return(MergePolicy policy)
    {
        var updated = Document.Merge(Original, Document.Update(At(5, Third), Content("Color")));

        var (both, again) = DocumentReconciliation.Combine(
            updated.Lapse(), Document.Merge(Original, Document.Update(At(7, There), Content("Weight"))),
            new ReconciledSide(Knowing(5), default, default), new ReconciledSide(Knowing(9), Purged: At(6, There), default), Knowing(9), Now, policy);

        Assert.False(both.TryGetCell(DocumentPath.OfProperty("Color").Encoded.Span, out _));
        Assert.True(both.TryGetCell(DocumentPath.OfProperty("Weight").Encoded.Span, out _));
        Assert.Null(again);
    }

    [Theory]
    [MemberData(nameof(Policies))]
    public void Update_that_is_asserted_again_does_not_delete_a_later_put(MergePolicy policy)
    {
        var updated = Document.Merge(Original, Document.Update(At(5, Third), Content("Color")));

        var (_, again) = DocumentReconciliation.Combine(
            updated.Lapse(), Original.Lapse(), new ReconciledSide(Knowing(5), default, default), new ReconciledSide(Knowing(4), Purged: At(6, There), default), Knowing(5), Now, policy);

        Assert.True(again!.Value.Document.TryGetCell(DocumentPath.OfProperty("Color").Encoded.Span, out _));
        Assert.True(again.Value.Document.Died.IsNone);
    }

    [Fact]
    public async Task Lapsed_copy_that_is_purged_when_it_comes_leaves_its_mark()
    {
        var clock = new SimulatedClock(new SimulatedTime());
        await using var storage = new MemoryStorage();
        using var snapshot = await storage.OpenSnapshotAsync(TestContext.Current.CancellationToken);
        var (replica, batch) = await Replica.OpenAsync(
            new ReplicaSettings("lapsed", "", 1, 1, clock), new HybridLogicalClock(1, clock), storage, snapshot, TestContext.Current.CancellationToken);
        replica.Bootstrap();
        var key = batch.KeyOf(batch.FindOrAddKeyspace("cakes", MergePolicy.LastWriterWins), DocumentKey.Of(1));
        Assert.True(batch.State.Purged.IsNone);

        await batch.MergeAsync(key, Original, VersionVector.Empty);
        Assert.True(batch.State.Purged.IsNone);
        await batch.MergeAsync(key, Original.Lapse(), Knowing(5));

        Assert.Same(Document.Nothing, await batch.ReadAsync(key));
        Assert.Equal(Original.Born, batch.State.Purged);
    }

    static HlcTimestamp At(uint time, byte node) => new(time, 0, 0, node);

    static VersionVector Knowing(uint time) => new byte[] { Here, There, Third }.Aggregate(
        VersionVector.Empty, (known, node) => known.Union(VersionVector.Of(node, HlcTimestamp.None, At(time, node))));

    static DocumentContent Content(params string[] properties)
    {
        var content = new DocumentContentBuilder();
        foreach (string property in properties)
            content.Set(DocumentPath.OfProperty(property).Encoded.Span, [1]);
        return content.Build();
    }
}
