using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Sequencing.Messages;
using Datacake.EventualConsistency.Transactions;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>The records and messages of the sequence.</summary>
public sealed class SequenceRecordTests
{
    static readonly TransactionId Id = new(7, new HlcTimestamp(1, 0, 0, 3), 2, 5);

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public void Entry_of_each_kind_survives_encoding()
    {
        SequenceEntry[] entries =
        [
            SequenceEntry.Empty(4), SequenceEntry.OfVoters(4, [new Voter(9, 0), new Voter(8, 1), new Voter(8, 0)]), SequenceEntry.OfRefusal(4, Id, new SerialRefusal(RefusalReason.Range, 1)),
            SequenceEntry.OfRefusal(4, Id, new SerialRefusal(RefusalReason.Unique, 1) { Index = "by name", Owner = 7 }), SequenceEntry.OfUniqueIndexes(4, [Put("datacake.unique", 1, "x")]),
            SequenceEntry.Of(4, Id, [Put("cakes", 1, "Florentine"), Delete("cakes", 2)], [1, 2, 3, 9]),
        ];

        foreach (var entry in entries)
        {
            var decoded = SequenceEntry.Decode(entry.Encoded);
            Assert.Equal((entry.Epoch, entry.Kind, entry.Id, entry.Refusal), (decoded.Epoch, decoded.Kind, decoded.Id, decoded.Refusal));
            Assert.Equal(entry.Voters, decoded.Voters);
            Assert.Equal(entry.Numbers, decoded.Numbers);
            Assert.Equal(entry.Encoded, decoded.Encoded);
        }
        Assert.Equal([new Voter(8, 0), new Voter(8, 1), new Voter(9, 0)], entries[1].Voters);
    }

