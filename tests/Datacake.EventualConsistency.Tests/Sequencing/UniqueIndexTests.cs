using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Transactions;
using MessagePack;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>Unique values of serial documents [S4].</summary>
public sealed class UniqueIndexTests
{
    static readonly DocumentPath Email = DocumentPath.OfProperty("Email"), Shop = DocumentPath.OfProperty("Shop");

    static readonly UniqueIndex Unique = new("users", "Email", [CellOf(Email)]);

    [Fact]
    public async Task Value_that_another_document_has_is_refused_with_the_index_and_the_owner()
    {
        await using var store = await SequencedStore.StartAsync();
        Assert.Equal(SerialOutcome.Done, (await store.CommitAsync(Puts(User(1, "ann@x"), User(2, "bob@x")))).Outcome);

        var refused = await store.CommitAsync(Puts(User(4, "cem@x"), User(3, "ann@x")));

        Assert.Equal(new SerialRefusal(RefusalReason.Unique, 1) { Index = "Email", Owner = 1 }, refused.Refusal);
        Assert.Null(await store.ReadAsync("users", 4));
        Assert.Equal(SerialOutcome.Done, (await store.CommitAsync(Puts(User(1, "ann@x"), User(3, "dan@x")))).Outcome);
    }

    [Fact]
    public async Task Value_of_a_waiting_write_counts_and_the_value_that_it_replaces_does_not()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Puts(User(1, "ann@x")));

        var together = await store.CommitTogetherAsync(
            Puts(User(2, "bob@x")), Puts(User(3, "bob@x")), Puts(User(1, "new@x")), Puts(User(4, "ann@x")), Puts(Delete(2)), Puts(User(5, "bob@x")));

        Assert.Equal(
            [null, new SerialRefusal(RefusalReason.Unique, 0) { Index = "Email", Owner = 2 }, null, null, null, null], together.Select(static request => request.Refusal));
    }

    [Fact]
    public async Task Values_can_be_swapped_in_one_transaction()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Puts(User(1, "ann@x"), User(2, "bob@x")));

        Assert.Null((await store.CommitAsync(Puts(User(1, "bob@x"), User(2, "ann@x")))).Refusal);
        Assert.Null((await store.CommitAsync(Puts(Delete(1), User(3, "bob@x")))).Refusal);
        Assert.Null((await store.CommitAsync(Puts(User(4, "ann@x"), User(4, "dan@x")))).Refusal);
        Assert.Equal(new SerialRefusal(RefusalReason.Unique, 1) { Index = "Email", Owner = 5 }, (await store.CommitAsync(Puts(User(5, "e@x"), User(6, "e@x")))).Refusal);
    }

    [Fact]
    public async Task Documents_that_had_the_same_value_before_the_index_can_be_written_as_long_as_they_keep_it()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(new SerialProposal { Operations = [User(1, "ann@x"), User(2, "ann@x"), User(3, "ann@x"), User(4, "bob@x")] });

        // The transaction that brings the index writes one of them.
        Assert.Null((await store.CommitAsync(Puts(User(1, "ann@x", "a")))).Refusal);
        Assert.Null((await store.CommitAsync(Puts(User(1, "ann@x", "b"), User(2, "ann@x", "b"), User(5, "cem@x")))).Refusal);
        Assert.Equal(new SerialRefusal(RefusalReason.Unique, 0) { Index = "Email", Owner = 1 }, (await store.CommitAsync(Puts(User(4, "ann@x")))).Refusal);
        Assert.Equal(RefusalReason.Unique, (await store.CommitAsync(Puts(User(1, "ann@x", "c"), User(6, "ann@x")))).Refusal?.Reason);
        Assert.Equal(new SerialRefusal(RefusalReason.Unique, 0) { Index = "Email", Owner = 3 }, (await store.CommitAsync(Puts(User(4, "ann@x"), Delete(1), Delete(2)))).Refusal);
        var together = await store.CommitTogetherAsync(Puts(User(3, "cut@x")), Puts(User(3, "ann@x")), Puts(User(1, "ann@x", "d")), Puts(Delete(2)), Puts(User(1, "ann@x", "e")));
        Assert.Equal([null, RefusalReason.Unique, null, null, null], together.Select(static request => request.Refusal?.Reason));
        Assert.Null((await store.CommitAsync(Puts(User(1, "new@x")))).Refusal);
        Assert.Null((await store.CommitAsync(Puts(User(4, "ann@x")))).Refusal);
        Assert.Equal(RefusalReason.Unique, (await store.CommitAsync(Puts(User(1, "ann@x")))).Refusal?.Reason);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    public async Task New_value_of_a_document_is_refused_if_another_one_of_the_transaction_keeps_it(int first, int second)
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Puts(User(1, "ann@x"), User(2, "bob@x")));

        var refused = await store.CommitAsync(Puts(User(first, "ann@x"), User(second, "ann@x")));

        Assert.Equal(new SerialRefusal(RefusalReason.Unique, first == 2 ? 0 : 1) { Index = "Email", Owner = 1 }, refused.Refusal);
    }

    [Fact]
    public async Task Null_is_exempt()
    {
        await using var store = await SequencedStore.StartAsync();

        Assert.Null((await store.CommitAsync(Puts(User(1, null), User(2, null)))).Refusal);
        Assert.Null((await store.CommitAsync(Puts(User(3, null)))).Refusal);
    }

    [Fact]
    public async Task Composite_value_is_unique_as_a_whole_and_exempt_if_a_part_is_null()
    {
        await using var store = await SequencedStore.StartAsync();
        var unique = new UniqueIndex("users", "Shop, Email", [CellOf(Shop), CellOf(Email)]);

        Assert.Null((await store.CommitAsync(Puts(unique, User(1, "ann@x", "a"), User(2, "ann@x", "b"), User(3, "ann@x"), User(4, "ann@x")))).Refusal);
        Assert.Equal((DocumentKey)2, (await store.CommitAsync(Puts(unique, User(5, "ann@x", "b")))).Refusal?.Owner);
    }

    [Fact]
    public async Task Index_is_enforced_for_transactions_that_do_not_name_it_and_by_later_sequencers()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Puts(User(1, "ann@x")));
        var unaware = new SerialProposal { Operations = [User(2, "ann@x")] };

        Assert.Equal(RefusalReason.Unique, (await store.CommitAsync(unaware)).Refusal?.Reason);
        await store.RestartAsync();
        Assert.Equal(RefusalReason.Unique, (await store.CommitAsync(unaware)).Refusal?.Reason);
        await store.CommitAsync(new SerialProposal
        {
            Operations = [new SerialOperation(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Delete, UniqueIndex.RecordKeyspace, Unique.RecordKey, DocumentContent.Empty, []))],
        });
        Assert.Null((await store.CommitAsync(unaware)).Refusal);
    }

    [Fact]
    public async Task Index_over_existing_documents_lets_transactions_wait_until_it_is_built()
    {
        const int Documents = 4_500;        // more than one batch adds to an index
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(new SerialProposal { Operations = [.. Enumerable.Range(1, Documents).Select(static number => User(number, $"{number}@x"))] });

        var waiting = (await store.BeginAsync(Puts(User(9_999, "4499@x")), new SerialProposal { Operations = [User(9_998, "4500@x")] })).ToArray();
        await store.TickAsync();
        Assert.All(waiting, static request => Assert.Null(request.Outcome));
        while (waiting.Any(static request => request.Outcome is null))
        {
            await store.BuildIndexesAsync();
            await store.TickAsync();
        }

        Assert.Equal([4_499, 4_500], waiting.Select(static request => request.Refusal?.Owner));
    }

    [Fact]
    public async Task Two_definitions_of_one_name_are_both_enforced()
    {
        await using var store = await SequencedStore.StartAsync();
        var later = new UniqueIndex("users", "Email", [CellOf(Shop)]);

        Assert.Null((await store.CommitAsync(Puts(User(1, "ann@x", "a")))).Refusal);
        Assert.Equal(RefusalReason.Unique, (await store.CommitAsync(Puts(later, User(2, "bob@x", "a")))).Refusal?.Reason);
        Assert.Equal(RefusalReason.Unique, (await store.CommitAsync(Puts(later, User(2, "ann@x", "b")))).Refusal?.Reason);
        Assert.Null((await store.CommitAsync(Puts(later, User(2, "bob@x", "b")))).Refusal);
    }

    [Fact]
    public async Task Long_values_are_unique_by_their_whole_length()
    {
        await using var store = await SequencedStore.StartAsync();
        string longest = new('a', 500);

        Assert.Null((await store.CommitAsync(Puts(User(1, longest + "1"), User(2, longest + "2")))).Refusal);
        Assert.Equal((DocumentKey)1, (await store.CommitAsync(Puts(User(3, longest + "1")))).Refusal?.Owner);
    }

    [Fact]
    public void Values_that_are_equal_in_different_encodings_are_equal()
    {
        byte[] whole = ValueOf([0x05]);

        Assert.Equal(whole, ValueOf([0xCC, 0x05]));                                             // 8 bits
        Assert.Equal(whole, ValueOf([0xCB, 0x40, 0x14, 0, 0, 0, 0, 0, 0]));                     // 5.0
        Assert.Equal(whole, ValueOf([0xC7, 0x02, 0x01, 0x01, 50]));                             // 5.0, as a decimal
        Assert.Equal(ValueOf([0xC7, 0x02, 0x01, 0x01, 55]), ValueOf([0xC7, 0x03, 0x01, 0x02, 0x02, 0x26]));     // 5.5 and 5.50
        Assert.NotEqual(whole, ValueOf([0xA1, (byte)'5']));
        Assert.NotEqual(ValueOf([0xC1]), ValueOf([0xC1, 0x00]));                                // no MessagePack
        byte[] utc = [0xC7, 10, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], offset = [0xC7, 10, 3, 0, 0, 0, 0x08, 0x61, 0xC4, 0x68, 0, 0, 60];
        Assert.Equal(ValueOf(utc), ValueOf(offset));                                            // 36,000,000,000 ticks later, an hour ahead
    }

    [Fact]
    public void Missing_cell_and_nil_have_the_default_unless_nil_is_null()
    {
        var missing = DocumentContent.Empty;
        var nil = Content((Email, [MessagePackCode.Nil]));
        var column = UniqueColumn.OfCell(Email.Encoded, isNullable: false, new byte[] { 7 }, []);
        var nullable = UniqueColumn.OfCell(Email.Encoded, isNullable: true, new byte[] { 7 }, []);
        var nested = UniqueColumn.OfCell(Email.Encoded, isNullable: false, new byte[] { 7 }, [Shop.Encoded]);

        byte[] seven = ValueOf([7]);
        Assert.Equal([seven, seven, seven, null], new[] { (column, missing), (column, nil), (nullable, missing), (nullable, nil) }.Select(static pair => ValueOf(pair.Item1, pair.Item2)));
        Assert.Null(ValueOf(nested, missing));
        Assert.Equal(seven, ValueOf(nested, Content((Shop, [0x80]))));
    }

    [Fact]
    public void Filter_leaves_out_documents_of_other_classes()
    {
        var index = new UniqueIndex("users", "Email", [CellOf(Email)]) { FilterPath = Shop.Encoded, FilterValues = [new byte[] { 1 }] };

        Assert.NotNull(index.ValueOf(1, Document.Put(new HlcTimestamp(1), Content((Email, [5]), (Shop, [1])))));
        Assert.Null(index.ValueOf(1, Document.Put(new HlcTimestamp(1), Content((Email, [5]), (Shop, [2])))));
        Assert.Null(index.ValueOf(1, Document.Put(new HlcTimestamp(1), Content((Email, [5])))));
    }

    static byte[] ValueOf(byte[] cell) => ValueOf(CellOf(Email), Content((Email, cell)))!;

    static byte[]? ValueOf(UniqueColumn column, DocumentContent content) => new UniqueIndex("users", "x", [column]).ValueOf(1, Document.Put(new HlcTimestamp(1), content));

    static UniqueColumn CellOf(DocumentPath path) => UniqueColumn.OfCell(path.Encoded, isNullable: true, default, []);

    static SerialProposal Puts(params SerialOperation[] operations) => Puts(Unique, operations);

    static SerialProposal Puts(UniqueIndex index, params SerialOperation[] operations) => new() { UniqueIndexes = [index], Operations = operations };

    static SerialOperation Delete(long key) => new(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Delete, "users", key, DocumentContent.Empty, []));

    static SerialOperation User(long key, string? email, string? shop = null) => new(
        MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Put, "users", key, Content((Email, Encode(email)), (Shop, Encode(shop))), []));

    static byte[] Encode(string? text) => text is null
        ? [MessagePackCode.Nil]
        : [MessagePackCode.Str16, (byte)(text.Length >> 8), (byte)text.Length, .. Encoding.UTF8.GetBytes(text)];

    static DocumentContent Content(params (DocumentPath Path, byte[] Value)[] cells)
    {
        var content = new DocumentContentBuilder();
        foreach (var (path, value) in cells)
            content.Set(path.Encoded.Span, value);
        return content.Build();
    }
}
