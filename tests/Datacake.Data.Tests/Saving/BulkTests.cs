using System.ComponentModel.DataAnnotations.Schema;
using Datacake.Data.Tests.Query;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;

namespace Datacake.Data.Tests.Saving;

/// <summary>Tests of changes that one transaction cannot hold.</summary>
public sealed class BulkTests : QueriedStore, IAsyncLifetime
{
    const int Parcels = 300;
    static readonly string Long = new('x', 60_000);     // times 300, more than a transaction holds

    DatacakeNode _node = null!;

    public async ValueTask InitializeAsync()
    {
        _node = await StartAsync("memory");
        await using var db = new ParcelContext(_node);
        await db.Parcels.BulkAddAsync(Enumerable.Range(1, Parcels).Select(i => new Parcel { Id = i, Depot = i % 3, Weight = i }), cancellationToken: Token);
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Update_that_one_transaction_cannot_hold_is_committed_in_parts(bool usesIndex)
    {
        await using var db = new ParcelContext(_node);
        var progress = new List<BulkProgress>();
        var query = usesIndex ? db.Parcels.Where(p => p.Depot >= 0) : db.Parcels.Where(p => p.Weight > 0);
        var result = await query.ExecuteUpdateAsync(
            set => set.SetProperty(p => p.Note, Long).SetProperty(p => p.Weight, p => p.Weight + 1), new BulkOptions { Progress = new Recorder(progress) }, Token);
        Assert.Equal((Parcels, Parcels), (result.Count, result.Written));
        Assert.True(result.Parts > 1);
        Assert.Equal(result.Parts, progress.Count);
        Assert.Equal((Parcels, Parcels, result.Parts), (progress[^1].Found, progress[^1].Written, progress[^1].Parts));
        Assert.Equal(progress.OrderBy(p => p.Position), progress);
        Assert.Equal(Parcels, await db.Parcels.CountAsync(p => p.Note == Long, Token));
        Assert.Equal(Enumerable.Range(1, Parcels).Sum(i => i + 1), await db.Parcels.SumAsync(p => p.Weight, Token));
    }

    [Fact]
    public async Task Update_that_one_transaction_holds_is_atomic()
    {
        await using var db = new ParcelContext(_node);
        var result = await db.Parcels.ExecuteUpdateAsync(set => set.SetProperty(p => p.Weight, 0), Token);
        Assert.Equal((Parcels, 1), (result.Count, result.Parts));
    }

    [Fact]
    public async Task Update_that_must_be_atomic_is_refused_before_anything_is_written()
    {
        await using var db = new ParcelContext(_node);
        var e = await Assert.ThrowsAsync<TransactionLimitException>(
            () => db.Parcels.ExecuteUpdateAsync(set => set.SetProperty(p => p.Note, Long), new BulkOptions { RequireAtomic = true }, Token));
        Assert.Contains("in parts", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<TransactionLimitException>(() => db.Parcels.Take(Parcels).ExecuteUpdateAsync(set => set.SetProperty(p => p.Note, Long), Token));
        await Assert.ThrowsAsync<ArgumentException>(() => db.Parcels.Take(5).ExecuteDeleteAsync(new BulkOptions { After = new DocumentKey(new byte[] { 1 }) }, Token));
        Assert.Equal(0, await db.Parcels.CountAsync(p => p.Note != "", Token));
    }

    [Fact]
    public async Task Update_that_was_canceled_continues_after_its_last_part()
    {
        await using var db = new ParcelContext(_node);
        var progress = new List<BulkProgress>();
        using var cancellation = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => db.Parcels.ExecuteUpdateAsync(
            set => set.SetProperty(p => p.Note, Long).SetProperty(p => p.Weight, p => p.Weight + 1), new BulkOptions { Progress = new Recorder(progress, cancellation.Cancel) }, cancellation.Token));
        var reached = Assert.Single(progress);
        Assert.Equal(reached.Written, await db.Parcels.CountAsync(p => p.Note == Long, Token));
        var result = await db.Parcels.ExecuteUpdateAsync(
            set => set.SetProperty(p => p.Note, Long).SetProperty(p => p.Weight, p => p.Weight + 1), new BulkOptions { After = reached.Position }, Token);
        Assert.Equal(Parcels - reached.Written, result.Written);
        Assert.Equal(Enumerable.Range(1, Parcels).Sum(i => i + 1), await db.Parcels.SumAsync(p => p.Weight, Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Part_that_is_kept_although_its_level_was_not_reached_counts_as_done(bool isUpdate)
    {
        await using var cluster = new LocalCluster();
        var cable = new SeverableTransport();
        await cluster.StartAsync(1, options => options.WithTransport(cable));
        await cluster.StartAsync(2);
        if (isUpdate)
        {
            await using var first = new ParcelContext(cluster[1]);
            await first.Parcels.BulkAddAsync(Enumerable.Range(1, Parcels).Select(i => new Parcel { Id = i }), cancellationToken: Token);
            await cluster.WaitUntilEqualAsync("parcels");
        }
        await using var db = new ParcelContext(cluster[1]);
        var progress = new List<BulkProgress>();
        using var cancellation = new CancellationTokenSource();
        var options = new BulkOptions { Consistency = Consistency.All, Progress = new Recorder(progress, cable.Pause) };

        var change = isUpdate
            ? db.Parcels.ExecuteUpdateAsync(set => set.SetProperty(p => p.Note, Long).SetProperty(p => p.Weight, p => p.Weight + 1), options, cancellation.Token)
            : db.Parcels.BulkAddAsync(Enumerable.Range(1, Parcels).Select(i => new Parcel { Id = i, Note = Long }), options, cancellation.Token);
        await using var other = new ParcelContext(cluster[1]);
        await Eventually.WaitUntilAsync(async () => await other.Parcels.CountAsync(p => p.Note == Long, Token) is var stored && stored > progress.FirstOrDefault()?.Written, "the second part is stored here");
        await cancellation.CancelAsync();
        var failure = await Record.ExceptionAsync(() => change);
        cable.Resume();

        Assert.True(failure is CommitCanceledException or ConsistencyException, $"{failure}");
        Assert.Equal(2, progress.Count);
        Assert.Equal(await other.Parcels.CountAsync(p => p.Note == Long, Token), progress[^1].Written);
        if (isUpdate)
        {
            var rest = new BulkOptions { Consistency = Consistency.None, After = progress[^1].Position };
            await other.Parcels.ExecuteUpdateAsync(set => set.SetProperty(p => p.Weight, p => p.Weight + 1), rest, Token);
            Assert.Equal(Parcels, await other.Parcels.SumAsync(p => p.Weight, Token));
        }
    }

    [Fact]
    public async Task Delete_that_one_transaction_cannot_hold_is_committed_in_parts()
    {
        const int tags = 46_000;
        await using var db = new ParcelContext(_node);
        await db.Tags.BulkAddAsync(Enumerable.Range(0, tags).Select(i => new ParcelTag { Id = $"{i:D5}{new string('k', 220)}" }), cancellationToken: Token);
        await Assert.ThrowsAsync<TransactionLimitException>(() => db.Tags.ExecuteDeleteAsync(new BulkOptions { RequireAtomic = true }, Token));
        Assert.Equal(tags, await db.Tags.CountAsync(Token));
        var result = await db.Tags.ClearAsync(cancellationToken: Token);
        Assert.Equal(tags, result.Count);
        Assert.True(result.Parts > 1);
        Assert.Equal(0, await db.Tags.CountAsync(Token));
    }

    [Fact]
    public async Task Part_leaves_out_entities_that_no_longer_satisfy_the_conditions()
    {
        await using var db = new ParcelContext(_node);
        // While the first part is reported, others change what is still to come.
        var changer = new Recorder([], () =>
        {
            using var other = new ParcelContext(_node);
            other.Parcels.Where(p => p.Id > Parcels - 10).ExecuteUpdateAsync(set => set.SetProperty(p => p.Depot, -1), Token).GetAwaiter().GetResult();
        });
        var result = await db.Parcels.Where(p => p.Depot >= 0).ExecuteUpdateAsync(set => set.SetProperty(p => p.Note, Long), new BulkOptions { Progress = changer }, Token);
        Assert.Equal(Parcels - 10, result.Written);
        Assert.Equal(10, await db.Parcels.CountAsync(p => p.Note == "", Token));
    }

    [Fact]
    public async Task Bulk_reads_its_source_part_by_part_and_tracks_nothing()
    {
        await using var db = new ParcelContext(_node);
        var progress = new List<BulkProgress>();
        int read = 0;
        var result = await db.Parcels.BulkAddAsync(Source(), new BulkOptions { Progress = new Recorder(progress, () => Assert.InRange(read, progress[^1].Written - 1, progress[^1].Written + 5_000)) }, Token);
        Assert.Equal((10_000, 10_000), (result.Count, result.Written));
        Assert.Equal(result.Parts, progress.Count);
        Assert.True(result.Parts > 1);
        Assert.Empty(db.ChangeTracker.Entries());
        Assert.Equal(Parcels + 10_000, await db.Parcels.CountAsync(Token));

        async IAsyncEnumerable<Parcel> Source()
        {
            for (read = 0; read < 10_000; read++)
            {
                await Task.CompletedTask;
                yield return new Parcel { Id = 1_000 + read };
            }
        }
    }

    [Fact]
    public async Task Bulk_of_large_entities_is_divided_further()
    {
        await using var db = new ParcelContext(_node);
        var result = await db.Parcels.BulkAddAsync(Enumerable.Range(1_000, 300).Select(i => new Parcel { Id = i, Note = Long }), cancellationToken: Token);
        Assert.True(result.Parts > 1);
        Assert.Equal(300, await db.Parcels.CountAsync(p => p.Note == Long, Token));
        await Assert.ThrowsAsync<SaveLimitException>(
            () => db.Parcels.BulkAddAsync(Enumerable.Range(2_000, 300).Select(i => new Parcel { Id = i, Note = Long }), new BulkOptions { RequireAtomic = true }, Token));
        Assert.Equal(0, await db.Parcels.CountAsync(p => p.Id >= 2_000, Token));
    }

    [Fact]
    public async Task Bulk_needs_a_context_that_tracks_nothing()
    {
        await using var db = new ParcelContext(_node);
        db.Parcels.Add(new Parcel { Id = 5_000 });
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Parcels.BulkAddAsync([new Parcel { Id = 5_001 }], cancellationToken: Token));
        Assert.Contains("Use a new context", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<EntityConflictException>(() => new ParcelContext(_node).Parcels.BulkAddAsync([new Parcel { Id = 1 }], cancellationToken: Token));
    }

    sealed class Recorder(List<BulkProgress> reports, Action? then = null) : IProgress<BulkProgress>
    {
        public void Report(BulkProgress value)
        {
            reports.Add(value);
            then?.Invoke();
        }
    }
}

public sealed class Parcel
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public long Id { get; set; }
    [Index] public int Depot { get; set; }
    public int Weight { get; set; }
    public string Note { get; set; } = "";
}

public sealed class ParcelTag
{
    public string Id { get; set; } = "";
}

public sealed partial class ParcelContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("parcels")]
    public partial Keyspace<Parcel> Parcels { get; }

    [Keyspace("tags")]
    public partial Keyspace<ParcelTag> Tags { get; }
}
