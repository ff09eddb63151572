using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Administration.Tests;

/// <summary>Export and import of documents.</summary>
public class TransferTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Entities_of_every_kind_are_the_same_after_an_export_and_an_import()
    {
        await using var source = await Fixture.StartAsync(1);
        await using var target = await Fixture.StartAsync(1);
        await using var written = new EverythingContext(source[1]);
        for (int i = 0; i < 3_000; i++)
            written.Things.Add(Everything.Of(i));
        await written.SaveChangesAsync(Canceled);

        var acknowledged = await target.ClientOf(1).ImportAsync("Things", source.ClientOf(1).ExportAsync("Things", cancellationToken: Canceled), cancellationToken: Canceled).ToListAsync(Canceled);

        await using var read = new EverythingContext(target[1]);
        Assert.Equal(3_000, acknowledged.Sum());
        Assert.Equal(
            (await written.Things.ToListAsync(Canceled)).Select(static thing => thing.ToString()),
            (await read.Things.ToListAsync(Canceled)).Select(static thing => thing.ToString()));
        // An import over equal entities changes nothing that readers see, not even counters.
        await target.ClientOf(1).ImportAsync("Things", source.ClientOf(1).ExportAsync("Things", cancellationToken: Canceled), cancellationToken: Canceled).ToListAsync(Canceled);
        Assert.Equal(
            (await written.Things.AsNoTracking().ToListAsync(Canceled)).Select(static thing => thing.Stock),
            (await read.Things.AsNoTracking().ToListAsync(Canceled)).Select(static thing => thing.Stock));
    }

    [Fact]
    public async Task Bounded_counter_keeps_its_bounds_and_the_importing_node_has_its_rights()
    {
        await using var source = await Fixture.StartAsync(1);
        await using var target = await Fixture.StartAsync(1);
        var store = await source[1].OpenStoreAsync(Canceled);
        var put = new Transaction();
        put.Put("Tickets", 1, DocumentContent.Empty, [new CounterIncrement("Left", 10) { Minimum = 0, Maximum = 12 }]);
        await store.CommitAsync(put, Consistency.Quorum, Canceled);
        await store.CommitAsync(AddTo(-3), Consistency.Quorum, Canceled);

        string[] lines = await LinesAsync(source.ClientOf(1).ExportAsync("Tickets", cancellationToken: Canceled));
        await target.ClientOf(1).ImportAsync("Tickets", source.ClientOf(1).ExportAsync("Tickets", cancellationToken: Canceled), cancellationToken: Canceled).ToListAsync(Canceled);

        Assert.Equal(["""{"key":1,"document":{"Left":{"$counter":[7,0,12]}}}"""], lines);
        Assert.Equal(lines, await LinesAsync(target.ClientOf(1).ExportAsync("Tickets", cancellationToken: Canceled)));
        var imported = await target[1].OpenStoreAsync(Canceled);
        var below = await Assert.ThrowsAsync<CounterBoundException>(async () => await imported.CommitAsync(AddTo(-8), Consistency.Quorum, Canceled));
        var above = await Assert.ThrowsAsync<CounterBoundException>(async () => await imported.CommitAsync(AddTo(6), Consistency.Quorum, Canceled));
        Assert.Equal((7, 5), (below.AvailableHere, above.AvailableHere));
        await imported.CommitAsync(AddTo(-7), Consistency.Quorum, Canceled);

        static Transaction AddTo(long amount)
        {
            var transaction = new Transaction();
            transaction.Update("Tickets", 1, DocumentContent.Empty, [new CounterIncrement("Left", amount)]);
            return transaction;
        }
    }

    [Fact]
    public async Task Document_that_expires_does_so_after_an_export_and_an_import()
    {
        await using var source = await Fixture.StartAsync(1);
        await using var target = await Fixture.StartAsync(1);
        var tokens = (await source[1].OpenStoreAsync(Canceled)).Keyspace("Tokens");
        var expires = DateTimeOffset.UtcNow.AddHours(1);
        await tokens.PutExpiringAsync(1, "one"u8.ToArray(), expires, cancellationToken: Canceled);
        await tokens.PutAsync(2, "two"u8.ToArray(), cancellationToken: Canceled);

        await target.ClientOf(1).ImportAsync("Tokens", source.ClientOf(1).ExportAsync("Tokens", cancellationToken: Canceled), cancellationToken: Canceled).ToListAsync(Canceled);

        var imported = (await target[1].OpenStoreAsync(Canceled)).Keyspace("Tokens");
        Assert.Equal((await tokens.GetAsync(1, Canceled))!.Expires, (await imported.GetAsync(1, Canceled))!.Expires);
        Assert.InRange((await imported.GetAsync(1, Canceled))!.Expires.Time, expires.AddMilliseconds(-4), expires);
        Assert.True((await imported.GetAsync(2, Canceled))!.Expires.IsNone);
    }

    [Fact]
    public async Task Counter_that_is_imported_outside_its_bounds_is_refused_with_the_reason()
    {
        await using var cluster = await Fixture.StartAsync(1);

        var refusal = await Assert.ThrowsAsync<AdministrationException>(
            () => cluster.ClientOf(1).PutAsync("Tickets", Fixture.Json("1"), Fixture.Json("""{"Left":{"$counter":[7,0,5]}}"""), Canceled));

        Assert.Contains("cannot begin with 7, because its maximum is 5", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_resumes_after_a_key()
    {
        await using var cluster = await Fixture.StartAsync(1);
        for (int i = 0; i < 10; i++)
            await cluster.ClientOf(1).PutAsync("cakes", Fixture.Json($"{i}"), Fixture.Json("{}"), Canceled);

        string[] lines = await LinesAsync(cluster.ClientOf(1).ExportAsync("cakes", Fixture.Json("6"), cancellationToken: Canceled));

        Assert.Equal(["""{"key":7,"document":{}}""", """{"key":8,"document":{}}""", """{"key":9,"document":{}}"""], lines);
    }

    [Fact]
    public async Task Line_that_cannot_be_imported_is_named_and_what_was_acknowledged_stays()
    {
        await using var cluster = await Fixture.StartAsync(1);
        string[] blocks = ["""{"key":1,"document":{}}""" + "\n", """{"key":2,"document":{}}""" + "\n\n" + """{"key":3}"""];
        var client = cluster.ClientOf(1);
        int count = 0;

        var failure = await Assert.ThrowsAsync<AdministrationException>(async () =>
        {
            await foreach (int acknowledged in client.ImportAsync("cakes", blocks.ToAsyncEnumerable().Select(static block => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(block)), cancellationToken: Canceled))
                count += acknowledged;
        });

        Assert.Contains("Line 4", failure.Message, StringComparison.Ordinal);
        Assert.Contains("key and document", failure.Message, StringComparison.Ordinal);
        Assert.True((await client.ListDocumentsAsync("cakes", cancellationToken: Canceled)).Documents.Count >= count);
    }

    [Fact]
    public async Task Import_whose_blocks_cannot_be_read_ends_with_the_error()
    {
        await using var cluster = await Fixture.StartAsync(1);

        var failure = await Assert.ThrowsAsync<IOException>(() => cluster.ClientOf(1).ImportAsync("cakes", BlocksAsync(), cancellationToken: Canceled).ToListAsync(Canceled).AsTask());

        Assert.Equal("The disk is gone.", failure.Message);
        Assert.Single((await cluster.ClientOf(1).ListDocumentsAsync("cakes", cancellationToken: Canceled)).Documents);

        static async IAsyncEnumerable<ReadOnlyMemory<byte>> BlocksAsync()
        {
            yield return """{"key":1,"document":{}}"""u8.ToArray();
            await Task.Yield();
            throw new IOException("The disk is gone.");
        }
    }

    [Fact]
    public async Task Line_that_cannot_be_imported_has_the_number_that_the_caller_gives_it()
    {
        await using var cluster = await Fixture.StartAsync(1);

        Assert.Contains("Line 41 ", await FailureOfAsync("{}", linesBefore: 40), StringComparison.Ordinal);
        Assert.Contains("Line 7 ", await FailureOfAsync("""{"line":7,"key":1}""", linesBefore: 40), StringComparison.Ordinal);

        async Task<string> FailureOfAsync(string line, long linesBefore)
        {
            ReadOnlyMemory<byte>[] blocks = [Encoding.UTF8.GetBytes(line)];
            return (await Assert.ThrowsAsync<AdministrationException>(() => cluster.ClientOf(1)
                .ImportAsync("cakes", blocks.ToAsyncEnumerable(), linesBefore: linesBefore, cancellationToken: Canceled).ToListAsync(Canceled).AsTask())).Message;
        }
    }

    [Fact]
    public async Task Import_without_the_operator_secret_is_refused()
    {
        await using var cluster = await Fixture.StartAsync(1);

        var refusal = await Assert.ThrowsAsync<AdministrationException>(() => cluster.ClientOf(1, secret: null)
            .ImportAsync("cakes", Array.Empty<ReadOnlyMemory<byte>>().ToAsyncEnumerable(), cancellationToken: Canceled).ToListAsync(Canceled).AsTask());

        Assert.Contains("operator secret", refusal.Message, StringComparison.Ordinal);
    }

    static async Task<string[]> LinesAsync(IAsyncEnumerable<ReadOnlyMemory<byte>> blocks)
    {
        var text = new StringBuilder();
        await foreach (var block in blocks)
            text.Append(Encoding.UTF8.GetString(block.Span));
        return text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
