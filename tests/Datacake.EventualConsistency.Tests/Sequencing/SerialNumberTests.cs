using Datacake.Crdt;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Transactions;
using MessagePack;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>Numbers without gaps, which the sequencer assigns [S4].</summary>
public sealed class SerialNumberTests
{
    static readonly DocumentPath Number = DocumentPath.OfProperty("Number");

    [Fact]
    public async Task Keys_are_numbered_without_gaps_over_transactions_and_sequencers()
    {
        await using var store = await SequencedStore.StartAsync();

        var together = await store.CommitTogetherAsync(Inserts(2), Inserts(1), Inserts(3));
        await store.RestartAsync();
        var later = await store.CommitAsync(Inserts(1));

        Assert.Equal([1, 2], together[0].Numbers);
        Assert.Equal([3], together[1].Numbers);
        Assert.Equal([4, 5, 6], together[2].Numbers);
        Assert.Equal([7], later.Numbers);
        for (long key = 1; key <= 7; key++)
            Assert.NotNull(await store.ReadAsync("invoices", key));
        Assert.Null(await store.ReadAsync("invoices", 0));
    }

    [Fact]
    public async Task Refused_transaction_takes_no_number()
    {
        await using var store = await SequencedStore.StartAsync();
        var refused = Inserts(2) with { Conditions = [new SerialCondition("invoices", 99, 5)] };

        var together = await store.CommitTogetherAsync(Inserts(1), refused, Inserts(1));

        Assert.Equal([SerialOutcome.Done, SerialOutcome.Conflict, SerialOutcome.Done], together.Select(static request => request.Outcome!.Value));
        Assert.Empty(together[1].Numbers);
        Assert.Equal([2], together[2].Numbers);
    }

    [Fact]
    public async Task Number_goes_to_all_its_places()
    {
        await using var store = await SequencedStore.StartAsync();
        DocumentKey line = Composite(0, 5);
        var proposal = new SerialProposal
        {
            Operations = [Put("invoices", 0), Put("lines", line, (Number, 0)), Put("notes", 8, (Number, 0))],
            Numbers =
            [
                new SerialNumber("invoices", long.MaxValue, [NumberPlace.OfKey(0, 0, 0), NumberPlace.OfKey(1, line, 0), NumberPlace.OfCell(1, Number.Encoded)]),
                new SerialNumber("notes", long.MaxValue, [NumberPlace.OfCell(2, Number.Encoded)]),
            ],
        };

        await store.CommitAsync(Inserts(2));
        var committed = await store.CommitAsync(proposal);

        Assert.Equal([3, 1], committed.Numbers);
        Assert.NotNull(await store.ReadAsync("invoices", 3));
        Assert.Equal(3, NumberIn(await store.ReadAsync("lines", Composite(3, 5))));
        Assert.Equal(1, NumberIn(await store.ReadAsync("notes", 8)));
    }

    [Fact]
    public async Task Number_whose_key_exists_is_skipped_together_with_all_up_to_the_greatest_key()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(new SerialProposal { Operations = [Put("invoices", 2), Put("invoices", 40), Put("invoices", 50)] });
        await store.CommitAsync(new SerialProposal { Operations = [new SerialOperation(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Delete, "invoices", 50, DocumentContent.Empty, []))] });

        Assert.Equal([1, 41, 42], (await store.CommitAsync(Inserts(3))).Numbers);
        var together = await store.CommitTogetherAsync(
            new SerialProposal { Operations = [Put("invoices", 43), Put("invoices", 60)] }, Inserts(1),
            new SerialProposal { Operations = [Put("invoices", 62), Put("invoices", 0)], Numbers = [new SerialNumber("invoices", long.MaxValue, [NumberPlace.OfKey(1, 0, 0)])] });
        Assert.Equal([61], together[1].Numbers);
        Assert.Equal([63], together[2].Numbers);
    }

    [Fact]
    public async Task Sequence_that_is_used_up_refuses_the_transaction()
    {
        await using var store = await SequencedStore.StartAsync();
        var proposal = new SerialProposal { Operations = [Put("notes", 8)], Numbers = [new SerialNumber("a", 10, []), new SerialNumber("b", 1, []), new SerialNumber("b", 1, [])] };

        Assert.Equal(new SerialRefusal(RefusalReason.NoNumber, 2), (await store.CommitAsync(proposal)).Refusal);
        Assert.Equal([1, 1], (await store.CommitAsync(proposal with { Numbers = [.. proposal.Numbers.Take(2)] })).Numbers);
    }

    [Fact]
    public async Task Repeated_request_takes_no_other_numbers_than_those_that_are_recorded()
    {
        await using var store = await SequencedStore.StartAsync();
        var first = await store.CommitAsync(Inserts(2));

        await store.SendAgainAsync(first);
        await store.RestartAsync();
        await store.SendAgainAsync(first);

        var record = await store.ReadAsync(CallerLane.Keyspace, first.Id!.Value.Caller.ToKey());
        Assert.Equal([1, 2], RecordedOutcome.Of(record!).Numbers);
        Assert.Equal([3], (await store.CommitAsync(Inserts(1))).Numbers);
    }

    [Fact]
    public async Task Assigned_number_must_be_unique_in_a_unique_index()
    {
        await using var store = await SequencedStore.StartAsync();
        var unique = new UniqueIndex("notes", "Number", [UniqueColumn.OfCell(Number.Encoded, isNullable: true, default, [])]);
        var proposal = new SerialProposal
        {
            UniqueIndexes = [unique],
            Operations = [Put("notes", 2, (Number, 0))],
            Numbers = [new SerialNumber("notes", long.MaxValue, [NumberPlace.OfCell(0, Number.Encoded)])],
        };
        await store.CommitAsync(new SerialProposal { Operations = [Put("notes", 1, (Number, 1))] });

        Assert.Equal((DocumentKey)1, (await store.CommitAsync(proposal)).Refusal?.Owner);
    }

    /// <summary>Returns the insertion of documents whose keys are the next numbers.</summary>
    static SerialProposal Inserts(int count) => new()
    {
        Operations = [.. Enumerable.Repeat(Put("invoices", 0), count)],
        Numbers = [.. Enumerable.Range(0, count).Select(static operation => new SerialNumber("invoices", long.MaxValue, [NumberPlace.OfKey(operation, 0, 0)]))],
    };

    static DocumentKey Composite(long first, long second)
    {
        var writer = new OrderedKeyWriter();
        writer.Write(first);
        writer.Write(second);
        return new DocumentKey(writer.ToArray());
    }

    static SerialOperation Put(string keyspace, DocumentKey key, params (DocumentPath Path, byte Value)[] cells)
    {
        var content = new DocumentContentBuilder();
        foreach (var (path, value) in cells)
            content.Set(path.Encoded.Span, [value]);
        return new SerialOperation(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Put, keyspace, key, content.Build(), []));
    }

    static long NumberIn(Document? document)
    {
        Assert.True(document!.TryGetCell(Number.Encoded.Span, out var cell));
        return new MessagePackReader(cell.Value.ToArray()).ReadInt64();
    }
}
