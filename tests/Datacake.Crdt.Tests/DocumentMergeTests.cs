using CsCheck;

namespace Datacake.Crdt.Tests;

public class DocumentMergeTests
{
    static readonly HlcTimestamp First = Stamp(1), Second = Stamp(2), Third = Stamp(3);
    static readonly DocumentPath Name = DocumentPath.OfProperty("Name"), Price = DocumentPath.OfProperty("Price");

    [Fact]
    public void Merge_is_commutative() => Gen.Select(Generate.AnyDocument, Generate.AnyDocument)
        .Sample((a, b) => Document.Merge(a, b).Equals(Document.Merge(b, a)), iter: 5_000);

    [Fact]
    public void Merge_is_associative() => Gen.Select(Generate.AnyDocument, Generate.AnyDocument, Generate.AnyDocument)
        .Sample((a, b, c) => Document.Merge(Document.Merge(a, b), c).Equals(Document.Merge(a, Document.Merge(b, c))), iter: 10_000);

    [Fact]
    public void Merge_is_idempotent() => Gen.Select(Generate.AnyDocument, Generate.AnyDocument).Sample((a, b) =>
    {
        var merged = Document.Merge(a, b);
        return Document.Merge(a, CopyOf(a)).Equals(a)
            && Document.Merge(merged, a).Equals(merged)
            && Document.Merge(b, merged).Equals(merged);
    }, iter: 5_000);

    [Fact]
    public void Merging_nothing_changes_nothing() => Generate.AnyDocument.Sample(document =>
        Document.Merge(document, Document.Nothing).Equals(document)
        && Document.Merge(Document.Nothing, document).Equals(document)
        && Document.Merge(document, CopyOf(Document.Nothing)).Equals(document));

    [Fact]
    public void Transactions_merged_in_any_order_give_one_document() =>
        Generate.Delta.Array[1, 8].SelectMany(deltas => Gen.Select(Gen.Const(deltas), Gen.Shuffle(deltas), Gen.Shuffle(deltas)))
            .Sample((first, second, third) =>
            {
                // The third order arrives in two halves that were merged elsewhere, with the last transaction in both.
                var expected = first.Aggregate(Document.Nothing, Document.Merge);
                int half = third.Length / 2;
                var halves = Document.Merge(
                    third[..half].Aggregate(Document.Nothing, Document.Merge), third[half..].Aggregate(Document.Merge));
                return expected.Equals(second.Aggregate(Document.Merge)) && expected.Equals(Document.Merge(halves, third[^1]));
            }, iter: 5_000);

    [Fact]
    public void A_merge_shows_the_greatest_stamp_of_each_path() => Gen.Select(Generate.AnyDocument, Generate.AnyDocument).Sample((a, b) =>
    {
        var merged = Document.Merge(a, b);
        Assert.Equal(HlcTimestamp.Max(a.Newest, b.Newest), merged.Newest);
        var expected = new SortedDictionary<DocumentPath, HlcTimestamp>();
        foreach (var document in new[] { a, b })
        {
            foreach (var cell in document.Cells)
            {
                var path = new DocumentPath(cell.EncodedPath.ToArray());
                expected[path] = HlcTimestamp.Max(cell.Stamp, expected.GetValueOrDefault(path));
            }
        }
        var actual = new List<KeyValuePair<DocumentPath, HlcTimestamp>>();
        foreach (var cell in merged.Cells)
            actual.Add(new(new DocumentPath(cell.EncodedPath.ToArray()), cell.Stamp));
        Assert.Equal(expected.Where(cell => cell.Value > merged.Born || (cell.Value == merged.Born && !merged.IsLapsed)), actual);
    }, iter: 2_000);

    [Fact]
    public void Concurrent_edits_of_different_properties_both_survive()
    {
        var put = Document.Put(First, Generate.ContentOf([(Name, [1]), (Price, [1])]));
        var merged = Document.Merge(
            Document.Merge(put, Document.Update(Second, Generate.ContentOf([(Name, [2])]))),
            Document.Merge(put, Document.Update(Third, Generate.ContentOf([(Price, [3])]))));
        Assert.True(merged.TryGetCell(Name.Encoded.Span, out var name));
        Assert.True(merged.TryGetCell(Price.Encoded.Span, out var price));
        Assert.Equal([2], name.Value.ToArray());
        Assert.Equal([3], price.Value.ToArray());
    }

    [Fact]
    public void A_put_removes_properties_that_it_does_not_name_but_keeps_later_updates()
    {
        var late = Document.Update(Third, Generate.ContentOf([(Price, [3])]));
        var updated = Document.Merge(Document.Put(First, Generate.ContentOf([(Name, [1])])), late);
        var merged = Document.Merge(updated, Document.Put(Second, DocumentContent.Empty));
        Assert.False(merged.TryGetCell(Name.Encoded.Span, out _));
        Assert.True(merged.TryGetCell(Price.Encoded.Span, out _));
    }

    [Fact]
    public void An_update_after_a_delete_revives_the_whole_document_unless_deletes_win()
    {
        var put = Document.Put(First, Generate.ContentOf([(Name, [1])]));
        var dead = Document.Merge(put, Document.Delete(Second));
        Assert.False(dead.IsAlive(MergePolicy.LastWriterWins));

        var revived = Document.Merge(dead, Document.Update(Third, Generate.ContentOf([(Price, [3])])));
        Assert.True(revived.IsAlive(MergePolicy.LastWriterWins));
        Assert.False(revived.IsAlive(MergePolicy.DeleteWins));
        Assert.True(revived.TryGetCell(Name.Encoded.Span, out _));

        var putAgain = Document.Merge(dead, Document.Put(Third, DocumentContent.Empty));
        Assert.True(putAgain.IsAlive(MergePolicy.DeleteWins));
    }

