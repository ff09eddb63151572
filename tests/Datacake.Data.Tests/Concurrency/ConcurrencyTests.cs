using System.Text;

namespace Datacake.Data.Tests.Concurrency;

/// <summary>Tests of the merged state of two nodes that edited the same data while disconnected, for each mapping.</summary>
public class ConcurrencyTests(EditedApart nodes) : IClassFixture<EditedApart>
{
    public static TheoryData<string> Promises => [.. EditedApart.Edits.Select(edit => edit.Promise)];

    [Theory]
    [MemberData(nameof(Promises))]
    public async Task Concurrent_edits_merge_on_both_nodes_as_promised(string promise)
    {
        int index = EditedApart.Edits.ToList().FindIndex(edit => edit.Promise == promise);
        foreach (int nodeId in new[] { 1, 2 })
        {
            await using var db = nodes.NewContext(nodeId);
            var entity = await db.Everything.FindAsync([EditedApart.IdOf(index)], Token);
            EditedApart.Edits[index].Check(entity!);
        }
    }

    [Fact]
    public async Task Later_edit_revives_a_deleted_entity_and_a_later_delete_wins_over_an_edit()
    {
        foreach (int nodeId in new[] { 1, 2 })
        {
            await using var db = nodes.NewContext(nodeId);
            var revived = await db.Products.FindAsync([1L], Token);
            Assert.Equal(("revived", 7m), (revived?.Name, revived?.Price));
            Assert.Null(await db.Products.FindAsync([2L], Token));
        }
    }

    [Fact]
    public async Task Later_edit_does_not_revive_a_deleted_entity_with_DeleteWins()
    {
        foreach (int nodeId in new[] { 1, 2 })
        {
            await using var db = nodes.NewContext(nodeId);
            await Eventually.WaitUntilAsync(
                async () => await db.OrderLines.AsNoTracking().CountAsync(Token) == 0, $"the line is gone from node {nodeId}");
            Assert.Null(await db.OrderLines.FindAsync(["A", 1], Token));
        }
    }

    [Fact]
    public async Task Later_put_of_raw_bytes_wins()
    {
        foreach (int nodeId in new[] { 1, 2 })
            Assert.Equal("theirs", Encoding.UTF8.GetString(await nodes.RawAsync(nodeId)));
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
