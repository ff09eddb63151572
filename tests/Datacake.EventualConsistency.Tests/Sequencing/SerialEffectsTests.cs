using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Sequencing.Messages;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>The effects of transactions that are decided together [S4].</summary>
public sealed class SerialEffectsTests
{
    [Fact]
    public async Task Updates_of_different_parts_of_a_merging_document_by_transactions_decided_together_all_take_effect()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Write(DocumentOperationKind.Put, ("Name", "Sachertorte"), ("Left", "3"), ("Baker", "none")));

        await store.CommitTogetherAsync(
            Write(DocumentOperationKind.Update, ("Left", "2"), ("Baker", "first")), Write(DocumentOperationKind.Update, ("Name", "Linzer Torte")), Write(DocumentOperationKind.Update, ("Left", "1")));

        Assert.Equal("Baker=first Left=1 Name=Linzer Torte", await ShownAsync(store));
    }

    [Fact]
    public async Task Update_that_is_decided_together_with_a_put_or_after_a_delete_has_the_effect_of_the_sequence()
    {
        await using var store = await SequencedStore.StartAsync();

        await store.CommitTogetherAsync(Write(DocumentOperationKind.Put, ("Name", "Sachertorte"), ("Left", "3")), Write(DocumentOperationKind.Update, ("Left", "2")));
        Assert.Equal("Left=2 Name=Sachertorte", await ShownAsync(store));

        await store.CommitTogetherAsync(Write(DocumentOperationKind.Delete), Write(DocumentOperationKind.Update, ("Left", "1")));
        Assert.Null(await store.ReadAsync("cakes", 1));
    }

    [Fact]
    public async Task New_sequencer_that_leaves_out_merging_writes_which_its_store_has_names_their_stamps_in_its_token_and_position()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Write(DocumentOperationKind.Put, ("Name", "Linzer Torte")));
        var before = store.State;
        var request = await store.CommitAsync(Write(DocumentOperationKind.Put, ("Name", "Sachertorte")));
        var applied = (await store.ReadAsync("cakes", 1))!.Born;
        Assert.False(before.Token.Contains(applied));

        await store.RestartBeforeAsync(before, EntryOf(before, request));

        Assert.Equal(applied, (await store.ReadAsync("cakes", 1))!.Born);
        var position = (await store.ReadAsync(SerialPosition.Keyspace, SerialPosition.Key))!;
        Assert.True(position.Born > applied);
        Assert.True(SerialPosition.Of(position).Contains(applied));
        Assert.True(store.State.Token.Contains(applied));
    }

    [Fact]
    public async Task New_sequencer_whose_store_has_a_gap_applies_merging_writes_again_and_needs_nothing_that_it_does_not_know()
    {
        await using var store = await SequencedStore.StartAsync();
        await store.CommitAsync(Write(DocumentOperationKind.Put, ("Name", "Linzer Torte")));
        var before = store.State;
        var request = await store.CommitAsync(Write(DocumentOperationKind.Put, ("Name", "Sachertorte")));
        var applied = (await store.ReadAsync("cakes", 1))!.Born;
        await store.WritePositionAsync(VersionVector.Of(2, HlcTimestamp.None, new HlcTimestamp(1, 0, 0, 2)));

        await store.RestartBeforeAsync(before, EntryOf(before, request));

        Assert.True((await store.ReadAsync("cakes", 1))!.Born > applied);
        Assert.Equal("Name=Sachertorte", await ShownAsync(store));
        Assert.True(store.Known.Covers(store.State.Token));
    }

    [Fact]
    public async Task Token_of_a_sequencer_does_not_grow_with_its_terms()
    {
        await using var store = await SequencedStore.StartAsync();
        for (int i = 0; i < 5; i++)
        {
            var merging = new Transaction();
            merging.Put("notes", 1, DocumentContent.OfRaw(new byte[] { 1 }));
            await store.WriteAsync(merging);
            await store.RestartAsync();
            await store.TickReplicaAsync();
            await store.CommitAsync(Write(DocumentOperationKind.Put, ("Left", $"{i}")));
        }

        Assert.Equal(1, store.State.Token[1].Length);
        Assert.True(store.Known.Covers(store.State.Token));
    }

    [Fact]
    public void Intervals_of_a_token_are_joined_only_if_everything_between_them_is_known()
    {
        var token = Of(1, 1, 2).Union(Of(1, 3, 4)).Union(Of(1, 6, 7)).Union(Of(2, 1, 2)).Union(Of(2, 3, 4));
        var known = Of(1, 0, 5).Union(Of(1, 6, 9)).Union(Of(2, 1, 9));

        Assert.Equal(Of(1, 1, 4).Union(Of(1, 6, 7)).Union(Of(2, 1, 4)), Sequencer.Joined(token, known));

        static VersionVector Of(byte node, uint low, uint high) => VersionVector.Of(node, new HlcTimestamp(low, 0, 0, node), new HlcTimestamp(high, 0, 0, node));
    }

    static SequenceEntry EntryOf(SequenceState before, SerialRequest request) =>
        SequenceEntry.Of(before.Epoch, request.Id!.Value, ((CommitRequest)request.Message).Proposal.Operations, []);

    static SerialProposal Write(DocumentOperationKind kind, params (string Property, string Value)[] cells)
    {
        var content = new DocumentContentBuilder();
        foreach (var (property, value) in cells)
            content.Set(DocumentPath.OfProperty(property).Encoded.Span, Encoding.UTF8.GetBytes(value));
        return new SerialProposal { Operations = [new SerialOperation(MergePolicy.LastWriterWins, new DocumentOperation(kind, "cakes", 1, content.Build(), []))] };
    }

    static async Task<string> ShownAsync(SequencedStore store)
    {
        var shown = new List<string>();
        var document = (await store.ReadAsync("cakes", 1))!;
        foreach (var cell in document.Cells)
        {
            if (!cell.IsRemoved && cell.IsShown(document.Born))
                shown.Add($"{Encoding.UTF8.GetString(cell.Property)}={Encoding.UTF8.GetString(cell.Value)}");
        }
        return string.Join(' ', shown.Order(StringComparer.Ordinal));
    }
}
