using System.Text.Json;
using Datacake.EventualConsistency;

namespace Datacake.Administration.Tests;

/// <summary>Searches, pending deletes, sizes and watches of a node in the same process.</summary>
public class BrowsingTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Search_stops_at_its_limits_and_continues_after_the_last_key()
    {
        await using var cluster = await Fixture.StartAsync(1);
        var administration = await WithCakesAsync(cluster, 1_000);

        var first = await administration.SearchDocumentsAsync("cakes", "Price >= 900", count: 5, maxRead: 600, cancellationToken: Canceled);
        var second = await administration.SearchDocumentsAsync("cakes", "Price >= 900", first.Next, count: 5, maxRead: 600, Canceled);
        var third = await administration.SearchDocumentsAsync("cakes", "Price >= 900", second.Next, count: 200, cancellationToken: Canceled);

        Assert.Equal((0, 600, "599"), (first.Documents.Count, first.DocumentsRead, first.Next!.Value.GetRawText()));
        Assert.Equal((5, 305, "904"), (second.Documents.Count, second.DocumentsRead, second.Next!.Value.GetRawText()));
        Assert.Equal((95, 95, true), (third.Documents.Count, third.DocumentsRead, third.Next is null));
        Assert.Equal("905", third.Documents[0].Key.GetRawText());
    }

    [Fact]
    public async Task Search_without_a_condition_counts_deleted_documents_in_its_limit()
    {
        await using var cluster = await Fixture.StartAsync(2);
        var administration = await WithCakesAsync(cluster, 5);
        await cluster.StopAsync(2);
        await (await cluster[1].OpenStoreAsync(Canceled)).Keyspace("cakes").DeleteManyAsync([0, 1, 2], Consistency.None, Canceled);

        var part = await administration.SearchDocumentsAsync("cakes", condition: null, maxRead: 4, cancellationToken: Canceled);

        Assert.Equal(("3", 4, "3"), (Assert.Single(part.Documents).Key.GetRawText(), part.DocumentsRead, part.Next!.Value.GetRawText()));
    }

    [Fact]
    public async Task Search_with_a_condition_that_is_none_says_where()
    {
        await using var cluster = await Fixture.StartAsync(1);
        var administration = (await cluster[1].OpenAdministrationAsync(Canceled)).OfStore();

        var error = await Assert.ThrowsAnyAsync<FormatException>(() => administration.SearchDocumentsAsync("cakes", "Price >", cancellationToken: Canceled).AsTask());

        Assert.Contains("the end in place of a number", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pending_delete_is_listed_with_its_writer_until_every_member_knows_it()
    {
        await using var cluster = await Fixture.StartAsync(2);
        var administration = await WithCakesAsync(cluster, 3);
        // A member that is down does not know, so that the delete stays pending.
        await cluster.StopAsync(2);
        await (await cluster[1].OpenStoreAsync(Canceled)).Keyspace("cakes").DeleteAsync(1, Consistency.None, Canceled);

        var pending = await administration.ListDeletedAsync("cakes", cancellationToken: Canceled);
        var part = await administration.ListDeletedAsync("cakes", maxRead: 1, cancellationToken: Canceled);
        var detail = (await administration.GetDocumentAsync("cakes", Fixture.Json("1"), cancellationToken: Canceled))!;

        var deleted = Assert.Single(pending.Documents);
        Assert.Equal(("1", 1, 3, true), (deleted.Key.GetRawText(), deleted.NodeId, pending.DocumentsRead, pending.Next is null));
        Assert.Equal((0, 1, "0"), (part.Documents.Count, part.DocumentsRead, part.Next!.Value.GetRawText()));
        Assert.Equal((false, true), (detail.Exists, detail.Died is not null));
    }

    [Fact]
    public async Task Size_of_a_keyspace_is_estimated_from_some_documents()
    {
        await using var cluster = await Fixture.StartAsync(1);
        var administration = await WithCakesAsync(cluster, 1_000);

        var status = Assert.Single(await administration.ListKeyspacesAsync(Canceled));

        Assert.Equal(1_000, status.Documents);
        Assert.InRange(status.EstimatedBytes, 20_000, 200_000);
    }

    [Fact]
    public async Task Watch_delivers_changes_with_their_writer()
    {
        await using var cluster = await Fixture.StartAsync(2);
        var administration = (await cluster[1].OpenAdministrationAsync(Canceled)).OfStore();
        var other = (await cluster[2].OpenAdministrationAsync(Canceled)).OfStore();
        await using var changes = administration.WatchAsync("cakes", Canceled).GetAsyncEnumerator(Canceled);
        var next = changes.MoveNextAsync().AsTask();

        await other.PutAsync("cakes", Fixture.Json("7"), Fixture.Json("""{"Name":"Madeira"}"""), Canceled);
        Assert.True(await next);
        var added = changes.Current;
        next = changes.MoveNextAsync().AsTask();
        await other.PutAsync("cakes", Fixture.Json("7"), Fixture.Json("""{"Name":"Battenberg"}"""), Canceled);
        Assert.True(await next);
        var changed = changes.Current;
        next = changes.MoveNextAsync().AsTask();
        await other.DeleteAsync("cakes", Fixture.Json("7"), Canceled);
        Assert.True(await next);
        var deleted = changes.Current;

        Assert.Equal((WatchedChangeKind.Added, "7", 2, """{"Name":"Madeira"}"""), (added.Kind, added.Key?.GetRawText(), added.NodeId, added.Document?.GetRawText()));
        Assert.Equal((WatchedChangeKind.Changed, """{"Name":"Battenberg"}"""), (changed.Kind, changed.Document?.GetRawText()));
        Assert.Equal((WatchedChangeKind.Deleted, "7", null), (deleted.Kind, deleted.Key?.GetRawText(), deleted.Document?.GetRawText()));
    }

    static async Task<StoreAdministration> WithCakesAsync(Fixture cluster, int count)
    {
        var administration = (await cluster[1].OpenAdministrationAsync(Canceled)).OfStore();
        for (int i = 0; i < count; i++)
            await administration.PutAsync("cakes", JsonElement.Parse($"{i}"), Fixture.Json($$"""{"Name":"Cake {{i}}","Price":{{i}}}"""), Canceled);
        return administration;
    }
}