    [Fact]
    public void An_expiry_belongs_to_its_put()
    {
        var expires = Stamp(100);
        var put = Document.Put(Second, Generate.ContentOf([(Name, [1])]), expires);
        Assert.True(put.IsAliveAt(Stamp(99), MergePolicy.LastWriterWins));
        Assert.False(put.IsAliveAt(expires, MergePolicy.LastWriterWins));
        Assert.True(put.IsAlive(MergePolicy.LastWriterWins));

        var updated = Document.Merge(put, Document.Update(Third, Generate.ContentOf([(Price, [3])])));
        Assert.Equal(expires, updated.Expires);
        var older = Document.Merge(put, Document.Put(First, DocumentContent.Empty));
        Assert.Equal(put, older);
        var newer = Document.Merge(put, Document.Put(Third, DocumentContent.Empty));
        Assert.True(newer.Expires.IsNone);
    }

    [Fact]
    public void An_expired_put_is_dead_whatever_is_written_to_it_until_there_is_a_newer_put()
    {
        var put = Document.Put(First, Generate.ContentOf([(Name, [1])]), Stamp(100));
        var lapsed = put.Lapse();
        Assert.False(lapsed.IsAlive(MergePolicy.LastWriterWins));
        Assert.False(lapsed.TryGetCell(Name.Encoded.Span, out _));
        Assert.Equal(lapsed, Document.Merge(put, lapsed));
        Assert.Equal(lapsed, lapsed.Lapse());

        // The update may have been made on a later put, which comes after it.
        var updated = Document.Merge(lapsed, Document.Update(Third, Generate.ContentOf([(Price, [3])])));
        Assert.False(updated.IsAlive(MergePolicy.LastWriterWins));
        var again = Document.Merge(updated, Document.Put(Second, Generate.ContentOf([(Name, [2])])));
        Assert.True(again.IsAlive(MergePolicy.LastWriterWins));
        Assert.True(again.Expires.IsNone);
        Assert.True(again.TryGetCell(Price.Encoded.Span, out _));
        Assert.Throws<InvalidOperationException>(() => again.Lapse());
    }

    [Fact]
    public void A_removed_cell_beats_a_value_of_the_same_stamp_and_otherwise_the_greater_bytes_win()
    {
        Document Of(byte[]? value) => Document.Update(First, Generate.ContentOf([(Name, value)]));
        Assert.Equal(Of(null), Document.Merge(Of(null), Of([9])));
        Assert.Equal(Of([9]), Document.Merge(Of([9]), Of([1, 2])));
    }

    [Fact]
    public void Filter_drops_refused_cells_and_returns_the_same_instance_if_there_are_none() => Gen.Select(Generate.AnyDocument, Generate.Stamp)
        .Sample((document, limit) =>
        {
            var filtered = document.Filter(cell => cell.Stamp > limit);
            int kept = 0, all = 0;
            foreach (var cell in document.Cells)
            {
                all++;
                bool isFound = filtered.TryGetCell(cell.EncodedPath, out var found);
                Assert.Equal(cell.Stamp > limit, isFound);
                if (!isFound)
                    continue;
                kept++;
                Assert.Equal(cell.Stamp, found.Stamp);
                Assert.Equal(cell.IsRemoved, found.IsRemoved);
                Assert.Equal(cell.Value, found.Value);
            }
            Assert.Equal(kept == all, ReferenceEquals(document, filtered));
            Assert.Equal((document.Born, document.Touched, document.Died), (filtered.Born, filtered.Touched, filtered.Died));
        }, iter: 2_000);

    [Fact]
    public void A_document_is_within_a_set_that_has_all_its_stamps() =>
        Gen.Select(Generate.AnyDocument, Generate.Stamp).Sample((document, limit) =>
        {
            var known = VersionVector.Empty;
            for (byte node = 1; node <= 3; node++)
                known = known.Union(VersionVector.Of(node, HlcTimestamp.None, limit));
            bool expected = document.Newest <= limit;
            Assert.Equal(expected, document.IsWithin(known));
        }, iter: 2_000);

    [Fact]
    public void The_value_of_a_raw_document_is_a_view_of_its_bytes()
    {
        byte[] value = [1, 2, 3];
        Assert.Equal(value, Document.Put(First, DocumentContent.OfRaw(value)).Value!.Value.ToArray());
        Assert.Empty(Document.Put(First, DocumentContent.OfRaw([])).Value!.Value.ToArray());
        Assert.Null(Document.Delete(First).Value);
        Assert.Null(Document.Put(First, Generate.ContentOf([(DocumentPath.Root, null)])).Value);
        Assert.Null(Document.Put(First, Generate.ContentOf([(Name, value)])).Value);
    }

    [Fact]
    public void A_large_value_survives_merges()
    {
        byte[] value = [.. Enumerable.Range(0, 1_000_000).Select(i => (byte)i)];
        var merged = Document.Merge(Document.Put(Second, DocumentContent.OfRaw(value)), Document.Put(First, DocumentContent.OfRaw([1])));
        Assert.Equal(value, merged.Value!.Value.ToArray());
    }

    [Fact]
    public void A_transaction_needs_a_stamp()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Document.Put(HlcTimestamp.None, DocumentContent.Empty));
        Assert.Throws<ArgumentOutOfRangeException>(() => Document.Update(HlcTimestamp.None, DocumentContent.Empty));
        Assert.Throws<ArgumentOutOfRangeException>(() => Document.Delete(HlcTimestamp.None));
    }

    static HlcTimestamp Stamp(uint seconds) => new(seconds, fraction: 0, counter: 0, node: 1);

    static Document CopyOf(Document document) => Document.Parse(document.Encoded.ToArray());
}
