using CsCheck;

namespace Datacake.Crdt.Tests;

public class DocumentContentBuilderTests
{
    static readonly HlcTimestamp Stamp = new(1, 0, 0, 1);

    [Fact]
    public void Cells_are_sorted_by_path_regardless_of_the_order_of_insertion() =>
        Generate.Cells.SelectMany(cells => Gen.Select(Gen.Const(cells), Gen.Shuffle(cells))).Sample((cells, shuffled) =>
        {
            var content = Generate.ContentOf(shuffled);
            Assert.Equal(cells.Length, content.Count);
            var expected = cells.OrderBy(cell => cell.Path).GetEnumerator();
            foreach (var cell in content)
            {
                Assert.True(expected.MoveNext());
                Assert.Equal(expected.Current.Path.Encoded.Span, cell.EncodedPath);
                Assert.Equal(expected.Current.Value is null, cell.IsRemoved);
                Assert.Equal(expected.Current.Value ?? [], cell.Value);
                Assert.Equal(HlcTimestamp.None, cell.Stamp);
            }
            Assert.False(expected.MoveNext());
            Assert.Equal(Document.Put(Stamp, Generate.ContentOf(cells)), Document.Put(Stamp, content));
            Assert.Equal(Document.Update(Stamp, Generate.ContentOf(cells)), Document.Update(Stamp, content));
        }, iter: 2_000);

    [Fact]
    public void A_path_added_twice_is_refused_by_name() =>
        Gen.Select(Generate.Cells.Where(cells => cells.Length > 0), Gen.Int[0, 5], Gen.Bool).Sample((cells, which, isLast) =>
        {
            var again = cells[which % cells.Length];
            var error = Assert.Throws<InvalidOperationException>(() => Generate.ContentOf(isLast ? [.. cells, again] : [again, .. cells]));
            Assert.Contains(again.Path.ToString(), error.Message, StringComparison.Ordinal);
        }, iter: 500);

    [Fact]
    public void A_builder_can_be_reused()
    {
        var builder = new DocumentContentBuilder(capacity: 0);
        builder.Set(DocumentPath.OfProperty("B").Encoded.Span, [2]);
        builder.Set(DocumentPath.OfProperty("A").Encoded.Span, [1]);
        var first = builder.Build();
        Assert.Equal(0, builder.Count);
        builder.Remove(DocumentPath.OfProperty("A").Encoded.Span);
        var second = builder.Build();

        Assert.Equal(2, first.Count);
        Assert.Equal(1, second.Count);
        Assert.True(Document.Put(Stamp, first).TryGetCell(DocumentPath.OfProperty("A").Encoded.Span, out var cell));
        Assert.Equal([1], cell.Value.ToArray());
    }

    [Fact]
    public void Bytes_that_are_not_a_path_are_refused_before_anything_is_added()
    {
        var builder = new DocumentContentBuilder();
        Assert.Throws<ArgumentException>(() => builder.Set([9, 1, 65], []));
        Assert.Throws<ArgumentException>(() => builder.Remove([1, 5, 65]));
        Assert.Equal(0, builder.Count);
    }
}
