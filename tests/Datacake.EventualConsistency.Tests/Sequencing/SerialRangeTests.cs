using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Transactions;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>Conditions on ranges of serial documents [S4].</summary>
public sealed class SerialRangeTests
{
    static readonly DocumentIndex ByValue = new("by value", "1", static (document, values) =>
    {
        values.Writer.Write(document.Value!.Value.Span);
        values.Add();
    });

    [Fact]
    public async Task Transaction_is_refused_if_a_document_has_appeared_in_a_range()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Puts((1, "a"), (9, "b")));
        var range = KeysOf(0, 5, (1, "a"));

        Assert.Equal(SerialOutcome.Done, (await store.CommitAsync(Puts((8, "x")) with { Ranges = [range] })).Outcome);
        await store.CommitAsync(Puts((5, "outside")));
        Assert.Equal(SerialOutcome.Done, (await store.CommitAsync(Puts((8, "y")) with { Ranges = [range] })).Outcome);
        await store.CommitAsync(Puts((3, "phantom")));
        var refused = await store.CommitAsync(Puts((8, "z")) with { Ranges = [KeysOf(9, 10, (9, "b")), range] });

        Assert.Equal((SerialOutcome.Conflict, new SerialRefusal(RefusalReason.Range, 1)), (refused.Outcome, refused.Refusal));
        Assert.Equal("y", await TextAsync(store, 8));
    }

    [Fact]
    public async Task Transaction_is_refused_if_a_document_of_a_range_has_changed_or_is_gone()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Puts((1, "a"), (2, "b")));
        var range = KeysOf(0, 5, (1, "a"), (2, "b"));

        await store.CommitAsync(Puts((2, "c")));
        Assert.Equal(RefusalReason.Range, (await store.CommitAsync(Puts((8, "x")) with { Ranges = [range] })).Refusal?.Reason);
        await store.CommitAsync(Puts((2, "b")));
        Assert.Equal(SerialOutcome.Done, (await store.CommitAsync(Puts((8, "x")) with { Ranges = [range] })).Outcome);
        await store.CommitAsync(new SerialProposal { Operations = [Operation(DocumentOperationKind.Delete, 2, "")] });
        Assert.Equal(RefusalReason.Range, (await store.CommitAsync(Puts((8, "y")) with { Ranges = [range] })).Refusal?.Reason);
    }

    [Fact]
    public async Task Of_two_transactions_that_write_what_the_other_has_read_one_is_refused()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Puts((1, "on call"), (2, "on call")));
        var range = KeysOf(0, 5, (1, "on call"), (2, "on call"));

        var together = await store.CommitTogetherAsync(Puts((1, "off")) with { Ranges = [range] }, Puts((2, "off")) with { Ranges = [range] });

        Assert.Equal([SerialOutcome.Done, SerialOutcome.Conflict], together.Select(static request => request.Outcome!.Value));
        Assert.Equal(("off", "on call"), (await TextAsync(store, 1), await TextAsync(store, 2)));
    }

    [Fact]
    public async Task Range_sees_writes_that_wait_in_their_order()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Puts((2, "b"), (4, "d")));

        var together = await store.CommitTogetherAsync(
            Puts((1, "a"), (3, "c"), (4, "D"), (7, "outside")),
            new SerialProposal { Operations = [Operation(DocumentOperationKind.Delete, 2, "")] },
            Puts((8, "x")) with { Ranges = [KeysOf(1, 5, (1, "a"), (3, "c"), (4, "D"))] },
            Puts((8, "y")) with { Ranges = [KeysOf(1, 5, (1, "a"), (2, "b"), (3, "c"), (4, "D"))] });

        Assert.Equal([SerialOutcome.Done, SerialOutcome.Done, SerialOutcome.Done, SerialOutcome.Conflict], together.Select(static request => request.Outcome!.Value));
    }

    [Fact]
    public async Task Range_of_an_index_sees_documents_and_waiting_writes_by_their_values()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.DeclareAsync("cakes", ByValue);
        await store.CommitAsync(Puts((1, "red"), (2, "blue"), (3, "red")));

        var together = await store.CommitTogetherAsync(
            Puts((9, "x")) with { Ranges = [ValuesOf("red", (1, "red"), (3, "red"))] },
            Puts((2, "red"), (3, "blue")),
            Puts((9, "y")) with { Ranges = [ValuesOf("red", (1, "red"), (3, "red"))] },
            Puts((9, "z")) with { Ranges = [ValuesOf("red", (1, "red"), (2, "red")), ValuesOf("blue", (3, "blue")), ValuesOf("green")] });

        Assert.Equal([SerialOutcome.Done, SerialOutcome.Done, SerialOutcome.Conflict, SerialOutcome.Done], together.Select(static request => request.Outcome!.Value));
        Assert.Equal("z", await TextAsync(store, 9));
    }

    [Fact]
    public async Task Keyspace_that_the_store_does_not_have_shows_nothing()
    {
        await using var store = await SequencedStore.StartAsync();

        Assert.Equal(SerialOutcome.Done, (await store.CommitAsync(new SerialProposal { Ranges = [KeysOf(0, 5)] })).Outcome);
        Assert.Equal(RefusalReason.Range, (await store.CommitAsync(new SerialProposal { Ranges = [KeysOf(0, 5, (1, "a"))] })).Refusal?.Reason);
    }

    [Fact]
    public async Task Index_that_the_store_does_not_have_is_never_taken_for_empty()
    {
        await using var store = await SequencedStore.StartAsync();
        var range = ValuesOf("red");

        Assert.Equal(new SerialRefusal(RefusalReason.UnknownIndex, 0), (await store.CommitAsync(new SerialProposal { Ranges = [range] })).Refusal);
        await store.DeclareAsync("cakes", ByValue with { Signature = "2" });
        Assert.Equal(RefusalReason.UnknownIndex, (await store.CommitAsync(new SerialProposal { Ranges = [range] })).Refusal?.Reason);
        await store.DeclareAsync("cakes", ByValue);
        Assert.Equal(SerialOutcome.Done, (await store.CommitAsync(new SerialProposal { Ranges = [range] })).Outcome);
    }

    [Fact]
    public async Task Index_that_is_being_built_makes_transactions_wait()
    {
        const int Documents = 4_500;        // more than one batch adds to an index
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Puts([.. Enumerable.Range(1, Documents).Select(static key => ((long)key, "red"))]));
        await store.DeclareAsync("cakes", ByValue);

        var waiting = (await store.BeginAsync(new SerialProposal { Ranges = [ValuesOf("blue")] })).Single();
        await store.TickAsync();
        Assert.Null(waiting.Outcome);
        while (waiting.Outcome is null)
        {
            await store.BuildIndexesAsync();
            await store.TickAsync();
        }

        Assert.Equal(SerialOutcome.Done, waiting.Outcome);
        Assert.Equal(RefusalReason.Range, (await store.CommitAsync(new SerialProposal { Ranges = [ValuesOf("red", (1, "red"))] })).Refusal?.Reason);
    }

    [Fact]
    public async Task Repair_of_a_keyspace_makes_ranges_wait_and_not_conditions_on_documents()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Puts((1, "a")));
        await store.BeginRepairAsync("cakes");

        var condition = new SerialCondition("cakes", 1, ContentHash.Of(ContentOf("a")));
        Assert.Equal(SerialOutcome.Done, (await store.CommitAsync(Puts((2, "b")) with { Conditions = [condition] })).Outcome);
        var waiting = (await store.BeginAsync(new SerialProposal { Ranges = [KeysOf(0, 5, (1, "a"), (2, "b"))] })).Single();
        await store.TickAsync();
        Assert.Null(waiting.Outcome);
    }

    [Fact]
    public async Task Transaction_that_read_too_much_is_refused_with_the_range()
    {
        await using var store = await SequencedStore.StartAsync();
        store.MaxRecordsRead = 3;
        await store.RestartAsync();
        await store.CommitAsync(Puts((1, "a"), (2, "b"), (6, "c"), (7, "d")));
        SerialRange first = KeysOf(0, 5, (1, "a"), (2, "b")), second = KeysOf(5, 9, (6, "c"), (7, "d"));

        Assert.Equal(SerialOutcome.Done, (await store.CommitAsync(new SerialProposal { Ranges = [first] })).Outcome);
        Assert.Equal(new SerialRefusal(RefusalReason.TooMuch, 1), (await store.CommitAsync(new SerialProposal { Ranges = [first, second] })).Refusal);
    }

    [Fact]
    public async Task Range_of_a_merging_keyspace_is_refused()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(new SerialProposal { Operations = [Operation(DocumentOperationKind.Put, 1, "a") with { Policy = MergePolicy.LastWriterWins }] });

        Assert.Equal(new SerialRefusal(RefusalReason.NotSerial, 0), (await store.CommitAsync(new SerialProposal { Ranges = [KeysOf(0, 5, (1, "a"))] })).Refusal);
    }

    static SerialProposal Puts(params (long Key, string Value)[] documents) =>
        new() { Operations = [.. documents.Select(static document => Operation(DocumentOperationKind.Put, document.Key, document.Value))] };

    static SerialOperation Operation(DocumentOperationKind kind, long key, string value) => new(
        MergePolicy.Serial, new DocumentOperation(kind, "cakes", key, kind == DocumentOperationKind.Delete ? DocumentContent.Empty : ContentOf(value), []));

    static SerialRange KeysOf(long first, long end, params (long Key, string Value)[] read) =>
        SerialRange.OfKeys("cakes", new KeyRange(DocumentKey.Of(first).Encoded, DocumentKey.Of(end).Encoded), HashOf(read));

    static SerialRange ValuesOf(string value, params (long Key, string Value)[] read)
    {
        var writer = new OrderedKeyWriter();
        writer.Write(Encoding.UTF8.GetBytes(value));
        return SerialRange.OfIndex("cakes", ByValue, KeyRange.WithPrefix(writer.ToArray()), HashOf(read));
    }

    static RangeHash HashOf((long Key, string Value)[] read)
    {
        var hash = new RangeHash();
        foreach (var (key, value) in read)
            hash.Add(DocumentKey.Of(key).Encoded.Span, ContentHash.Of(ContentOf(value)));
        return hash;
    }

    static DocumentContent ContentOf(string value) => DocumentContent.OfRaw(Encoding.UTF8.GetBytes(value));

    static async Task<string?> TextAsync(SequencedStore store, long key) =>
        await store.ReadAsync("cakes", key) is { Value: { } value } ? Encoding.UTF8.GetString(value.Span) : null;
}