    [Fact]
    public void Message_with_something_appended_by_a_later_version_is_read()
    {
        var message = new VoteRequest(3, IsProbe: true, 10, 2).Wrap();
        var longer = message with { Content = (byte[])[.. message.Content.Span, 0xC0] };

        Assert.Equal(new VoteRequest(3, IsProbe: true, 10, 2), SequencingMessage.Decode(longer));
        Assert.Contains("unknown", Assert.Throws<InvalidDataException>(() => SequencingMessage.Decode(message with { Content = new byte[] { 99 } })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reply_names_its_founding_to_a_version_that_reads_it_and_is_read_from_one_that_does_not_name_it()
    {
        var founding = new Founding(new HlcTimestamp(77), Store: 8, IsForced: true);
        var reply = new SequencerReply(3, SerialOutcome.Done, VersionVector.Empty, 1) { Numbers = [4] };

        var named = Assert.IsType<SequencerReply>(SequencingMessage.Decode((reply with { Founding = founding }).Wrap()));
        var unnamed = Assert.IsType<SequencerReply>(SequencingMessage.Decode(reply.Wrap()));

        Assert.Equal((founding, 4), (named.Founding, named.Numbers.Single()));
        Assert.Equal((null, 4), (unnamed.Founding, unnamed.Numbers.Single()));
        // The older version ignores what follows.
        Assert.True((reply with { Founding = founding }).Wrap().Content.Span.StartsWith(reply.Wrap().Content.Span));
    }

    [Fact]
    public void Request_survives_encoding()
    {
        var hash = new RangeHash();
        hash.Add([1, 2], 77);
        var proposal = new SerialProposal
        {
            Conditions = [new SerialCondition("cakes", 1, 5), new SerialCondition("cakes", 2, null)],
            Ranges = [new SerialRange("cakes", null, 0, KeyRange.All, 0, 0), new SerialRange("cakes", "by name", 9, new KeyRange(new byte[] { 1 }, new byte[] { 2 }), 1, hash.Value)],
            UniqueIndexes = [Index(UniqueColumn.OfKey(1))],
            Operations = [Put("cakes", 0, "Florentine"), Delete("cakes", 2)],
            Numbers = [new SerialNumber("cakes", 99, [NumberPlace.OfKey(0, 0, 0), NumberPlace.OfCell(0, default)])],
        };

        var decoded = Assert.IsType<CommitRequest>(SequencingMessage.Decode(new CommitRequest(3, Id, proposal).Wrap()));

        Assert.Equal((3UL, Id), (decoded.Attempt, decoded.Id));
        Assert.Equal(proposal.Conditions, decoded.Proposal.Conditions);
        Assert.Equal(
            proposal.Ranges.Select(static range => (range.Index, range.Signature, Convert.ToHexString(range.Range.Start.Span), range.Range.End is null, range.Count, range.Hash)),
            decoded.Proposal.Ranges.Select(static range => (range.Index, range.Signature, Convert.ToHexString(range.Range.Start.Span), range.Range.End is null, range.Count, range.Hash)));
        Assert.Equal(proposal.UniqueIndexes[0].RecordKey, decoded.Proposal.UniqueIndexes.Single().RecordKey);
        Assert.Equal(2, decoded.Proposal.Operations.Count);
        Assert.Equal(("cakes", 99), (decoded.Proposal.Numbers.Single().Sequence, decoded.Proposal.Numbers[0].Max));
        Assert.Equal([0, -1], decoded.Proposal.Numbers[0].Places.Select(static place => place.Offset));
    }

    [Fact]
    public void Faulty_request_is_refused_with_the_fault()
    {
        Assert.Contains("claims to show -1 documents", FaultOf(new SerialProposal { Ranges = [new SerialRange("cakes", null, 0, KeyRange.All, -1, 0)] }), StringComparison.Ordinal);
        Assert.Contains("bound of a range", FaultOf(new SerialProposal { Ranges = [new SerialRange("cakes", null, 0, new KeyRange(new byte[1_000], null), 1, 0)] }), StringComparison.Ordinal);
        var update = new DocumentOperation(DocumentOperationKind.Update, "cakes", 1, DocumentContent.Empty, []);
        Assert.Contains("has no columns", FaultOf(new SerialProposal { UniqueIndexes = [Index()] }), StringComparison.Ordinal);
        Assert.Contains("part 99 of a key", FaultOf(new SerialProposal { UniqueIndexes = [Index(UniqueColumn.OfKey(99))] }), StringComparison.Ordinal);
        Assert.Contains("not a path", FaultOf(new SerialProposal { UniqueIndexes = [Index(UniqueColumn.OfCell(new byte[] { 9, 9, 9 }, isNullable: true, default, []))] }), StringComparison.Ordinal);
        SerialOperation[] operations = [Put("cakes", 0, "Florentine"), Put("cakes", 1, "Madeleine"), Delete("cakes", 0)];
        Assert.Contains("name of a sequence", FaultOfNumber("", 1), StringComparison.Ordinal);
        Assert.Contains("Use a key of 1 to 240 bytes", FaultOfNumber(new string('a', 300), 1), StringComparison.Ordinal);
        Assert.Contains("begin at 1", FaultOfNumber("a", 0), StringComparison.Ordinal);
        Assert.Contains("operation 3", FaultOfNumber("a", 1, NumberPlace.OfKey(3, 0, 0)), StringComparison.Ordinal);
        Assert.Contains("operation 2", FaultOfNumber("a", 1, NumberPlace.OfKey(2, 0, 0)), StringComparison.Ordinal);
        Assert.Contains("not the integer 0", FaultOfNumber("a", 1, NumberPlace.OfKey(1, 0, 0)), StringComparison.Ordinal);
        Assert.Contains("which is not written", FaultOfNumber("a", 1, NumberPlace.OfCell(0, DocumentPath.OfProperty("p").Encoded)), StringComparison.Ordinal);
        Assert.Contains("put as a whole", FaultOf(new SerialProposal { Operations = [new SerialOperation(MergePolicy.Serial, update)] }), StringComparison.Ordinal);

        string FaultOfNumber(string sequence, long max, params NumberPlace[] places) =>
            FaultOf(new SerialProposal { Operations = operations, Numbers = [new SerialNumber(sequence, max, places)] });

        static string FaultOf(SerialProposal proposal) =>
            Assert.Throws<InvalidDataException>(() => SequencingMessage.Decode(new CommitRequest(3, Id, proposal).Wrap())).Message;
    }

    [Fact]
    public void State_of_a_later_version_is_refused()
    {
        byte[] state = SequenceState.None.Encode();
        Assert.Equal(1, state[0]);
        state[0] = 2;

        Assert.Contains("Update the library", Assert.Throws<InvalidDataException>(() => SequenceState.Decode(state)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_entry_is_damage()
    {
        await using var storage = new MemoryStorage();
        var batch = new WriteBatch();
        batch.Put(StoreLayout.SequenceEntryKey(2), SequenceEntry.Empty(1).Encoded);
        await storage.CommitAsync(batch, Durability.Flushed, Canceled);
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);

        var damage = await Assert.ThrowsAsync<InvalidDataException>(async () => await SequenceLog.LoadAsync(snapshot, Canceled));

        Assert.Contains("has the entry 2 after 0", damage.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Content_has_the_hash_of_the_document_that_it_becomes_under_any_stamp()
    {
        var content = Put("cakes", 1, "Florentine").Operation.Content;

        var hash = ContentHash.Of(content);
        Assert.Equal(hash, ContentHash.Of(Document.Put(new HlcTimestamp(5, 0, 0, 1), content)));
        Assert.Equal(hash, ContentHash.Of(Document.Put(new HlcTimestamp(9, 0, 0, 2), content)));
        Assert.NotEqual(hash, ContentHash.Of(Put("cakes", 1, "Madeleine").Operation.Content));
    }

    [Fact]
    public void Outcome_is_recorded_with_the_number_of_its_transaction()
    {
        var stamp = new HlcTimestamp(5, 0, 0, 1);
        var refused = new RecordedOutcome(13, new SerialRefusal(RefusalReason.Document, 4), null);

        var recorded = RecordedOutcome.Of(Document.Put(stamp, new RecordedOutcome(12, null, [5, 6, 9]).ToContent()));
        Assert.Equal((12UL, null), (recorded.Number, recorded.Refusal));
        Assert.Equal([5, 6, 9], recorded.Numbers);
        recorded = RecordedOutcome.Of(Document.Put(stamp, refused.ToContent()));
        Assert.Equal((13UL, refused.Refusal), (recorded.Number, recorded.Refusal));
        Assert.Equal(0UL, RecordedOutcome.Of(Document.Nothing).Number);
    }

    static UniqueIndex Index(params UniqueColumn[] columns) => new("cakes", "by name", columns);

    static SerialOperation Put(string keyspace, long key, string value) =>
        new(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Put, keyspace, DocumentKey.Of(key), DocumentContent.OfRaw(System.Text.Encoding.UTF8.GetBytes(value)), []));

    static SerialOperation Delete(string keyspace, long key) =>
        new(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Delete, keyspace, DocumentKey.Of(key), DocumentContent.Empty, []));
}
